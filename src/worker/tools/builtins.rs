//! What the host knows of the built-in kinds of objects.

use rquickjs::{Array, Function, IntoJs, Object, Result, Value};

use super::{Look, MOST_COPIED_UNITS, Slot, Tool};
use crate::sandbox::Pending;

/// UTF-16 units of a function's text in which the head of a class is looked for.
const MOST_CLASS_HEAD: usize = 4096;

/// The letter of each flag of a regular expression, and the getter that knows.
const REGEXP_FLAGS: [(Tool, char); 8] = [
    (Tool::HasIndices, 'd'),
    (Tool::Global, 'g'),
    (Tool::IgnoreCase, 'i'),
    (Tool::Multiline, 'm'),
    (Tool::DotAll, 's'),
    (Tool::Unicode, 'u'),
    (Tool::UnicodeSets, 'v'),
    (Tool::Sticky, 'y'),
];

/// What an object of each kind answers without throwing, and only such an object.
const BRANDS: [(Tool, &str); 12] = [
    (Tool::MapSize, "Map"),
    (Tool::SetSize, "Set"),
    (Tool::DateTime, "Date"),
    (Tool::RegexpSource, "RegExp"),
    (Tool::NumberValue, "Number"),
    (Tool::StringValue, "String"),
    (Tool::BooleanValue, "Boolean"),
    (Tool::SymbolValue, "Symbol"),
    (Tool::BigintValue, "BigInt"),
    (Tool::BufferLength, "ArrayBuffer"),
    (Tool::SharedLength, "SharedArrayBuffer"),
    (Tool::ViewLength, "DataView"),
];

/// The same, for those that have to be asked about something.
const WEAK_BRANDS: [(Tool, &str); 2] = [(Tool::WeakMapHas, "WeakMap"), (Tool::WeakSetHas, "WeakSet")];

impl<'js> Look<'js> {
    /// The engine's own tag of a typed array; empty for other objects.
    pub fn typed_tag(&self, object: &Object<'js>) -> Result<String> {
        let tag: Value = self.ask(Tool::TypedTag, object.as_value(), ())?;
        tag.as_string().map_or_else(|| Ok(String::new()), rquickjs::String::to_string)
    }

    /// What kind of built-in object this is inside: `Map`, `Date`, `Uint8Array`, …; empty for none of those known. The hint is asked
    /// about first.
    pub fn brand(&self, object: &Object<'js>, hint: &str) -> Result<String> {
        let value = object.as_value();
        let typed: Value = self.ask(Tool::TypedTag, value, ())?;
        if let Some(tag) = typed.as_string() {
            return tag.to_string();
        }
        if *value == self.all.get::<Value>(Tool::RegexpPrototype as usize)? {
            return Ok(String::new());
        }
        // What its tag says is nearly always what it is, and every wrong question costs an error.
        let hinted = BRANDS.iter().filter(|(_, brand)| *brand == hint);
        for (tool, brand) in hinted.chain(BRANDS.iter().filter(|(_, brand)| *brand != hint)) {
            if self.holds(self.ask::<_, Value>(*tool, value, ())) {
                return Ok((*brand).into());
            }
        }
        for (tool, brand) in WEAK_BRANDS {
            if self.holds(self.ask::<_, Value>(tool, value, (value.clone(),))) {
                return Ok(brand.into());
            }
        }
        Ok(String::new())
    }

    fn holds(&self, answer: Result<Value<'js>>) -> bool {
        if answer.is_err() {
            self.all.ctx().catch();
        }
        answer.is_ok()
    }

