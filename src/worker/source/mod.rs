//! From a run's text to its evaluation, and from the engine's positions back to the text.
//!
//! A console's text is parsed ([`parse`]) to learn what it declares and whether it awaits or returns ([`repl`]); most are then
//! evaluated as they are. Only where a name is declared that an earlier run has declared ([`names`]) is the text changed
//! ([`rewrite`], [`edits`]). A script never meets the parser on its way. Errors and stacks are given in the positions of the text
//! that was sent ([`origin`]).

mod blame;
mod completeness;
mod decorators;
mod edits;
mod enums;
mod getters;
mod guard;
mod javascript;
mod modules;
mod names;
mod namespaces;
mod origin;
mod outside;
mod parse;
pub mod rehearsal;
mod repl;
mod rewrite;
mod spaces;
mod typescript;
mod walk;

pub use self::getters::constant_of_getter;
pub use self::modules::Files;
pub use self::names::{Lexical, Names};

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::function::Opt;
use rquickjs::object::{Accessor, Property};
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Error, Function, Object, Persistent, Promise, Result, Value};

use self::guard::{guarded, too_much};
use self::javascript::{Javascript, Refused};
use self::modules::Folders;
use self::names::Declared;
use self::origin::{Origins, Way};
use self::parse::Problem;
use self::repl::{How, Plan};
use self::typescript::Goal;
use super::host::Host;
use crate::ids::RunId;
use crate::ipc::{Completeness, ErrorInfo, Lang, Mode, RunRequest, StackFrame};
use crate::sandbox::scratch;

type Kept = Persistent<Value<'static>>;

/// What is known of the texts of a session. It belongs to the engine, and ends with it.
#[derive(Default)]
pub struct Sources {
    names: RefCell<Names>,
    origins: RefCell<Origins>,
    folders: RefCell<Folders>,
    /// What the module of the current run exports.
    namespace: RefCell<Option<Kept>>,
    returned: RefCell<Returned>,
    last: Last,
    /// The engine has what the decorators of a text need.
    has_decorators: Cell<bool>,
}

/// What a top-level `return` leaves: the value, and the object that is thrown to end the run.
#[derive(Default)]
struct Returned {
    sentinel: Option<Kept>,
    value: Option<Kept>,
}

/// The values of the globals `_` and `_error`. Must be dropped before the engine.
#[derive(Default)]
struct Last {
    value: RefCell<Option<Kept>>,
    error: RefCell<Option<Kept>>,
}

/// How the value of a run comes out of its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwrap {
    /// The engine's own wrapper object around a completion value.
    Wrapper,
    /// The promise's result is the value.
    Direct,
    /// The value of a module is what it exports as `default`.
    Module,
}

