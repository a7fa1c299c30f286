//! What an object calls itself: its constructor and its tag, read from data only.

use rquickjs::{Object, Result};

use super::Inspector;
use crate::worker::source;
use crate::worker::tools::Slot;

/// Links of a prototype chain that are followed.
pub const MOST_PROTOTYPES: usize = 64;

/// UTF-16 units of a name that are shown.
pub const MOST_NAME: usize = 256;

/// UTF-16 units of a getter that is looked into. One that says nothing but a name is not longer.
const MOST_GETTER: usize = 256;

/// The names of an object.
pub struct Names {
    /// `None` for an object whose chain of prototypes is empty.
    pub constructor: Option<String>,
    /// `Symbol.toStringTag`; empty without one, or where it is shown as a property.
    pub tag: String,
    /// Whether some `Symbol.toStringTag` was met, as a getter perhaps: then the engine must not be asked for the class.
    pub has_tag: bool,
}

impl Names {
    pub fn is(&self, constructor: &str) -> bool {
        self.constructor.as_deref() == Some(constructor)
    }

    /// What stands before an opening brace: the constructor, a size, and the tag; ends with a space.
    pub fn prefix(&self, fallback: &str, size: &str) -> String {
        let tag = self.tag.as_str();
        match self.constructor.as_deref() {
            None if !tag.is_empty() && tag != fallback => format!("[{fallback}{size}: null prototype] [{tag}] "),
            None => format!("[{fallback}{size}: null prototype] "),
            Some(constructor) if !tag.is_empty() && tag != constructor => format!("{constructor}{size} [{tag}] "),
            Some(constructor) => format!("{constructor}{size} "),
        }
    }

    /// The prefix of an object of no special kind.
    pub fn plain_prefix(&self, class: &str) -> String {
        let fallback = if class == self.tag { "Object" } else { class };
        self.prefix(fallback, "")
    }

    /// The tag in brackets, where it says what the constructor does not.
    pub fn tag_suffix(&self) -> String {
        if self.tag.is_empty() || self.constructor.as_ref() == Some(&self.tag) {
            String::new()
        } else {
            format!(" [{}]", self.tag)
        }
    }
}

