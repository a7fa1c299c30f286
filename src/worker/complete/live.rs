//! The engine's side: values and keys, found without running anything of a script's.

use rquickjs::{Array, Atom, BigInt, Ctx, Error, Filter, Object, Result, String as JsString, Value};

use super::place::{Base, Chain};
use crate::ipc::{Completion, CompletionKind};
use crate::worker::host::Host;
use crate::worker::inspect::MOST_PROTOTYPES;
use crate::worker::source::{self, Lexical};
use crate::worker::tools::{Look, Slot};

/// Keys that are looked at, all in all. Of a larger object the first are offered.
const MOST_KEYS: usize = 20_000;

/// Keys between two looks at the clock.
const KEYS_PER_LOOK: usize = 64;

/// Elements of a list whose named properties are searched for: the engine lists its indexes along with them.
const MOST_SEARCHED: usize = 10_000;

pub struct Live<'a, 'js> {
    pub ctx: &'a Ctx<'js>,
    pub host: &'a Host,
    /// While it lives, the engine's own errors call no `prepareStackTrace`.
    pub look: Look<'js>,
    keys_left: usize,
}

impl<'a, 'js> Live<'a, 'js> {
    pub fn new(ctx: &'a Ctx<'js>, host: &'a Host) -> Result<Live<'a, 'js>> {
        let look = host.tools.borrow().as_ref().ok_or(Error::Unknown)?.look(ctx)?;
        Ok(Live { ctx, host, look, keys_left: MOST_KEYS })
    }

    /// Fails when it is time to stop.
    pub fn step(&self) -> Result<()> {
        if self.host.must_stop() { Err(Error::Unknown) } else { Ok(()) }
    }

