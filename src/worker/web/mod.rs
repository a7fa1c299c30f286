//! The globals of the Web Platform: what they are in JavaScript beside this file, what they need of the host in Rust.
//!
//! A fresh engine has nothing of them but an accessor for each name. The first use of one loads the file that makes it, and the
//! accessor gives way to an ordinary property. Assigning, declaring or deleting a name before its first use does what it does to
//! such a property.
//!
//! A file is a function of one object, `host`: the intrinsics it uses ([`Tools::lend`]), the host's functions, and what files
//! loaded before it have put there for those after. It names no global, which `tests` hold it to, because by then a script may have
//! replaced them all; no script ever sees `host`. (It can get at single functions, through `prepareStackTrace`; the host's own bear
//! any argument.) Each class knows its objects by a private name, so that no script can make up
//! one or take one apart.
//!
//! [`Tools::lend`]: super::tools::Tools::lend

mod abort;
mod base64;
mod clone;
mod crypto;
mod encoding;
mod performance;
#[cfg(test)]
mod tests;
mod url;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::function::{IntoJsFunc, Rest, This};
use rquickjs::object::{AsProperty, Property, PropertyFlags};
use rquickjs::{Array, Ctx, Error, Exception, Function, Object, Persistent, Result, Value, qjs};

use super::host::Host;

/// Work of the host's functions between two looks at the clock.
const STEPS_PER_LOOK: usize = 1024;

/// A file of JavaScript, and what it needs from Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Common,
    Url,
    Encoding,
    Events,
    Abort,
    Clone,
    Crypto,
    Performance,
    Base64,
    Fetch,
}

impl File {
    /// What it is called in stacks, and its text.
    const fn text(self) -> (&'static str, &'static str) {
        match self {
            File::Common => ("web:common", include_str!("common.js")),
            File::Url => ("web:url", include_str!("url.js")),
            File::Encoding => ("web:encoding", include_str!("encoding.js")),
            File::Events => ("web:events", include_str!("events.js")),
            File::Abort => ("web:abort", include_str!("abort.js")),
            File::Clone => ("web:clone", include_str!("clone.js")),
            File::Crypto => ("web:crypto", include_str!("crypto.js")),
            File::Performance => ("web:performance", include_str!("performance.js")),
            File::Base64 => ("web:base64", include_str!("base64.js")),
            File::Fetch => ("web:fetch", include_str!("fetch.js")),
        }
    }

    /// The file that must be loaded before it.
    const fn needs(self) -> Option<File> {
        match self {
            File::Common => None,
            File::Abort => Some(File::Events),
            File::Url
            | File::Encoding
            | File::Events
            | File::Clone
            | File::Crypto
            | File::Performance
            | File::Base64
            | File::Fetch => Some(File::Common),
        }
    }

    /// Gives `host` the functions that this file calls.
    fn equip<'js>(self, ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
        match self {
            File::Common => clone::lend_kinds(ctx, lent),
            File::Url => url::lend(ctx, host, lent),
            File::Encoding => encoding::lend(ctx, host, lent),
            File::Events | File::Performance => performance::lend(ctx, lent),
            File::Abort => abort::lend(ctx, host, lent),
            File::Clone => clone::lend(ctx, host, lent),
            File::Crypto => crypto::lend(ctx, lent),
            File::Base64 => base64::lend(ctx, host, lent),
            File::Fetch => Ok(()),
        }
    }
}

/// How a global is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// As interfaces are: `Object.keys(globalThis)` leaves it out.
    No,
    /// As functions and namespaces are.
    Yes,
}

const GLOBALS: [(&str, File, Listed); 17] = [
    ("URL", File::Url, Listed::No),
    ("URLSearchParams", File::Url, Listed::No),
    ("TextEncoder", File::Encoding, Listed::No),
    ("TextDecoder", File::Encoding, Listed::No),
    ("Event", File::Events, Listed::No),
    ("CustomEvent", File::Events, Listed::No),
    ("EventTarget", File::Events, Listed::No),
    ("AbortController", File::Abort, Listed::No),
    ("AbortSignal", File::Abort, Listed::No),
    ("structuredClone", File::Clone, Listed::Yes),
    ("Crypto", File::Crypto, Listed::No),
    ("crypto", File::Crypto, Listed::Yes),
    ("Performance", File::Performance, Listed::No),
    ("performance", File::Performance, Listed::Yes),
    ("atob", File::Base64, Listed::Yes),
    ("btoa", File::Base64, Listed::Yes),
    ("fetch", File::Fetch, Listed::Yes),
];

