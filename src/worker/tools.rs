//! The pristine intrinsics of an engine: how the host looks at values without running a script's code.
//!
//! They are captured one by one before any other code runs. A prelude in JavaScript would be shorter, but compiling it costs more
//! than building the whole engine does.

mod builtins;

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::atom::PredefinedAtom;
use rquickjs::function::{IntoArgs, This};
use rquickjs::object::Accessor;
use rquickjs::{Array, Ctx, FromJs, Function, IntoJs, Object, Persistent, Result, Value};

use super::host::Host;
use crate::sandbox::{self, IteratorClasses};

/// Hexadecimal digits of the largest bigint that is shown. Decimal digits take time by the square of their number, in one go.
const MOST_BIGINT_DIGITS: usize = 16_384;

/// UTF-16 units of a symbol's description and of a regular expression that are copied out of the engine, where each further copy
/// takes as much again. Whoever shows them cuts them in any case.
const MOST_COPIED_UNITS: usize = 256 << 10;

/// What was captured, kept from one look to the next. Must be dropped before the engine.
pub struct Tools {
    all: Persistent<Array<'static>>,
    /// The engine's number for `DOMException`s, once somebody has asked for it.
    dom_class: Rc<Cell<Option<u32>>>,
    iterators: IteratorClasses,
}

/// Declares the captured intrinsics: a name for each, and the expression path it is found under.
macro_rules! tools {
    ($($name:ident: $kind:ident $path:expr,)*) => {
        #[derive(Debug, Clone, Copy)]
        enum Tool { $($name,)* }

        const CAPTURED: &[(Tool, How, &[&str])] = &[$((Tool::$name, How::$kind, &$path),)*];
    };
}

/// How a path is to be read.
#[derive(Debug, Clone, Copy)]
enum How {
    /// As it stands.
    Get,
    /// The last step is an accessor, and its getter is meant.
    Getter,
    /// The same, but its setter.
    Setter,
}

