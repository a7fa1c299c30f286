//! One QuickJS engine: built for a lease, dropped after it, never shared between two.
//!
//! A new context in an old runtime would not do: host functions keep the first context's prototypes, and through them its
//! globals, alive and within reach.

use std::rc::Rc;

use rquickjs::context::intrinsic;
use rquickjs::{Context, Ctx, Result, Runtime};

use super::host::Host;
use super::tools::Tools;
use super::{console, input, source, timers, tools, web};
use crate::ipc::Settings;
use crate::sandbox::{self, HeapGauge, LimitedHeap};

/// Long enough that the engine asks its interrupt handler: it does so once in ten thousand operations, and a turn of this loop is
/// two. No longer, because every lease pays for it.
const PROBE: &str = "for (let i = 0; i < 6000; i++);";

/// A runtime with its context. All other holders of values must be emptied before it is dropped: see [`Engine::dispose`].
pub struct Engine {
    pub context: Context,
    pub runtime: Runtime,
}

/// What an engine's own check has found.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    pub polls: u64,
    pub leftovers: u32,
}

impl Engine {
    /// Builds a fresh engine with all that scripts may use, and hooks it up to the host.
    pub fn build(host: &Rc<Host>, settings: &Settings) -> Result<Engine> {
        let gauge = HeapGauge::with_limit(usize::try_from(settings.heap_bytes).unwrap_or(usize::MAX));
        let runtime = Runtime::new_with_alloc(LimitedHeap::new(Rc::clone(&gauge)))?;
        runtime.set_max_stack_size(usize::try_from(settings.stack_bytes).unwrap_or(usize::MAX));
        *host.gauge.borrow_mut() = gauge;
        let handler = Rc::clone(host);
        runtime.set_interrupt_handler(Some(Box::new(move || handler.poll())));
        runtime.set_loader(source::Files { host: Rc::clone(host) }, source::Files { host: Rc::clone(host) });
        let tracker = Rc::clone(host);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, is_handled| {
            tracker.rejections.borrow_mut().track(&ctx, promise, reason, is_handled);
        })));
        // Everything the language has. `Performance` too: its clock is finer than a sandbox would like, but `Date` and a loop
        // make as good a one, and scripts expect `performance.now()`.
        let context = Context::builder().with::<intrinsic::All>().build(&runtime)?;
        context.with(|ctx| -> Result<()> {
            *host.tools.borrow_mut() = Some(Tools::capture(&ctx)?);
            install(&ctx, host)
        })?;
        Ok(Engine { context, runtime })
    }

    /// Runs a loop that reaches the interrupt handler, and looks for what should not be there.
    pub fn probe(&self, host: &Host) -> Result<Probe> {
        host.take_polls();
        self.context.with(|ctx| ctx.eval::<(), _>(PROBE))?;
        let timers = u32::try_from(host.timers.borrow().len()).unwrap_or(u32::MAX);
        Ok(Probe { polls: host.take_polls(), leftovers: timers + u32::from(self.runtime.is_job_pending()) })
    }

    /// Whether code still runs at all.
    pub fn is_fit(&self) -> bool {
        let fit = self.context.with(|ctx| {
            let fit = ctx.eval::<i32, _>("1 + 1").is_ok_and(|two| two == 2);
            ctx.catch();
            fit
        });
        fit && !self.runtime.is_job_pending()
    }

    /// Drops the engine, after everything that holds values of it. What a script has queued or left behind never runs.
    pub fn dispose(self, host: &Host) {
        self.runtime.set_interrupt_handler(None);
        self.runtime.set_host_promise_rejection_tracker(None);
        self.context.with(|ctx| {
            while ctx.has_exception() {
                ctx.catch();
            }
        });
        let timers = host.timers.borrow_mut().take_all();
        drop(timers);
        let rejections = host.rejections.borrow_mut().take();
        drop(rejections);
        let tools = host.tools.borrow_mut().take();
        drop(tools);
        host.forget_references();
        host.web.clear();
        host.sources.clear();
        let used = host.heap_bytes();
        drop(self.context);
        self.runtime.run_gc();
        drop(self.runtime);
        if used > TRIM_ABOVE_BYTES {
            sandbox::return_free_memory();
        }
    }
}

/// A heap that has grown beyond this gives its pages back when it is dropped. Below, the call costs more than it saves.
const TRIM_ABOVE_BYTES: u64 = 1 << 20;

fn install<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> Result<()> {
    tools::guard_stack_trace_limit(ctx, host)?;
    console::install(ctx, host)?;
    timers::install(ctx, host)?;
    input::install(ctx, host)?;
    source::install_last(ctx, host)?;
    web::install(ctx, host)?;
    #[cfg(all(feature = "box-probes", target_os = "linux"))]
    install_attempts(ctx)?;
    Ok(())
}

/// For the tests of the box: `__attempt(name)` tries to do what the box forbids, and says what came of it.
#[cfg(all(feature = "box-probes", target_os = "linux"))]
fn install_attempts(ctx: &Ctx<'_>) -> Result<()> {
    use sandbox::probes::{Target, Verdict, attempt};
    let try_it = |name: String| match attempt(&name, &Target::default()) {
        Some(Verdict::Denied(code)) => format!("denied {code}"),
        Some(Verdict::Succeeded) => "succeeded".to_owned(),
        None => "unknown".to_owned(),
    };
    ctx.globals().set("__attempt", rquickjs::Function::new(ctx.clone(), try_it)?)
}
