//! Fenced blocks of the documentation, and how their expected output is compared.

use std::path::Path;

/// One fenced block, without its fences and its indentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the opening fence: the language, and a word on what is to be done with it.
    pub info: String,
    pub text: String,
    /// Where it begins, for messages.
    pub at: String,
}

/// A file of the repository.
pub fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a file, in order.
pub fn blocks(path: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    for (number, line) in read(path).lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => {
                let at = format!("{path}:{}", number + 1);
                open = Some((Block { info: info.trim().to_owned(), text: String::new(), at }, indent));
            }
            (None, None) => {}
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
            (Some((block, indent)), None) => {
                block.text += line.get(*indent..).unwrap_or_default();
                block.text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "{path}: a fence is not closed");
    blocks
}

/// The blocks of one kind, each with the ```text block right behind it.
#[track_caller]
pub fn examples(path: &str, info: &str) -> Vec<(Block, String)> {
    let blocks = blocks(path);
    let pairs = blocks.iter().zip(blocks.iter().skip(1)).filter(|(block, _)| block.info == info);
    let examples: Vec<_> = pairs
        .map(|(block, next)| {
            assert_eq!(next.info, "text", "{}: its expected output is missing", block.at);
            (block.clone(), next.text.clone())
        })
        .collect();
    assert_eq!(examples.len(), blocks.iter().filter(|block| block.info == info).count());
    examples
}

/// Whether a text is what the documentation says: `…` stands for anything on its line.
pub fn is_like(found: &str, expected: &str) -> bool {
    let (found, expected): (Vec<_>, Vec<_>) =
        (found.trim_end().lines().collect(), expected.trim_end().lines().collect());
    found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| line_is_like(found, expected))
}

fn line_is_like(found: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn an_ellipsis_stands_for_anything_on_its_line() {
    assert!(is_like("a\n", "a"));
    assert!(is_like("{\"n\":1,\"m\":2}", "{\"n\":…,\"m\":…}"));
    assert!(is_like("x", "…"));
    assert!(is_like("abc", "a…c"));
    assert!(!is_like("a", "a…a"), "one letter is not both ends");
    assert!(!is_like("a\nb", "…"), "it does not reach over lines");
    assert!(!is_like("ab", "a"));
    assert!(!is_like("ba", "a"));
}