tools! {
    Descriptor: Get ["Object", "getOwnPropertyDescriptor"],
    Symbols: Get ["Object", "getOwnPropertySymbols"],
    Boxed: Get ["Object"],
    ObjectPrototype: Get ["Object", "prototype"],
    ArrayPrototype: Get ["Array", "prototype"],
    FunctionPrototype: Get ["Function", "prototype"],
    ErrorPrototype: Get ["Error", "prototype"],
    TypedPrototype: Get ["Uint8Array", "prototype", "__proto__"],
    ClassText: Get ["Object", "prototype", "toString"],
    IsExtensible: Get ["Object", "isExtensible"],
    ToStringTag: Get ["Symbol", "toStringTag"],
    Iterator: Get ["Symbol", "iterator"],
    Json: Get ["JSON", "stringify"],
    Number: Get ["Number"],
    ParseInt: Get ["parseInt"],
    ParseFloat: Get ["parseFloat"],
    Slice: Get ["String", "prototype", "slice"],
    ToWellFormed: Get ["String", "prototype", "toWellFormed"],
    SymbolText: Get ["Symbol", "prototype", "toString"],
    BigintText: Get ["BigInt", "prototype", "toString"],
    FunctionText: Get ["Function", "prototype", "toString"],
    DateTime: Get ["Date", "prototype", "getTime"],
    DateText: Get ["Date", "prototype", "toISOString"],
    NumberValue: Get ["Number", "prototype", "valueOf"],
    StringValue: Get ["String", "prototype", "valueOf"],
    BooleanValue: Get ["Boolean", "prototype", "valueOf"],
    BigintValue: Get ["BigInt", "prototype", "valueOf"],
    SymbolValue: Get ["Symbol", "prototype", "valueOf"],
    MapSize: Getter ["Map", "prototype", "size"],
    MapEntries: Get ["Map", "prototype", "entries"],
    SetSize: Getter ["Set", "prototype", "size"],
    SetValues: Get ["Set", "prototype", "values"],
    WeakMapHas: Get ["WeakMap", "prototype", "has"],
    WeakSetHas: Get ["WeakSet", "prototype", "has"],
    WeakRefDeref: Get ["WeakRef", "prototype", "deref"],
    BufferLength: Getter ["ArrayBuffer", "prototype", "byteLength"],
    SharedLength: Getter ["SharedArrayBuffer", "prototype", "byteLength"],
    ViewLength: Getter ["DataView", "prototype", "byteLength"],
    ViewOffset: Getter ["DataView", "prototype", "byteOffset"],
    ViewBuffer: Getter ["DataView", "prototype", "buffer"],
    BytesFrom: Get ["Uint8Array"],
    TypedLength: Getter ["Uint8Array", "prototype", "__proto__", "length"],
    TypedTag: Getter ["Uint8Array", "prototype", "__proto__", "@@toStringTag"],
    RegexpPrototype: Get ["RegExp", "prototype"],
    RegexpSource: Getter ["RegExp", "prototype", "source"],
    HasIndices: Getter ["RegExp", "prototype", "hasIndices"],
    Global: Getter ["RegExp", "prototype", "global"],
    IgnoreCase: Getter ["RegExp", "prototype", "ignoreCase"],
    Multiline: Getter ["RegExp", "prototype", "multiline"],
    DotAll: Getter ["RegExp", "prototype", "dotAll"],
    Unicode: Getter ["RegExp", "prototype", "unicode"],
    UnicodeSets: Getter ["RegExp", "prototype", "unicodeSets"],
    Sticky: Getter ["RegExp", "prototype", "sticky"],
    Error: Get ["Error"],
    Stack: Getter ["Error", "prototype", "stack"],
    GetPrepare: Getter ["Error", "prepareStackTrace"],
    SetPrepare: Setter ["Error", "prepareStackTrace"],
    SetLimit: Setter ["Error", "stackTraceLimit"],
    MapNext: Get ["@map iterator", "next"],
    SetNext: Get ["@set iterator", "next"],
    AsyncFunction: Get ["@async function", "__proto__"],
    GeneratorFunction: Get ["@generator", "__proto__"],
    AsyncGeneratorFunction: Get ["@async generator", "__proto__"],
    // What only the files in `web` use.
    Apply: Get ["Reflect", "apply"],
    OwnKeys: Get ["Reflect", "ownKeys"],
    Define: Get ["Object", "defineProperty"],
    SetPrototype: Get ["Object", "setPrototypeOf"],
    Keys: Get ["Object", "keys"],
    HasOwn: Get ["Object", "hasOwn"],
    Microtask: Get ["queueMicrotask"],
    Now: Get ["performance", "now"],
    Object: Get ["Object"],
    Map: Get ["Map"],
    MapHas: Get ["Map", "prototype", "has"],
    MapGet: Get ["Map", "prototype", "get"],
    MapSet: Get ["Map", "prototype", "set"],
    MapForEach: Get ["Map", "prototype", "forEach"],
    Set: Get ["Set"],
    SetAdd: Get ["Set", "prototype", "add"],
    SetForEach: Get ["Set", "prototype", "forEach"],
    Date: Get ["Date"],
    Regexp: Get ["RegExp"],
    Buffer: Get ["ArrayBuffer"],
    BufferDetached: Getter ["ArrayBuffer", "prototype", "detached"],
    BufferResizable: Getter ["ArrayBuffer", "prototype", "resizable"],
    BufferMaxLength: Getter ["ArrayBuffer", "prototype", "maxByteLength"],
    BufferTransfer: Get ["ArrayBuffer", "prototype", "transfer"],
    Shared: Get ["SharedArrayBuffer"],
    View: Get ["DataView"],
    Int8: Get ["Int8Array"],
    Uint8Clamped: Get ["Uint8ClampedArray"],
    Int16: Get ["Int16Array"],
    Uint16: Get ["Uint16Array"],
    Int32: Get ["Int32Array"],
    Uint32: Get ["Uint32Array"],
    BigInt64: Get ["BigInt64Array"],
    BigUint64: Get ["BigUint64Array"],
    Float16: Get ["Float16Array"],
    Float32: Get ["Float32Array"],
    Float64: Get ["Float64Array"],
    TypedBuffer: Getter ["Uint8Array", "prototype", "__proto__", "buffer"],
    TypedOffset: Getter ["Uint8Array", "prototype", "__proto__", "byteOffset"],
    TypedByteLength: Getter ["Uint8Array", "prototype", "__proto__", "byteLength"],
    TypedSet: Get ["Uint8Array", "prototype", "__proto__", "set"],
    EvalError: Get ["EvalError"],
    RangeError: Get ["RangeError"],
    ReferenceError: Get ["ReferenceError"],
    SyntaxError: Get ["SyntaxError"],
    TypeError: Get ["TypeError"],
    UriError: Get ["URIError"],
    SetStack: Setter ["Error", "prototype", "stack"],
    DomException: Get ["DOMException"],
    DomName: Getter ["DOMException", "prototype", "name"],
    DomMessage: Getter ["DOMException", "prototype", "message"],
    IteratorPrototype: Get ["@map iterator", "__proto__", "__proto__"],
}

