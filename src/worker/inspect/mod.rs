//! JavaScript values as text, as Node's `util.inspect` prints them, without running a line of the script's code: no getter, no
//! proxy trap, no `toString`. Bounded in depth, entries, bytes and time.

mod contents;
mod error;
mod format;
mod function;
mod json;
mod layout;
mod names;
mod number;
mod object;
mod options;
mod preview;
mod properties;
pub(super) mod quote;
mod stringify;
mod table;
mod web;
mod width;

pub use format::{Line, Style, console_line};
pub use names::MOST_PROTOTYPES;
pub use options::{MOST_LEVELS, Options};
pub use preview::{console_previews, glimpse, preview};
pub use properties::properties;
pub use table::table_text;

use rquickjs::{Ctx, Error, Object, Result, Value};

use number::number_text;

use super::host::Host;
use super::tools::{Look, Slot};
use crate::ipc::{ValueInfo, ValueKind};

/// Steps between two looks at the clock.
const STEPS_PER_LOOK: usize = 64;

/// Proxies of proxies that are looked through.
const MOST_PROXIES: usize = 1000;

/// UTF-16 units of a function's text in a message.
const MOST_NAMED_UNITS: usize = 1024;

/// A line of a string inside an object that is longer than this may be broken at its newlines. Node's `kMinLineWidth`.
const MIN_LINE_WIDTH: usize = 16;

/// The text that a console prints for these arguments.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn console_text<'js>(ctx: &Ctx<'js>, host: &Host, arguments: &[Value<'js>]) -> Result<String> {
    console_line(ctx, host, arguments).map(|line| line.text)
}

/// The text of one value, with options of the script's own choice.
///
/// # Errors
/// As [`console_text`].
pub fn text_with<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>, options: Options) -> Result<String> {
    Ok(cut(Inspector::with(ctx, host, options)?.value(value, 0)?, text_cap(host)))
}

/// The options that a script has given, as far as they are data.
///
/// # Errors
/// As [`console_text`].
pub fn options_of<'js>(ctx: &Ctx<'js>, host: &Host, given: &Value<'js>) -> Result<Options> {
    let mut options = Options::default();
    let Some(given) = given.as_object().filter(|given| !given.as_value().is_proxy()) else { return Ok(options) };
    let inspector = Inspector::new(ctx, host)?;
    let read = |key: &str| inspector.look.read(given, key).map(Slot::value);
    let truthy = |value: Option<Value<'js>>| value.is_some_and(|value| value.as_bool().unwrap_or(value.is_number()));
    // Null and Infinity mean all there is.
    let number = |value: Value<'js>| if value.is_null() { Some(f64::INFINITY) } else { value.as_number() };
    if let Some(depth) = read("depth")?.and_then(number) {
        options.depth = if depth.is_nan() { 0 } else { (depth as i64).clamp(-1, MOST_LEVELS) };
    }
    options.show_hidden = truthy(read("showHidden")?);
    options.show_proxy = truthy(read("showProxy")?);
    options.sorted = truthy(read("sorted")?);
    for (key, target) in [
        ("maxArrayLength", &mut options.most_entries),
        ("maxStringLength", &mut options.most_units),
        ("breakLength", &mut options.break_length),
    ] {
        if let Some(most) = read(key)?.and_then(number) {
            *target = most as usize;
        }
    }
    match read("compact")? {
        Some(compact) if compact.as_bool() == Some(false) => options.compact = 0,
        Some(compact) => options.compact = compact.as_number().map_or(options.compact, |compact| compact as usize),
        None => {}
    }
    Ok(options)
}

/// A value as a run's result.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn value_info<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<ValueInfo> {
    if let Some(text) = simple_text(value) {
        let is_json = !value.is_undefined() && value.as_number().is_none_or(json::is_faithful);
        let preview = preview::result_preview(ctx, host, value)?;
        return Ok(ValueInfo { kind: kind_of(value), json: is_json.then(|| text.clone()), text, preview });
    }
    let mut inspector = Inspector::new(ctx, host)?;
    let text = cut(inspector.value(value, 0)?, text_cap(host));
    let most_json = usize::try_from(host.settings.borrow().json_bytes).unwrap_or(usize::MAX);
    let json = match json::json_text(host, &inspector.look, value, most_json) {
        Ok(json) => json,
        // Too deep for the engine's stack, or too large for its heap: it has a text all the same.
        Err(_) if host.stopped().is_none() => {
            ctx.catch();
            None
        }
        Err(error) => return Err(error),
    };
    drop(inspector);
    let preview = preview::result_preview(ctx, host, value)?;
    Ok(ValueInfo { kind: kind_of(value), text, json, preview })
}

