//! The timer of `AbortSignal.timeout`.

use std::rc::Rc;

use rquickjs::{Ctx, Function, Object, Result};

use super::lend_function;
use crate::worker::host::Host;
use crate::worker::timers;

pub fn lend<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
    let host = Rc::clone(host);
    lend_function(ctx, lent, "setSignalTimer", move |ctx: Ctx<'js>, callback: Function<'js>, milliseconds: f64| {
        timers::set_unheld(&ctx, &host, callback, milliseconds)
    })
}
