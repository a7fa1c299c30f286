//! A text on its way to JavaScript that the engine knows: TypeScript is compiled, then decorators are taken out.

use std::borrow::Cow;
use std::rc::Rc;

use super::edits::{self, Piece};
use super::origin::{self, Mapped, Way};
use super::parse::{Frame, Problem};
use super::typescript::{self, Compiled, Goal};
use super::{decorators, repl};

/// What is wrong with a text, and where it is in what the user sent.
#[derive(Debug, Clone)]
pub struct Refused {
    pub place: (u32, u32),
    pub problem: Problem,
}

/// JavaScript, and where it comes from. Most texts are it already.
#[derive(Debug, Clone)]
pub struct Javascript<'t> {
    pub text: Cow<'t, str>,
    /// The text before its decorators were taken out.
    lowered: Option<(String, Vec<Piece>)>,
    compiled: Option<Vec<Mapped>>,
}

impl<'t> Javascript<'t> {
    /// Makes JavaScript of a text.
    ///
    /// # Errors
    /// When it cannot be compiled. Whether it is well-formed is not looked at otherwise.
    pub fn of(text: &'t str, is_typescript: bool, goal: Goal) -> Result<Javascript<'t>, Refused> {
        let mut javascript = Javascript { text: Cow::Borrowed(text), lowered: None, compiled: None };
        if is_typescript {
            let compiled = typescript::compile(text, goal).map_err(|problem| javascript.refused(problem))?;
            let Compiled { text, map } = compiled;
            javascript = Javascript { text: Cow::Owned(text), lowered: None, compiled: Some(map) };
        }
        if !decorators::may_have(&javascript.text) {
            return Ok(javascript);
        }
        let frames = match goal {
            Goal::Console => repl::frames(&javascript.text),
            Goal::Script => vec![Frame::Script],
            Goal::Module => vec![Frame::Module],
        };
        let lowered = decorators::lower(&javascript.text, &frames).map_err(|problem| javascript.refused(problem))?;
        if let Some(lowered) = lowered {
            let (text, pieces) = lowered.into_parts();
            let before = std::mem::replace(&mut javascript.text, Cow::Owned(text));
            javascript.lowered = Some((before.into_owned(), pieces));
        }
        Ok(javascript)
    }

    /// Whether the engine needs [`decorators::HELPER`] for it.
    pub fn has_decorators(&self) -> bool {
        self.lowered.is_some()
    }

    /// A problem with it, at its place in the text that the user sent.
    pub fn refused(&self, problem: Problem) -> Refused {
        let (text, offset) = match &self.lowered {
            None => (self.text.as_ref(), problem.offset),
            Some((before, pieces)) => {
                (before.as_str(), edits::original(pieces, problem.offset).unwrap_or(before.len()))
            }
        };
        let (line, column) = origin::place_in(text, offset);
        let place = match &self.compiled {
            None => (line, column),
            Some(map) => origin::from_map(map, line, column).unwrap_or((1, 1)),
        };
        Refused { place, problem }
    }

    /// The way back from it.
    pub fn way(self) -> Way {
        if self.lowered.is_none() && self.compiled.is_none() {
            return Way::unchanged(&self.text);
        }
        Way::changed(self.text.into(), lowered(self.lowered).collect(), self.compiled)
    }

    /// The way back from a text that it was changed to.
    pub fn way_from(self, changed: Rc<str>, pieces: Vec<Piece>) -> Way {
        let edited = std::iter::once((self.text.into(), pieces)).chain(lowered(self.lowered)).collect();
        Way::changed(changed, edited, self.compiled)
    }
}

fn lowered(before: Option<(String, Vec<Piece>)>) -> impl Iterator<Item = (Rc<str>, Vec<Piece>)> {
    before.into_iter().map(|(text, pieces)| (text.into(), pieces))
}
