//! Values that clients may look at again. Kept until the engine goes, or until newer ones need their place.

use std::collections::VecDeque;

use rquickjs::{Ctx, Object, Persistent, Value};

use super::host::Host;
use crate::ipc::{MOST_REFERENCES, Reference};

/// The part of the heap that may be in use before kept values are given up for new ones: whoever fills a heap must not fail
/// because a client might look at what he has long dropped himself.
const KEEP_BELOW: u64 = 2;

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

    /// Hands over everything, to be dropped outside of the borrow. The numbers go on: an old one never means something new.
    pub fn take(&mut self) -> VecDeque<(Reference, Kept)> {
        std::mem::take(&mut self.kept)
    }
}

impl Host {
    /// Keeps a value for the client. `None` once the numbers are used up.
    pub fn keep<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Option<Reference> {
        self.keep_as(Kept::Value(Persistent::save(ctx, value.clone())))
    }

    /// Keeps an accessor for the client.
    pub fn keep_getter<'js>(&self, ctx: &Ctx<'js>, of: &Object<'js>, key: &Value<'js>) -> Option<Reference> {
        self.keep_as(Kept::Getter { of: Persistent::save(ctx, of.clone()), key: Persistent::save(ctx, key.clone()) })
    }

    fn keep_as(&self, kept: Kept) -> Option<Reference> {
        let is_heap_full = self.heap_bytes() > self.settings.borrow().heap_bytes / KEEP_BELOW;
        let mut references = self.references.borrow_mut();
        let reference = Reference(references.last.checked_add(1)?);
        references.last = reference.0;
        let given_up = if is_heap_full {
            references.take()
        } else if references.kept.len() >= MOST_REFERENCES {
            references.kept.drain(..1).collect()
        } else {
            VecDeque::new()
        };
        references.kept.push_back((reference, kept));
        drop(references);
        // Outside of the borrow: a value's end may run anything.
        drop(given_up);
        Some(reference)
    }

    /// Gives up all that is kept.
    pub fn forget_references(&self) {
        let given_up = self.references.borrow_mut().take();
        drop(given_up);
    }
}