/// What an engine has loaded. Must be dropped before it.
#[derive(Default)]
pub struct Web {
    lent: RefCell<Option<Persistent<Object<'static>>>>,
    files: RefCell<Vec<(File, Persistent<Object<'static>>)>>,
    /// What says of an object how it is printed, for each file that has such.
    shows: RefCell<Vec<Persistent<Function<'static>>>>,
}

/// How an object of these classes is printed.
pub struct Shown<'js> {
    /// In place of the constructor's name.
    pub name: Option<String>,
    pub content: Content<'js>,
    pub deep: Deep,
}

/// What is printed between the braces.
pub enum Content<'js> {
    /// The properties of this object.
    Record(Object<'js>),
    /// Names and values in turn.
    Pairs(Array<'js>),
}

/// How it is printed where it stands too deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deep {
    /// `Name {}`
    Braces,
    /// `Name`
    Bare,
    /// `[Name]`
    Bracketed,
    /// `[Object]`
    Object,
}

/// Puts the globals on the global object.
pub fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    for (name, file, listed) in GLOBALS {
        let access = accessor(host, name, file, listed);
        ctx.globals().prop(name, Both { function: Function::new(ctx.clone(), access)?, listed })?;
    }
    Ok(())
}

impl Web {
    /// Lets go of everything that belongs to an engine.
    pub fn clear(&self) {
        // Dropped outside of the borrows: a value's end may run anything.
        let lent = self.lent.take();
        let files = self.files.take();
        let shows = self.shows.take();
        drop((lent, files, shows));
    }

    /// How to print an object, if it is of these classes. Runs no script's code.
    pub fn shown<'js>(&self, ctx: &Ctx<'js>, object: &Object<'js>) -> Result<Option<Shown<'js>>> {
        let shows = self.shows.borrow().clone();
        for show in shows {
            let shown: Value = show.restore(ctx)?.call((object.clone(),))?;
            let Some(shown) = shown.into_object() else { continue };
            let content = match shown.get::<_, Value>("pairs")?.into_array() {
                Some(pairs) => Content::Pairs(pairs),
                None => Content::Record(shown.get("record")?),
            };
            let deep = match shown.get::<_, String>("deep")?.as_str() {
                "braces" => Deep::Braces,
                "bare" => Deep::Bare,
                "bracketed" => Deep::Bracketed,
                _ => Deep::Object,
            };
            return Ok(Some(Shown { name: shown.get("name")?, content, deep }));
        }
        Ok(None)
    }

    /// Whether an object is of these classes.
    fn knows(&self, ctx: &Ctx<'_>, object: &Object<'_>) -> Result<bool> {
        // Both are of the same engine, which only the caller's signature cannot say.
        self.shown(ctx, &Persistent::save(object.ctx(), object.clone()).restore(ctx)?).map(|shown| shown.is_some())
    }
}

/// What stands behind a name until its first use.
fn accessor<'js>(
    host: &Rc<Host>,
    name: &'static str,
    file: File,
    listed: Listed,
) -> impl Fn(Ctx<'js>, This<Value<'js>>, Rest<Value<'js>>) -> Result<Value<'js>> + 'js {
    let host = Rc::clone(host);
    let is_settled = Cell::new(false);
    move |ctx, this, arguments| {
        let globals = ctx.globals();
        let define = |value: Value<'js>| {
            let property = Property::from(value).writable().configurable();
            globals.prop(name, if listed == Listed::Yes { property.enumerable() } else { property })
        };
        if let Some(value) = arguments.0.into_iter().next() {
            // Assigned to an object that inherits from the global one: it gets the property, as it would get any other.
            if let Some(heir) = this.0.as_object().filter(|heir| **heir != globals) {
                heir.prop(name, Property::from(value).writable().configurable().enumerable())?;
            } else {
                is_settled.set(true);
                define(value)?;
            }
            return Ok(Value::new_undefined(ctx.clone()));
        }
        let value: Value = load(&ctx, &host, file)?.get(name)?;
        // Not where a script has kept the getter, or has frozen the global object.
        if !is_settled.replace(true) && define(value.clone()).is_err() {
            ctx.catch();
        }
        Ok(value)
    }
}

