//! `prompt`, `confirm` and `alert`: the run waits for the client, and its deadline waits with it.

use std::rc::Rc;
use std::time::Instant;

use rquickjs::function::Opt;
use rquickjs::{Ctx, Exception, Function, Result, Value};

use super::host::Host;
use super::inspect;
use crate::ipc::{InputKind, MAX_PROMPT_BYTES, MAX_PROMPTS, WorkerMessage};

/// Puts the three functions on the global object.
pub fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    for (name, kind) in [("prompt", InputKind::Prompt), ("confirm", InputKind::Confirm), ("alert", InputKind::Alert)] {
        let host = Rc::clone(host);
        let ask = move |ctx: Ctx<'js>, text: Opt<Value<'js>>, default: Opt<Value<'js>>| -> Result<Value<'js>> {
            let text_of = |value: &Value<'js>| inspect::console_text(&ctx, &host, std::slice::from_ref(value));
            let text = text.0.as_ref().map(text_of).transpose()?.unwrap_or_default();
            let offered = default.0.filter(|default| kind == InputKind::Prompt && !default.is_undefined());
            let default = offered.as_ref().map(text_of).transpose()?;
            let answer = ask(&ctx, &host, kind, text, default)?;
            match kind {
                InputKind::Prompt => match answer {
                    Some(answer) => Ok(rquickjs::String::from_str(ctx, &answer)?.into_value()),
                    None => Ok(Value::new_null(ctx)),
                },
                InputKind::Confirm => Ok(Value::new_bool(ctx, answer.is_some_and(|answer| is_yes(&answer)))),
                InputKind::Alert => Ok(Value::new_undefined(ctx)),
            }
        };
        ctx.globals().set(name, Function::new(ctx.clone(), ask)?.with_name(name)?.with_length(1)?)?;
    }
    Ok(())
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes", "true", "ok"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

/// Asks the client and blocks until it has answered, the time for answers is used up, or the turn must stop.
fn ask(ctx: &Ctx<'_>, host: &Host, kind: InputKind, text: String, default: Option<String>) -> Result<Option<String>> {
    let Some(turn) = host.turn_of_run() else {
        return Err(Exception::throw_message(ctx, "No run is there to ask"));
    };
    let run = turn.run;
    let text = inspect::cut(text, MAX_PROMPT_BYTES);
    let default = default.map(|default| inspect::cut(default, MAX_PROMPT_BYTES));
    if host.runs.borrow().get(run).is_some_and(|run| run.patience.is_over(Instant::now())) {
        return Ok(None);
    }
    let asked_before = host.runs.borrow_mut().get_mut(run).map_or(0, |run| {
        let before = run.prompts;
        run.prompts = before.saturating_add(1);
        before
    });
    if asked_before >= MAX_PROMPTS {
        return Err(Exception::throw_range(ctx, &format!("Too many questions: at most {MAX_PROMPTS} in one run")));
    }
    host.flush_console();
    // An answer that is already there belongs to an earlier question.
    while host.take_answer(run).is_some() {}
    host.send(&WorkerMessage::InputRequest { run, kind, text, default });
    let Some(until) = host.pause_clocks(Instant::now()) else { return Ok(None) };
    let answer = loop {
        if host.stopped().is_some() {
            break None;
        }
        if let Some(answer) = host.take_answer(run) {
            break answer;
        }
        if Instant::now() >= until {
            break None;
        }
        host.wire.wait(Some(until));
        host.receive(Instant::now());
    };
    host.resume_clocks(Instant::now());
    if host.stopped().is_some() {
        return Err(Exception::throw_internal(ctx, "interrupted"));
    }
    Ok(answer)
}
