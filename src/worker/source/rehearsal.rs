//! Source handling without an engine, for the fuzz targets. Panics where a promise is broken.

use std::rc::Rc;

use super::javascript::Javascript;
use super::names::Names;
use super::origin::{Origins, file_of};
use super::parse::{self, Frame};
use super::repl;
use super::typescript::Goal;
use crate::ids::RunId;
use crate::ipc::Lang;

/// Takes a text the ways that it could go: three times through a console whose earlier runs have declared the same names (and lost
/// some of them), and through the TypeScript compiler. Then reads a stack, which a script can forge, in the light of that.
pub fn rehearse(code: &str, trace: &str) {
    let mut names = Names::default();
    let mut origins = Origins::default();
    if let Ok(javascript) = Javascript::of(code, false, Goal::Console) {
        if javascript.has_decorators() {
            let is_javascript = |frame: &Frame| parse::check(&javascript.text, *frame).is_ok();
            assert!(repl::frames(&javascript.text).iter().any(is_javascript), "{:?}", javascript.text);
        }
        for run in 1..=3 {
            let text = &javascript.text;
            let Ok(plan) = repl::plan(text, Lang::Js, &mut names, &mut |name| name.len() % 2 == run as usize % 2)
            else {
                break;
            };
            let way = match plan.rewritten {
                None => javascript.clone().way(),
                Some(rewritten) => {
                    // What was made of a script must be one too.
                    if let repl::How::Script { awaits, returns: _ } = plan.how {
                        let frame = if awaits { Frame::Async } else { Frame::Script };
                        assert!(parse::check(&rewritten.text, frame).is_ok(), "{:?}", rewritten.text);
                    }
                    let (text, pieces) = rewritten.into_parts();
                    javascript.clone().way_from(Rc::from(text), pieces)
                }
            };
            origins.add(file_of(RunId(run)), way);
            names.declare(plan.declared);
        }
    }
    for (goal, frame) in
        [(Goal::Console, None), (Goal::Script, Some(Frame::Script)), (Goal::Module, Some(Frame::Module))]
    {
        if let Ok(javascript) = Javascript::of(code, true, goal) {
            if let (true, Some(frame)) = (javascript.has_decorators(), frame) {
                assert!(parse::check(&javascript.text, frame).is_ok(), "{:?}", javascript.text);
            }
            origins.add(file_of(RunId(4)), javascript.way());
        }
    }
    let (shown, frames) = origins.in_users_texts(trace, "");
    assert!(frames.len() <= shown.lines().count(), "a frame for each line at most");
}
