//! Two questions about a value that the engine's safe interface has no answer to.

use rquickjs::{TypedArray, Value, qjs};

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
