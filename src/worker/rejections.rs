//! Promises that were rejected with nobody listening.

use rquickjs::{Ctx, Persistent, Value};

/// How many are kept in one turn. A flood of them is one mistake, and a few tell it as well as all.
const MOST: usize = 100;

type Kept = Persistent<Value<'static>>;

/// The rejected promises of the current turn that nobody has handled yet, with their reasons. Must be dropped before the engine.
#[derive(Default)]
pub struct Rejections {
    unhandled: Vec<(Kept, Kept)>,
}

impl Rejections {
    /// The engine's word that a promise was rejected without a handler, or that such a promise has got one after all.
    pub fn track<'js>(&mut self, ctx: &Ctx<'js>, promise: Value<'js>, reason: Value<'js>, is_handled: bool) {
        if is_handled {
            let promise = Persistent::save(ctx, promise);
            self.unhandled.retain(|(known, _)| *known != promise);
        } else if self.unhandled.len() < MOST {
            self.unhandled.push((Persistent::save(ctx, promise), Persistent::save(ctx, reason)));
        }
    }

    /// Forgets one promise: its rejection is reported in another way. What was kept of it is handed over, to be dropped outside
    /// of any borrow.
    pub fn forget(&mut self, promise: &Kept) -> Vec<(Kept, Kept)> {
        self.unhandled.extract_if(.., |(known, _)| known == promise).collect()
    }

    /// The reasons of the turn that has just ended.
    pub fn take(&mut self) -> Vec<Kept> {
        self.unhandled.drain(..).map(|(_, reason)| reason).collect()
    }
}
