//! What a console makes of its arguments: format specifiers, then everything else behind them.

use rquickjs::{Ctx, Exception, Object, Result, Value};

use super::number::number_text;
use super::stringify::Stringified;
use super::{Inspector, Options, cut, short_text, simple_text, text_cap};
use crate::ipc::Preview;
use crate::worker::host::Host;

/// Levels that `%o` shows, as Node has it.
const DETAILED_DEPTH: i64 = 4;

/// Styles of one line that are kept, and the bytes of each. What is beyond them is not a style that anybody meant.
const MOST_STYLES: usize = 64;
const MOST_STYLE_BYTES: usize = 1024;

/// One call's output.
#[derive(Debug, Default)]
pub struct Line {
    pub text: String,
    /// What `%c` has asked for: each from its place on, until the next.
    pub styles: Vec<Style>,
    /// What there is to open.
    pub values: Vec<Preview>,
}

impl Line {
    /// A text that has nothing more to it.
    pub fn plain(text: String) -> Line {
        Line { text, ..Line::default() }
    }
}

/// A style that begins at a byte of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    pub at: usize,
    pub css: String,
}

/// What a console prints for these arguments.
///
/// # Errors
/// When the turn must stop, or the engine fails; a `TypeError` for a bigint where there must be JSON.
pub fn console_line<'js>(ctx: &Ctx<'js>, host: &Host, arguments: &[Value<'js>]) -> Result<Line> {
    let mut printer = Printer { ctx, host, most: text_cap(host), inspector: None, line: Line::default() };
    let mut rest = arguments;
    let mut first = true;
    if let [format, others @ ..] = arguments
        && !others.is_empty()
        && let Some(format) = format.as_string()
    {
        let text = printer.string(format)?;
        first = false;
        if text.contains('%') {
            rest = printer.format(&text, others)?;
        } else {
            rest = others;
            printer.line.text = text;
        }
    }
    for argument in rest {
        if !first {
            printer.line.text.push(' ');
        }
        first = false;
        printer.print(argument)?;
        if printer.is_full() {
            break;
        }
    }
    let Printer { most, mut line, .. } = printer;
    line.text = cut(line.text, most);
    let length = line.text.len();
    line.styles.retain(|style| style.at <= length);
    Ok(line)
}

struct Printer<'a, 'js> {
    ctx: &'a Ctx<'js>,
    host: &'a Host,
    most: usize,
    /// Made when it is needed: most lines do without.
    inspector: Option<Inspector<'a, 'js>>,
    line: Line,
}

impl<'a, 'js> Printer<'a, 'js> {
    fn is_full(&self) -> bool {
        self.line.text.len() > self.most
    }

    fn inspector(&mut self) -> Result<&mut Inspector<'a, 'js>> {
        match &mut self.inspector {
            Some(inspector) => Ok(inspector),
            empty => Ok(empty.insert(Inspector::new(self.ctx, self.host)?)),
        }
    }

    /// An argument as it stands behind the format: strings as they are, the rest inspected.
    fn print(&mut self, argument: &Value<'js>) -> Result<()> {
        let text = if let Some(text) = simple_text(argument) {
            text
        } else if let Some(string) = argument.as_string() {
            self.string(string)?
        } else {
            self.inspector()?.apart(Options::default(), argument)?
        };
        if self.line.text.is_empty() {
            self.line.text = text;
        } else {
            self.line.text.push_str(&text);
        }
        Ok(())
    }

    fn string(&mut self, string: &rquickjs::String<'js>) -> Result<String> {
        match short_text(string, self.most) {
            Some(text) => Ok(text),
            None => self.inspector()?.raw_string(string),
        }
    }

