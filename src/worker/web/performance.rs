//! When the engine's clock began, for `performance` and the times of events.

use std::time::{SystemTime, UNIX_EPOCH};

use rquickjs::{Ctx, Function, Object, Result};

/// Milliseconds since 1970 at which `performance.now()` was zero.
pub fn lend<'js>(_: &Ctx<'js>, lent: &Object<'js>) -> Result<()> {
    let now: f64 = lent.get::<_, Function>("now")?.call(())?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    lent.set("timeOrigin", since.as_secs_f64() * 1000.0 - now)
}
