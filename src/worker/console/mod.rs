//! `console`: every method prints what Node's prints, and says to clients that draw more than text what it was.

mod batch;
mod labels;

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::function::Rest;
use rquickjs::{Coerced, Ctx, Exception, Function, Object, Result, Value};

pub use self::batch::Batch;
use self::batch::entry;
use self::labels::{Labels, duration_text};
use super::host::Host;
use super::inspect::{self, Line};
use crate::ipc::{ConsoleEntry, ConsoleMethod, Level, StyleRun};

/// Spaces for each group.
const GROUP_INDENT: usize = 2;

/// Groups that indent. Deeper ones are counted, but no screen is that wide.
const MOST_INDENTED: usize = 32;

/// Groups that are counted.
const MOST_GROUPS: usize = 10_000;

/// What a console remembers. Lives as long as the engine whose console it is.
#[derive(Default)]
struct State {
    groups: usize,
    labels: Labels,
}

/// How a call is shown.
#[derive(Debug, Clone, Copy)]
struct Kind {
    level: Level,
    method: Option<ConsoleMethod>,
}

impl From<Level> for Kind {
    fn from(level: Level) -> Kind {
        Kind { level, method: None }
    }
}

impl From<ConsoleMethod> for Kind {
    fn from(method: ConsoleMethod) -> Kind {
        Kind { level: Level::Log, method: Some(method) }
    }
}

/// The console of one engine.
#[derive(Clone)]
struct Console {
    host: Rc<Host>,
    state: Rc<RefCell<State>>,
}

