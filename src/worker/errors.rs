//! Thrown values as the client is told about them, read from data properties only: a script's getter, proxy or `toString` never
//! runs here.

use rquickjs::{Ctx, Object, Result, Value};

use super::host::Host;
use super::inspect;
use super::source;
use super::tools::{Look, Slot};
use crate::ids::RunId;
use crate::ipc::ErrorInfo;

/// Links of a prototype chain that are followed.
const MOST_PROTOTYPES: usize = 64;

/// UTF-16 units of a name, and of a message or a stack in proportion to the cap on text.
const MOST_NAME: usize = 256;

/// Frames of a stack that are reported one by one.
const MOST_FRAMES: usize = 50;

/// What the place of a frame begins with that is in the host's own JavaScript.
const INNER: &str = " (web:";

/// Everything about an uncaught error of a run.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn error_info<'js>(ctx: &Ctx<'js>, host: &Host, thrown: &Value<'js>, run: RunId) -> Result<ErrorInfo> {
    let most = usize::try_from(host.settings.borrow().text_bytes).unwrap_or(usize::MAX);
    let tools = host.tools.borrow();
    let look = tools.as_ref().ok_or(rquickjs::Error::Unknown)?.look(ctx)?;
    let object = match thrown.as_object() {
        Some(object) if thrown.is_error() || look.dom_exception(object)?.is_some() => Some(object),
        _ => None,
    };
    let Some(object) = object else {
        drop(look);
        let message = inspect::text_of(ctx, host, thrown)?;
        return Ok(ErrorInfo {
            name: "Uncaught".into(),
            stack: message.clone(),
            message,
            line: None,
            column: None,
            frames: Vec::new(),
        });
    };
    let (name, message) = name_and_message(&look, object, most)?;
    let message = host.sources.in_users_words(message);
    let written = written_stack(&look, object, most)?;
    let trace = match &written {
        Some(written) => written.clone(),
        None => trace_of(&look, object, most)?,
    };
    let (trace, mut frames) = host.sources.in_users_texts(&trace, &message);
    frames.truncate(MOST_FRAMES);
    // Where an editor is to point: into the text of this run, where the error has been there at all.
    let place = frames.iter().find(|frame| source::is_of_run(&frame.source, run)).or(frames.first());
    drop(look);
    drop(tools);
    let stack = match inspect::text_of(ctx, host, thrown) {
        Ok(shown) => shown,
        Err(error) if host.stopped().is_some() => return Err(error),
        // A heap with no room for all of it.
        Err(_) => {
            ctx.catch();
            inspect::cut(if written.is_some() { trace } else { with_header(&name, &message, &trace) }, most)
        }
    };
    Ok(ErrorInfo {
        line: place.map(|place| place.line),
        column: place.map(|place| place.column),
        stack,
        name,
        message: inspect::cut(message, most),
        frames,
    })
}

/// An error as a console prints it: name, message and stack.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn error_text<'js>(look: &Look<'js>, error: &Object<'js>, most: usize) -> Result<String> {
    let (name, message) = name_and_message(look, error, most)?;
    if let Some(written) = written_stack(look, error, most)? {
        return Ok(written);
    }
    let trace = trace_of(look, error, most)?;
    Ok(with_header(&name, &message, &trace))
}

/// What an error is called, and what it says.
fn name_and_message<'js>(look: &Look<'js>, error: &Object<'js>, most: usize) -> Result<(String, String)> {
    if let Some((name, message)) = look.dom_exception(error)? {
        let text = |value: Value<'js>, most| value.as_string().map(|text| look.text(text, most)).transpose();
        return Ok((text(name, MOST_NAME)?.unwrap_or_default(), text(message, most)?.unwrap_or_default()));
    }
    let name = inherited_text(look, error, "name", MOST_NAME)?.unwrap_or_else(|| "Error".into());
    Ok((name, inherited_text(look, error, "message", most)?.unwrap_or_default()))
}

