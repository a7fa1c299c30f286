//! What is in an object: its elements, entries and properties.

use rquickjs::promise::PromiseState;
use rquickjs::{Atom, Filter, Object, Promise, Result, Value};

use super::layout::List;
use super::object::{Description, Shape};
use super::{Inspector, quote};
use crate::sandbox::Gives;
use crate::worker::tools::Slot;

/// Lists longer than this are not searched for named properties: listing the keys would list every index.
const MOST_SEARCHED: usize = 10_000;

impl<'js> Inspector<'_, 'js> {
    /// The own keys that are shown by name, in the order they are shown. Of a list, those that are no index below `length`.
    pub(super) fn keys(&mut self, object: &Object<'js>, length: Option<usize>) -> Result<Vec<Value<'js>>> {
        let hidden = self.options.show_hidden;
        let mut keys = Vec::new();
        if length.is_none_or(|length| length <= MOST_SEARCHED) {
            let filter = if hidden { Filter::new().string() } else { Filter::default() };
            for key in object.own_keys::<Atom>(filter) {
                let key = key?.to_js_string()?;
                self.step()?;
                if length.is_some() && self.is_index(&key)? {
                    continue;
                }
                keys.push(key.into_value());
                // A property takes at least this much text: more of them would be cut off anyway.
                if keys.len() * "a: 1".len() > self.most_bytes {
                    break;
                }
            }
        }
        let symbols = self.look.symbols(object)?;
        for index in 0..symbols.len() {
            self.step()?;
            let symbol: Value = symbols.get(index)?;
            if hidden || self.look.is_enumerable(object, &symbol)? {
                keys.push(symbol);
            }
            if keys.len() * "a: 1".len() > self.most_bytes {
                break;
            }
        }
        Ok(keys)
    }

    /// The names of the enumerable properties, for those that list them all, and how many more there are. A long list is counted
    /// instead of asked: its names would not fit into the heap.
    pub(super) fn listed_keys(
        &mut self,
        object: &Object<'js>,
        most: usize,
    ) -> Result<(Vec<rquickjs::String<'js>>, usize)> {
        let length = if object.as_value().is_array() {
            self.look.array_length(object)?
        } else if self.look.typed_tag(object)?.is_empty() {
            0
        } else {
            self.look.count(object, "")?
        };
        let mut keys = Vec::new();
        if length > MOST_SEARCHED {
            for index in 0..length.min(most) {
                self.step()?;
                keys.push(rquickjs::String::from_str(self.ctx.clone(), &index.to_string())?);
            }
            return Ok((keys, length.saturating_sub(most)));
        }
        let all = object.own_keys::<Atom>(Filter::default());
        let more = all.len().saturating_sub(most);
        for key in all.take(most) {
            self.step()?;
            keys.push(key?.to_js_string()?);
        }
        Ok((keys, more))
    }

    fn is_index(&self, key: &rquickjs::String<'js>) -> Result<bool> {
        let text = self.look.text(key, 11)?;
        Ok(text.parse::<u32>().is_ok_and(|index| index != u32::MAX && index.to_string() == text))
    }

    /// Takes the indices of a boxed string off the keys: its text has been shown.
    pub(super) fn drop_indices(&self, keys: &mut Vec<Value<'js>>) -> Result<()> {
        let mut kept = Vec::new();
        for key in keys.drain(..) {
            let is_index = match key.as_string() {
                Some(key) => self.is_index(key)?,
                None => false,
            };
            if !is_index {
                kept.push(key);
            }
        }
        *keys = kept;
        Ok(())
    }

    /// A property with its name.
    pub(super) fn property(&mut self, object: &Object<'js>, key: &Value<'js>, depth: i64) -> Result<String> {
        let (slot, enumerable) = self.look.read_with_flag(object, key.clone())?;
        let text = match slot {
            // Only what an error inherits is listed without being its own.
            Slot::Absent => match key.as_string() {
                Some(key) => match self.inherited(object, &key.to_string()?)? {
                    Some(value) => self.indented(&value, depth)?,
                    None => "undefined".into(),
                },
                None => "undefined".into(),
            },
            slot => self.slot_text(slot, depth)?,
        };
        let name = self.key_name(key, enumerable)?;
        self.bytes += name.len();
        Ok(format!("{name}: {text}"))
    }

    fn key_name(&self, key: &Value<'js>, enumerable: bool) -> Result<String> {
        let Some(name) = key.as_string() else {
            return Ok(format!("[{}]", quote::escaped(&self.look.symbol_text(key)?)));
        };
        if let Some(units) = self.look.ill_formed(name, self.most_bytes)? {
            return Ok(quote::quoted_units(&units));
        }
        let name = self.bounded_string(name, self.most_bytes)?.0;
        Ok(if enumerable || name == "__proto__" {
            quote::key_text(&name)
        } else {
            format!("[{}]", quote::escaped(&name))
        })
    }

    pub(super) fn slot_text(&mut self, slot: Slot<'js>, depth: i64) -> Result<String> {
        Ok(match slot {
            Slot::Value(value) => self.indented(&value, depth)?,
            Slot::Getter => "[Getter]".into(),
            Slot::Setter => "[Setter]".into(),
            Slot::Accessor => "[Getter/Setter]".into(),
            Slot::Absent => "undefined".into(),
        })
    }

    pub(super) fn indented(&mut self, value: &Value<'js>, depth: i64) -> Result<String> {
        self.indentation += 2;
        let text = self.value(value, depth);
        self.indentation -= 2;
        text
    }

    /// Everything between the braces, and whether it is a list.
    pub(super) fn entries(
        &mut self,
        object: &Object<'js>,
        depth: i64,
        shape: &Shape<'js>,
        keys: &[Value<'js>],
    ) -> Result<(Vec<String>, Option<List>)> {
        let mut all_numbers = None;
        let mut entries = match shape {
            Shape::Record | Shape::Regexp => Vec::new(),
            Shape::Array { length } => {
                all_numbers = Some(self.are_numbers(object, *length, keys.len())?);
                self.array_entries(object, depth, *length)?
            }
            Shape::Typed { length } => {
                all_numbers = Some(keys.is_empty());
                self.typed_entries(object, depth, *length)?
            }
            Shape::Map { size } => self.map_entries(object, depth, *size)?,
            Shape::Set { size } => self.set_entries(object, depth, *size)?,
            Shape::Iterator => self.iterator_entries(object, depth)?,
            Shape::Promise => vec![self.promise_entry(object, depth)?],
            Shape::Hidden => vec!["<items unknown>".into()],
            Shape::Buffer { bytes } => self.buffer_entries(object, *bytes)?,
            Shape::View { bytes, offset, buffer } => vec![
                format!("byteLength: {bytes}"),
                format!("byteOffset: {}", self.primitive(offset)?),
                format!("buffer: {}", self.indented(buffer, depth)?),
            ],
            Shape::Module => return Ok((self.module_entries(object, depth, keys)?, None)),
        };
        for key in keys {
            if self.is_full() {
                break;
            }
            entries.push(self.property(object, key, depth)?);
        }
        let list = all_numbers.map(|all_numbers| List { most_entries: self.options.most_entries, all_numbers });
        Ok((entries, list))
    }

    /// Whether all entries that a list is going to have are numbers: named properties among them are not, holes neither.
    fn are_numbers(&mut self, array: &Object<'js>, length: usize, keys: usize) -> Result<bool> {
        if keys > 0 {
            return Ok(false);
        }
        for index in 0..length.min(self.options.most_entries.saturating_add(1)) {
            self.step()?;
            match self.look.read(array, index)? {
                Slot::Value(value) if value.is_number() || value.is_big_int() => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn array_entries(&mut self, array: &Object<'js>, depth: i64, length: usize) -> Result<Vec<String>> {
        let most = self.options.most_entries.min(length);
        let mut entries = Vec::new();
        let mut index = 0;
        while index < length && entries.len() < most && !self.is_full() {
            let slot = self.look.read(array, index)?;
            if slot != Slot::Absent {
                entries.push(self.slot_text(slot, depth)?);
                index += 1;
                continue;
            }
            let first = index;
            index += 1;
            while index < length && self.look.read(array, index)? == Slot::Absent {
                self.step()?;
                index += 1;
                if index - first >= MOST_SEARCHED {
                    index = self.next_index(array, first)?.unwrap_or(length);
                    break;
                }
            }
            let count = index - first;
            entries.push(format!("<{count} empty item{}>", plural(count)));
        }
        push_more(&mut entries, length - index);
        Ok(entries)
    }

    /// The next index of a very sparse array that is there: walking to it one by one could take for ever.
    fn next_index(&mut self, array: &Object<'js>, after: usize) -> Result<Option<usize>> {
        for key in array.own_keys::<Atom>(Filter::new().string()) {
            self.step()?;
            let key = key?.to_js_string()?;
            // Indices come first, in their order.
            if !self.is_index(&key)? {
                break;
            }
            let index = self.look.text(&key, 11)?.parse::<usize>().unwrap_or(0);
            if index > after {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn typed_entries(&mut self, array: &Object<'js>, depth: i64, length: usize) -> Result<Vec<String>> {
        let mut entries = Vec::new();
        for index in 0..length.min(self.options.most_entries) {
            let Slot::Value(value) = self.look.read(array, index)? else { break };
            if self.is_full() {
                break;
            }
            entries.push(self.indented(&value, depth)?);
        }
        let more = length - entries.len();
        push_more(&mut entries, more);
        Ok(entries)
    }

    fn map_entries(&mut self, map: &Object<'js>, depth: i64, size: usize) -> Result<Vec<String>> {
        let walk = self.look.walk(map, "Map")?;
        let mut entries = Vec::new();
        while entries.len() < self.options.most_entries && !self.is_full() {
            let Some((key, Some(value))) = walk.next(&self.look)? else { break };
            let key = self.indented(&key, depth)?;
            entries.push(format!("{key} => {}", self.indented(&value, depth)?));
        }
        let more = size.saturating_sub(entries.len());
        push_more(&mut entries, more);
        Ok(entries)
    }

    fn set_entries(&mut self, set: &Object<'js>, depth: i64, size: usize) -> Result<Vec<String>> {
        let walk = self.look.walk(set, "Set")?;
        let mut entries = Vec::new();
        while entries.len() < self.options.most_entries && !self.is_full() {
            let Some((value, _)) = walk.next(&self.look)? else { break };
            entries.push(self.indented(&value, depth)?);
        }
        let more = size.saturating_sub(entries.len());
        push_more(&mut entries, more);
        Ok(entries)
    }

    /// What is still to come from an iterator.
    fn iterator_entries(&mut self, iterator: &Object<'js>, depth: i64) -> Result<Vec<String>> {
        let Some(pending) = self.look.pending(iterator, self.options.most_entries.min(MOST_SEARCHED)) else {
            return Ok(Vec::new());
        };
        let mut more = pending.more;
        let mut entries = Vec::new();
        for (key, value) in pending.items {
            if self.is_full() {
                more += 1;
                continue;
            }
            entries.push(match pending.gives {
                Gives::Keys => self.indented(&key, depth)?,
                Gives::Values => self.indented(&value, depth)?,
                Gives::Pairs => self.pair(&key, &value, depth)?,
            });
        }
        push_more(&mut entries, more);
        Ok(entries)
    }

    /// A key and its value as a list of two.
    fn pair(&mut self, key: &Value<'js>, value: &Value<'js>, depth: i64) -> Result<String> {
        let both = vec![self.indented(key, depth)?, self.indented(value, depth)?];
        let brackets = Description { shape: Shape::Record, base: String::new(), open: "[".into(), close: "]" };
        self.indentation += 2;
        let text = self.joined(both, &brackets, "", depth, None);
        self.indentation -= 2;
        Ok(text)
    }

    fn buffer_entries(&mut self, buffer: &Object<'js>, length: usize) -> Result<Vec<String>> {
        let most = self.options.most_entries.min(self.most_bytes);
        let contents = match self.look.bytes(buffer, most)? {
            None => "(detached)".into(),
            Some(bytes) => {
                let mut text = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
                if length > most {
                    let more = length - most;
                    text += &format!(" ... {more} more byte{}", plural(more));
                }
                format!("[Uint8Contents]: <{text}>")
            }
        };
        Ok(vec![contents, format!("byteLength: {length}")])
    }

    /// The exports of a module. Those without a value yet throw when they are looked at.
    fn module_entries(&mut self, module: &Object<'js>, depth: i64, keys: &[Value<'js>]) -> Result<Vec<String>> {
        let mut entries = Vec::new();
        for key in keys {
            if self.is_full() {
                break;
            }
            match self.property(module, key, depth) {
                Ok(text) => entries.push(text),
                Err(error) if self.host.must_stop() => return Err(error),
                Err(_) => {
                    self.ctx.catch();
                    entries.push(format!("{}: <uninitialized>", self.key_name(key, true)?));
                }
            }
        }
        Ok(entries)
    }

    fn promise_entry(&mut self, object: &Object<'js>, depth: i64) -> Result<String> {
        let promise = Promise::from_value(object.as_value().clone())?;
        match promise.state() {
            PromiseState::Pending => Ok("<pending>".into()),
            PromiseState::Resolved => match promise.result::<Value>() {
                Some(result) => self.indented(&result?, depth),
                None => Ok("<pending>".into()),
            },
            PromiseState::Rejected => {
                // The reason can only be had by throwing it.
                if let Some(Err(_)) = promise.result::<Value>() {
                    let reason = self.ctx.catch();
                    return Ok(format!("<rejected> {}", self.indented(&reason, depth)?));
                }
                Ok("<rejected>".into())
            }
        }
    }
}

pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn push_more(entries: &mut Vec<String>, more: usize) {
    if more > 0 {
        entries.push(format!("... {more} more item{}", plural(more)));
    }
}
