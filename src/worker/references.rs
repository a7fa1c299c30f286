//! Values that clients may look at again. Kept until the engine goes, or until newer ones need their place.

use std::collections::VecDeque;

use rquickjs::{Ctx, Object, Persistent, Value};

use super::host::Host;
use crate::ipc::{MOST_REFERENCES, Reference};

/// Values are kept while less than the heap's size divided by this is in use. What is kept for a client to look at can so cost a
/// script a quarter of its heap at most.
const HEAP_PER_KEEPING: u64 = 4;

/// What a client may look at.
#[derive(Clone)]
pub enum Kept {
    Value(Persistent<Value<'static>>),
    /// An accessor: asking for it calls its getter.
    Getter {
        of: Persistent<Object<'static>>,
        key: Persistent<Value<'static>>,
    },
}

/// The values that are kept, oldest first. Must be emptied before the engine is dropped.
#[derive(Default)]
pub struct References {
    kept: VecDeque<(Reference, Kept)>,
    last: u32,
}

impl References {
    pub fn get(&self, reference: Reference) -> Option<Kept> {
        let at = self.kept.binary_search_by_key(&reference.0, |(kept, _)| kept.0).ok()?;
        Some(self.kept[at].1.clone())
    }

    /// Hands over everything, to be dropped outside of the borrow. The numbers go on.
    pub fn take(&mut self) -> VecDeque<(Reference, Kept)> {
        std::mem::take(&mut self.kept)
    }
}

impl Host {
    /// Keeps a value for the client. `None` where the heap has no room to spare, or the numbers are used up.
    pub fn keep<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Reference> {
        self.keep_as(Kept::Value(Persistent::save(ctx, value.clone())))
    }

    /// Keeps an accessor for the client.
    pub fn keep_getter<'js>(&self, ctx: &Ctx<'js>, of: &Object<'js>, key: &Value<'js>) -> Option<Reference> {
        self.keep_as(Kept::Getter { of: Persistent::save(ctx, of.clone()), key: Persistent::save(ctx, key.clone()) })
    }

    fn keep_as(&self, kept: Kept) -> Option<Reference> {
        if self.is_heap_needed() {
            self.forget_references();
            return None;
        }
        let mut references = self.references.borrow_mut();
        let reference = Reference(references.last.checked_add(1)?);
        references.last = reference.0;
        references.kept.push_back((reference, kept));
        let given_up = if references.kept.len() > MOST_REFERENCES { references.kept.pop_front() } else { None };
        drop(references);
        // Outside of the borrow: a value's end may run anything.
        drop(given_up);
        Some(reference)
    }

    /// Whether so much of the heap is in use that the script may need the rest.
    pub fn is_heap_needed(&self) -> bool {
        self.heap_bytes() > self.settings.borrow().heap_bytes / HEAP_PER_KEEPING
    }

    /// Begins to count anew, for an engine of another session perhaps.
    pub fn reset_references(&self) {
        let old = self.references.take();
        drop(old);
    }

    /// Gives up all that is kept.
    pub fn forget_references(&self) {
        let given_up = self.references.borrow_mut().take();
        drop(given_up);
    }
}
