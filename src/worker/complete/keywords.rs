//! The words of the language.

use crate::ipc::CompletionKind;

/// In the order in which they are offered.
const KEYWORDS: [&str; 41] = [
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "finally",
    "for",
    "from",
    "function",
    "get",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "of",
    "return",
    "set",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Words that are values, with their types.
const VALUES: [(&str, &str); 3] = [("false", "boolean"), ("null", "null"), ("true", "boolean")];

/// All words with their kinds and details.
pub fn words() -> impl Iterator<Item = (&'static str, CompletionKind, &'static str)> {
    let keywords = KEYWORDS.iter().map(|word| (*word, CompletionKind::Keyword, ""));
    keywords.chain(VALUES.iter().map(|(word, detail)| (*word, CompletionKind::Constant, *detail)))
}

/// Global properties that nobody can change.
pub fn is_constant(name: &str) -> bool {
    matches!(name, "undefined" | "NaN" | "Infinity")
}
