//! From the engine's positions back to the texts that the user sent, for this run and those before it.

use std::collections::VecDeque;
use std::rc::Rc;

use super::blame;
use super::decorators::HELPER_FILE;
use super::edits::{self, Piece};
use crate::ids::RunId;
use crate::ipc::StackFrame;

/// Runs whose texts are kept for the positions of their functions; the oldest go first. Beyond, positions are those of the text
/// as the engine got it, which for most texts are the same.
const MOST_ORIGINS: usize = 256;

/// Bytes of texts that are kept for that.
const MOST_ORIGIN_BYTES: usize = 1 << 20;

/// A position of generated code and the one that it was made from: lines from 0, columns from 0 in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    pub line: u32,
    pub column: u32,
    pub from_line: u32,
    pub from_column: u32,
}

/// What became of a text on its way to the engine.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// The text that the engine got.
    pub evaluated: Rc<str>,
    /// Its positions are the user's own.
    is_users_own: bool,
    /// How it came from the JavaScript, where that was changed: the changes, the last ones first, each with the text before it.
    pub edited: Vec<(Rc<str>, Vec<Piece>)>,
    /// How the JavaScript came from the TypeScript. In the order of the generated positions.
    pub compiled: Option<Vec<Mapped>>,
}

/// A text that the engine knows under a name.
#[derive(Debug)]
struct Origin {
    /// What the engine calls it: `run-3`, or `run-3/util.js` for one of a run's files.
    file: String,
    way: Way,
}

/// The texts that positions may refer to.
#[derive(Debug, Default)]
pub struct Origins {
    kept: VecDeque<Origin>,
    bytes: usize,
}

/// What the engine calls a run's text.
pub fn file_of(run: RunId) -> String {
    run.source()
}

impl Way {
    /// The way of a text that the engine gets as it is.
    pub fn unchanged(text: &str) -> Way {
        // The engine counts bytes and editors count UTF-16 units, which is the same in ASCII.
        Way { evaluated: text.into(), is_users_own: text.is_ascii(), ..Way::default() }
    }

    /// The way of a text that was changed.
    pub fn changed(evaluated: Rc<str>, edited: Vec<(Rc<str>, Vec<Piece>)>, compiled: Option<Vec<Mapped>>) -> Way {
        Way { evaluated, is_users_own: false, edited, compiled }
    }

    fn bytes(&self) -> usize {
        let texts = self.edited.iter().map(|(text, _)| text.len());
        let pieces = self.edited.iter().map(|(_, pieces)| size_of_val(&pieces[..]));
        let map = self.compiled.as_ref().map_or(0, |map| size_of_val(&map[..]));
        self.evaluated.len() + texts.sum::<usize>() + pieces.sum::<usize>() + map
    }

    /// Takes a position of the engine's, of code that was running, to the user's text; both from 1. `None` for what only the host
    /// has written.
    fn back_from_code(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let column = if line == 1 { column_in_first_line(&self.evaluated, column) } else { column };
        self.back(line, column)
    }

    fn back(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        if self.is_users_own {
            return Some((line, column));
        }
        self.back_from_byte(offset_of(&self.evaluated, line, column))
    }

    /// The same for a byte of the text that the engine got.
    fn back_from_byte(&self, mut offset: usize) -> Option<(u32, u32)> {
        let mut text = &self.evaluated;
        for (javascript, pieces) in &self.edited {
            offset = edits::original(pieces, offset)?;
            text = javascript;
        }
        let (line, column) = place_in(text, offset);
        match &self.compiled {
            None => Some((line, column)),
            Some(map) => from_map(map, line, column),
        }
    }
}

impl Origins {
    /// Notes a text that the engine is about to get.
    pub fn add(&mut self, file: String, way: Way) {
        self.bytes += way.bytes();
        self.kept.push_back(Origin { file, way });
        while self.kept.len() > MOST_ORIGINS || (self.bytes > MOST_ORIGIN_BYTES && self.kept.len() > 1) {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.way.bytes();
        }
    }

    /// A trace of the engine's with its positions in the texts that the user sent, and the frames in it. The message of the error may
    /// say more about the first of them.
    pub fn in_users_texts(&self, trace: &str, message: &str) -> (String, Vec<StackFrame>) {
        let mut out = String::with_capacity(trace.len());
        let mut frames = Vec::new();
        let mut is_first = true;
        for line in trace.lines() {
            let place = place_of(line);
            let is_first = std::mem::take(&mut is_first);
            if place.as_ref().is_some_and(|place| place.file == HELPER_FILE) {
                continue;
            }
            let Some(place) = place.filter(|place| place.file.starts_with("run-")) else {
                out += line;
                out.push('\n');
                continue;
            };
            let Place { function, file, line, column } = place;
            let origin = self.kept.iter().rev().find(|origin| origin.file == file);
            let place = match origin {
                None => Some((line, column)),
                // What the engine's own parser complains about.
                Some(origin) if function.is_empty() => origin.way.back(line, column),
                Some(origin) => (is_first.then(|| blame::property(&origin.way.evaluated, message)).flatten())
                    .and_then(|offset| origin.way.back_from_byte(offset))
                    .or_else(|| origin.way.back_from_code(line, column)),
            };
            // The call of a function that the host has put around the code is nothing that the user has written.
            let Some((line, column)) = place else { continue };
            out += &if function.is_empty() {
                format!("    at {file}:{line}:{column}\n")
            } else {
                format!("    at {function} ({file}:{line}:{column})\n")
            };
            frames.push(StackFrame { function: function.to_owned(), source: file.to_owned(), line, column });
        }
        (out, frames)
    }
}

/// A line of a stack, taken apart.
struct Place<'a> {
    function: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
}

/// Takes apart `    at name (file:line:column)` and `    at file:line:column`.
fn place_of(line: &str) -> Option<Place<'_>> {
    let rest = line.trim().strip_prefix("at ")?;
    let (function, location) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((function, location)) => (function, location),
        None => ("", rest),
    };
    let mut parts = location.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some(Place { function, file: parts.next()?, line, column })
}

/// The column, in bytes from 1, that the engine means in the first line: there it counts from 0, but for names.
fn column_in_first_line(text: &str, column: u32) -> u32 {
    let at = column.saturating_sub(1) as usize;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '\u{200c}' | '\u{200d}');
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return column };
    let is_start_of_name = after.starts_with(is_name) && !before.ends_with(is_name);
    if at == 0 || is_start_of_name { column } else { column + 1 }
}

/// The byte at a line and a column in bytes, both from 1.
fn offset_of(text: &str, line: u32, column: u32) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
    (start + column.saturating_sub(1) as usize).min(end)
}

/// The line and the column, in UTF-16 units, of a byte; both from 1.
pub fn place_in(text: &str, offset: usize) -> (u32, u32) {
    let before = text.get(..text.floor_char_boundary(offset)).unwrap_or_default();
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before[start..].encode_utf16().count();
    (one_based(line), one_based(column))
}

fn one_based(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
}

/// A place of compiled JavaScript in the TypeScript; all from 1.
pub fn from_map(map: &[Mapped], line: u32, column: u32) -> Option<(u32, u32)> {
    let (line, column) = (line - 1, column - 1);
    let next = map.partition_point(|token| (token.line, token.column) <= (line, column));
    // What stands before the first that was mapped on its line is made from the same statement as that one.
    let before = next.checked_sub(1).map(|index| map[index]).filter(|token| token.line == line);
    let token = before.or_else(|| map.get(next).copied()).or_else(|| map.last().copied())?;
    Some((token.from_line + 1, token.from_column + 1))
}
