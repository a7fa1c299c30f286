//! Objects: what they are.

use rquickjs::{Error, Object, Result, Value};

use super::layout::{self, Parts};
use super::names::{Names, inherits};
use super::{Inspector, MOST_PROXIES};
use crate::sandbox::{Gives, as_proxy};
use crate::worker::tools::Slot;

/// Below this depth the engine may run out of stack, if a script has asked for more than the usual and stands deep itself.
const UNUSUAL_DEPTH: i64 = 5;

/// What an object is inside, and so how its contents are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape<'js> {
    /// Nothing but properties.
    Record,
    Array {
        length: usize,
    },
    Typed {
        length: usize,
    },
    Map {
        size: usize,
    },
    Set {
        size: usize,
    },
    /// Of a Map or a Set.
    Iterator,
    Promise,
    /// What it holds cannot be known.
    Hidden,
    Buffer {
        bytes: usize,
    },
    View {
        bytes: usize,
        offset: Value<'js>,
        buffer: Value<'js>,
    },
    Module,
    /// Nothing but properties; where it is too deep, its text is shown all the same.
    Regexp,
}

/// An object, described but for its contents.
pub(super) struct Description<'js> {
    pub(super) shape: Shape<'js>,
    /// What stands before the braces; alone, if there is nothing to put in them.
    pub(super) base: String,
    pub(super) open: String,
    pub(super) close: &'static str,
}

impl<'js> Description<'js> {
    fn braces(shape: Shape<'js>, lead: String) -> Description<'js> {
        Description { shape, base: String::new(), open: lead + "{", close: "}" }
    }

    /// Properties in braces, behind a name that ends with a space.
    pub(super) fn record(lead: String) -> Description<'js> {
        Description::braces(Shape::Record, lead)
    }

    fn based(base: String) -> Description<'js> {
        Description { shape: Shape::Record, base, open: "{".into(), close: "}" }
    }

    /// The whole text, where there is nothing to put between the braces.
    fn empty_text(&self) -> Option<String> {
        match self.shape {
            Shape::Array { length: 0 }
            | Shape::Typed { length: 0 }
            | Shape::Map { size: 0 }
            | Shape::Set { size: 0 } => Some(format!("{}{}", self.open, self.close)),
            Shape::Record if self.base.is_empty() => Some(format!("{}{}", self.open, self.close)),
            Shape::Record | Shape::Regexp => Some(self.base.clone()),
            _ => None,
        }
    }
}