    /// The value at the end of a chain, where only data is on the way.
    pub fn value_of(&self, chain: &Chain) -> Result<Option<Value<'js>>> {
        let Some(mut value) = self.base(chain.base)? else { return Ok(None) };
        for key in &chain.keys {
            self.step()?;
            let Slot::Value(next) = self.property(&value, key)? else { return Ok(None) };
            value = next;
        }
        Ok(Some(value))
    }

    fn base(&self, base: Base) -> Result<Option<Value<'js>>> {
        let ctx = self.ctx.clone();
        Ok(match base {
            Base::Name(name) => self.named(name)?,
            Base::This => Some(ctx.globals().into_value()),
            Base::Array => Some(Array::new(ctx)?.into_value()),
            Base::Bigint => Some(BigInt::from_i64(ctx, 0)?.into_value()),
            Base::Boolean => Some(Value::new_bool(ctx, true)),
            Base::Number => Some(Value::new_int(ctx, 0)),
            Base::String => Some(JsString::from_str(ctx, "")?.into_value()),
            // A literal is made by the engine itself and asks no constructor.
            Base::Regexp => source::value_of(self.ctx, "/(?:)/"),
        })
    }

    fn named(&self, name: &str) -> Result<Option<Value<'js>>> {
        if source::is_hidden(name) {
            return Ok(None);
        }
        match self.host.sources.lexical(name) {
            Some(lexical) => self.lexical(&lexical),
            None => match self.property(&self.ctx.globals().into_value(), name)? {
                Slot::Value(value) => Ok(Some(value)),
                // The console's own accessors need not be asked.
                Slot::Accessor => self.host.sources.last(name).map(|kept| kept.restore(self.ctx)).transpose(),
                Slot::Absent | Slot::Getter | Slot::Setter => Ok(None),
            },
        }
    }

    /// The value of a `let`, `const` or `class` of an earlier run, by evaluating its name and nothing else.
    ///
    /// That runs no code of a script's: the engine looks among the lexical bindings first, and those are plain variables. Only a
    /// name that is not there would be looked for on the global object, so one that nobody is sure about is not evaluated where an
    /// accessor or a proxy would be met there. A binding in its dead zone throws, with no `prepareStackTrace` to be called for it.
    pub fn lexical(&self, lexical: &Lexical) -> Result<Option<Value<'js>>> {
        if !lexical.is_sure {
            let globals = self.ctx.globals().into_value();
            match self.find(&globals, &lexical.native)? {
                Found::Slot(Slot::Value(_)) | Found::Nothing => {}
                Found::Slot(_) | Found::Proxy => return Ok(None),
            }
        }
        Ok(source::value_of(self.ctx, &lexical.native))
    }

    /// A property, own or inherited.
    fn property(&self, value: &Value<'js>, key: &str) -> Result<Slot<'js>> {
        match self.find(value, key)? {
            Found::Slot(slot) => Ok(slot),
            Found::Nothing | Found::Proxy => Ok(Slot::Absent),
        }
    }

    fn find(&self, value: &Value<'js>, key: &str) -> Result<Found<'js>> {
        let mut link = self.object_of(value)?;
        for _ in 0..MOST_PROTOTYPES {
            let Some(here) = link else { return Ok(Found::Nothing) };
            if here.as_value().is_proxy() {
                return Ok(Found::Proxy);
            }
            match self.read(&here, key)? {
                Slot::Absent => link = here.get_prototype(),
                slot => return Ok(Found::Slot(slot)),
            }
        }
        // Too long a chain for anyone to say what is at its end.
        Ok(Found::Proxy)
    }

    /// An own property of an object that is no proxy.
    pub fn read(&self, object: &Object<'js>, key: &str) -> Result<Slot<'js>> {
        match self.look.read(object, key) {
            Ok(slot) => Ok(slot),
            Err(error) => {
                // The export of a module that has no value yet throws when it is looked at.
                self.ctx.catch();
                self.step().map(|()| Slot::Absent).map_err(|_| error)
            }
        }
    }

    /// What a value's properties are looked up on.
    fn object_of(&self, value: &Value<'js>) -> Result<Option<Object<'js>>> {
        if let Some(object) = value.as_object() {
            return Ok(Some(object.clone()));
        }
        if value.is_undefined() || value.is_null() {
            return Ok(None);
        }
        self.look.boxed(value).map(Some)
    }

    /// The length of a list: an array, a typed array, a string.
    fn length(&self, value: &Value<'js>) -> Result<Option<usize>> {
        if let Some(string) = value.as_string() {
            return self.look.length(string).map(Some);
        }
        let Some(object) = value.as_object().filter(|object| !object.as_value().is_proxy()) else { return Ok(None) };
        if value.is_array() {
            return self.look.array_length(object).map(Some);
        }
        if self.look.typed_tag(object)?.is_empty() { Ok(None) } else { self.look.count(object, "").map(Some) }
    }

    /// Calls with every string key of a value that is no index, how far up it was found, and on which object.
    pub fn each_key(&mut self, value: &Value<'js>, mut take: impl FnMut(String, usize, &Object<'js>)) -> Result<()> {
        let mut link = self.object_of(value)?;
        for level in 0..MOST_PROTOTYPES {
            let Some(here) = link.filter(|here| !here.as_value().is_proxy()) else { break };
            self.step()?;
            // A string's or a long array's keys are its indexes, and few things besides.
            let boxed = value.as_string().filter(|_| level == 0).map(|string| string.as_value());
            if self
                .length(boxed.unwrap_or(here.as_value()))?
                .is_some_and(|length| length > MOST_SEARCHED || boxed.is_some())
            {
                if self.read(&here, "length")? != Slot::Absent {
                    take("length".to_owned(), level, &here);
                }
            } else {
                self.keys_of(&here, |key| take(key, level, &here))?;
            }
            link = here.get_prototype();
        }
        Ok(())
    }

    fn keys_of(&mut self, object: &Object<'js>, mut take: impl FnMut(String)) -> Result<()> {
        for key in object.own_keys::<Atom>(Filter::new().string()) {
            if self.keys_left == 0 {
                break;
            }
            self.keys_left -= 1;
            if self.keys_left.is_multiple_of(KEYS_PER_LOOK) {
                self.step()?;
            }
            // What is no Unicode cannot be typed.
            let Ok(key) = key?.to_string() else { continue };
            if !is_index(&key) {
                take(key);
            }
        }
        Ok(())
    }

    /// The first elements of a list whose numbers begin with what was typed.
    pub fn elements(&self, value: &Value<'js>, prefix: &str, most: usize) -> Result<Vec<Completion>> {
        let (Some(length), Some(object)) = (self.length(value)?, self.object_of(value)?) else { return Ok(Vec::new()) };
        let mut items = Vec::new();
        for index in 0..length.min(most) {
            self.step()?;
            let label = index.to_string();
            if !label.starts_with(prefix) {
                continue;
            }
            let detail = match self.read(&object, &label)? {
                // A hole.
                Slot::Absent => continue,
                slot => self.describe_slot(&slot)?,
            };
            items.push(Completion { label, kind: CompletionKind::Property, detail });
        }
        Ok(items)
    }
}

/// What a look along a chain of prototypes has come to.
enum Found<'js> {
    Slot(Slot<'js>),
    Nothing,
    Proxy,
}

fn is_index(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit()) && !key.is_empty()
}
