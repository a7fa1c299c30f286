//! Errors as consoles print them: the stack with the name that tells most, in brackets where there is no stack.

use rquickjs::{Object, Result, Value};

use super::Inspector;
use super::names::Names;
use crate::worker::errors;
use crate::worker::tools::Slot;

/// Where the frames of a stack begin.
const FRAMES: &str = "\n    at";

/// Frames in a row that an error has in common with its cause, above which they are left out.
const MOST_SHARED: usize = 3;

impl<'js> Inspector<'_, 'js> {
    /// The text of an error. Takes the keys away that it makes superfluous, and adds those that are shown although they are hidden.
    pub(super) fn error_base(
        &mut self,
        error: &Object<'js>,
        names: &Names,
        keys: &mut Vec<Value<'js>>,
    ) -> Result<String> {
        let dom_exception = self.look.dom_exception(error)?;
        let name = match &dom_exception {
            Some((name, _)) => Some(name.clone()),
            None => self.inherited(error, "name")?,
        };
        let name = match name {
            Some(name) if !name.is_null() && !name.is_undefined() => self.name_text(&name)?.unwrap_or_default(),
            _ => "Error".into(),
        };
        let stack = self.stack_text(error)?;
        self.drop_duplicates(error, &stack, keys)?;
        for key in ["cause", "errors"] {
            if self.has_key(keys, key)? {
                continue;
            }
            let shown = match self.look.read(error, key)? {
                Slot::Absent => self.inherited(error, key)?.is_some_and(|value| key == "cause" || value.is_array()),
                Slot::Value(value) => key == "cause" || value.is_array(),
                Slot::Getter | Slot::Setter | Slot::Accessor => key == "cause",
            };
            if shown {
                keys.push(rquickjs::String::from_str(self.ctx.clone(), key)?.into_value());
            }
        }
        let mut stack = improved(stack, &name, names);
        let message = match dom_exception {
            Some((_, message)) => Some(message),
            None => self.inherited(error, "message")?,
        };
        let message = match message {
            Some(message) => message.as_string().map(|text| self.look.text(text, self.most_bytes)).transpose()?,
            None => None,
        };
        let after = message
            .filter(|message| !message.is_empty())
            .and_then(|message| stack.find(&message).map(|start| start + message.len()))
            .unwrap_or(0);
        match stack[after..].find(FRAMES) {
            None => stack = format!("[{stack}]"),
            Some(position) => {
                let start = after + position;
                let frames = self.without_shared(error, &stack[start + 1..])?;
                stack.truncate(start);
                stack.push('\n');
                stack.push_str(&frames);
            }
        }
        if self.indentation > 0 {
            stack = stack.replace('\n', &format!("\n{}", " ".repeat(self.indentation)));
        }
        Ok(stack)
    }

    fn stack_text(&self, error: &Object<'js>) -> Result<String> {
        let text = self.host.sources.in_users_words(errors::error_text(&self.look, error, self.most_bytes)?);
        let Some(at) = text.find(FRAMES) else { return Ok(text) };
        // The message is the script's own, to the last line end; the frames get the places that the user knows.
        let (message, frames) = text.split_at(at + 1);
        let (mut placed, _) = self.host.sources.in_users_texts(frames, message_of(message));
        if !frames.ends_with('\n') {
            placed.pop();
        }
        Ok([message, placed.as_str()].concat())
    }

    /// What the stack already says is not said again.
    fn drop_duplicates(&self, error: &Object<'js>, stack: &str, keys: &mut Vec<Value<'js>>) -> Result<()> {
        if self.options.show_hidden || keys.is_empty() {
            return Ok(());
        }
        for name in ["name", "message", "stack"] {
            let Some(position) = self.position(keys, name)? else { continue };
            let Slot::Value(value) = self.look.read(error, name)? else { continue };
            let text = match value.as_string() {
                Some(text) => Some(self.look.text(text, self.most_bytes)?),
                None => self.name_text(&value)?,
            };
            // Whatever a stack is, it has been used.
            if name == "stack" || text.is_some_and(|text| stack.contains(&text)) {
                keys.remove(position);
            }
        }
        Ok(())
    }

    fn position(&self, keys: &[Value<'js>], name: &str) -> Result<Option<usize>> {
        for (position, key) in keys.iter().enumerate() {
            if let Some(key) = key.as_string()
                && self.look.text(key, name.len() + 1)? == name
            {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    fn has_key(&self, keys: &[Value<'js>], name: &str) -> Result<bool> {
        Ok(self.position(keys, name)?.is_some())
    }

    /// The frames of an error, without those that are the same in the error that caused it.
    fn without_shared(&self, error: &Object<'js>, frames: &str) -> Result<String> {
        let mut lines: Vec<&str> = frames.split('\n').collect();
        let cause = self.inherited(error, "cause")?;
        let Some(cause) = cause.as_ref().and_then(Value::as_object).filter(|cause| cause.as_value().is_error()) else {
            return Ok(frames.to_owned());
        };
        let cause = self.stack_text(cause)?;
        let Some(start) = cause.find(FRAMES) else { return Ok(frames.to_owned()) };
        let cause: Vec<&str> = cause[start + 1..].split('\n').collect();
        let Some((offset, length)) = shared(&lines, &cause) else { return Ok(frames.to_owned()) };
        let skipped = length - 2;
        let note = format!("    ... {skipped} lines matching cause stack trace ...");
        lines.splice(offset + 1..offset + 1 + skipped, [note.as_str()]);
        Ok(lines.join("\n"))
    }
}

/// The message in the head of a stack: what stands behind the name.
fn message_of(head: &str) -> &str {
    head.split_once(": ").map_or("", |(_, message)| message.trim_end())
}

/// The first stretch of lines that are also in the other text, if it is long enough: where it begins, and how long it is.
fn shared(lines: &[&str], others: &[&str]) -> Option<(usize, usize)> {
    for (offset, line) in lines.iter().enumerate() {
        let Some(position) = others.iter().position(|other| other == line) else { continue };
        let length = lines[offset..].iter().zip(&others[position..]).take_while(|(line, other)| line == other).count();
        if length > MOST_SHARED {
            return Some((offset, length));
        }
    }
    None
}

/// Puts the class of an error into a stack that begins with a less telling name.
fn improved(stack: String, name: &str, names: &Names) -> String {
    let starts = || {
        let rest = stack.strip_prefix(name)?;
        (name.ends_with("Error") && (rest.is_empty() || rest.starts_with([':', '\n']))).then_some(name.len())
    };
    let mut length = match starts() {
        Some(length) => length,
        None if names.constructor.is_none() => 0,
        None => return stack,
    };
    let mut fallback = "Error".to_owned();
    if names.constructor.is_none() {
        let own = leading_name(&stack);
        length = own.len();
        if !own.is_empty() {
            fallback = own.to_owned();
        }
    }
    let prefix = names.prefix(&fallback, "");
    let prefix = prefix.trim_end_matches(' ');
    if name == prefix {
        stack
    } else if !prefix.contains(name) {
        format!("{prefix} [{name}]{}", &stack[length..])
    } else if length == 0 {
        format!("{prefix}: {stack}")
    } else {
        format!("{prefix}{}", &stack[length..])
    }
}

/// What a stack calls the error: everything up to a colon or the first frame, or all of it if it ends like an error's name.
fn leading_name(stack: &str) -> &str {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "_ []()-".contains(c);
    let end = stack.find(|c| !is_inside(c)).unwrap_or(stack.len());
    let ends_well = stack[end..].starts_with(':') || stack[end..].starts_with(FRAMES);
    if end > 1 && stack.starts_with(|c: char| c.is_ascii_uppercase()) && ends_well {
        return &stack[..end];
    }
    let is_bare = stack.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if is_bare && stack.ends_with("Error") { stack } else { "" }
}
