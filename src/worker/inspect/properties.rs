//! What is in an object, one piece at a time, for clients that open it. Nothing of the script's runs: accessors are named, not asked,
//! and a proxy shows its target and its handler.

use std::borrow::Cow;

use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Object, Promise, Result, Value};

use super::object::Shape;
use super::preview::short;
use super::{Inspector, Options};
use crate::ipc::{Content, MOST_ANSWER_BYTES, MOST_GLIMPSE_UNITS, Preview, Property, PropertyKind, properties_bytes};
use crate::sandbox::as_proxy;
use crate::worker::host::Host;
use crate::worker::tools::Slot;
use crate::worker::web;

/// Pairs of a query that can be listed.
const MOST_PAIRS: usize = 10_000;

/// How much of an object is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What a console prints of it.
    Shown,
    /// What is not enumerable too, and what the language keeps inside.
    All,
}

/// What comes before an object's named properties.
enum Elements {
    None,
    Indexed(usize),
    Map(usize),
    Set(usize),
}

/// What is in an object, in the order in which it is listed: elements, named properties, internals.
pub(super) struct Contents<'js> {
    object: Object<'js>,
    elements: Elements,
    keys: Vec<Value<'js>>,
    internals: Vec<(Cow<'static, str>, Value<'js>)>,
}

/// One thing in an object.
pub(super) struct Found<'js> {
    pub key: String,
    pub kind: PropertyKind,
    /// The key of a Map's entry.
    map_key: Option<Value<'js>>,
    pub slot: Slot<'js>,
    /// What an accessor is found under.
    accessor: Option<Value<'js>>,
}

/// A part of what is in a value, and how much there is in all.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn properties<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    value: &Value<'js>,
    start: u64,
    count: u32,
) -> Result<(u64, Vec<Property<Preview>>)> {
    let Some(object) = value.as_object() else { return Ok((0, Vec::new())) };
    let mut inspector = Inspector::with(ctx, host, Options { show_hidden: true, ..Options::default() })?;
    let contents = inspector.contents_of(object, Extent::All)?;
    inspector.options.show_hidden = false;
    let mut entries: Vec<Property<Preview>> = Vec::new();
    let mut bytes = 0;
    for found in inspector.slice(&contents, start, count as usize)? {
        let entry = inspector.property_of(object, found)?;
        bytes += properties_bytes(std::slice::from_ref(&entry));
        entries.push(entry);
        // The client asks for the rest from where this ends.
        if bytes > MOST_ANSWER_BYTES / 2 {
            break;
        }
    }
    Ok((contents.total(), entries))
}

impl Elements {
    fn count(&self) -> usize {
        match *self {
            Elements::None => 0,
            Elements::Indexed(count) | Elements::Map(count) | Elements::Set(count) => count,
        }
    }
}

impl Contents<'_> {
    pub(super) fn total(&self) -> u64 {
        (self.elements.count() + self.keys.len() + self.internals.len()) as u64
    }
}

