//! Source handling without an engine, for the fuzz targets. Panics where a promise is broken.

use std::rc::Rc;

use super::names::Names;
use super::origin::{Origins, Way, file_of};
use super::parse::{self, Frame};
use super::{repl, typescript};
use crate::ids::RunId;
use crate::ipc::Lang;

/// Takes a text the ways that it could go: three times through a console whose earlier runs have declared the same names (and lost
/// some of them), and through the TypeScript compiler. Then reads a stack, which a script can forge, in the light of that.
pub fn rehearse(code: &str, trace: &str) {
    let mut names = Names::default();
    let mut origins = Origins::default();
    for run in 1..=3 {
        let Ok(plan) = repl::plan(code, Lang::Js, &mut names, &mut |name| name.len() % 2 == run as usize % 2) else {
            break;
        };
        let way = match plan.rewritten {
            None => Way::unchanged(code),
            Some(rewritten) => {
                // What was made of a script must be one too.
                if let repl::How::Script { awaits, returns: _ } = plan.how {
                    let frame = if awaits { Frame::Async } else { Frame::Script };
                    assert!(parse::check(&rewritten.text, frame).is_ok(), "{:?}", rewritten.text);
                }
                let (text, pieces) = rewritten.into_parts();
                Way { evaluated: Some(Rc::from(text)), edited: Some((code.into(), pieces)), compiled: None }
            }
        };
        origins.add(file_of(RunId(run)), way);
        names.declare(plan.declared);
    }
    for goal in [typescript::Goal::Console, typescript::Goal::Script, typescript::Goal::Module] {
        if let Ok(compiled) = typescript::compile(code, goal) {
            let (_, way) = compiled.into_parts();
            origins.add(file_of(RunId(4)), way);
        }
    }
    let (shown, frames) = origins.in_users_texts(trace);
    assert!(frames.len() <= shown.lines().count(), "a frame for each line at most");
}