/// What an evaluation has come to so far.
pub enum Completion<'js> {
    Value(Value<'js>),
    Promise(Promise<'js>, Unwrap),
}

/// Why an evaluation came to nothing.
pub enum Failure<'js> {
    Thrown(Value<'js>),
    /// The parser has refused the text.
    Syntax(ErrorInfo),
}

impl Sources {
    /// Lets go of everything that belongs to an engine.
    pub fn clear(&self) {
        *self.names.borrow_mut() = Names::default();
        *self.origins.borrow_mut() = Origins::default();
        *self.folders.borrow_mut() = Folders::default();
        self.has_decorators.set(false);
        let namespace = self.namespace.take();
        // Dropped outside of the borrow: a value's end may run anything.
        let returned = self.returned.take();
        let last = (self.last.value.take(), self.last.error.take());
        drop((returned, last, namespace));
    }

    /// Gives the engine what a text with decorators needs, before the first of them.
    fn install_decorators(&self, ctx: &Ctx<'_>, javascript: &Javascript<'_>) -> Result<()> {
        if javascript.has_decorators() && !self.has_decorators.get() {
            let code = format!("const {} = {}", decorators::HELPER, decorators::HELPER_SOURCE);
            ctx.eval_with_options::<(), _>(code, options(decorators::HELPER_FILE))?;
            self.has_decorators.set(true);
        }
        Ok(())
    }

    /// What the globals `_` and `_error` stand for.
    pub fn last(&self, name: &str) -> Option<Kept> {
        match name {
            "_" => self.last.value.borrow().clone(),
            "_error" => self.last.error.borrow().clone(),
            _ => None,
        }
    }

    /// A trace in the positions of the texts that the user sent, with its frames. `message` is that of the error; empty for none.
    pub fn in_users_texts(&self, trace: &str, message: &str) -> (String, Vec<StackFrame>) {
        self.origins.borrow().in_users_texts(trace, message)
    }

    /// A name of an earlier run that is no property of the global object.
    pub fn lexical(&self, name: &str) -> Option<Lexical> {
        self.names.borrow().lexical(name)
    }

    /// All of them that `wanted` says yes to.
    pub fn lexicals(&self, mut wanted: impl FnMut(&str) -> bool) -> Vec<(String, Lexical)> {
        let names = self.names.borrow();
        names.lexicals().filter(|(name, _)| wanted(name)).map(|(name, lexical)| (name.to_owned(), lexical)).collect()
    }

    /// A message of the engine's with the names as they were written.
    pub fn in_users_words(&self, message: String) -> String {
        if self.names.borrow().has_aliases() { names::without_aliases(&message) } else { message }
    }
}

/// Whether a name is one of this program's own making, which users are never shown.
pub fn is_hidden(name: &str) -> bool {
    name == repl::RETURN_HOOK || names::without_aliases(name) != name
}

/// The value of a binding. Runs nothing of a script's as long as the name is no accessor of the global object, or a lexical binding
/// stands in front of that.
pub fn value_of<'js>(ctx: &Ctx<'js>, native: &str) -> Option<Value<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    let value = ctx.eval_with_options(native, options);
    if value.is_err() {
        // In its dead zone, or not there at all.
        ctx.catch();
    }
    value.ok()
}

/// Evaluates a run's code.
///
/// # Errors
/// When the code throws, or cannot be compiled.
pub fn evaluate<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    request: &RunRequest,
) -> std::result::Result<Completion<'js>, Failure<'js>> {
    let file = origin::file_of(request.run);
    forget_unfinished(ctx, host);
    host.sources.folders.borrow_mut().add(file.clone(), request.files.clone());
    let result = match prepare(ctx, host, request) {
        Ok(Ok(Prepared::AsItIs { declared })) => {
            let text = &request.code;
            evaluate_script(ctx, host, &file, text, Way::unchanged(text), declared)
        }
        Ok(Ok(Prepared::Script { javascript, declared })) => host
            .sources
            .install_decorators(ctx, &javascript)
            .and_then(|()| evaluate_script(ctx, host, &file, &javascript.text.clone(), javascript.way(), declared)),
        Ok(Ok(Prepared::Module { javascript })) => host
            .sources
            .install_decorators(ctx, &javascript)
            .and_then(|()| evaluate_module(ctx, host, &file, javascript)),
        Ok(Ok(Prepared::Console { javascript, plan })) => host
            .sources
            .install_decorators(ctx, &javascript)
            .and_then(|()| evaluate_plan(ctx, host, &file, javascript, plan)),
        Ok(Err(Refused { place, problem })) => return Err(Failure::Syntax(syntax_error(&file, place, problem))),
        Err(cut) => return Err(Failure::Syntax(too_much(&file, cut))),
    };
    result.map_err(|_| Failure::Thrown(ctx.catch()))
}

/// A text on its way to the engine, after all that can be done without one.
#[derive(Clone)]
enum Prepared<'t> {
    /// A script of JavaScript, which the engine gets whatever the parser thinks of it.
    AsItIs {
        declared: Vec<Declared>,
    },
    Script {
        javascript: Javascript<'t>,
        declared: Vec<Declared>,
    },
    Module {
        javascript: Javascript<'t>,
    },
    Console {
        javascript: Javascript<'t>,
        plan: Plan,
    },
}

