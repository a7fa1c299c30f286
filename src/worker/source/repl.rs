//! What a text means in a console: which names it declares, whether it awaits or returns, and what has to change in it so that
//! names can be declared again.
//!
//! Most texts need no change at all: they are parsed, and evaluated as they are.

use std::collections::HashMap;

use oxc_allocator::Allocator;
use oxc_semantic::Scoping;
use oxc_syntax::scope::ScopeId;
use oxc_syntax::symbol::{SymbolFlags, SymbolId};

use super::edits::{Edits, Rewritten};
use super::names::{Declared, Kind, Names};
use super::parse::{self, Body, Frame, Problem};
use super::rewrite::Rewriter;
use crate::ipc::Lang;

/// The global function that takes the value of a top-level `return`. It is there only while such a run lasts, and carries a
/// character without width, so that it cannot meet a name of the user's.
pub const RETURN_HOOK: &str = "return\u{200c}";

/// What stands around code whose `return` could be caught by its own `catch`. The engine only takes one inside a function.
const FUNCTION_START: &str = "(async function () {";
const FUNCTION_END: &str = "\n})()";

/// How a text is to be evaluated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The changed text; `None` where the text is evaluated as it is.
    pub rewritten: Option<Rewritten>,
    pub how: How,
    pub declared: Vec<Declared>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As a script.
    Script {
        /// It awaits at the top level.
        awaits: bool,
        /// It returns at the top level: by throwing what [`RETURN_HOOK`] gives.
        returns: bool,
    },
    /// As the call of an async function: the value is what it returns, and its names are its own.
    Function,
}

/// What is to become of a name that an earlier run has declared.
#[derive(Debug, Clone)]
pub struct Again {
    /// What the engine is to call it.
    pub native: String,
    /// The binding is there and takes a new value. Otherwise the declaration stays, and declares the name `native`.
    pub is_assigned: bool,
}

/// Whether a binding of the engine's that nobody is sure about is still alive.
pub type Probe<'p> = &'p mut dyn FnMut(&str) -> bool;

/// Finds out how a text is to be evaluated.
///
/// # Errors
/// When it is not JavaScript.
pub fn plan(text: &str, from: Lang, names: &mut Names, probe: Probe) -> Result<Plan, Problem> {
    let without_hashbang = text.starts_with("#!").then(|| ["//", &text[2..]].concat());
    let source = without_hashbang.as_deref().unwrap_or(text);
    let mut problem = None;
    for frame in frames(source) {
        let allocator = Allocator::default();
        match plan_in(&allocator, source, frame, names, probe) {
            Ok(Some(mut plan)) => {
                if plan.rewritten.is_none() && without_hashbang.is_some() {
                    plan.rewritten = Some(Edits::default().apply(source));
                }
                return Ok(plan);
            }
            Ok(None) => {}
            // What it looks like as an object matters only where it is one. Among the others the one that takes `await` for
            // what it most likely is comes first and knows best.
            Err(_) if frame.is_object() => {}
            Err(found) => {
                let is_of_modules = |before: &Problem| before.message.contains("outside a module");
                if frame != Frame::Module || problem.as_ref().is_some_and(is_of_modules) {
                    problem = if frame == Frame::Module { Some(found) } else { problem.or(Some(found)) };
                }
            }
        }
    }
    let problem = problem.unwrap_or_else(|| Problem {
        message: "Unexpected end of input".into(),
        offset: text.len(),
        is_at_end: true,
    });
    // Decorators stand at the same places in both.
    let is_typed = from == Lang::Js
        && !problem.is_at_end
        && !problem.message.starts_with("Decorators")
        && parse::check(source, Frame::Module).is_err()
        && parse::check(source, Frame::TypedModule).is_ok();
    Err(if is_typed { problem.of_typescript() } else { problem })
}

/// What a text may be, the more special first.
pub fn frames(source: &str) -> Vec<Frame> {
    let may_await = source.contains("await");
    let mut frames = Vec::new();
    if parse::begins_with_brace(source) {
        if may_await {
            frames.push(Frame::AsyncObject);
        }
        frames.push(Frame::Object);
    }
    if may_await {
        frames.push(Frame::Async);
    }
    frames.push(Frame::Script);
    if source.contains("import") || source.contains("export") {
        frames.push(Frame::Module);
    }
    frames
}