    /// A primitive as the object that its properties are looked up on; neither `undefined` nor `null`.
    pub fn boxed(&self, primitive: &Value<'js>) -> Result<Object<'js>> {
        self.all.get::<Function>(Tool::Boxed as usize)?.call((primitive.clone(),))
    }

    pub fn unbox(&self, object: &Object<'js>, brand: &str) -> Result<Value<'js>> {
        let tool = match brand {
            "Number" => Tool::NumberValue,
            "String" => Tool::StringValue,
            "Boolean" => Tool::BooleanValue,
            "BigInt" => Tool::BigintValue,
            _ => Tool::SymbolValue,
        };
        self.ask(tool, object.as_value(), ())
    }

    pub fn date_text(&self, date: &Object<'js>) -> Result<String> {
        let time: f64 = self.ask(Tool::DateTime, date.as_value(), ())?;
        if time.is_nan() { Ok("Invalid Date".into()) } else { self.ask(Tool::DateText, date.as_value(), ()) }
    }

    pub fn regexp_text(&self, regexp: &Object<'js>) -> Result<String> {
        let source: rquickjs::String = self.ask(Tool::RegexpSource, regexp.as_value(), ())?;
        Ok(format!("/{}/{}", self.text(&source, MOST_COPIED_UNITS)?, self.regexp_flags(regexp)?))
    }

    /// The letters of a regular expression's flags.
    pub fn regexp_flags(&self, regexp: &Object<'js>) -> Result<String> {
        let mut flags = String::new();
        for (tool, letter) in REGEXP_FLAGS {
            if self.ask::<_, Value>(tool, regexp.as_value(), ())?.as_bool() == Some(true) {
                flags.push(letter);
            }
        }
        Ok(flags)
    }

    /// How many elements or bytes a built-in of this brand has.
    pub fn count(&self, object: &Object<'js>, brand: &str) -> Result<usize> {
        let tool = match brand {
            "Map" => Tool::MapSize,
            "Set" => Tool::SetSize,
            "ArrayBuffer" => Tool::BufferLength,
            "SharedArrayBuffer" => Tool::SharedLength,
            "DataView" => Tool::ViewLength,
            _ => Tool::TypedLength,
        };
        self.ask(tool, object.as_value(), ())
    }

    /// A walk through a Map or a Set.
    pub fn walk(&self, object: &Object<'js>, brand: &str) -> Result<Walk<'js>> {
        let is_map = brand == "Map";
        let begin = if is_map { Tool::MapEntries } else { Tool::SetValues };
        Ok(Walk { iterator: self.ask(begin, object.as_value(), ())?, is_map })
    }

    /// `Function`, `class`, `AsyncFunction`, …
    pub fn function_kind(&self, function: &Object<'js>) -> Result<&'static str> {
        if let Some(prototype) = function.get_prototype() {
            for (tool, kind) in [
                (Tool::AsyncFunction, "AsyncFunction"),
                (Tool::GeneratorFunction, "GeneratorFunction"),
                (Tool::AsyncGeneratorFunction, "AsyncGeneratorFunction"),
            ] {
                if prototype == self.all.get::<Object>(tool as usize)? {
                    return Ok(kind);
                }
            }
        }
        let Some(text) = self.function_text(function)? else { return Ok("Function") };
        let start = self.text(&text, MOST_CLASS_HEAD)?;
        Ok(if is_class(&start) { "class" } else { "Function" })
    }

    /// The class the engine gives an object that has no tag at all, own or inherited: for any other this would read the tag.
    pub fn untagged_class(&self, object: &Object<'js>) -> Result<String> {
        let text: String = self.ask(Tool::ClassText, object.as_value(), ())?;
        Ok(text.strip_prefix("[object ").and_then(|text| text.strip_suffix(']')).unwrap_or("Object").to_owned())
    }

    /// What is still to come from an iterator of a Map or a Set; `None` for anything else.
    pub fn pending(&self, object: &Object<'js>, most: usize) -> Option<Pending<'js>> {
        self.iterators.pending(self.all.ctx(), object.as_value(), most)
    }

    pub fn is_extensible(&self, object: &Object<'js>) -> Result<bool> {
        self.all.get::<Function>(Tool::IsExtensible as usize)?.call((object.clone(),))
    }

    /// The first bytes of a buffer; `None` for one that is detached.
    pub fn bytes(&self, buffer: &Object<'js>, most: usize) -> Result<Option<Vec<u8>>> {
        let length = self.count(buffer, self.buffer_brand(buffer))?;
        let view = self.all.get::<rquickjs::function::Constructor>(Tool::BytesFrom as usize)?;
        let view: Object = match view.construct((buffer.clone(), 0, length.min(most))) {
            Ok(view) => view,
            Err(_) => {
                self.all.ctx().catch();
                return Ok(None);
            }
        };
        let mut bytes = Vec::with_capacity(length.min(most));
        for index in 0..length.min(most) {
            let Slot::Value(byte) = self.read(&view, index)? else { break };
            bytes.push(byte.as_int().and_then(|byte| u8::try_from(byte).ok()).unwrap_or(0));
        }
        Ok(Some(bytes))
    }

    fn buffer_brand(&self, buffer: &Object<'js>) -> &'static str {
        let is_shared = self.holds(self.ask::<_, Value>(Tool::SharedLength, buffer.as_value(), ()));
        if is_shared { "SharedArrayBuffer" } else { "ArrayBuffer" }
    }

    /// Where a DataView begins, and in what.
    pub fn view_parts(&self, view: &Object<'js>) -> Result<(Value<'js>, Value<'js>)> {
        Ok((self.ask(Tool::ViewOffset, view.as_value(), ())?, self.ask(Tool::ViewBuffer, view.as_value(), ())?))
    }

    /// `Number(…)` of a primitive that is not a symbol: no code of a script takes part.
    pub fn to_number(&self, primitive: &Value<'js>) -> Result<f64> {
        self.all.get::<Function>(Tool::Number as usize)?.call((primitive.clone(),))
    }

    /// `parseInt(…)` or `parseFloat(…)` of a text.
    pub fn parse_number(&self, text: impl IntoJs<'js>, to_integer: bool) -> Result<f64> {
        let tool = if to_integer { Tool::ParseInt } else { Tool::ParseFloat };
        self.all.get::<Function>(tool as usize)?.call((text,))
    }

    /// The milliseconds of a Date.
    pub fn date_number(&self, date: &Object<'js>) -> Result<f64> {
        self.ask(Tool::DateTime, date.as_value(), ())
    }

    /// The source text of a function whose name is its own data; `None` for another, whose text might run code.
    pub fn function_text(&self, function: &Object<'js>) -> Result<Option<rquickjs::String<'js>>> {
        // The text of a native function is made from its name, which is only sure not to run code when it is its own data.
        match self.read(function, "name")? {
            Slot::Value(name) if !name.is_object() => self.ask(Tool::FunctionText, function.as_value(), ()).map(Some),
            _ => Ok(None),
        }
    }
}

/// A walk through the entries of a Map or the values of a Set.
pub struct Walk<'js> {
    iterator: Value<'js>,
    is_map: bool,
}

impl<'js> Walk<'js> {
    /// The next key with its value, or the next value of a Set.
    pub fn next(&self, look: &Look<'js>) -> Result<Option<(Value<'js>, Option<Value<'js>>)>> {
        let next = if self.is_map { Tool::MapNext } else { Tool::SetNext };
        let step: Object = look.ask(next, &self.iterator, ())?;
        if step.get("done")? {
            return Ok(None);
        }
        if !self.is_map {
            return Ok(Some((step.get("value")?, None)));
        }
        let pair: Array = step.get("value")?;
        Ok(Some((pair.get(0)?, Some(pair.get(1)?))))
    }
}

/// Whether a function's text is that of a class, as Node sees it: a parenthesis in front of the first brace makes it none, unless
/// it is in a comment.
fn is_class(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("class") else { return false };
    let Some((head, _)) = rest.split_once('{') else { return false };
    if !head.contains('(') {
        return true;
    }
    let bare = comments_replaced(rest);
    bare.starts_with(char::is_whitespace) && bare.split_once('{').is_some_and(|(head, _)| !head.contains('('))
}

/// The text with a word in the place of each comment.
fn comments_replaced(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        out.push_str(&rest[..start]);
        out.push('-');
        let end = if rest[start..].starts_with("/*") { "*/" } else { "\n" };
        rest = rest[start + 2..].split_once(end).map_or("", |(_, rest)| rest);
    }
    out + rest
}