fn prepare<'t>(
    ctx: &Ctx<'_>,
    host: &Host,
    request: &'t RunRequest,
) -> std::result::Result<std::result::Result<Prepared<'t>, Refused>, scratch::Cut> {
    let RunRequest { code: text, lang, .. } = request;
    let is_typescript = *lang == Lang::Ts;
    match request.mode {
        Mode::Script if !is_typescript => {
            // Names are all that is wanted of the parser.
            match guarded(host, || repl::names_of_script(text)) {
                // The engine compiles without asking whether it must stop.
                Err(scratch::Cut::Stopped) => Err(scratch::Cut::Stopped),
                declared => Ok(Ok(Prepared::AsItIs { declared: declared.unwrap_or_default() })),
            }
        }
        Mode::Script => guarded(host, || {
            let javascript = Javascript::of(text, true, Goal::Script)?;
            let declared = repl::names_of_script(&javascript.text);
            Ok(Prepared::Script { javascript, declared })
        }),
        Mode::Module => guarded(host, || Ok(Prepared::Module { javascript: modules::prepare(text, is_typescript)? })),
        Mode::Repl => {
            // Lent for good: what is done to them in there must be whole at any moment, and allocate nothing.
            let names = &mut *host.sources.names.borrow_mut();
            let mut probe = |native: &str| scratch::outside(|| is_alive(ctx, host, native));
            guarded(host, || {
                let javascript = Javascript::of(text, is_typescript, Goal::Console)?;
                match repl::plan(&javascript.text, *lang, names, &mut probe) {
                    Ok(plan) => Ok(Prepared::Console { javascript, plan }),
                    Err(problem) => Err(javascript.refused(problem)),
                }
            })
        }
    }
}

/// Whether a console should run this text. Evaluates nothing; `None` where there is no time to find out.
pub fn completeness(host: &Host, code: &str, lang: Lang) -> Option<Completeness> {
    match guarded(host, || completeness::completeness(code, lang)) {
        Ok(state) => Some(state),
        // No further line would help.
        Err(scratch::Cut::TooDeep | scratch::Cut::TooLarge) => Some(Completeness::Invalid),
        Err(scratch::Cut::Stopped) => None,
    }
}

fn evaluate_script<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    file: &str,
    text: &str,
    way: Way,
    declared: Vec<Declared>,
) -> Result<Completion<'js>> {
    host.sources.add_origin(file.to_owned(), way);
    host.sources.names.borrow_mut().declare(declared);
    Ok(Completion::Value(ctx.eval_with_options(text, options(file))?))
}

fn evaluate_module<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    file: &str,
    javascript: Javascript<'_>,
) -> Result<Completion<'js>> {
    let text = javascript.text.as_ref().to_owned();
    host.sources.add_origin(file.to_owned(), javascript.way());
    let module = modules::declare_ready(ctx, file, text)?;
    let (module, promise) = module.eval()?;
    let namespace = Persistent::save(ctx, module.namespace()?.into_value());
    let old = host.sources.namespace.replace(Some(namespace));
    drop(old);
    Ok(Completion::Promise(promise, Unwrap::Module))
}

fn evaluate_plan<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    file: &str,
    javascript: Javascript<'_>,
    plan: Plan,
) -> Result<Completion<'js>> {
    let Plan { rewritten, how, declared } = plan;
    let code = javascript.text.clone();
    let (text, way) = match rewritten {
        None => (None, javascript.way()),
        Some(rewritten) => {
            let (text, pieces) = rewritten.into_parts();
            let text: Rc<str> = text.into();
            (Some(Rc::clone(&text)), javascript.way_from(text, pieces))
        }
    };
    host.sources.add_origin(file.to_owned(), way);
    host.sources.names.borrow_mut().declare(declared);
    let text = text.as_deref().unwrap_or(&code);
    let mut options = options(file);
    match how {
        // The completion value of a plain script comes back by itself, while the wrapper that goes with top-level await can be
        // tampered with by a setter on `Object.prototype`.
        How::Script { awaits: false, returns } => {
            if returns {
                install_return_hook(ctx, host)?;
            }
            match ctx.eval_with_options(text, options) {
                Ok(value) => Ok(Completion::Value(value)),
                Err(Error::Exception) if returns => {
                    let thrown = ctx.catch();
                    match returned(ctx, host, &thrown) {
                        Some(value) => Ok(Completion::Value(value)),
                        None => Err(ctx.throw(thrown)),
                    }
                }
                Err(error) => Err(error),
            }
        }
        How::Script { awaits: true, returns } => {
            if returns {
                install_return_hook(ctx, host)?;
            }
            options.promise = true;
            Ok(Completion::Promise(ctx.eval_with_options(text, options)?, Unwrap::Wrapper))
        }
        How::Function => Ok(Completion::Promise(ctx.eval_with_options(text, options)?, Unwrap::Direct)),
    }
}