/// A stack that the script has written itself: it is the whole text, header and all. What the engine writes begins with a frame.
fn written_stack<'js>(look: &Look<'js>, error: &Object<'js>, most: usize) -> Result<Option<String>> {
    let Slot::Value(stack) = look.read(error, "stack")? else { return Ok(None) };
    let Some(stack) = stack.as_string() else { return Ok(None) };
    let stack = look.text(stack, most)?;
    Ok((!stack.is_empty() && !stack.starts_with("    at ")).then_some(stack))
}

/// The frames above the host function that asks, each on a line of its own that begins with the newline.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn stack_here(ctx: &Ctx<'_>, host: &Host) -> Result<String> {
    let most = usize::try_from(host.settings.borrow().text_bytes).unwrap_or(usize::MAX);
    let tools = host.tools.borrow();
    let look = tools.as_ref().ok_or(rquickjs::Error::Unknown)?.look(ctx)?;
    let trace = trace_of(&look, &look.new_error()?, most)?;
    let (trace, _) = host.sources.in_users_texts(&trace, "");
    let lines = trace.lines().skip_while(|line| line.ends_with("(native)")).filter(|line| !line.trim().is_empty());
    Ok(lines.map(|line| format!("\n{line}")).collect())
}

/// The engine's stacks begin with the first frame; consoles put name and message in front.
fn with_header(name: &str, message: &str, trace: &str) -> String {
    let mut text = match (name, message) {
        (name, "") => name.to_owned(),
        ("", message) => message.to_owned(),
        (name, message) => format!("{name}: {message}"),
    };
    for line in trace.lines().filter(|line| !line.trim().is_empty()) {
        text.push('\n');
        text.push_str(line);
    }
    text
}

/// The frames of an error: what the script has put in its own `stack`, as long as that is data, else the engine's.
pub fn trace_of<'js>(look: &Look<'js>, error: &Object<'js>, most: usize) -> Result<String> {
    let trace = match look.read(error, "stack")? {
        Slot::Value(trace) => trace,
        Slot::Absent | Slot::Getter | Slot::Setter | Slot::Accessor => look.stack(error)?,
    };
    let trace = trace.as_string().map(|trace| look.text(trace, most)).transpose()?.unwrap_or_default();
    Ok(without_inner_frames(trace))
}

/// A trace in which a function of the host's own JavaScript is one native frame, whatever it has called.
fn without_inner_frames(trace: String) -> String {
    if !trace.contains(INNER) {
        return trace;
    }
    let lines: Vec<&str> = trace.lines().collect();
    let is_inner = |line: &&str| line.contains(INNER);
    let mut out = String::with_capacity(trace.len());
    for (position, line) in lines.iter().enumerate() {
        let next = lines.get(position + 1);
        if next.is_some_and(is_inner) && (is_inner(line) || line.ends_with("(native)")) {
            continue;
        }
        match line.split_once(INNER) {
            Some((function, _)) => out.extend([function, " (native)"]),
            None => out += line,
        }
        out.push('\n');
    }
    out
}

/// A string property, own or inherited, as long as only data has to be read on the way.
fn inherited_text<'js>(look: &Look<'js>, object: &Object<'js>, key: &str, most: usize) -> Result<Option<String>> {
    let mut link = Some(object.clone());
    for _ in 0..MOST_PROTOTYPES {
        let Some(here) = link.filter(|here| !here.as_value().is_proxy()) else { return Ok(None) };
        match look.read(&here, key)? {
            Slot::Absent => link = here.get_prototype(),
            Slot::Value(value) => {
                return match value.as_string() {
                    Some(text) => look.text(text, most).map(Some),
                    None if value.is_undefined() => Ok(None),
                    None => Ok(inspect::simple_text(&value)),
                };
            }
            Slot::Getter | Slot::Setter | Slot::Accessor => return Ok(None),
        }
    }
    Ok(None)
}
