//! Where lines break, and which lists stand in columns: by the same rules as Node's.

use super::width::{columns, units};

/// A list with more entries than this is printed in columns.
const GROUP_ABOVE: usize = 6;

/// Columns of a list at most.
const MOST_COLUMNS: usize = 15;

/// What stands between two entries in a row: a comma and a space.
const SEPARATOR: usize = 2;

/// What is known of an object when its parts have been printed.
pub struct Parts<'a> {
    pub entries: Vec<String>,
    /// What stands before the opening brace; may be empty.
    pub base: &'a str,
    pub open: &'a str,
    pub close: &'a str,
    pub indentation: usize,
    /// Levels between this object and the deepest one printed last inside it.
    pub levels_inside: usize,
    /// Set for lists, which may be printed in columns.
    pub list: Option<List>,
    pub break_length: usize,
    pub compact: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct List {
    /// More entries than this, and the last is a note about those that are left out.
    pub most_entries: usize,
    /// Numbers stand at the right of their column.
    pub all_numbers: bool,
}

/// Puts the parts on one line if they are few and short, else each on its own.
pub fn join(parts: Parts<'_>) -> String {
    let Parts { mut entries, base, open, close, indentation, levels_inside, list, break_length, compact } = parts;
    let count = entries.len();
    if let Some(list) = list
        && count > GROUP_ABOVE
        && compact > 0
    {
        entries = group(entries, indentation, list, break_length, compact);
    }
    let lead = if base.is_empty() { String::new() } else { format!("{base} ") };
    if levels_inside < compact && count == entries.len() {
        let start = entries.len() + indentation + units(open) + units(base) + 10;
        if fits(&entries, start, base, break_length) {
            let joined = entries.join(", ");
            if !joined.contains('\n') {
                return format!("{lead}{open} {joined} {close}");
            }
        }
    }
    let line = format!("\n{}", " ".repeat(indentation));
    format!("{lead}{open}{line}  {}{line}{close}", entries.join(&format!(",{line}  ")))
}

fn fits(entries: &[String], start: usize, base: &str, break_length: usize) -> bool {
    let mut total = entries.len() + start;
    if total + entries.len() > break_length {
        return false;
    }
    for entry in entries {
        total += units(entry);
        if total > break_length {
            return false;
        }
    }
    !base.contains('\n')
}

fn group(entries: Vec<String>, indentation: usize, list: List, break_length: usize, compact: usize) -> Vec<String> {
    let has_note = entries.len() > list.most_entries;
    let count = entries.len() - usize::from(has_note);
    let widths: Vec<usize> = entries[..count].iter().map(|entry| columns(entry)).collect();
    let total: usize = widths.iter().map(|width| width + SEPARATOR).sum();
    let longest = widths.iter().copied().max().unwrap_or(0);
    let column = longest + SEPARATOR;
    // Entries of very different length would leave large gaps.
    let even = total as f64 / column as f64 > 5.0 || longest <= 6;
    if column * 3 + indentation >= break_length || !even {
        return entries;
    }
    let across = columns_across(column, total, entries.len(), count)
        .min(break_length.saturating_sub(indentation) / column)
        .min(compact * 4)
        .min(MOST_COLUMNS);
    if across <= 1 {
        return entries;
    }
    let column_widths: Vec<usize> = (0..across)
        .map(|first| widths.iter().skip(first).step_by(across).copied().max().unwrap_or(0) + SEPARATOR)
        .collect();
    let mut lines = Vec::new();
    for (row, row_widths) in entries[..count].chunks(across).zip(widths.chunks(across)) {
        let mut line = String::new();
        for (position, entry) in row.iter().enumerate() {
            let last = position + 1 == row.len();
            let gap = column_widths[position] - SEPARATOR - row_widths[position];
            let padding = " ".repeat(gap);
            let comma = if last { "" } else { ", " };
            match (list.all_numbers, last) {
                (true, _) => line.extend([&padding, entry.as_str(), comma]),
                (false, false) => line.extend([entry.as_str(), comma, &padding]),
                (false, true) => line.push_str(entry),
            }
        }
        lines.push(line);
    }
    if has_note {
        lines.extend(entries.into_iter().nth(count));
    }
    lines
}

/// How many columns make the block about as high as it is wide, a character being 2.5 times as high as wide, with more of them
/// where most entries are shorter than the longest.
fn columns_across(column: usize, total: usize, entries: usize, count: usize) -> usize {
    let bias = (column as f64 - total as f64 / entries as f64).max(0.0).sqrt();
    let biased = (column as f64 - 3.0 - bias).max(1.0);
    // As `Math.round`: halves go up.
    ((2.5 * biased * count as f64).sqrt() / biased + 0.5).floor() as usize
}