/// What the files in `web` call the intrinsics that they use.
const LENT: &[(&str, Tool)] = &[
    ("apply", Tool::Apply),
    ("ownKeys", Tool::OwnKeys),
    ("defineProperty", Tool::Define),
    ("describe", Tool::Descriptor),
    ("setPrototypeOf", Tool::SetPrototype),
    ("keys", Tool::Keys),
    ("hasOwn", Tool::HasOwn),
    ("queueMicrotask", Tool::Microtask),
    ("now", Tool::Now),
    ("toWellFormed", Tool::ToWellFormed),
    ("iterator", Tool::Iterator),
    ("toStringTag", Tool::ToStringTag),
    ("ObjectPrototype", Tool::ObjectPrototype),
    ("ArrayPrototype", Tool::ArrayPrototype),
    ("IteratorPrototype", Tool::IteratorPrototype),
    ("Object", Tool::Object),
    ("numberValue", Tool::NumberValue),
    ("stringValue", Tool::StringValue),
    ("booleanValue", Tool::BooleanValue),
    ("bigintValue", Tool::BigintValue),
    ("Map", Tool::Map),
    ("mapHas", Tool::MapHas),
    ("mapGet", Tool::MapGet),
    ("mapSet", Tool::MapSet),
    ("mapForEach", Tool::MapForEach),
    ("Set", Tool::Set),
    ("setAdd", Tool::SetAdd),
    ("setForEach", Tool::SetForEach),
    ("Date", Tool::Date),
    ("dateTime", Tool::DateTime),
    ("RegExp", Tool::Regexp),
    ("regexpSource", Tool::RegexpSource),
    ("ArrayBuffer", Tool::Buffer),
    ("bufferLength", Tool::BufferLength),
    ("bufferDetached", Tool::BufferDetached),
    ("bufferResizable", Tool::BufferResizable),
    ("bufferMaxLength", Tool::BufferMaxLength),
    ("bufferTransfer", Tool::BufferTransfer),
    ("SharedArrayBuffer", Tool::Shared),
    ("sharedLength", Tool::SharedLength),
    ("DataView", Tool::View),
    ("viewBuffer", Tool::ViewBuffer),
    ("viewOffset", Tool::ViewOffset),
    ("viewLength", Tool::ViewLength),
    ("Int8Array", Tool::Int8),
    ("Uint8Array", Tool::BytesFrom),
    ("Uint8ClampedArray", Tool::Uint8Clamped),
    ("Int16Array", Tool::Int16),
    ("Uint16Array", Tool::Uint16),
    ("Int32Array", Tool::Int32),
    ("Uint32Array", Tool::Uint32),
    ("BigInt64Array", Tool::BigInt64),
    ("BigUint64Array", Tool::BigUint64),
    ("Float16Array", Tool::Float16),
    ("Float32Array", Tool::Float32),
    ("Float64Array", Tool::Float64),
    ("getTag", Tool::TypedTag),
    ("typedBuffer", Tool::TypedBuffer),
    ("typedOffset", Tool::TypedOffset),
    ("typedLength", Tool::TypedLength),
    ("typedByteLength", Tool::TypedByteLength),
    ("setBytes", Tool::TypedSet),
    ("Error", Tool::Error),
    ("EvalError", Tool::EvalError),
    ("RangeError", Tool::RangeError),
    ("ReferenceError", Tool::ReferenceError),
    ("SyntaxError", Tool::SyntaxError),
    ("TypeError", Tool::TypeError),
    ("URIError", Tool::UriError),
    ("setStack", Tool::SetStack),
    ("DOMException", Tool::DomException),
    ("domName", Tool::DomName),
    ("domMessage", Tool::DomMessage),
];