/// What a file exports, loaded now if it never was.
fn load<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, file: File) -> Result<Object<'js>> {
    let known = host.web.files.borrow().iter().find(|(known, _)| *known == file).map(|(_, exports)| exports.clone());
    if let Some(known) = known {
        return known.restore(ctx);
    }
    if let Some(needed) = file.needs() {
        load(ctx, host, needed)?;
    }
    let kept = host.web.lent.borrow().clone();
    let lent = match kept {
        Some(lent) => lent.restore(ctx)?,
        None => {
            let lent = host.tools.borrow().as_ref().ok_or(Error::Unknown)?.lend(ctx)?;
            *host.web.lent.borrow_mut() = Some(Persistent::save(ctx, lent.clone()));
            lent
        }
    };
    file.equip(ctx, host, &lent)?;
    let (name, text) = file.text();
    let mut options = EvalOptions::default();
    options.filename = Some(name.to_owned());
    let make: Function = ctx.eval_with_options(text, options)?;
    let exports: Object = make.call((lent,))?;
    if let Some(show) = exports.get::<_, Value>("show")?.into_function() {
        host.web.shows.borrow_mut().push(Persistent::save(ctx, show));
    }
    host.web.files.borrow_mut().push((file, Persistent::save(ctx, exports.clone())));
    Ok(exports)
}

/// An accessor made of one function, which takes an argument when it is to set: half as many functions for every fresh engine.
struct Both<'js> {
    function: Function<'js>,
    listed: Listed,
}

impl<'js> AsProperty<'js, ()> for Both<'js> {
    fn config(self, ctx: &Ctx<'js>) -> Result<(PropertyFlags, Value<'js>, Value<'js>, Value<'js>)> {
        let enumerable = if self.listed == Listed::Yes { qjs::JS_PROP_ENUMERABLE } else { 0 };
        let has = qjs::JS_PROP_HAS_GET | qjs::JS_PROP_HAS_SET | qjs::JS_PROP_HAS_CONFIGURABLE;
        let flags = has | qjs::JS_PROP_HAS_ENUMERABLE | qjs::JS_PROP_CONFIGURABLE | enumerable;
        let function = self.function.into_value();
        Ok((flags as PropertyFlags, Value::new_undefined(ctx.clone()), function.clone(), function))
    }
}

/// Gives `host` a function under a name.
fn lend_function<'js, P, F>(ctx: &Ctx<'js>, lent: &Object<'js>, name: &str, function: F) -> Result<()>
where
    F: IntoJsFunc<'js, P> + 'js,
{
    lent.set(name, Function::new(ctx.clone(), function)?.with_name(name)?)
}

/// A list that inherits nothing: filling it reaches no setter of a script's.
fn bare_list<'js>(ctx: &Ctx<'js>) -> Result<Array<'js>> {
    let list = Array::new(ctx.clone())?;
    list.as_object().set_prototype(None)?;
    Ok(list)
}

/// The text of a string that is Unicode.
fn text_of(string: &rquickjs::String<'_>) -> Result<String> {
    string.to_string().map_err(|error| match error {
        // The engine has had no room for it, and has said so.
        Error::Unknown if string.ctx().has_exception() => Error::Exception,
        error => error,
    })
}

/// Whether so many more bytes have room in the engine's heap; else the error of a full one. What Rust makes for the engine is
/// held against this first, because nothing counts it while it is made.
fn demand_room(ctx: &Ctx<'_>, host: &Host, bytes: usize) -> Result<()> {
    let fits = host.gauge.borrow().has_room_for(bytes);
    if fits { Ok(()) } else { Err(Exception::throw_internal(ctx, "out of memory")) }
}

/// What a host function throws when the turn must stop. A script can catch it, and is then asked again by the engine itself.
fn interrupted(ctx: &Ctx<'_>) -> Error {
    Exception::throw_internal(ctx, "interrupted")
}
