//! Seeing that a value is a proxy, callable ones included.

use rquickjs::{Proxy, Value};

/// The value as a proxy. The checked conversion takes a callable one for nothing but a function, so that there would be no way
/// to what is behind it without asking its traps.
pub fn as_proxy<'a, 'js>(value: &'a Value<'js>) -> Option<&'a Proxy<'js>> {
    // SAFETY: the engine itself says that the value is a proxy, which is all that the type promises.
    value.is_proxy().then(|| unsafe { value.ref_proxy() })
}
