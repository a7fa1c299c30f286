//! Plain data as JSON text, for clients that are programs.

use rquickjs::{Filter, Object, Result, Value};

use super::number::number_text;
use crate::worker::host::Host;
use crate::worker::tools::{Look, Slot};

/// How deep plain data may nest. Deeper data is not worth a client's stack.
const MOST_LEVELS: usize = 64;

/// Values visited at most. Shared parts are visited each time they are reached, as they are written each time.
const MOST_NODES: usize = 100_000;

/// Steps between two looks at the clock.
const STEPS_PER_LOOK: usize = 64;

/// The value as JSON text; `None` when that would not be faithful (functions, holes, NaN, cycles, half characters, …) or is over the bounds.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn json_text<'js>(host: &Host, look: &Look<'js>, value: &Value<'js>, most_bytes: usize) -> Result<Option<String>> {
    let object_prototype = look.object_prototype()?;
    let mut writer =
        Writer { host, look, object_prototype, out: String::new(), most_bytes, nodes: 0, path: Vec::new() };
    Ok(writer.write(value)?.then_some(writer.out))
}

/// JSON has no negative zero that survives every reader, and no other special numbers at all.
pub fn is_faithful(number: f64) -> bool {
    number.is_finite() && !(number == 0.0 && number.is_sign_negative())
}

struct Writer<'a, 'js> {
    host: &'a Host,
    look: &'a Look<'js>,
    object_prototype: Object<'js>,
    out: String,
    most_bytes: usize,
    nodes: usize,
    /// The objects that are being written, to notice a cycle.
    path: Vec<Object<'js>>,
}

impl<'js> Writer<'_, 'js> {
    /// Writes a value; false when it cannot be written faithfully.
    fn write(&mut self, value: &Value<'js>) -> Result<bool> {
        self.nodes += 1;
        if self.nodes > MOST_NODES || self.out.len() > self.most_bytes {
            return Ok(false);
        }
        if self.nodes.is_multiple_of(STEPS_PER_LOOK) && self.host.must_stop() {
            return Err(rquickjs::Error::Exception);
        }
        if value.is_null() {
            self.out.push_str("null");
        } else if let Some(boolean) = value.as_bool() {
            self.out.push_str(if boolean { "true" } else { "false" });
        } else if let Some(number) = value.as_number() {
            if !is_faithful(number) {
                return Ok(false);
            }
            self.out.push_str(&number_text(number));
        } else if let Some(string) = value.as_string() {
            let length = self.look.length(string)?;
            if self.out.len() + length > self.most_bytes {
                return Ok(false);
            }
            if !self.write_string(string)? {
                return Ok(false);
            }
        } else if let Some(object) = value.as_object() {
            return self.write_object(object);
        } else {
            return Ok(false);
        }
        Ok(self.out.len() <= self.most_bytes)
    }

    /// Writes a string; false where it has surrogates without a partner. As the replacement character two different keys could
    /// become one, and an escape of half a character is what many readers of JSON stumble over.
    fn write_string(&mut self, string: &rquickjs::String<'js>) -> Result<bool> {
        match string.to_string() {
            Ok(text) => self.write_text(&text),
            Err(rquickjs::Error::Utf8(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn write_text(&mut self, text: &str) {
        self.out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
    }

    fn write_object(&mut self, object: &Object<'js>) -> Result<bool> {
        let value = object.as_value();
        if value.is_proxy() || value.is_function() || self.path.len() >= MOST_LEVELS || self.path.contains(object) {
            return Ok(false);
        }
        self.path.push(object.clone());
        let written = if value.is_array() { self.write_array(object) } else { self.write_record(object) };
        self.path.pop();
        written
    }

    fn write_array(&mut self, array: &Object<'js>) -> Result<bool> {
        let length = self.look.array_length(array)?;
        if self.nodes + length > MOST_NODES || array.own_keys::<rquickjs::Atom>(Filter::default()).count() != length {
            return Ok(false);
        }
        self.out.push('[');
        for index in 0..length {
            if index > 0 {
                self.out.push(',');
            }
            let Slot::Value(element) = self.look.read(array, index)? else { return Ok(false) };
            if !self.write(&element)? {
                return Ok(false);
            }
        }
        self.out.push(']');
        Ok(true)
    }

    fn write_record(&mut self, object: &Object<'js>) -> Result<bool> {
        let prototype = object.get_prototype();
        if prototype.as_ref().is_some_and(|prototype| *prototype != self.object_prototype) {
            return self.write_date(object);
        }
        let keys = object.own_keys::<rquickjs::Atom>(Filter::new().string());
        let mut first = true;
        self.out.push('{');
        for key in keys {
            let key = key?.to_js_string()?;
            let Some(member) = self.look.read_plain(object, &key)? else { return Ok(false) };
            let length = self.look.length(&key)?;
            // A key may be as long as the heap allows, and every copy of it takes that much again.
            if self.out.len() + length > self.most_bytes {
                return Ok(false);
            }
            if !first {
                self.out.push(',');
            }
            first = false;
            if !self.write_string(&key)? {
                return Ok(false);
            }
            self.out.push(':');
            if !self.write(&member)? {
                return Ok(false);
            }
        }
        if !self.look.symbols(object)?.is_empty() {
            return Ok(false);
        }
        self.out.push('}');
        Ok(true)
    }

    fn write_date(&mut self, object: &Object<'js>) -> Result<bool> {
        if object.as_value().is_error() || object.as_value().is_promise() || self.look.brand(object, "Date")? != "Date"
        {
            return Ok(false);
        }
        let text = self.look.date_text(object)?;
        if text == "Invalid Date" {
            return Ok(false);
        }
        self.write_text(&text);
        Ok(true)
    }
}
