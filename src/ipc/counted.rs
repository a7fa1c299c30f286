//! Lists in frames from a worker. A frame is bounded in bytes, but an item of a list may take two bytes there and a hundred in memory:
//! so all lists of one frame together are bounded in what their items take.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// What the items of all lists in one frame may take in memory, texts not counted. The largest honest frame has a thousand properties
/// with a preview each, which is a quarter of it.
pub const MOST_ITEM_BYTES: usize = 4 << 20;

thread_local! {
    /// What is left for the frame that this thread decodes.
    static LEFT: Cell<usize> = const { Cell::new(MOST_ITEM_BYTES) };
}

/// Begins a frame.
pub(super) fn begin_frame() {
    LEFT.set(MOST_ITEM_BYTES);
}

/// For `#[serde(deserialize_with = "counted::list")]`.
///
/// # Errors
/// Where the frame's lists take more than [`MOST_ITEM_BYTES`] together.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(List(PhantomData))
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            let left = LEFT.get().checked_sub(size_of::<T>());
            LEFT.set(left.ok_or_else(|| A::Error::custom("the frame has too many items"))?);
            list.push(item);
        }
        Ok(list)
    }
}