/// `None`: this frame is not the right one.
fn plan_in(
    allocator: &Allocator,
    source: &str,
    frame: Frame,
    names: &mut Names,
    probe: Probe,
) -> Result<Option<Plan>, Problem> {
    let program = parse::parse(allocator, source, frame)?;
    let scoping = parse::resolve(source, frame, &program)?;
    let body = Body::of(&program, frame);
    let root = match body {
        Body::Program(_) => scoping.root_scope_id(),
        Body::Function(_, scope) => scope.unwrap_or_else(|| scoping.root_scope_id()),
    };
    let (declared, again) = declared_in(&scoping, root, names, probe);
    let may_return = source.contains("return");
    let must_look = frame != Frame::Script || may_return || !again.is_empty() || names.has_aliases();
    if !must_look {
        return Ok(Some(Plan { rewritten: None, how: How::Script { awaits: false, returns: false }, declared }));
    }
    let mut rewriter = Rewriter::new(source, frame, &scoping, &again, names);
    rewriter.run(&body)?;
    if frame != Frame::Module && rewriter.found.awaits != matches!(frame, Frame::Async | Frame::AsyncObject) {
        return Ok(None);
    }
    if rewriter.found.return_is_caught {
        let nothing = HashMap::new();
        let mut rewriter = Rewriter::new(source, frame, &scoping, &nothing, names);
        rewriter.keeps_returns = true;
        rewriter.run(&body)?;
        let mut edits = rewriter.edits;
        edits.head_at = 0;
        edits.insert_at_head(FUNCTION_START);
        edits.insert(source.len(), FUNCTION_END);
        let rewritten = Some(edits.apply(source));
        return Ok(Some(Plan { rewritten, how: How::Function, declared: Vec::new() }));
    }
    let found = rewriter.found;
    let mut edits = rewriter.edits;
    if frame.is_object() {
        edits.head_at = 0;
        edits.insert_at_head("(");
        edits.insert(source.len(), "\n)");
    }
    let rewritten = (!edits.is_empty()).then(|| edits.apply(source));
    Ok(Some(Plan { rewritten, how: How::Script { awaits: found.awaits, returns: found.returns }, declared }))
}

/// The top-level names of a text, and what is to become of those that are there already.
fn declared_in(
    scoping: &Scoping,
    root: ScopeId,
    names: &mut Names,
    probe: Probe,
) -> (Vec<Declared>, HashMap<SymbolId, Again>) {
    let mut declared = Vec::new();
    let mut again = HashMap::new();
    for (name, &symbol) in scoping.get_bindings(root) {
        let name = name.as_str();
        let kind = kind_of(scoping.symbol_flags(symbol));
        let decision = declared_again(name, kind, names, probe);
        let native = decision.as_ref().map(|again| again.native.clone()).filter(|native| native != name);
        let kind = match &decision {
            // The old binding stays what it was, a function's alias is a `let`.
            Some(again) if again.is_assigned => {
                names.get(name).map_or(kind, |old| if old.kind == Kind::Var { Kind::Var } else { Kind::Lexical })
            }
            _ => kind,
        };
        declared.push(Declared { name: name.to_owned(), kind, native });
        if let Some(decision) = decision {
            again.insert(symbol, decision);
        }
    }
    (declared, again)
}

fn declared_again(name: &str, kind: Kind, names: &mut Names, probe: Probe) -> Option<Again> {
    let old = names.get(name)?;
    let native = old.native.clone().unwrap_or_else(|| name.to_owned());
    if kind == Kind::Var && old.kind == Kind::Var && old.native.is_none() {
        return None;
    }
    let can_be_assigned = kind != Kind::Const && old.kind != Kind::Const;
    let (is_unsure, is_var) = (old.is_unsure, kind == Kind::Var);
    if can_be_assigned && (!is_unsure || probe(&native)) {
        names.note_alive(name);
        return Some(Again { native, is_assigned: true });
    }
    // Where nothing can be declared in place, the alias is declared at the head of the text, and assigned.
    Some(Again { native: names.fresh_alias(name), is_assigned: is_var })
}

fn kind_of(flags: SymbolFlags) -> Kind {
    if flags.intersects(SymbolFlags::ConstVariable | SymbolFlags::Import) {
        Kind::Const
    } else if flags.intersects(SymbolFlags::BlockScopedVariable | SymbolFlags::Class) {
        Kind::Lexical
    } else {
        Kind::Var
    }
}

/// The names that a script declares, where it can be parsed. It is evaluated as it is in any case.
pub fn names_of_script(source: &str) -> Vec<Declared> {
    let allocator = Allocator::default();
    let Ok(program) = parse::parse(&allocator, source, Frame::Script) else { return Vec::new() };
    let Ok(scoping) = parse::resolve(source, Frame::Script, &program) else { return Vec::new() };
    let bindings = scoping.get_bindings(scoping.root_scope_id());
    let mut declared = Vec::new();
    for (name, &symbol) in bindings {
        let kind = kind_of(scoping.symbol_flags(symbol));
        declared.push(Declared { name: name.as_str().to_owned(), kind, native: None });
    }
    declared
}