/// An own property, read without running a getter.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot<'js> {
    Absent,
    Value(Value<'js>),
    Getter,
    Setter,
    Accessor,
}

impl<'js> Slot<'js> {
    pub fn value(self) -> Option<Value<'js>> {
        match self {
            Slot::Value(value) => Some(value),
            Slot::Absent | Slot::Getter | Slot::Setter | Slot::Accessor => None,
        }
    }
}

impl Tools {
    /// Captures the intrinsics of a fresh engine.
    pub fn capture(ctx: &Ctx<'_>) -> Result<Tools> {
        let globals = ctx.globals();
        // Some are only found on the objects they belong to.
        let samples: Array = ctx.eval(
            "[new Map().entries(), new Set().values(), async () => {}, function* () {}, async function* () {}]",
        )?;
        let samples = [
            ("@map iterator", samples.get::<Object>(0)?),
            ("@set iterator", samples.get(1)?),
            ("@async function", samples.get(2)?),
            ("@generator", samples.get(3)?),
            ("@async generator", samples.get(4)?),
        ];
        let describe: Function = globals.get::<_, Object>("Object")?.get("getOwnPropertyDescriptor")?;
        let tag: Value = globals.get::<_, Object>("Symbol")?.get("toStringTag")?;
        let all = Array::new(ctx.clone())?;
        let (mut found_way, mut holder): (&[&str], _) = (&[], globals.clone());
        for (tool, how, path) in CAPTURED {
            let (last, way) = path.split_last().expect("no path is empty");
            // Neighbours mostly come from the same place.
            if way != found_way {
                holder = globals.clone();
                for step in way {
                    let sample = samples.iter().find(|(name, _)| name == step);
                    holder = match sample {
                        Some((_, sample)) => sample.clone(),
                        None if *step == "__proto__" => holder.get_prototype().ok_or(rquickjs::Error::Unknown)?,
                        None => holder.get(*step)?,
                    };
                }
                found_way = way;
            }
            let key = if *last == "@@toStringTag" { tag.clone() } else { (*last).into_js(ctx)? };
            let found: Value = match how {
                How::Get => holder.get(key)?,
                How::Getter => describe.call::<_, Object>((holder.clone(), key))?.get("get")?,
                How::Setter => describe.call::<_, Object>((holder.clone(), key))?.get("set")?,
            };
            all.set(*tool as usize, found)?;
        }
        // The array is never reachable for a script, but its prototype is.
        all.as_object().set_prototype(None)?;
        let [(_, map), (_, set), ..] = &samples;
        let iterators = IteratorClasses::of(map.as_value(), set.as_value());
        Ok(Tools { all: Persistent::save(ctx, all), dom_class: Rc::default(), iterators })
    }

    /// An object with the intrinsics that the host's own JavaScript uses. It inherits nothing.
    pub fn lend<'js>(&self, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        let all = self.all.clone().restore(ctx)?;
        let lent = Object::new(ctx.clone())?;
        lent.set_prototype(None)?;
        for (name, tool) in LENT {
            lent.set(*name, all.get::<Value>(*tool as usize)?)?;
        }
        Ok(lent)
    }

    /// The tools, for use in this stretch of work. Until it is dropped, errors made on the way call no `prepareStackTrace`.
    pub fn look<'js>(&self, ctx: &Ctx<'js>) -> Result<Look<'js>> {
        let all = self.all.clone().restore(ctx)?;
        let mut look = Look {
            describe: all.get(Tool::Descriptor as usize)?,
            error: all.get(Tool::Error as usize)?,
            prepare: None,
            dom_class: Rc::clone(&self.dom_class),
            iterators: self.iterators,
            all,
        };
        let prepare: Value = look.ask(Tool::GetPrepare, &look.error, ())?;
        if !prepare.is_undefined() {
            look.set_prepare(Value::new_undefined(ctx.clone()))?;
            look.prepare = Some(prepare);
        }
        Ok(look)
    }
}