fn options(file: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.global = true;
    options.strict = false;
    options.filename = Some(file.to_owned());
    options
}

/// The parser's complaint as the client is told about it.
fn syntax_error(file: &str, (line, column): (u32, u32), problem: Problem) -> ErrorInfo {
    ErrorInfo {
        name: "SyntaxError".into(),
        stack: format!("SyntaxError: {}\n    at {file}:{line}:{column}", problem.message),
        message: problem.message,
        line: Some(line),
        column: Some(column),
        frames: vec![StackFrame { function: String::new(), source: file.to_owned(), line, column }],
    }
}

/// Whether a binding that may have lost its initialiser can be assigned. One that is not there at all is made on the way.
fn is_alive(ctx: &Ctx<'_>, host: &Host, native: &str) -> bool {
    // The engine's complaints are looked at by nobody, and must not run a script's `prepareStackTrace`.
    let tools = host.tools.borrow();
    let _look = tools.as_ref().and_then(|tools| tools.look(ctx).ok());
    let succeeds = |code: String| {
        let mut options = EvalOptions::default();
        options.strict = false;
        let result: Result<()> = ctx.eval_with_options(code, options);
        if result.is_err() {
            ctx.catch();
        }
        result.is_ok()
    };
    succeeds(format!("let {native};")) || succeeds(format!("typeof {native};"))
}

/// Gives the code of this run the function that its top-level `return`s call.
fn install_return_hook<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    let sentinel = Object::new(ctx.clone())?.into_value();
    let old = host.sources.returned.replace(Returned { sentinel: Some(Persistent::save(ctx, sentinel)), value: None });
    drop(old);
    let host = Rc::clone(host);
    let hook = move |ctx: Ctx<'js>, value: Opt<Value<'js>>| -> Result<Value<'js>> {
        let value = value.0.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
        let old = host.sources.returned.borrow_mut().value.replace(Persistent::save(&ctx, value));
        drop(old);
        let sentinel = host.sources.returned.borrow().sentinel.clone();
        sentinel.ok_or(Error::Unknown)?.restore(&ctx)
    };
    let hook = Function::new(ctx.clone(), hook)?;
    ctx.globals().prop(repl::RETURN_HOOK, Property::from(hook).configurable())
}

/// The value of a top-level `return`, where that is what was thrown.
fn returned<'js>(ctx: &Ctx<'js>, host: &Host, thrown: &Value<'js>) -> Option<Value<'js>> {
    let sentinel = host.sources.returned.borrow().sentinel.clone()?.restore(ctx).ok()?;
    if sentinel != *thrown {
        return None;
    }
    let value = host.sources.returned.borrow_mut().value.take()?;
    value.restore(ctx).ok()
}

/// What a settled promise of [`evaluate`] holds: the value, or what was thrown. `None` while it is pending.
///
/// # Errors
/// When the engine fails.
pub fn settled<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    promise: &Promise<'js>,
    unwrap: Unwrap,
) -> Result<Option<std::result::Result<Value<'js>, Value<'js>>>> {
    match promise.state() {
        PromiseState::Pending => Ok(None),
        PromiseState::Rejected => {
            // The reason can only be had by throwing it.
            let _ = promise.result::<Value>();
            let thrown = ctx.catch();
            Ok(Some(returned(ctx, host, &thrown).ok_or(thrown)))
        }
        PromiseState::Resolved => {
            let result = promise.result::<Value>().ok_or(Error::Unknown)??;
            let value = match unwrap {
                Unwrap::Direct => result,
                Unwrap::Module => exported(ctx, host),
                Unwrap::Wrapper => wrapped(ctx, host, &result)?,
            };
            Ok(Some(Ok(value)))
        }
    }
}

