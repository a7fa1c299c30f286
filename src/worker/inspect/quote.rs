//! Strings and keys as Node quotes them.

use std::fmt::Write;

/// A string in the quotes that need the fewest escapes.
pub fn quoted(text: &str) -> String {
    let quote = quote_for(|c| text.contains(c), text.contains("${"));
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        push_escaped(&mut out, c, quote);
    }
    out.push(quote);
    out
}

/// The same for a string that is not Unicode: surrogates without a partner become escapes.
pub fn quoted_units(units: &[u16]) -> String {
    let has = |c: char| units.iter().any(|unit| u32::from(*unit) == u32::from(c));
    let quote = quote_for(has, units.windows(2).any(|pair| pair == [u16::from(b'$'), u16::from(b'{')]));
    let mut out = String::with_capacity(units.len() + 2);
    out.push(quote);
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => push_escaped(&mut out, c, quote),
            Err(lone) => {
                write!(out, "\\u{:04x}", lone.unpaired_surrogate()).expect("a String takes everything");
            }
        }
    }
    out.push(quote);
    out
}

/// What stands between brackets, symbols above all: no quotes around it, but escapes inside.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_escaped(&mut out, c, '\'');
    }
    out
}

fn quote_for(has: impl Fn(char) -> bool, has_placeholder: bool) -> char {
    if !has('\'') {
        '\''
    } else if !has('"') {
        '"'
    } else if !has('`') && !has_placeholder {
        '`'
    } else {
        '\''
    }
}

fn push_escaped(out: &mut String, c: char, quote: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\u{b}' => out.push_str("\\x0B"),
        '\\' => out.push_str("\\\\"),
        '\'' if quote == '\'' => out.push_str("\\'"),
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
            write!(out, "\\x{:02X}", c as u32).expect("a String takes everything");
        }
        c => out.push(c),
    }
}

/// A property's key: bare where it is an identifier.
pub fn key_text(key: &str) -> String {
    if key == "__proto__" {
        "['__proto__']".into()
    } else if is_identifier(key) {
        key.into()
    } else {
        quoted(key)
    }
}

fn is_identifier(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_chosen_to_save_escapes() {
        assert_eq!(quoted("plain"), "'plain'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("it's \"so\""), "`it's \"so\"`");
        assert_eq!(quoted("it's \"so\" `here`"), "'it\\'s \"so\" `here`'");
        assert_eq!(quoted("a\nb\u{1b}"), "'a\\nb\\x1B'");
        assert_eq!(quoted_units(&[0xd800, 0x27]), "\"\\ud800'\"");
        assert_eq!(quoted_units(&[0xd83d, 0xde00]), "'😀'");
    }

    #[test]
    fn keys_are_quoted_when_they_are_not_identifiers() {
        assert_eq!(key_text("name"), "name");
        assert_eq!(key_text("two words"), "'two words'");
        assert_eq!(key_text("1st"), "'1st'");
        assert_eq!(key_text("__proto__"), "['__proto__']");
    }
}
