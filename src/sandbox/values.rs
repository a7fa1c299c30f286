//! Questions about a value that the engine's safe interface has no answer to.

use std::ffi::{c_int, c_void};

use rquickjs::{Ctx, TypedArray, Value, qjs};

/// The engine's own number for the kind of an object: one for each kind of built-in, whatever a script has made of its prototype.
/// Zero for what is no object.
pub fn class_of(value: &Value<'_>) -> u32 {
    // SAFETY: the value is alive for as long as the reference, and the engine looks at nothing but its tag and its header.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

/// A copy of some of an array's bytes; `None` where it has no such bytes, or none any more.
pub fn copy_bytes(array: &TypedArray<'_, u8>, start: usize, end: usize) -> Option<Vec<u8>> {
    // SAFETY: no JavaScript runs between here and the end of the copy.
    let bytes = unsafe { array.as_bytes() }?;
    bytes.get(start..end).map(<[u8]>::to_vec)
}

/// The engine's numbers for the iterators of Maps and of Sets.
#[derive(Debug, Clone, Copy)]
pub struct IteratorClasses {
    map: u32,
    set: u32,
}

/// What an iterator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    Keys,
    Values,
    Pairs,
}

/// What is still to come from an iterator of a Map or a Set.
pub struct Pending<'js> {
    pub is_of_map: bool,
    pub gives: Gives,
    /// The first of them: each key with its value. A Set has its members for both.
    pub items: Vec<(Value<'js>, Value<'js>)>,
    /// How many more there are.
    pub more: usize,
}

/// The engine's `JSMapIteratorData`.
#[repr(C)]
struct MapIterator {
    /// Undefined once the iterator is at its end.
    collection: qjs::JSValue,
    kind: c_int,
    /// What it gave last; null before its first item.
    current: *const MapRecord,
}

/// The engine's `JSMapRecord`.
#[repr(C)]
struct MapRecord {
    references: c_int,
    is_deleted: bool,
    map: *const c_void,
    link: Link,
    hash_link: Link,
    key: qjs::JSValue,
    value: qjs::JSValue,
}

/// The head of the engine's `JSMapState`.
#[repr(C)]
struct MapState {
    is_weak: bool,
    records: Link,
}

/// The engine's `list_head`: a ring of records, through the state that they belong to.
#[repr(C)]
struct Link {
    previous: *const Link,
    next: *const Link,
}

impl IteratorClasses {
    /// Learns them from an iterator of a Map and one of a Set, which must be the engine's own: made before any script has run.
    pub fn of(map: &Value<'_>, set: &Value<'_>) -> IteratorClasses {
        IteratorClasses { map: class_of(map), set: class_of(set) }
    }

    /// What is still to come from an iterator of a Map or a Set, without taking any of it: the language has no way to ask. `None`
    /// for everything else.
    pub fn pending<'js>(self, ctx: &Ctx<'js>, value: &Value<'js>, most: usize) -> Option<Pending<'js>> {
        let class = class_of(value);
        let is_of_map = class == self.map;
        if !is_of_map && class != self.set {
            return None;
        }
        // SAFETY: the value is alive and of one of these two classes, so what the engine keeps for it is a `JSMapIteratorData`, and
        // what it keeps for its collection is a `JSMapState`. Their layouts are the ones above in the pinned version of the
        // engine; a test of every kind of iterator holds it to that. A record that an iterator stands at is kept by it, even when
        // it is deleted, and stays in the ring of its collection, which the iterator keeps alive. No JavaScript runs in between,
        // and nothing is changed but the counts of the values that are given out.
        unsafe {
            let iterator = qjs::JS_GetOpaque(value.as_raw(), class).cast::<MapIterator>().as_ref()?;
            let gives = match iterator.kind {
                0 => Gives::Keys,
                1 => Gives::Values,
                _ => Gives::Pairs,
            };
            let mut pending = Pending { is_of_map, gives, items: Vec::new(), more: 0 };
            if qjs::JS_IsUndefined(iterator.collection) {
                return Some(pending);
            }
            let collection_class = qjs::JS_GetClassID(iterator.collection);
            let state = qjs::JS_GetOpaque(iterator.collection, collection_class).cast::<MapState>().as_ref()?;
            let end = &raw const state.records;
            let mut link = iterator.current.as_ref().map_or(state.records.next, |record| record.link.next);
            while link != end {
                let record = &*link.byte_sub(std::mem::offset_of!(MapRecord, link)).cast::<MapRecord>();
                link = record.link.next;
                if record.is_deleted {
                    continue;
                }
                if pending.items.len() >= most {
                    pending.more += 1;
                    continue;
                }
                let give = |raw| Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), raw));
                let key = give(record.key);
                let value = if is_of_map { give(record.value) } else { key.clone() };
                pending.items.push((key, value));
            }
            Some(pending)
        }
    }
}