/// The text of a value that is the same everywhere, and needs none of the machinery.
pub fn simple_text(value: &Value<'_>) -> Option<String> {
    if let Some(number) = value.as_number() {
        Some(number_text(number))
    } else if let Some(boolean) = value.as_bool() {
        Some(boolean.to_string())
    } else if value.is_null() {
        Some("null".into())
    } else if value.is_undefined() {
        Some("undefined".into())
    } else {
        None
    }
}

/// The text of one value, for messages.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn text_of<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<String> {
    Ok(cut(Inspector::new(ctx, host)?.value(value, 0)?, text_cap(host)))
}

/// What a value is called where it cannot be used: a function or symbol as it is written, an object by its class.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn name_of<'js>(ctx: &Ctx<'js>, host: &Host, value: &Value<'js>) -> Result<String> {
    let mut inspector = Inspector::new(ctx, host)?;
    let Some(object) = value.as_object().filter(|_| !value.is_proxy()) else {
        return if value.is_proxy() { Ok("#<Object>".into()) } else { inspector.primitive(value) };
    };
    if value.is_function() {
        let text = inspector.look.function_text(object)?;
        return text.map_or_else(|| Ok("#<Function>".into()), |text| inspector.look.text(&text, MOST_NAMED_UNITS));
    }
    let names = inspector.names(object, 0)?;
    Ok(format!("#<{}>", names.constructor.as_deref().unwrap_or("Object")))
}

fn text_cap(host: &Host) -> usize {
    usize::try_from(host.settings.borrow().text_bytes).unwrap_or(usize::MAX)
}

fn kind_of(value: &Value<'_>) -> ValueKind {
    if value.is_undefined() {
        ValueKind::Undefined
    } else if value.is_null() {
        ValueKind::Null
    } else if value.is_bool() {
        ValueKind::Boolean
    } else if value.is_number() {
        ValueKind::Number
    } else if value.is_big_int() {
        ValueKind::Bigint
    } else if value.is_string() {
        ValueKind::String
    } else if value.is_symbol() {
        ValueKind::Symbol
    } else if value.is_function() {
        ValueKind::Function
    } else if value.is_array() {
        ValueKind::Array
    } else if value.is_error() {
        ValueKind::Error
    } else if value.is_promise() {
        ValueKind::Promise
    } else {
        ValueKind::Object
    }
}

/// The text of a string that is well-formed and not long, without calling into the engine's functions.
fn short_text(string: &rquickjs::String<'_>, most: usize) -> Option<String> {
    string.to_string().ok().filter(|text| text.len() <= most)
}

/// Room for the note that a cut string ends with, so that it is not cut off itself.
const NOTE_BYTES: usize = 64;

/// Cuts a text that is over the cap, and says how much is missing.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() > most.saturating_add(NOTE_BYTES) {
        let end = floor_boundary(&text, most);
        let missing = text[end..].encode_utf16().count();
        text.truncate(end);
        text.push_str(&more_characters(missing));
    }
    text
}

/// Cuts a text that is over the cap on text.
pub fn cut_for(host: &Host, text: String) -> String {
    cut(text, text_cap(host))
}