impl<'js> Inspector<'_, 'js> {
    pub(super) fn contents_of(&mut self, object: &Object<'js>, extent: Extent) -> Result<Contents<'js>> {
        let mut contents =
            Contents { object: object.clone(), elements: Elements::None, keys: Vec::new(), internals: Vec::new() };
        if let Some(proxy) = as_proxy(object.as_value()) {
            match (proxy.target(), proxy.handler()) {
                (Ok(target), Ok(handler)) if extent == Extent::All => {
                    contents.internals.push(("[[Target]]".into(), target.into_value()));
                    contents.internals.push(("[[Handler]]".into(), handler.into_value()));
                }
                // A revoked one has neither, and says so by throwing.
                _ => drop(self.ctx.catch()),
            }
            return Ok(contents);
        }
        let names = self.names(object, 0)?;
        let (description, shown) = self.describe(object, &names)?;
        contents.elements = match description.shape {
            Shape::Array { length } | Shape::Typed { length } => Elements::Indexed(length),
            Shape::Map { size } => Elements::Map(size),
            Shape::Set { size } => Elements::Set(size),
            _ => Elements::None,
        };
        self.web_internals(object, &mut contents.internals)?;
        if extent == Extent::Shown {
            contents.keys = shown;
            return Ok(contents);
        }
        let indexed = match contents.elements {
            Elements::Indexed(length) => Some(length),
            Elements::None | Elements::Map(_) | Elements::Set(_) => None,
        };
        contents.keys = self.keys(object, indexed)?;
        if description.shape == Shape::Promise {
            self.promise_internals(object, &mut contents.internals)?;
        }
        let brand = self.brand(object, &names)?;
        if matches!(brand.as_str(), "Number" | "String" | "Boolean" | "BigInt" | "Symbol") {
            contents.internals.push(("[[PrimitiveValue]]".into(), self.look.unbox(object, &brand)?));
        }
        let prototype = object.get_prototype().map(Object::into_value);
        contents
            .internals
            .push(("[[Prototype]]".into(), prototype.unwrap_or_else(|| Value::new_null(self.ctx.clone()))));
        Ok(contents)
    }

    /// What an object of the Web Platform's classes is made of: its own properties are nothing but what a script has added.
    fn web_internals(
        &mut self,
        object: &Object<'js>,
        internals: &mut Vec<(Cow<'static, str>, Value<'js>)>,
    ) -> Result<()> {
        match self.host.web.shown(&self.ctx, object)?.map(|shown| shown.content) {
            None => {}
            Some(web::Content::Record(record)) => {
                for key in self.keys(&record, None)? {
                    let Some(name) = key.as_string() else { continue };
                    let name = self.look.text(name, MOST_GLIMPSE_UNITS)?;
                    internals.extend(self.look.read(&record, key)?.value().map(|value| (name.into(), value)));
                }
            }
            Some(web::Content::Pairs(pairs)) => {
                for position in 0..(pairs.len() / 2).min(MOST_PAIRS) {
                    self.step()?;
                    let name: rquickjs::String = pairs.get(2 * position)?;
                    internals.push((self.look.text(&name, MOST_GLIMPSE_UNITS)?.into(), pairs.get(2 * position + 1)?));
                }
            }
        }
        Ok(())
    }

    fn promise_internals(
        &mut self,
        object: &Object<'js>,
        internals: &mut Vec<(Cow<'static, str>, Value<'js>)>,
    ) -> Result<()> {
        let promise = Promise::from_value(object.as_value().clone())?;
        let (state, result) = match promise.state() {
            PromiseState::Pending => ("pending", None),
            PromiseState::Resolved => ("fulfilled", promise.result::<Value>().transpose()?),
            PromiseState::Rejected => match promise.result::<Value>() {
                // The reason can only be had by throwing it.
                Some(Err(_)) => ("rejected", Some(self.ctx.catch())),
                Some(Ok(_)) | None => ("rejected", None),
            },
        };
        let state = rquickjs::String::from_str(self.ctx.clone(), state)?.into_value();
        internals.push(("[[PromiseState]]".into(), state));
        internals.extend(result.map(|result| ("[[PromiseResult]]".into(), result)));
        Ok(())
    }

    /// The things from `start` on.
    pub(super) fn slice(&mut self, contents: &Contents<'js>, start: u64, count: usize) -> Result<Vec<Found<'js>>> {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let elements = contents.elements.count();
        let mut found = Vec::new();
        if start < elements {
            self.elements(contents, start, count.min(elements - start), &mut found)?;
        }
        let named = start.saturating_sub(elements);
        for key in contents.keys.iter().skip(named).take(count - found.len()) {
            self.step()?;
            found.push(self.named(&contents.object, key)?);
        }
        let internal = named.saturating_sub(contents.keys.len());
        for (name, value) in contents.internals.iter().skip(internal).take(count - found.len()) {
            let slot = Slot::Value(value.clone());
            found.push(Found::new(name.clone().into_owned(), PropertyKind::Internal, slot));
        }
        Ok(found)
    }

    fn elements(
        &mut self,
        contents: &Contents<'js>,
        start: usize,
        count: usize,
        found: &mut Vec<Found<'js>>,
    ) -> Result<()> {
        let object = &contents.object;
        let brand = match contents.elements {
            Elements::None => return Ok(()),
            Elements::Indexed(_) => {
                for index in start..start + count {
                    self.step()?;
                    let slot = self.look.read(object, index as f64)?;
                    found.push(Found::new(index.to_string(), PropertyKind::Index, slot));
                }
                return Ok(());
            }
            Elements::Map(_) => "Map",
            Elements::Set(_) => "Set",
        };
        let walk = self.look.walk(object, brand)?;
        for at in 0..start + count {
            self.step()?;
            let Some((first, second)) = walk.next(&self.look)? else { break };
            if at < start {
                continue;
            }
            found.push(match second {
                Some(value) => {
                    let key = self.glimpse(&first)?.text;
                    let is_open = first.is_object();
                    let mut entry = Found::new(key, PropertyKind::Entry, Slot::Value(value));
                    entry.map_key = is_open.then_some(first);
                    entry
                }
                None => Found::new(at.to_string(), PropertyKind::Item, Slot::Value(first)),
            });
        }
        Ok(())
    }

    fn named(&mut self, object: &Object<'js>, key: &Value<'js>) -> Result<Found<'js>> {
        let (slot, is_enumerable) = match self.look.read_with_flag(object, key.clone()) {
            Ok(read) => read,
            // The export of a module that has no value yet throws when it is looked at.
            Err(_) if !self.host.must_stop() => {
                self.ctx.catch();
                (Slot::Absent, true)
            }
            Err(error) => return Err(error),
        };
        let (text, kind) = match key.as_string() {
            Some(key) if is_enumerable => (self.look.text(key, MOST_GLIMPSE_UNITS)?, PropertyKind::Plain),
            Some(key) => (self.look.text(key, MOST_GLIMPSE_UNITS)?, PropertyKind::Hidden),
            None => (self.look.symbol_text(key)?, PropertyKind::Symbol),
        };
        let mut found = Found::new(short(text), kind, slot);
        found.accessor = Some(key.clone());
        Ok(found)
    }

    /// A found thing as the client gets it.
    fn property_of(&mut self, object: &Object<'js>, found: Found<'js>) -> Result<Property<Preview>> {
        let Found { key, kind, map_key, slot, accessor } = found;
        let key_reference = map_key.and_then(|key| self.host.keep(&self.ctx, &key));
        let content = match slot {
            Slot::Value(value) => Content::Value(self.preview(&value)?),
            Slot::Absent => Content::Value(self.preview(&Value::new_undefined(self.ctx.clone()))?),
            Slot::Getter | Slot::Accessor => {
                Content::Getter(accessor.and_then(|key| self.host.keep_getter(&self.ctx, object, &key)))
            }
            Slot::Setter => Content::Setter,
        };
        Ok(Property { key, kind, key_reference, content })
    }
}

impl<'js> Found<'js> {
    fn new(key: String, kind: PropertyKind, slot: Slot<'js>) -> Found<'js> {
        Found { key, kind, map_key: None, slot, accessor: None }
    }
}