/// What the module of the current run exports as `default`.
fn exported<'js>(ctx: &Ctx<'js>, host: &Host) -> Value<'js> {
    let namespace = host.sources.namespace.take().and_then(|namespace| namespace.restore(ctx).ok());
    let value = namespace.and_then(Value::into_object).map(|namespace| namespace.get::<_, Value>("default"));
    match value {
        Some(Ok(value)) => value,
        Some(Err(_)) => {
            ctx.catch();
            Value::new_undefined(ctx.clone())
        }
        None => Value::new_undefined(ctx.clone()),
    }
}

/// The value in the engine's wrapper. It has none of its own where a setter on `Object.prototype` has swallowed it.
fn wrapped<'js>(ctx: &Ctx<'js>, host: &Host, wrapper: &Value<'js>) -> Result<Value<'js>> {
    let undefined = Value::new_undefined(ctx.clone());
    let Some(wrapper) = wrapper.as_object().filter(|wrapper| !wrapper.as_value().is_proxy()) else {
        return Ok(undefined);
    };
    let tools = host.tools.borrow();
    let look = tools.as_ref().ok_or(Error::Unknown)?.look(ctx)?;
    Ok(look.read(wrapper, "value")?.value().unwrap_or(undefined))
}

/// Whether this is what the engine calls the text of a run, or one of its files.
pub fn is_of_run(file: &str, run: RunId) -> bool {
    file.strip_prefix(origin::file_of(run).as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Notes how a run has ended, for the runs after it: its names are there for sure, or not; `_` and `_error` have new values.
pub fn finish<'js>(ctx: &Ctx<'js>, host: &Host, ended: std::result::Result<&Value<'js>, &Value<'js>>) {
    let sources = &host.sources;
    let has_returned = sources.returned.borrow().sentinel.is_some();
    let slot = match ended {
        Ok(_) => &sources.last.value,
        Err(_) => &sources.last.error,
    };
    // What follows a `return` was never reached.
    if ended.is_ok() && !has_returned {
        sources.names.borrow_mut().confirm();
    }
    forget_unfinished(ctx, host);
    let (Ok(value) | Err(value)) = ended;
    let old = slot.replace(Some(Persistent::save(ctx, value.clone())));
    drop(old);
}

/// Takes away what the last run has left, if it was stopped before [`finish`].
fn forget_unfinished(ctx: &Ctx<'_>, host: &Host) {
    host.sources.names.borrow_mut().leave_unsure();
    let hook = host.sources.returned.take();
    if hook.sentinel.is_some() && ctx.globals().remove(repl::RETURN_HOOK).is_err() {
        ctx.catch();
    }
}

/// Defines the globals `_` and `_error`: they give the last value and the last error, until somebody gives them a value of his
/// own. Accessors, so that a run costs them nothing.
pub fn install_last<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    for name in ["_", "_error"] {
        let host = Rc::clone(host);
        let get = move |ctx: Ctx<'js>| -> Result<Value<'js>> {
            host.sources.last(name).map_or_else(|| Ok(Value::new_undefined(ctx.clone())), |kept| kept.restore(&ctx))
        };
        let set = move |ctx: Ctx<'js>, value: Value<'js>| -> Result<()> {
            let property = Property::from(value).writable().configurable().enumerable();
            ctx.globals().prop(name, property)
        };
        ctx.globals().prop(name, Accessor::new(get, set).configurable())?;
    }
    Ok(())
}

/// Gets a text ready without evaluating it, for measuring what that costs.
pub fn plan_only(text: &str, names: &mut Names) {
    if let Ok(plan) = repl::plan(text, Lang::Js, names, &mut |_| true) {
        names.declare(plan.declared);
        names.confirm();
    }
}

/// The same for a text of TypeScript in a session without names.
pub fn compile_only(text: &str) {
    if let Ok(compiled) = Javascript::of(text, true, Goal::Console) {
        plan_only(&compiled.text, &mut Names::default());
    }
}