/// Puts another `Error.stackTraceLimit` in front of the engine's own, which coerces its value whenever an error is made and
/// forgets to free the one that is replaced. This one keeps nothing but numbers.
pub fn guard_stack_trace_limit<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let error: Object = ctx.globals().get("Error")?;
    let shown = Rc::new(Cell::new(error.get::<_, f64>("stackTraceLimit").ok()));
    let get = {
        let shown = Rc::clone(&shown);
        move || shown.get()
    };
    let host = Rc::clone(host);
    let set = move |ctx: Ctx<'js>, value: Value<'js>| -> Result<()> {
        shown.set(value.as_number());
        let tools = host.tools.borrow();
        let Some(tools) = tools.as_ref() else { return Ok(()) };
        let all = tools.all.clone().restore(&ctx)?;
        let error: Value = all.get(Tool::Error as usize)?;
        all.get::<Function>(Tool::SetLimit as usize)?.call((This(error), value.as_number().unwrap_or(0.0)))
    };
    error.prop("stackTraceLimit", Accessor::new(get, set).configurable())
}

/// A stretch of looking at values. See [`Tools::look`].
pub struct Look<'js> {
    all: Array<'js>,
    describe: Function<'js>,
    error: Value<'js>,
    dom_class: Rc<Cell<Option<u32>>>,
    iterators: IteratorClasses,
    /// The script's own `prepareStackTrace`, to be given back.
    prepare: Option<Value<'js>>,
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        // It fails only when the turn is being interrupted, and then the script's function is lost, which does no harm.
        if let Some(prepare) = self.prepare.take()
            && self.set_prepare(prepare).is_err()
        {
            self.all.ctx().catch();
        }
    }
}

impl<'js> Look<'js> {
    /// Calls a captured method of `this`.
    fn ask<A, R>(&self, tool: Tool, this: &Value<'js>, arguments: A) -> Result<R>
    where
        (This<Value<'js>>, rquickjs::function::Flat<A>): IntoArgs<'js>,
        A: IntoArgs<'js>,
        R: FromJs<'js>,
    {
        let method: Function = self.all.get(tool as usize)?;
        method.call((This(this.clone()), rquickjs::function::Flat(arguments)))
    }

    fn set_prepare(&self, prepare: Value<'js>) -> Result<()> {
        self.ask(Tool::SetPrepare, &self.error, (prepare,))
    }

    /// An own property's descriptor, with nothing inherited.
    fn descriptor<K: IntoJs<'js>>(&self, object: &Value<'js>, key: K) -> Result<Option<Object<'js>>> {
        let descriptor: Value = self.describe.call((object.clone(), key))?;
        let Some(descriptor) = descriptor.into_object() else { return Ok(None) };
        descriptor.set_prototype(None)?;
        Ok(Some(descriptor))
    }

