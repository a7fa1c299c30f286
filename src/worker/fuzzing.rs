//! The parts of the worker that read strangers' text and need no engine, for the fuzz targets. They panic where a promise is broken.

use super::inspect::quote;

pub use super::complete::rehearsal::rehearse as completion;
pub use super::source::rehearsal::rehearse as source;

/// How a string is shown: in quotes, on one line.
pub fn quoted(text: &str) {
    let shown = quote::quoted(text);
    assert!(!shown.contains(char::is_control), "{shown:?}");
    let mut ends = shown.chars();
    assert_eq!(ends.next(), ends.next_back());
}
