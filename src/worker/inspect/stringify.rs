//! `%j`: JSON of data properties. As `JSON.stringify` makes it, but that it calls nothing: no `toJSON` and no getter of a script.

use rquickjs::{Object, Result, Value};

use super::Inspector;
use super::number::number_text;
use crate::worker::tools::Slot;

/// What JSON of a value has come to.
pub enum Stringified {
    Text(String),
    /// Functions, symbols and `undefined` have none.
    Nothing,
    Circular,
    Bigint,
}

/// Why there is no text in the end.
enum Fault {
    Engine(rquickjs::Error),
    Circular,
    Bigint,
}

impl From<rquickjs::Error> for Fault {
    fn from(error: rquickjs::Error) -> Fault {
        Fault::Engine(error)
    }
}

impl<'js> Inspector<'_, 'js> {
    /// The value as JSON, up to the cap on text.
    pub(super) fn stringified(&mut self, value: &Value<'js>) -> Result<Stringified> {
        let mut out = String::new();
        match self.write_json(value, &mut out, &mut Vec::new()) {
            Ok(true) => Ok(Stringified::Text(out)),
            Ok(false) => Ok(Stringified::Nothing),
            Err(Fault::Circular) => Ok(Stringified::Circular),
            Err(Fault::Bigint) => Ok(Stringified::Bigint),
            Err(Fault::Engine(error)) => Err(error),
        }
    }

    /// Writes one value; false where there is nothing to write.
    fn write_json(
        &mut self,
        value: &Value<'js>,
        out: &mut String,
        path: &mut Vec<Object<'js>>,
    ) -> std::result::Result<bool, Fault> {
        self.step()?;
        if let Some(number) = value.as_number() {
            out.push_str(&if number.is_finite() { number_text(number + 0.0) } else { "null".into() });
        } else if value.is_null() || value.is_bool() {
            out.push_str(&super::simple_text(value).unwrap_or_default());
        } else if let Some(string) = value.as_string() {
            let text: rquickjs::String = self.look.json_of_string(string, self.most_bytes)?;
            out.push_str(&text.to_string()?);
        } else if value.is_big_int() {
            return Err(Fault::Bigint);
        } else if let Some(object) = value.as_object() {
            return self.write_json_object(object, out, path);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn write_json_object(
        &mut self,
        object: &Object<'js>,
        out: &mut String,
        path: &mut Vec<Object<'js>>,
    ) -> std::result::Result<bool, Fault> {
        let Some(object) = self.without_proxies(object)? else { return Ok(false) };
        if object.as_value().is_function() || object.as_value().is_proxy() {
            return Ok(false);
        }
        if path.contains(&object) {
            return Err(Fault::Circular);
        }
        if path.len() as i64 >= super::MOST_LEVELS || out.len() > self.most_bytes {
            out.push_str("null");
            return Ok(true);
        }
        let is_special = object.as_value().is_error() || object.as_value().is_promise() || object.as_value().is_array();
        let brand = if is_special { String::new() } else { self.plain_brand(&object)? };
        match brand.as_str() {
            "Date" => {
                let text = self.look.date_text(&object)?;
                out.push_str(&if text == "Invalid Date" { "null".into() } else { format!("\"{text}\"") });
                return Ok(true);
            }
            "Number" | "String" | "Boolean" | "BigInt" => {
                let inner = self.look.unbox(&object, &brand)?;
                return self.write_json(&inner, out, path);
            }
            _ => {}
        }
        path.push(object.clone());
        if object.as_value().is_array() {
            let length = self.look.array_length(&object)?;
            self.write_json_array(&object, length, out, path)?;
        } else {
            self.write_json_record(&object, out, path)?;
        }
        path.pop();
        Ok(true)
    }

    /// What kind of built-in an object is that is most likely none.
    fn plain_brand(&mut self, object: &Object<'js>) -> Result<String> {
        if object.get_prototype() == Some(self.look.object_prototype()?) {
            return Ok(String::new());
        }
        self.look.brand(object, "")
    }

    fn write_json_array(
        &mut self,
        array: &Object<'js>,
        length: usize,
        out: &mut String,
        path: &mut Vec<Object<'js>>,
    ) -> std::result::Result<(), Fault> {
        out.push('[');
        for index in 0..length {
            if index > 0 {
                out.push(',');
            }
            if out.len() > self.most_bytes {
                break;
            }
            let written = match self.look.read(array, index)?.value() {
                Some(element) => self.write_json(&element, out, path)?,
                None => false,
            };
            if !written {
                out.push_str("null");
            }
        }
        out.push(']');
        Ok(())
    }

    fn write_json_record(
        &mut self,
        object: &Object<'js>,
        out: &mut String,
        path: &mut Vec<Object<'js>>,
    ) -> std::result::Result<(), Fault> {
        out.push('{');
        let mut first = true;
        // A member takes this much at least.
        let most = self.most_bytes / "a:1,".len() + 1;
        for key in self.listed_keys(object, most)?.0 {
            if out.len() > self.most_bytes {
                break;
            }
            let Slot::Value(member) = self.look.read(object, key.clone())? else { continue };
            let before = out.len();
            if !first {
                out.push(',');
            }
            let name: rquickjs::String = self.look.json_of_string(&key, self.most_bytes)?;
            out.push_str(&name.to_string()?);
            out.push(':');
            if self.write_json(&member, out, path)? {
                first = false;
            } else {
                out.truncate(before);
            }
        }
        out.push('}');
        Ok(())
    }
}