    /// An own property of an object that is not a proxy.
    pub fn read<K: IntoJs<'js>>(&self, object: &Object<'js>, key: K) -> Result<Slot<'js>> {
        match self.descriptor(object.as_value(), key)? {
            Some(descriptor) => slot_of(&descriptor),
            None => Ok(Slot::Absent),
        }
    }

    /// The value of an own property that is enumerable data.
    pub fn read_plain(&self, object: &Object<'js>, key: &rquickjs::String<'js>) -> Result<Option<Value<'js>>> {
        let Some(descriptor) = self.descriptor(object.as_value(), key.clone())? else { return Ok(None) };
        if !descriptor.get::<_, bool>("enumerable")? {
            return Ok(None);
        }
        Ok(slot_of(&descriptor)?.value())
    }

    /// An own property and whether it is enumerable.
    pub fn read_with_flag<K: IntoJs<'js>>(&self, object: &Object<'js>, key: K) -> Result<(Slot<'js>, bool)> {
        match self.descriptor(object.as_value(), key)? {
            Some(descriptor) => Ok((slot_of(&descriptor)?, descriptor.get("enumerable")?)),
            None => Ok((Slot::Absent, true)),
        }
    }

    /// The getter of an own accessor.
    pub fn getter(&self, object: &Object<'js>, key: Value<'js>) -> Result<Option<Object<'js>>> {
        match self.descriptor(object.as_value(), key)? {
            Some(descriptor) => Ok(descriptor.get::<_, Value>("get")?.into_object()),
            None => Ok(None),
        }
    }

    pub fn is_enumerable(&self, object: &Object<'js>, key: &Value<'js>) -> Result<bool> {
        match self.descriptor(object.as_value(), key.clone())? {
            Some(descriptor) => descriptor.get("enumerable"),
            None => Ok(false),
        }
    }

    /// Own symbol keys, enumerable or not.
    pub fn symbols(&self, object: &Object<'js>) -> Result<Array<'js>> {
        self.all.get::<Function>(Tool::Symbols as usize)?.call((object.clone(),))
    }

    /// The length of an array, which may be more than the engine's own interface can tell.
    pub fn array_length(&self, array: &Object<'js>) -> Result<usize> {
        let length = self.read(array, "length")?.value();
        Ok(length.and_then(|length| length.as_number()).map_or(0, |length| length as usize))
    }

    /// UTF-16 units of a string.
    pub fn length(&self, string: &rquickjs::String<'js>) -> Result<usize> {
        match self.descriptor(string.as_value(), "length")? {
            Some(length) => length.get(PredefinedAtom::Value),
            None => Ok(0),
        }
    }

    /// The UTF-16 units of a string's start, for one that is not Unicode; `None` for the others.
    pub fn ill_formed(&self, string: &rquickjs::String<'js>, end: usize) -> Result<Option<Vec<u16>>> {
        let start: rquickjs::String = self.ask(Tool::Slice, string.as_value(), (0, end))?;
        if !matches!(start.to_string(), Err(rquickjs::Error::Utf8(_))) {
            return Ok(None);
        }
        // JSON has an escape for what is not Unicode, and for a string it asks nobody.
        let json: rquickjs::String = self.ask(Tool::Json, string.as_value(), (start.clone(),))?;
        Ok(Some(units_of_json(&json.to_string()?)))
    }

    /// The start of a string as JSON text.
    pub fn json_of_string(&self, string: &rquickjs::String<'js>, end: usize) -> Result<rquickjs::String<'js>> {
        let start: Value = self.ask(Tool::Slice, string.as_value(), (0, end))?;
        self.ask(Tool::Json, string.as_value(), (start,))
    }

    /// The first `end` UTF-16 units of a string, with U+FFFD for what is not Unicode.
    pub fn text(&self, string: &rquickjs::String<'js>, end: usize) -> Result<String> {
        let start: rquickjs::String = self.ask(Tool::Slice, string.as_value(), (0, end))?;
        self.whole_text(&start)
    }

    fn whole_text(&self, string: &rquickjs::String<'js>) -> Result<String> {
        match string.to_string() {
            Ok(text) => Ok(text),
            Err(rquickjs::Error::Utf8(_)) => {
                self.ask::<_, rquickjs::String>(Tool::ToWellFormed, string.as_value(), ())?.to_string()
            }
            Err(error) => Err(error),
        }
    }

    /// `Symbol(description)`, or the start of that.
    pub fn symbol_text(&self, symbol: &Value<'js>) -> Result<String> {
        self.text(&self.ask(Tool::SymbolText, symbol, ())?, MOST_COPIED_UNITS)
    }

    /// The decimal digits; `None` where there would be too many.
    pub fn bigint_text(&self, bigint: &Value<'js>) -> Result<Option<String>> {
        let hexadecimal: rquickjs::String = self.ask(Tool::BigintText, bigint, (16,))?;
        if self.length(&hexadecimal)? > MOST_BIGINT_DIGITS {
            return Ok(None);
        }
        self.ask(Tool::BigintText, bigint, ()).map(Some)
    }

    /// The engine's own `Object.prototype`.
    pub fn object_prototype(&self) -> Result<Object<'js>> {
        self.all.get(Tool::ObjectPrototype as usize)
    }

    /// The engine's own `Array.prototype`.
    pub fn array_prototype(&self) -> Result<Object<'js>> {
        self.all.get(Tool::ArrayPrototype as usize)
    }

    /// The engine's own `Function.prototype`.
    pub fn function_prototype(&self) -> Result<Object<'js>> {
        self.all.get(Tool::FunctionPrototype as usize)
    }

    /// The engine's own `Error.prototype`.
    pub fn error_prototype(&self) -> Result<Object<'js>> {
        self.all.get(Tool::ErrorPrototype as usize)
    }

    /// The prototype of the prototypes of all typed arrays.
    pub fn typed_prototype(&self) -> Result<Object<'js>> {
        self.all.get(Tool::TypedPrototype as usize)
    }

    /// `Symbol.toStringTag`.
    pub fn to_string_tag(&self) -> Result<Value<'js>> {
        self.all.get(Tool::ToStringTag as usize)
    }

    /// `Symbol.iterator`.
    pub fn iterator_symbol(&self) -> Result<Value<'js>> {
        self.all.get(Tool::Iterator as usize)
    }

    /// A new error of this place.
    pub fn new_error(&self) -> Result<Object<'js>> {
        self.all.get::<rquickjs::function::Constructor>(Tool::Error as usize)?.construct(())
    }

    /// The name and the message of a `DOMException`, whose getters run no script's code; `None` for any other object.
    pub fn dom_exception(&self, object: &Object<'js>) -> Result<Option<(Value<'js>, Value<'js>)>> {
        let value = object.as_value();
        // Most are the language's own, and a full heap may have no room for the sample below.
        if value.is_error() {
            return Ok(None);
        }
        let dom_class = match self.dom_class.get() {
            Some(class) => class,
            None => {
                let make = self.all.get::<rquickjs::function::Constructor>(Tool::DomException as usize)?;
                let class = sandbox::class_of(&make.construct::<_, Value>(())?);
                self.dom_class.set(Some(class));
                class
            }
        };
        if sandbox::class_of(value) != dom_class {
            return Ok(None);
        }
        Ok(Some((self.ask(Tool::DomName, value, ())?, self.ask(Tool::DomMessage, value, ())?)))
    }

    /// The trace that the engine keeps inside an error: a string, unless the script's `prepareStackTrace` has made something else.
    pub fn stack(&self, error: &Object<'js>) -> Result<Value<'js>> {
        self.ask(Tool::Stack, error.as_value(), ())
    }
}

/// What a descriptor that inherits nothing describes.
fn slot_of<'js>(descriptor: &Object<'js>) -> Result<Slot<'js>> {
    if descriptor.contains_key(PredefinedAtom::Value)? {
        return Ok(Slot::Value(descriptor.get(PredefinedAtom::Value)?));
    }
    let has = |key: &str| descriptor.get::<_, Value>(key).map(|function| !function.is_undefined());
    Ok(match (has("get")?, has("set")?) {
        (true, true) => Slot::Accessor,
        (false, true) => Slot::Setter,
        (_, false) => Slot::Getter,
    })
}

/// Reads the JSON text of one string back, surrogates without a partner included.
fn units_of_json(json: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(json.len());
    let inside = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or(json);
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        units.push(match chars.next() {
            Some('n') => 10,
            Some('t') => 9,
            Some('r') => 13,
            Some('b') => 8,
            Some('f') => 12,
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).unwrap_or(0xfffd)
            }
            Some(other) => u16::try_from(u32::from(other)).unwrap_or(0xfffd),
            None => break,
        });
    }
    units
}