fn floor_boundary(text: &str, mut end: usize) -> usize {
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

fn more_characters(count: usize) -> String {
    format!("... {count} more character{}", if count == 1 { "" } else { "s" })
}

/// One look at one or more values.
struct Inspector<'a, 'js> {
    ctx: Ctx<'js>,
    host: &'a Host,
    look: Look<'js>,
    /// The objects that are being shown, outermost first.
    path: Vec<Object<'js>>,
    /// Those of them that were met again inside themselves.
    circular: Vec<Object<'js>>,
    indentation: usize,
    /// The depth of the object that was entered last; the layout asks for it.
    current_depth: i64,
    options: Options,
    /// Bytes printed so far, in all parts.
    bytes: usize,
    most_bytes: usize,
    steps: usize,
}

impl<'a, 'js> Inspector<'a, 'js> {
    fn new(ctx: &Ctx<'js>, host: &'a Host) -> Result<Inspector<'a, 'js>> {
        Inspector::with(ctx, host, Options::default())
    }

    fn with(ctx: &Ctx<'js>, host: &'a Host, options: Options) -> Result<Inspector<'a, 'js>> {
        let tools = host.tools.borrow();
        let look = tools.as_ref().ok_or(Error::Unknown)?.look(ctx)?;
        Ok(Inspector {
            ctx: ctx.clone(),
            host,
            look,
            path: Vec::new(),
            circular: Vec::new(),
            indentation: 0,
            current_depth: 0,
            options,
            bytes: 0,
            most_bytes: text_cap(host),
            steps: 0,
        })
    }

    /// Whether so much has been printed that the rest would be cut off anyway.
    fn is_full(&self) -> bool {
        self.bytes > self.most_bytes
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_LOOK) && self.host.must_stop() {
            return Err(Error::Exception);
        }
        Ok(())
    }

    /// The same look with other options, for one value that stands by itself.
    fn apart(&mut self, options: Options, value: &Value<'js>) -> Result<String> {
        self.standing_alone(options, |inspector| inspector.value(value, 0))
    }

    /// Prints something as if there were nothing around it.
    fn standing_alone(
        &mut self,
        options: Options,
        print: impl FnOnce(&mut Inspector<'a, 'js>) -> Result<String>,
    ) -> Result<String> {
        let path = std::mem::take(&mut self.path);
        let circular = std::mem::take(&mut self.circular);
        let indentation = std::mem::take(&mut self.indentation);
        let current_depth = std::mem::take(&mut self.current_depth);
        let options = std::mem::replace(&mut self.options, options);
        let text = print(self);
        self.path = path;
        self.circular = circular;
        self.indentation = indentation;
        self.current_depth = current_depth;
        self.options = options;
        text
    }

    /// An object by its name alone.
    fn named_only(&mut self, object: &Object<'js>) -> Result<String> {
        let options = Options { depth: -1, ..self.options.clone() };
        self.apart(options, object.as_value())
    }

    /// Prints a value that stands `depth` levels below the outermost one.
    fn value(&mut self, value: &Value<'js>, depth: i64) -> Result<String> {
        self.step()?;
        let text = match value.as_object() {
            Some(object) => self.object(object, depth)?,
            None => self.primitive(value)?,
        };
        self.bytes += text.len();
        Ok(text)
    }

    fn primitive(&self, value: &Value<'js>) -> Result<String> {
        if let Some(text) = simple_text(value) {
            Ok(text)
        } else if let Some(string) = value.as_string() {
            self.quoted_string(string)
        } else if value.is_symbol() {
            self.look.symbol_text(value)
        } else if value.is_big_int() {
            let digits = self.look.bigint_text(value)?;
            Ok(digits.map_or_else(|| "[BigInt: too long to show]".into(), |digits| format!("{digits}n")))
        } else {
            Ok("undefined".into())
        }
    }

    /// The start of a string, and how many characters are left out.
    fn bounded_string(&self, string: &rquickjs::String<'js>, most: usize) -> Result<(String, usize)> {
        let length = self.look.length(string)?;
        let mut text = self.look.text(string, length.min(most))?;
        if text.len() > self.most_bytes {
            text.truncate(floor_boundary(&text, self.most_bytes));
        }
        let missing = length.saturating_sub(width::units(&text));
        Ok((text, missing))
    }

    fn raw_string(&self, string: &rquickjs::String<'js>) -> Result<String> {
        let (mut text, missing) = self.bounded_string(string, self.most_bytes)?;
        if missing > 0 {
            text.push_str(&more_characters(missing));
        }
        Ok(text)
    }

    fn quoted_string(&self, string: &rquickjs::String<'js>) -> Result<String> {
        let most = self.options.most_units.min(self.most_bytes);
        if let Some(units) = self.look.ill_formed(string, most)? {
            let missing = self.look.length(string)?.saturating_sub(units.len());
            let lines = if self.breaks_lines(units.len()) {
                units.split_inclusive(|unit| *unit == 10).map(quote::quoted_units).collect()
            } else {
                vec![quote::quoted_units(&units)]
            };
            return Ok(self.joined_lines(&lines, missing));
        }
        let (text, missing) = self.bounded_string(string, most)?;
        let lines = if text.contains('\n') && self.breaks_lines(width::units(&text)) {
            text.split_inclusive('\n').map(quote::quoted).collect()
        } else {
            vec![quote::quoted(&text)]
        };
        Ok(self.joined_lines(&lines, missing))
    }

    /// Whether a string of this length is broken at its newlines.
    fn breaks_lines(&self, units: usize) -> bool {
        let room = self.options.break_length.saturating_sub(self.indentation).saturating_sub(4);
        units > MIN_LINE_WIDTH && units > room
    }

    fn joined_lines(&self, lines: &[String], missing: usize) -> String {
        let mut text = lines.join(&format!(" +\n{}", " ".repeat(self.indentation + 2)));
        if missing > 0 {
            text += &more_characters(missing);
        }
        text
    }
}