/// What a method does with its arguments.
type Method<'js> = fn(&Console, &Ctx<'js>, &[Value<'js>]) -> Result<()>;

/// Puts `console` on the global object.
pub fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let console = Console { host: Rc::clone(host), state: Rc::default() };
    let object = Object::new(ctx.clone())?;
    for (name, level) in [
        ("log", Level::Log),
        ("warn", Level::Warn),
        ("error", Level::Error),
        ("info", Level::Info),
        ("debug", Level::Debug),
    ] {
        let console = console.clone();
        let print = move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| console.print(&ctx, level, &arguments.0);
        object.set(name, Function::new(ctx.clone(), print)?.with_name(name)?)?;
    }
    let methods: [(&str, Method<'js>); 15] = [
        ("dir", Console::dir),
        ("dirxml", |console, ctx, arguments| console.print(ctx, ConsoleMethod::Dirxml, arguments)),
        ("trace", Console::trace),
        ("assert", Console::assert),
        ("table", Console::table),
        ("group", |console, ctx, arguments| console.group(ctx, ConsoleMethod::Group, arguments)),
        ("groupCollapsed", |console, ctx, arguments| console.group(ctx, ConsoleMethod::GroupCollapsed, arguments)),
        ("groupEnd", Console::group_end),
        ("count", Console::count),
        ("countReset", Console::count_reset),
        ("time", Console::time),
        ("timeLog", |console, ctx, arguments| console.time_log(ctx, ConsoleMethod::TimeLog, arguments)),
        ("timeEnd", |console, ctx, arguments| console.time_log(ctx, ConsoleMethod::TimeEnd, arguments)),
        ("clear", Console::clear),
        // A profiler's methods, which do nothing without one.
        ("timeStamp", |_, _, _| Ok(())),
    ];
    for (name, method) in methods {
        let console = console.clone();
        let call = move |ctx: Ctx<'js>, arguments: Rest<Value<'js>>| method(&console, &ctx, &arguments.0);
        object.set(name, Function::new(ctx.clone(), call)?.with_name(name)?)?;
    }
    let tag = ctx.globals().get::<_, Object>("Symbol")?.get::<_, Value>("toStringTag")?;
    object.prop(
        rquickjs::Atom::from_value(ctx.clone(), &tag)?,
        rquickjs::object::Property::from("console").configurable(),
    )?;
    ctx.globals().prop("console", rquickjs::object::Property::from(object).writable().configurable())
}

impl Console {
    /// Prints what a console makes of the arguments.
    fn print<'js>(&self, ctx: &Ctx<'js>, kind: impl Into<Kind>, arguments: &[Value<'js>]) -> Result<()> {
        self.emit(ctx, kind.into(), || {
            let line = inspect::console_line(ctx, &self.host, arguments)?;
            Ok(Line { values: inspect::console_previews(ctx, &self.host, arguments)?, ..line })
        })
    }

    fn print_text(&self, ctx: &Ctx<'_>, kind: impl Into<Kind>, text: String) -> Result<()> {
        self.emit(ctx, kind.into(), || Ok(Line::plain(text)))
    }

    /// Prints what `make` makes, if it may be printed at all.
    fn emit(&self, ctx: &Ctx<'_>, kind: Kind, make: impl FnOnce() -> Result<Line>) -> Result<()> {
        let Some(turn) = self.host.turn() else { return Ok(()) };
        if !self.host.has_console_room(turn.run) {
            // The cheapest way out: a flood of these is stopped by the engine's own questions.
            self.host.drop_entry(turn.run);
            return Ok(());
        }
        if self.host.must_stop() {
            return Err(interrupted(ctx));
        }
        let groups = self.state.borrow().groups;
        let made = make()?;
        self.host.print(turn.run, finished(kind, made, groups, &self.host));
        // The batch may have waited for the server until the deadline.
        if self.host.stopped().is_some() { Err(interrupted(ctx)) } else { Ok(()) }
    }

    fn dir<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        self.emit(ctx, ConsoleMethod::Dir.into(), || {
            let undefined = Value::new_undefined(ctx.clone());
            let options = inspect::options_of(ctx, &self.host, arguments.get(1).unwrap_or(&undefined))?;
            let text = inspect::text_with(ctx, &self.host, arguments.first().unwrap_or(&undefined), options)?;
            let values = inspect::console_previews(ctx, &self.host, &arguments[..arguments.len().min(1)])?;
            Ok(Line { values, ..Line::plain(text) })
        })
    }

    fn trace<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        self.emit(ctx, ConsoleMethod::Trace.into(), || {
            let line = inspect::console_line(ctx, &self.host, arguments)?;
            let lead = if line.text.is_empty() { "Trace" } else { "Trace: " };
            let styles = line.styles.into_iter().map(|style| inspect::Style { at: style.at + lead.len(), ..style });
            let text = format!("{lead}{}{}", line.text, super::errors::stack_here(ctx, &self.host)?);
            let text = inspect::cut_for(&self.host, text);
            let values = inspect::console_previews(ctx, &self.host, arguments)?;
            Ok(Line { text, styles: styles.collect(), values })
        })
    }

    fn assert<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        let (condition, message) = match arguments.split_first() {
            Some((condition, message)) => (is_truthy(condition), message),
            None => (false, arguments),
        };
        if condition {
            return Ok(());
        }
        let kind = Kind { level: Level::Error, method: Some(ConsoleMethod::Assert) };
        let Some((first, others)) = message.split_first() else {
            return self.print_text(ctx, kind, "Assertion failed".into());
        };
        let lead = format!("Assertion failed: {}", self.string_of(ctx, first)?);
        let mut message = vec![rquickjs::String::from_str(ctx.clone(), &lead)?.into_value()];
        message.extend_from_slice(others);
        self.print(ctx, kind, &message)
    }

    fn table<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        let filter = match arguments.get(1) {
            None => None,
            Some(filter) if filter.is_undefined() => None,
            Some(filter) => match filter.as_object().filter(|_| filter.is_array()) {
                Some(filter) => Some(filter),
                None => {
                    let message = "The \"properties\" argument must be an instance of Array";
                    return Err(Exception::throw_type(ctx, message));
                }
            },
        };
        self.emit(ctx, ConsoleMethod::Table.into(), || {
            let text = match arguments.first() {
                Some(data) => inspect::table_text(ctx, &self.host, data, filter)?,
                None => None,
            };
            let line = match text {
                Some(text) => Line::plain(text),
                None if arguments.is_empty() => Line::plain("undefined".into()),
                None => inspect::console_line(ctx, &self.host, &arguments[..1])?,
            };
            let values = inspect::console_previews(ctx, &self.host, &arguments[..arguments.len().min(1)])?;
            Ok(Line { values, ..line })
        })
    }

    fn group<'js>(&self, ctx: &Ctx<'js>, method: ConsoleMethod, arguments: &[Value<'js>]) -> Result<()> {
        if !arguments.is_empty() {
            self.print(ctx, method, arguments)?;
        }
        let mut state = self.state.borrow_mut();
        state.groups = (state.groups + 1).min(MOST_GROUPS);
        Ok(())
    }

    fn group_end(&self, _: &Ctx<'_>, _: &[Value<'_>]) -> Result<()> {
        let mut state = self.state.borrow_mut();
        state.groups = state.groups.saturating_sub(1);
        Ok(())
    }

    fn count<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        let label = self.label_of(ctx, arguments.first())?;
        let count = self.state.borrow_mut().labels.count(&label);
        self.print_text(ctx, ConsoleMethod::Count, format!("{label}: {count}"))
    }

    fn count_reset<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        let label = self.label_of(ctx, arguments.first())?;
        if self.state.borrow_mut().labels.reset_count(&label) {
            return Ok(());
        }
        self.warn(ctx, ConsoleMethod::CountReset, format!("Count for '{label}' does not exist"))
    }

    fn time<'js>(&self, ctx: &Ctx<'js>, arguments: &[Value<'js>]) -> Result<()> {
        let label = self.label_of(ctx, arguments.first())?;
        if self.state.borrow_mut().labels.start(&label) {
            return Ok(());
        }
        self.warn(ctx, ConsoleMethod::Time, format!("Label '{label}' already exists for console.time()"))
    }

    fn time_log<'js>(&self, ctx: &Ctx<'js>, method: ConsoleMethod, arguments: &[Value<'js>]) -> Result<()> {
        let label = self.label_of(ctx, arguments.first())?;
        let ends = method == ConsoleMethod::TimeEnd;
        let elapsed = self.state.borrow_mut().labels.elapsed(&label, ends);
        let Some(elapsed) = elapsed else {
            let name = if ends { "timeEnd" } else { "timeLog" };
            return self.warn(ctx, method, format!("No such label '{label}' for console.{name}()"));
        };
        let text = format!("{label}: {}", duration_text(elapsed));
        if ends || arguments.len() < 2 {
            return self.print_text(ctx, method, text);
        }
        self.emit(ctx, method.into(), || {
            // The text is no format, and what follows is not either.
            let text = rquickjs::String::from_str(ctx.clone(), &text.replace('%', "%%"))?.into_value();
            let mut all = vec![text];
            all.extend_from_slice(&arguments[1..]);
            let line = inspect::console_line(ctx, &self.host, &all)?;
            Ok(Line { values: inspect::console_previews(ctx, &self.host, &all)?, ..line })
        })
    }

    fn clear(&self, ctx: &Ctx<'_>, _: &[Value<'_>]) -> Result<()> {
        self.print_text(ctx, ConsoleMethod::Clear, String::new())
    }

    /// A label as the console's standard has it: `default`, or whatever the argument is as a string.
    fn label_of<'js>(&self, ctx: &Ctx<'js>, label: Option<&Value<'js>>) -> Result<String> {
        match label.filter(|label| !label.is_undefined()) {
            Some(label) => self.string_of(ctx, label),
            None => Ok("default".into()),
        }
    }

    /// A value as a string. This is the one place where a script's own `toString` runs, because the script has asked for a string.
    fn string_of<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>) -> Result<String> {
        if value.is_symbol() {
            return Err(Exception::throw_type(ctx, "Cannot convert a Symbol value to a string"));
        }
        let string = value.get::<Coerced<rquickjs::String>>()?.0;
        inspect::console_text(ctx, &self.host, &[string.into_value()])
    }

    fn warn(&self, ctx: &Ctx<'_>, method: ConsoleMethod, text: String) -> Result<()> {
        self.print_text(ctx, Kind { level: Level::Warn, method: Some(method) }, text)
    }
}

