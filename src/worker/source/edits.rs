//! Changes to a text, and the way back from the changed text to the one that was sent.

use std::collections::HashSet;
use std::ops::Range;

/// One change: the bytes of `at` make way for `text`.
#[derive(Debug, Clone)]
struct Edit {
    at: Range<usize>,
    text: String,
    /// A stretch of the original, with the changes in it, that stands here as well.
    copy: Option<Range<usize>>,
    /// The bytes are not lost: they stand in the head.
    is_move: bool,
}

/// What is put in front of the text.
#[derive(Debug, Clone)]
enum Head {
    Inserted(String),
    Moved(Range<usize>),
}

/// Changes to a text, collected in any order. Where two of them overlap, the one that begins first wins; of those at the same
/// place the first one that was added comes first.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    edits: Vec<Edit>,
    head: Vec<Head>,
    /// What has been inserted there.
    in_head: HashSet<String>,
    /// Where the head goes: after a hashbang and directives.
    pub head_at: usize,
}

/// A stretch of the changed text that was copied from the original, or stands in the place of a stretch of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins in the changed text, in bytes, and where in the original.
    at: usize,
    from: usize,
    length: usize,
    /// It is not the original's text, but stands in its place: all of it is where that began.
    is_replacement: bool,
}

/// A changed text.
#[derive(Debug, Clone)]
pub struct Rewritten {
    pub text: String,
    pieces: Vec<Piece>,
}

impl Edits {
    pub fn replace(&mut self, at: Range<usize>, text: impl Into<String>) {
        self.edits.push(Edit { at, text: text.into(), copy: None, is_move: false });
    }

    pub fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Puts a stretch of the text, with the changes in it, to another place; in its own it is to be replaced.
    pub fn insert_copy(&mut self, at: usize, of: Range<usize>) {
        self.edits.push(Edit { at: at..at, text: String::new(), copy: Some(of), is_move: false });
    }

    pub fn insert_at_head(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.in_head.insert(text.clone());
        self.head.push(Head::Inserted(text));
    }

    /// Takes a stretch, with the changes in it, from its place and puts it at the end of the head.
    pub fn move_to_head(&mut self, at: Range<usize>) {
        self.edits.push(Edit { at: at.clone(), text: String::new(), copy: None, is_move: true });
        self.head.push(Head::Moved(at));
    }

    pub fn has_head(&self) -> bool {
        !self.head.is_empty()
    }

    /// Whether this has been put into the head already.
    pub fn head_has(&self, text: &str) -> bool {
        self.in_head.contains(text)
    }

    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.head.is_empty()
    }

    /// Carries the changes out.
    pub fn apply(mut self, source: &str) -> Rewritten {
        self.edits.sort_by_key(|edit| edit.at.start);
        let mut out = Rewritten { text: String::with_capacity(source.len() + 64), pieces: Vec::new() };
        let head_at = self.head_at.min(source.len());
        self.emit(source, 0..head_at, &mut out, Which::All);
        for part in &self.head {
            match part {
                Head::Inserted(text) => out.text += text,
                Head::Moved(range) => self.emit(source, range.clone(), &mut out, Which::ButMoves),
            }
        }
        self.emit(source, head_at..source.len(), &mut out, Which::All);
        out
    }

    fn first_from(&self, start: usize) -> usize {
        self.edits.partition_point(|edit| edit.at.start < start)
    }

    fn emit(&self, source: &str, range: Range<usize>, out: &mut Rewritten, which: Which) {
        let mut cursor = range.start;
        let mut next = self.first_from(range.start);
        // What is inserted exactly at the end belongs to what follows, where anything does.
        let takes_end = which == Which::All && range.end >= source.len();
        while let Some(edit) = self.edits.get(next) {
            next += 1;
            if edit.at.start > range.end || (edit.at.start == range.end && !takes_end) {
                break;
            }
            if edit.at.start < cursor {
                // Within what has made way, there may be many more.
                next = self.first_from(cursor);
                continue;
            }
            if edit.at.end > range.end || (edit.is_move && which == Which::ButMoves) {
                continue;
            }
            out.copy(source, cursor..edit.at.start);
            out.put(edit);
            if let Some(range) = &edit.copy {
                self.emit(source, range.clone(), out, Which::ButMoves);
            }
            cursor = edit.at.end;
        }
        out.copy(source, cursor..range.end);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    ButMoves,
}

