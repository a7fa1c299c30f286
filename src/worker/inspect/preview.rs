//! Values in a few words, for clients that show more than text.

use rquickjs::{Ctx, Object, Result, Value};

use super::object::Shape;
use super::properties::Extent;
use super::{Inspector, kind_of};
use crate::ipc::{Content, Detail, Glimpse, MOST_GLIMPSE_UNITS, MOST_PREVIEWED, Preview, Property};
use crate::worker::host::Host;
use crate::worker::tools::Slot;

/// Arguments of one console call that are previewed.
const MOST_ARGUMENTS: usize = 16;

/// A console call's arguments, where the client wants previews and one of them can be opened.
///
/// # Errors
/// When the turn must stop.
pub fn console_previews<'js>(ctx: &Ctx<'js>, host: &Host, arguments: &[Value<'js>]) -> Result<Vec<Preview>> {
    if !host.wants_previews() || !arguments.iter().any(Value::is_object) {
        return Ok(Vec::new());
    }
    let previews = arguments.iter().take(MOST_ARGUMENTS).map(|argument| preview(ctx, host, argument)).collect();
    forgiving(ctx, host, previews).map(Option::unwrap_or_default)
}

/// A result's preview, where the client wants one.
///
/// # Errors
/// When the turn must stop.
pub(super) fn result_preview<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<Option<Preview>> {
    if !host.wants_previews() {
        return Ok(None);
    }
    forgiving(ctx, host, preview(ctx, host, value))
}

/// A value has a text all the same where the engine has no room for more.
fn forgiving<T>(ctx: &Ctx<'_>, host: &Host, made: Result<T>) -> Result<Option<T>> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(_) if host.stopped().is_none() => {
            ctx.catch();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A value, the first of what is in it, and a reference to open it with.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn preview<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<Preview> {
    Inspector::new(ctx, host)?.preview(value)
}

/// A value in a few words.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn glimpse<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<Glimpse> {
    Inspector::new(ctx, host)?.glimpse(value)
}

impl<'js> Inspector<'_, 'js> {
    pub(super) fn preview(&mut self, value: &Value<'js>) -> Result<Preview> {
        let glimpse = self.glimpse(value)?;
        let mut preview = Preview { glimpse, reference: None, entries: Vec::new(), more: 0 };
        if let Some(object) = value.as_object() {
            preview.reference = self.host.keep(&self.ctx, value);
            // What stands in a function or behind a proxy is for those who open it.
            if !value.is_function() && !value.is_proxy() {
                let (entries, more) = self.first_entries(object)?;
                preview.entries = entries;
                preview.more = more;
            }
        }
        Ok(preview)
    }

    /// A value by its type and one short line.
    pub(super) fn glimpse(&mut self, value: &Value<'js>) -> Result<Glimpse> {
        self.step()?;
        let text = match value.as_object() {
            Some(object) => self.object_glimpse(object)?,
            None => match value.as_string() {
                Some(string) => self.short_string(string)?,
                None => short(self.primitive(value)?),
            },
        };
        Ok(Glimpse { kind: kind_of(value), text })
    }

    fn short_string(&mut self, string: &rquickjs::String<'js>) -> Result<String> {
        let most = std::mem::replace(&mut self.options.most_units, MOST_GLIMPSE_UNITS);
        let line_width = std::mem::replace(&mut self.options.break_length, usize::MAX);
        let text = self.quoted_string(string);
        self.options.most_units = most;
        self.options.break_length = line_width;
        text
    }

    fn object_glimpse(&mut self, object: &Object<'js>) -> Result<String> {
        if object.as_value().is_proxy() {
            let Some(target) = self.without_proxies(object)? else { return Ok("<Revoked Proxy>".into()) };
            // Behind more proxies than anybody makes is one that still could be asked.
            if target.as_value().is_proxy() {
                return Ok("Proxy".into());
            }
            return Ok(short(format!("Proxy({})", self.class_glimpse(&target)?)));
        }
        Ok(short(self.class_glimpse(object)?))
    }

    fn class_glimpse(&mut self, object: &Object<'js>) -> Result<String> {
        let names = self.names(object, 0)?;
        let (description, _) = self.describe(object, &names)?;
        let sized = |class: &str, size: usize| names.prefix(class, &format!("({size})"));
        let text = match description.shape {
            Shape::Array { length } => sized("Array", length),
            Shape::Typed { .. } | Shape::Map { .. } | Shape::Set { .. } | Shape::Hidden => {
                description.open.trim_end_matches(['{', '[']).to_owned()
            }
            Shape::Buffer { bytes } => sized("ArrayBuffer", bytes),
            _ if !description.base.is_empty() => description.base,
            _ if description.open.len() > 1 => description.open.trim_end_matches('{').to_owned(),
            _ => names.plain_prefix("Object"),
        };
        Ok(text.lines().next().unwrap_or_default().trim_end().to_owned())
    }

    fn first_entries(&mut self, object: &Object<'js>) -> Result<(Vec<Property<Glimpse>>, u64)> {
        let contents = self.contents_of(object, Extent::Shown)?;
        let mut entries = Vec::new();
        for found in self.slice(&contents, 0, MOST_PREVIEWED)? {
            let content = match found.slot {
                Slot::Value(value) => Content::Value(self.glimpse(&value)?),
                Slot::Absent => Content::Value(self.glimpse(&Value::new_undefined(self.ctx.clone()))?),
                Slot::Getter | Slot::Accessor => Content::Getter(None),
                Slot::Setter => Content::Setter,
            };
            entries.push(Property { key: found.key, kind: found.kind, key_reference: None, content });
        }
        let more = contents.total().saturating_sub(entries.len() as u64);
        Ok((entries, more))
    }
}

/// A line that is not longer than a glimpse may be.
pub(super) fn short(text: String) -> String {
    let mut units = 0;
    let end = text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > MOST_GLIMPSE_UNITS).then_some(at)
    });
    match end {
        Some(end) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Host {
    /// Whether the client of the run whose turn it is wants more than text.
    fn wants_previews(&self) -> bool {
        let Some(turn) = self.turn() else { return false };
        self.runs.borrow().get(turn.run).is_some_and(|run| run.detail == Detail::Previews)
    }
}