impl<'js> Inspector<'_, 'js> {
    pub(super) fn object(&mut self, object: &Object<'js>, depth: i64) -> Result<String> {
        let Some(object) = self.without_proxies(object)? else { return Ok("<Revoked Proxy>".into()) };
        if object.as_value().is_proxy() {
            return self.proxy(&object, depth);
        }
        if self.path.contains(&object) {
            if !self.circular.contains(&object) {
                self.circular.push(object.clone());
            }
            return Ok(format!("[Circular *{}]", self.circular_index(&object).unwrap_or(1)));
        }
        let names = self.names(&object, depth)?;
        if let Some(text) = self.web_object(&object, &names, depth)? {
            return Ok(text);
        }
        let (description, keys) = self.describe(&object, &names)?;
        if keys.is_empty()
            && let Some(text) = description.empty_text()
        {
            return Ok(text);
        }
        if depth > self.options.depth {
            if description.shape == Shape::Regexp {
                return Ok(description.base);
            }
            let class = self.class_name(&object);
            let name = names.plain_prefix(class);
            let name = name.trim_end_matches(' ');
            return Ok(if names.constructor.is_some() { format!("[{name}]") } else { name.to_owned() });
        }
        let name = names.plain_prefix(self.class_name(&object));
        match self.contents(&object, depth + 1, description, &keys) {
            Err(Error::Exception) if depth > UNUSUAL_DEPTH && !self.host.must_stop() => {
                self.ctx.catch();
                let name = name.trim_end_matches(' ');
                Ok(format!("[{name}: Inspection interrupted prematurely. Maximum call stack size exceeded.]"))
            }
            shown => shown,
        }
    }

    /// What is behind a proxy, without asking it; `None` when it was revoked. A proxy itself where proxies are to be shown.
    pub(super) fn without_proxies(&mut self, object: &Object<'js>) -> Result<Option<Object<'js>>> {
        let mut object = object.clone();
        for _ in 0..MOST_PROXIES {
            self.step()?;
            let Some(proxy) = as_proxy(object.as_value()) else { break };
            let Ok(target) = proxy.target() else {
                self.ctx.catch();
                return Ok(None);
            };
            if self.options.show_proxy {
                break;
            }
            object = target;
        }
        Ok(Some(object))
    }

    fn proxy(&mut self, object: &Object<'js>, depth: i64) -> Result<String> {
        // Only reached with `show_proxy`, or behind more proxies than anybody makes.
        let Some(proxy) = as_proxy(object.as_value()).filter(|_| depth <= self.options.depth) else {
            return Ok("Proxy [Array]".into());
        };
        let (target, handler) = (proxy.target()?, proxy.handler()?);
        self.current_depth = depth + 1;
        let target = self.indented(target.as_value(), depth + 1)?;
        let handler = self.indented(handler.as_value(), depth + 1)?;
        let description = Description { shape: Shape::Record, base: String::new(), open: "Proxy [".into(), close: "]" };
        Ok(self.joined(vec![target, handler], &description, "", depth + 1, None))
    }

    fn circular_index(&self, object: &Object<'js>) -> Option<usize> {
        self.circular.iter().position(|circular| circular == object).map(|index| index + 1)
    }

    fn class_name(&self, object: &Object<'js>) -> &'static str {
        if object.as_value().is_array() {
            "Array"
        } else if object.as_value().is_function() {
            "Function"
        } else {
            "Object"
        }
    }

    pub(super) fn contents(
        &mut self,
        object: &Object<'js>,
        depth: i64,
        description: Description<'js>,
        keys: &[Value<'js>],
    ) -> Result<String> {
        self.path.push(object.clone());
        self.current_depth = depth;
        let listed = self.entries(object, depth, &description.shape, keys);
        self.path.pop();
        let (mut entries, list) = listed?;
        if self.options.sorted && list.is_none() {
            entries.sort();
        }
        let mut base = description.base.clone();
        if let Some(index) = self.circular_index(object) {
            base = if base.is_empty() { format!("<ref *{index}>") } else { format!("<ref *{index}> {base}") };
        }
        Ok(self.joined(entries, &description, &base, depth, list))
    }

    pub(super) fn joined(
        &self,
        entries: Vec<String>,
        description: &Description<'js>,
        base: &str,
        depth: i64,
        list: Option<layout::List>,
    ) -> String {
        layout::join(Parts {
            entries,
            base,
            open: &description.open,
            close: description.close,
            indentation: self.indentation,
            levels_inside: usize::try_from(self.current_depth - depth).unwrap_or(0),
            list,
            break_length: self.options.break_length,
            compact: self.options.compact,
        })
    }

    /// What an object is, and the keys that are shown by name.
    pub(super) fn describe(
        &mut self,
        object: &Object<'js>,
        names: &Names,
    ) -> Result<(Description<'js>, Vec<Value<'js>>)> {
        let value = object.as_value();
        if value.is_array() && (names.is("Array") || self.is_iterable(object, names)?) {
            let length = self.look.array_length(object)?;
            let plain = names.is("Array") && names.tag.is_empty();
            let lead = if plain { String::new() } else { names.prefix("Array", &format!("({length})")) };
            let shape = Shape::Array { length };
            let keys = self.keys(object, Some(length))?;
            return Ok((Description { shape, base: String::new(), open: lead + "[", close: "]" }, keys));
        }
        let is_plain = !value.is_function() && !value.is_error() && !value.is_promise();
        // Nothing but a script's own objects has no tag and no prototype but the usual one; the rest has to be looked at.
        let brand = if is_plain { self.brand(object, names)? } else { String::new() };
        if let Some(described) = self.describe_iterable(object, names, &brand)? {
            return Ok(described);
        }
        let mut keys = self.keys(object, None)?;
        let description = if value.is_function() {
            Description::based(self.function_base(object, names)?)
        } else if names.is("Object") {
            let lead = if brand == "Arguments" {
                "[Arguments] ".to_owned()
            } else if names.tag.is_empty() {
                String::new()
            } else {
                names.prefix("Object", "")
            };
            Description::braces(Shape::Record, lead)
        } else if value.is_error() || inherits(object, &self.look.error_prototype()?) {
            let base = self.error_base(object, names, &mut keys)?;
            Description::based(base)
        } else if value.is_promise() {
            Description::braces(Shape::Promise, names.prefix("Promise", ""))
        } else {
            self.describe_branded(object, names, &brand, &mut keys)?
        };
        Ok((description, keys))
    }

    /// What kind of built-in it is; empty for none.
    pub(super) fn brand(&self, object: &Object<'js>, names: &Names) -> Result<String> {
        if !names.has_tag && names.constructor.is_some() {
            let class = self.look.untagged_class(object)?;
            // The others are known by simpler means.
            let is_told = matches!(class.as_str(), "Arguments" | "Boolean" | "Number" | "String" | "Date" | "RegExp");
            return Ok(if is_told { class } else { String::new() });
        }
        if let Some(pending) = self.look.pending(object, 0) {
            return Ok(if pending.is_of_map { "Map Iterator" } else { "Set Iterator" }.into());
        }
        self.look.brand(object, &names.tag)
    }

    fn is_iterable(&self, object: &Object<'js>, names: &Names) -> Result<bool> {
        if names.constructor.is_none() {
            return Ok(true);
        }
        let symbol = self.look.iterator_symbol()?;
        let mut link = Some(object.clone());
        for _ in 0..super::names::MOST_PROTOTYPES {
            let Some(here) = link.filter(|here| !here.as_value().is_proxy()) else { return Ok(false) };
            if self.look.read(&here, symbol.clone())? != Slot::Absent {
                return Ok(true);
            }
            link = here.get_prototype();
        }
        Ok(false)
    }

    /// The built-in kinds that are lists of something.
    fn describe_iterable(
        &mut self,
        object: &Object<'js>,
        names: &Names,
        brand: &str,
    ) -> Result<Option<(Description<'js>, Vec<Value<'js>>)>> {
        let is_typed = brand.ends_with("Array");
        let is_list = is_typed || matches!(brand, "Map" | "Set" | "Map Iterator" | "Set Iterator");
        if !is_list || !self.is_iterable(object, names)? {
            return Ok(None);
        }
        if brand.ends_with(" Iterator") {
            let gives_pairs = self.look.pending(object, 0).is_some_and(|pending| pending.gives == Gives::Pairs);
            let kind = if gives_pairs { brand.replace("Iterator", "Entries") } else { brand.to_owned() };
            let tag = match names.tag.as_str() {
                tag if tag == brand || tag.is_empty() => kind,
                tag => format!("{tag}] [{kind}"),
            };
            let keys = self.keys(object, None)?;
            return Ok(Some((Description::braces(Shape::Iterator, format!("[{tag}] ")), keys)));
        }
        let count = self.look.count(object, brand)?;
        let lead = names.prefix(brand, &format!("({count})"));
        Ok(Some(match brand {
            "Map" => (Description::braces(Shape::Map { size: count }, lead), self.keys(object, None)?),
            "Set" => (Description::braces(Shape::Set { size: count }, lead), self.keys(object, None)?),
            _ => {
                let shape = Shape::Typed { length: count };
                let keys = self.keys(object, Some(count))?;
                (Description { shape, base: String::new(), open: lead + "[", close: "]" }, keys)
            }
        }))
    }

    fn describe_branded(
        &mut self,
        object: &Object<'js>,
        names: &Names,
        brand: &str,
        keys: &mut Vec<Value<'js>>,
    ) -> Result<Description<'js>> {
        let described = match brand {
            "Date" | "RegExp" => {
                let text =
                    if brand == "Date" { self.look.date_text(object)? } else { self.look.regexp_text(object)? };
                let lead = names.prefix(brand, "");
                let shape = if brand == "Date" { Shape::Record } else { Shape::Regexp };
                Description { shape, ..Description::based(if lead.trim_end() == brand { text } else { lead + &text }) }
            }
            "Number" | "String" | "Boolean" | "BigInt" | "Symbol" => {
                let inner = self.look.unbox(object, brand)?;
                let kind = match names.constructor.as_deref() {
                    Some(constructor) if constructor != brand => format!("{brand} ({constructor})"),
                    Some(_) => brand.to_owned(),
                    None => format!("{brand} (null prototype)"),
                };
                let base = format!("[{kind}: {}]{}", self.primitive(&inner)?, names.tag_suffix());
                if brand == "String" {
                    self.drop_indices(keys)?;
                }
                Description::based(base)
            }
            "WeakMap" | "WeakSet" => Description::braces(Shape::Hidden, names.prefix(brand, "")),
            "ArrayBuffer" | "SharedArrayBuffer" => {
                let bytes = self.look.count(object, brand)?;
                Description::braces(Shape::Buffer { bytes }, names.prefix(brand, ""))
            }
            "DataView" => {
                let bytes = self.look.count(object, brand)?;
                let (offset, buffer) = self.look.view_parts(object)?;
                Description::braces(Shape::View { bytes, offset, buffer }, names.prefix(brand, ""))
            }
            _ if names.constructor.is_none() && names.tag == "Module" && !self.look.is_extensible(object)? => {
                Description::braces(Shape::Module, names.prefix("Module", ""))
            }
            _ => Description::braces(Shape::Record, names.plain_prefix("Object")),
        };
        Ok(described)
    }
}