impl Rewritten {
    fn copy(&mut self, source: &str, range: Range<usize>) {
        let Some(text) = source.get(range.clone()).filter(|text| !text.is_empty()) else { return };
        self.pieces.push(Piece { at: self.text.len(), from: range.start, length: range.len(), is_replacement: false });
        self.text += text;
    }

    fn put(&mut self, edit: &Edit) {
        if !edit.at.is_empty() && !edit.text.is_empty() {
            let (at, length) = (self.text.len(), edit.text.len());
            self.pieces.push(Piece { at, from: edit.at.start, length, is_replacement: true });
        }
        self.text += &edit.text;
    }

    pub fn into_parts(self) -> (String, Vec<Piece>) {
        (self.text, self.pieces)
    }
}

/// Where a byte of the changed text comes from. What has replaced something stands for the start of that, and what was inserted
/// for what follows it; `None` behind the last of the original.
pub fn original(pieces: &[Piece], offset: usize) -> Option<usize> {
    let next = pieces.partition_point(|piece| piece.at <= offset);
    if let Some(piece) = next.checked_sub(1).map(|index| pieces[index])
        && offset < piece.at + piece.length
    {
        return Some(if piece.is_replacement { piece.from } else { piece.from + offset - piece.at });
    }
    pieces.get(next).map(|piece| piece.from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, at: usize) -> usize {
        text.floor_char_boundary(at % (text.len() + 1))
    }

    proptest! {
        #[test]
        fn whatever_is_changed_every_kept_character_is_found_again(
            text in "[ab\u{e9}\u{1d4b3}\n]{0,40}",
            changes in prop::collection::vec((any::<usize>(), any::<usize>(), "[XY]{0,3}", 0..4u8), 0..8),
            head_at in any::<usize>(),
        ) {
            let mut edits = Edits { head_at: cut(&text, head_at), ..Edits::default() };
            for (one, other, new, how) in changes {
                let (one, other) = (cut(&text, one), cut(&text, other));
                let range = one.min(other)..one.max(other);
                match how {
                    0 => edits.insert(range.start, new),
                    1 => edits.insert_at_head(new),
                    2 => edits.move_to_head(range),
                    _ => edits.replace(range, new),
                }
            }
            let (changed, pieces) = edits.apply(&text).into_parts();
            for (at, character) in changed.char_indices() {
                let from = original(&pieces, at);
                if !"XY".contains(character) {
                    let from = from.expect("it was copied");
                    prop_assert_eq!(text[from..].chars().next(), Some(character));
                }
            }
        }
    }

    #[test]
    fn what_is_inserted_stands_for_what_follows() {
        let mut edits = Edits::default();
        edits.insert(4, "{} = [");
        edits.insert(9, "]");
        edits.insert(9, "!");
        let (changed, pieces) = edits.apply("let x = 1").into_parts();
        assert_eq!(changed, "let {} = [x = 1]!");
        assert_eq!(
            [0, 4, 9, 10, 14, 15, 16].map(|at| original(&pieces, at)),
            [Some(0), Some(4), Some(4), Some(4), Some(8), None, None]
        );
    }

    #[test]
    fn what_has_replaced_something_stands_for_its_start() {
        let mut edits = Edits::default();
        edits.replace(2..3, "k2");
        edits.replace(6..7, "a longer name");
        let (changed, pieces) = edits.apply("++k; ++k").into_parts();
        assert_eq!(changed, "++k2; +a longer namek");
        let mut edits = Edits::default();
        edits.replace(2..3, "k2");
        let (changed, pieces_of_last) = edits.apply("++k").into_parts();
        assert_eq!(changed, "++k2");
        assert_eq!([2, 3].map(|at| original(&pieces_of_last, at)), [Some(2), Some(2)]);
        assert_eq!([3, 4, 7, 12, 20].map(|at| original(&pieces, at)), [Some(2), Some(3), Some(6), Some(6), Some(7)]);
    }

    #[test]
    fn what_moves_takes_its_changes_along() {
        let mut edits = Edits::default();
        edits.insert_at_head("<");
        edits.move_to_head(3..6);
        edits.insert_at_head(">");
        edits.replace(4..5, "E");
        let (changed, pieces) = edits.apply("abcdefgh").into_parts();
        assert_eq!(changed, "<dEf>abcgh");
        assert_eq!([1, 3, 5, 8].map(|at| original(&pieces, at)), [Some(3), Some(5), Some(0), Some(6)]);
    }
}