    /// Prints a format with the arguments it asks for; the others come back.
    fn format<'v>(&mut self, format: &str, mut arguments: &'v [Value<'js>]) -> Result<&'v [Value<'js>]> {
        let mut rest = format;
        while let Some(position) = rest.find('%') {
            self.line.text.push_str(&rest[..position]);
            let mut chars = rest[position + 1..].chars();
            let Some(specifier) = chars.next() else {
                rest = &rest[position..];
                break;
            };
            let after = chars.as_str();
            match (specifier, arguments.split_first()) {
                ('%', _) => self.line.text.push('%'),
                ('s' | 'd' | 'i' | 'f' | 'j' | 'o' | 'O' | 'c', Some((argument, others))) => {
                    self.specified(specifier, argument)?;
                    arguments = others;
                }
                _ => {
                    self.line.text.push('%');
                    self.line.text.push(specifier);
                }
            }
            rest = after;
            if self.is_full() {
                return Ok(&[]);
            }
        }
        self.line.text.push_str(rest);
        Ok(arguments)
    }

    fn specified(&mut self, specifier: char, argument: &Value<'js>) -> Result<()> {
        let text = match specifier {
            's' => self.as_string(argument)?,
            'd' | 'i' | 'f' => self.as_number(specifier, argument)?,
            'j' => self.as_json(argument)?,
            'c' => {
                self.style(argument)?;
                String::new()
            }
            'o' => {
                let detailed =
                    Options { show_hidden: true, show_proxy: true, depth: DETAILED_DEPTH, ..Options::default() };
                self.inspector()?.apart(detailed, argument)?
            }
            _ => self.inspector()?.apart(Options::default(), argument)?,
        };
        self.line.text.push_str(&text);
        Ok(())
    }

    /// `%s`: what `String(…)` gives, but that no `toString` of a script runs: objects are inspected, one level deep.
    fn as_string(&mut self, argument: &Value<'js>) -> Result<String> {
        if let Some(text) = simple_text(argument) {
            return Ok(text);
        }
        if let Some(string) = argument.as_string() {
            return self.string(string);
        }
        let inspector = self.inspector()?;
        if let Some(function) = argument.as_object().filter(|_| argument.is_function() && !argument.is_proxy())
            && let Some(text) = inspector.look.function_text(function)?
        {
            return inspector.raw_string(&text);
        }
        inspector.apart(Options { depth: 0, ..Options::default() }, argument)
    }

    fn as_number(&mut self, specifier: char, argument: &Value<'js>) -> Result<String> {
        if argument.is_big_int() && specifier != 'f' {
            return self.inspector()?.primitive(argument);
        }
        let inspector = self.inspector()?;
        let argument = match argument.as_object() {
            Some(object) => inspector.primitive_of(object, specifier == 'd')?,
            None => Some(argument.clone()),
        };
        let Some(argument) = argument.filter(|argument| !argument.is_symbol()) else { return Ok("NaN".into()) };
        let number = match specifier {
            'd' if argument.is_big_int() => return inspector.primitive(&argument),
            'd' => inspector.look.to_number(&argument)?,
            _ => inspector.look.parse_number(argument, specifier == 'i')?,
        };
        Ok(number_text(number))
    }

    fn as_json(&mut self, argument: &Value<'js>) -> Result<String> {
        let ctx = self.ctx;
        match self.inspector()?.stringified(argument)? {
            Stringified::Text(text) => Ok(text),
            Stringified::Nothing => Ok("undefined".into()),
            Stringified::Circular => Ok("[Circular]".into()),
            Stringified::Bigint => Err(Exception::throw_type(ctx, "Do not know how to serialize a BigInt")),
        }
    }

    fn style(&mut self, argument: &Value<'js>) -> Result<()> {
        let Some(css) = argument.as_string() else { return Ok(()) };
        let css = self.inspector()?.look.text(css, MOST_STYLE_BYTES)?;
        let at = self.line.text.len();
        // Two in a row: only the last one has any text.
        self.line.styles.retain(|style| style.at != at);
        if self.line.styles.len() < MOST_STYLES {
            self.line.styles.push(Style { at, css });
        }
        Ok(())
    }
}

impl<'js> Inspector<'_, 'js> {
    /// What an object is as a primitive, where no code of a script decides that: boxed values, dates, short arrays.
    fn primitive_of(&mut self, object: &Object<'js>, to_number: bool) -> Result<Option<Value<'js>>> {
        let Some(object) = self.without_proxies(object)? else { return Ok(None) };
        if object.as_value().is_array() {
            let length = self.look.array_length(&object)?;
            return match (length, self.look.read(&object, 0)?.value()) {
                (0, _) => Ok(Some(rquickjs::String::from_str(self.ctx.clone(), "")?.into_value())),
                (_, Some(first)) if !first.is_object() && (length == 1 || !to_number) => Ok(Some(first)),
                _ => Ok(None),
            };
        }
        if object.as_value().is_function() || object.as_value().is_error() || object.as_value().is_promise() {
            return Ok(None);
        }
        match self.look.brand(&object, "")?.as_str() {
            "Date" if to_number => {
                self.look.date_number(&object).map(|time| Some(Value::new_float(self.ctx.clone(), time)))
            }
            brand @ ("Number" | "String" | "Boolean" | "BigInt") => self.look.unbox(&object, brand).map(Some),
            _ => Ok(None),
        }
    }
}
