//! `fetch`, which is there to say why it cannot be done.

use std::rc::Rc;

use rquickjs::object::Property;
use rquickjs::{Ctx, Error, Function, Promise, Result};

use crate::worker::host::Host;

const REASON: &str = "fetch failed: there is no network in this sandbox";

pub fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let host = Rc::clone(host);
    let fetch = move |ctx: Ctx<'js>| -> Result<Promise<'js>> {
        let error = host.tools.borrow().as_ref().ok_or(Error::Unknown)?.look(&ctx)?.new_type_error(REASON)?;
        let (promise, _, reject) = Promise::new(&ctx)?;
        reject.call::<_, ()>((error,))?;
        Ok(promise)
    };
    let fetch = Function::new(ctx.clone(), fetch)?.with_name("fetch")?.with_length(1)?;
    ctx.globals().prop("fetch", Property::from(fetch).writable().configurable().enumerable())
}
