//! Completion without an engine, for the fuzz targets. Panics where a promise is broken.

use super::outline::outline;
use super::place::{Site, place};
use super::tokens::{Kind, Tokens};

/// Finds out what is being completed at a cursor, in UTF-16 units, that is not behind the end of the text.
pub fn rehearse(code: &str, cursor: u32) {
    let place = place(code, cursor);
    let units = code.encode_utf16().count();
    assert!(place.from <= cursor && cursor <= place.to && place.to as usize <= units, "{place:?}");
    let replaced: Vec<u16> = code.encode_utf16().skip(place.from as usize).collect();
    let prefix: Vec<u16> = place.prefix.encode_utf16().collect();
    assert!(replaced.starts_with(&prefix), "{place:?}");
    if let Site::Element(chain) | Site::Member(chain) | Site::Key(chain, _) = &place.site {
        assert!(chain.keys.iter().all(|key| code.contains(key)), "{place:?}");
    }
    let tokens = Tokens::of(code);
    assert!(tokens.all.is_sorted_by(|one, next| one.end <= next.start), "tokens follow one another");
    assert!(
        tokens.all.iter().all(|token| token.start < token.end && token.end <= code.len()),
        "tokens are of the text"
    );
    for local in outline(&tokens).names {
        assert_eq!(tokens.kind(local.at), Some(Kind::Word), "a name is a word");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::rehearse;

    /// What texts are made of, where it matters to the tokens.
    const PIECES: [&str; 48] = [
        "a", "b1", "this", "let", "const", "function", "class", "import", "from", "as", "catch", "if", "of", "return",
        "extends", " ", "\n", "\u{2028}", ".", "?.", "...", "=>", "=", ":", ",", ";", "*", "/", "//", "/*", "*/", "(",
        ")", "[", "]", "{", "}", "`", "${", "'", "\"", "\\", "#", "5", "0x1", "😀", "é", "\u{200c}",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_has_a_place_at_any_cursor(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40),
            cursor in any::<prop::sample::Index>(),
        ) {
            let text = pieces.concat();
            let units = text.encode_utf16().count();
            rehearse(&text, u32::try_from(cursor.index(units + 1)).unwrap());
        }
    }
}