impl<'js> Inspector<'_, 'js> {
    pub(super) fn names(&mut self, object: &Object<'js>, depth: i64) -> Result<Names> {
        let constructor = self.constructor_name(object, depth)?;
        let (tag, has_tag) = self.tag(object)?;
        Ok(Names { constructor, tag, has_tag })
    }

    /// The name of the nearest constructor in the prototype chain that the object is an instance of.
    fn constructor_name(&mut self, object: &Object<'js>, depth: i64) -> Result<Option<String>> {
        self.step()?;
        let prototype = object.get_prototype();
        // Nearly all objects are one of these two, and need not be searched for.
        if let Some(prototype) = &prototype
            && let Some(usual) = self.usual_name(prototype)?
            && self.look.read(object, "constructor")? == Slot::Absent
        {
            return Ok(Some(usual.into()));
        }
        let object_prototype = self.look.object_prototype()?;
        let function_prototype = self.look.function_prototype()?;
        let mut link = Some(object.clone());
        for _ in 0..MOST_PROTOTYPES {
            let Some(here) = link.filter(|here| !here.as_value().is_proxy()) else { break };
            if here == object_prototype && here != *object {
                return Ok(Some("Object".into()));
            }
            if here == function_prototype && here != *object {
                return Ok(Some("Function".into()));
            }
            if let Slot::Value(constructor) = self.look.read(&here, "constructor")?
                && let Some(constructor) = constructor.as_function()
                && !constructor.as_value().is_proxy()
                && let Some(name) = self.own_name(constructor)?
                && !name.is_empty()
                && self.is_instance(object, constructor)?
            {
                return Ok(Some(name));
            }
            link = here.get_prototype();
        }
        let Some(prototype) = prototype else { return Ok(None) };
        if prototype.as_value().is_proxy() {
            return Ok(Some("Object".into()));
        }
        let own = if object.as_value().is_function() { "Function" } else { "Object" };
        if depth > self.options.depth {
            return Ok(Some(format!("{own} <Complex prototype>")));
        }
        Ok(Some(match self.constructor_name(&prototype, depth + 1)? {
            Some(name) => format!("{own} <{name}>"),
            None => format!("{own} <{}>", self.named_only(&prototype)?),
        }))
    }

    fn usual_name(&self, prototype: &Object<'js>) -> Result<Option<&'static str>> {
        if *prototype == self.look.object_prototype()? {
            return Ok(Some("Object"));
        }
        // An array's prototype is data that scripts can change.
        if *prototype != self.look.array_prototype()? {
            return Ok(None);
        }
        let constructor = self.look.read(prototype, "constructor")?;
        let name = constructor.value().and_then(|constructor| constructor.as_function().cloned());
        let name = name.filter(|constructor| !constructor.as_value().is_proxy());
        let Some(name) = name else { return Ok(None) };
        Ok((self.own_name(&name)?.as_deref() == Some("Array")).then_some("Array"))
    }

    /// A function's own name, as long as it is a primitive.
    pub(super) fn own_name(&self, function: &Object<'js>) -> Result<Option<String>> {
        match self.look.read(function, "name")? {
            Slot::Value(name) => self.name_text(&name),
            Slot::Absent | Slot::Getter | Slot::Setter | Slot::Accessor => Ok(None),
        }
    }

    /// A value as `String(…)` makes it, for primitives.
    pub(super) fn name_text(&self, value: &rquickjs::Value<'js>) -> Result<Option<String>> {
        match value.as_string() {
            Some(text) => self.look.text(text, MOST_NAME).map(Some),
            None if value.is_object() || value.is_symbol() => Ok(None),
            None => Ok(super::simple_text(value)),
        }
    }

    /// A function's name, inherited or its own.
    pub(super) fn inherited_name(&self, function: &Object<'js>) -> Result<Option<String>> {
        match self.inherited(function, "name")? {
            Some(name) => self.name_text(&name),
            None => Ok(None),
        }
    }

    /// The value of a property, own or inherited, as long as only data has to be read on the way.
    pub(super) fn inherited(&self, object: &Object<'js>, key: &str) -> Result<Option<rquickjs::Value<'js>>> {
        let mut link = Some(object.clone());
        for _ in 0..MOST_PROTOTYPES {
            let Some(here) = link.filter(|here| !here.as_value().is_proxy()) else { return Ok(None) };
            match self.look.read(&here, key)? {
                Slot::Absent => link = here.get_prototype(),
                Slot::Value(value) => return Ok(Some(value)),
                Slot::Getter | Slot::Setter | Slot::Accessor => return Ok(None),
            }
        }
        Ok(None)
    }

    fn is_instance(&self, object: &Object<'js>, constructor: &Object<'js>) -> Result<bool> {
        match self.look.read(constructor, "prototype")? {
            Slot::Value(prototype) => Ok(prototype.as_object().is_some_and(|prototype| inherits(object, prototype))),
            Slot::Absent | Slot::Getter | Slot::Setter | Slot::Accessor => Ok(false),
        }
    }

    /// What a getter of `Symbol.toStringTag` gives whoever calls it, as far as its text says so without doubt.
    fn written_tag(&self, holder: &Object<'js>, symbol: rquickjs::Value<'js>) -> Result<Option<String>> {
        let Some(getter) = self.look.getter(holder, symbol)? else { return Ok(None) };
        let Some(text) = self.look.function_text(&getter)? else { return Ok(None) };
        if self.look.length(&text)? > MOST_GETTER {
            return Ok(None);
        }
        Ok(source::constant_of_getter(&self.look.text(&text, MOST_GETTER)?))
    }

    /// `Symbol.toStringTag` where it is data, and whether there is any.
    fn tag(&self, object: &Object<'js>) -> Result<(String, bool)> {
        let symbol = self.look.to_string_tag()?;
        let typed = self.look.typed_prototype()?;
        let mut link = Some(object.clone());
        for position in 0..MOST_PROTOTYPES {
            let Some(here) = link else { return Ok((String::new(), false)) };
            if here.as_value().is_proxy() {
                break;
            }
            match self.look.read_with_flag(&here, symbol.clone())? {
                (Slot::Absent, _) => link = here.get_prototype(),
                (Slot::Value(tag), enumerable) => {
                    // The own property is shown as one.
                    let is_shown = position == 0 && (enumerable || self.options.show_hidden);
                    let Some(tag) = tag.as_string().filter(|_| !is_shown) else { break };
                    return Ok((self.look.text(tag, MOST_NAME)?, true));
                }
                (Slot::Getter | Slot::Setter | Slot::Accessor, _) => {
                    // The engine's own getter says what kind of typed array it is. No other is called.
                    let tag = if here == typed {
                        self.look.typed_tag(object)?
                    } else {
                        self.written_tag(&here, symbol)?.unwrap_or_default()
                    };
                    return Ok((tag, true));
                }
            }
        }
        Ok((String::new(), true))
    }
}

/// Whether a prototype is in the chain of an object.
pub fn inherits<'js>(object: &Object<'js>, prototype: &Object<'js>) -> bool {
    let mut link = object.get_prototype();
    for _ in 0..MOST_PROTOTYPES {
        let Some(here) = link else { return false };
        if here == *prototype {
            return true;
        }
        if here.as_value().is_proxy() {
            return false;
        }
        link = here.get_prototype();
    }
    false
}
