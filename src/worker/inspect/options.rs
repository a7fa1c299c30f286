//! How much of a value is shown, and how wide. The defaults are Node's.

/// Levels that are shown at most, whatever was asked for: each takes a part of this process's stack.
pub const MOST_LEVELS: i64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Objects nested deeper than this are named, not shown. -1 names even the outermost.
    pub depth: i64,
    /// Properties that are not enumerable are shown too.
    pub show_hidden: bool,
    /// Proxies are shown as a pair of target and handler.
    pub show_proxy: bool,
    /// Entries of one array, Map or Set.
    pub most_entries: usize,
    /// UTF-16 units of a string inside of quotes.
    pub most_units: usize,
    /// Columns that a line of one object may have.
    pub break_length: usize,
    /// How many levels of nesting may share one line.
    pub compact: usize,
    /// Properties are sorted by their text.
    pub sorted: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            depth: 2,
            show_hidden: false,
            show_proxy: false,
            most_entries: 100,
            most_units: 10_000,
            break_length: 80,
            compact: 3,
            sorted: false,
        }
    }
}