/// What a host function throws when the turn must stop. A script can catch it, and is then asked again by the engine itself.
fn interrupted(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_internal(ctx, "interrupted")
}

fn is_truthy(value: &Value<'_>) -> bool {
    if value.is_null() || value.is_undefined() {
        false
    } else if let Some(boolean) = value.as_bool() {
        boolean
    } else if let Some(number) = value.as_number() {
        number != 0.0 && !number.is_nan()
    } else {
        value.get::<Coerced<bool>>().is_ok_and(|truthy| truthy.0)
    }
}

/// A line as an entry, indented for the groups it stands in.
fn finished(kind: Kind, line: Line, groups: usize, host: &Host) -> ConsoleEntry {
    let Line { mut text, mut styles, values } = line;
    // The text may have been cut since.
    styles.retain(|style| text.is_char_boundary(style.at));
    let indent = GROUP_INDENT * groups.min(MOST_INDENTED);
    let mut runs = Vec::with_capacity(styles.len());
    if !styles.is_empty() {
        let units = |end: usize| {
            let before = &text[..end];
            let lines = 1 + before.matches('\n').count();
            u32::try_from(before.encode_utf16().count() + indent * lines).unwrap_or(u32::MAX)
        };
        let ends = styles.iter().skip(1).map(|next| next.at).chain([text.len()]);
        for (style, end) in styles.iter().zip(ends) {
            if style.at < end && !style.css.is_empty() {
                runs.push(StyleRun { from: units(style.at), to: units(end), css: style.css.clone() });
            }
        }
    }
    if indent > 0 && kind.method != Some(ConsoleMethod::Clear) {
        let indent = " ".repeat(indent);
        text = inspect::cut_for(host, format!("{indent}{}", text.replace('\n', &format!("\n{indent}"))));
    }
    if !runs.is_empty() {
        let length = u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
        runs.retain(|run| run.from < length);
        runs.iter_mut().for_each(|run| run.to = run.to.min(length));
    }
    let group = u32::try_from(groups).unwrap_or(u32::MAX);
    ConsoleEntry { method: kind.method, group, styles: runs, values, ..entry(kind.level, text) }
}
