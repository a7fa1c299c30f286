//! What a value is inside, for `structuredClone` and for whoever takes bytes.

use std::rc::Rc;

use rquickjs::{Ctx, Error, Object, Result, Value};

use super::lend_function;
use crate::sandbox;
use crate::worker::host::Host;
use crate::worker::inspect;

/// The question that all files may ask.
pub fn lend_kinds<'js>(ctx: &Ctx<'js>, lent: &Object<'js>) -> Result<()> {
    lend_function(ctx, lent, "classOf", |value: Value<'js>| sandbox::class_of(&value))
}

pub fn lend<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
    let owner = Rc::clone(host);
    lend_function(ctx, lent, "isPlatform", move |ctx: Ctx<'js>, object: Object<'js>| owner.web.knows(&ctx, &object))?;
    let owner = Rc::clone(host);
    lend_function(ctx, lent, "nameOf", move |ctx: Ctx<'js>, value: Value<'js>| inspect::name_of(&ctx, &owner, &value))?;
    let owner = Rc::clone(host);
    lend_function(ctx, lent, "regexpFlags", move |ctx: Ctx<'js>, regexp: Object<'js>| {
        owner.tools.borrow().as_ref().ok_or(Error::Unknown)?.look(&ctx)?.regexp_flags(&regexp)
    })
}
