//! The way of a text up to the engine, and the engine's own beginning, for measuring them. Not part of the worker.

use std::rc::Rc;

use super::engine::Engine;
use super::host::Host;
use super::source;
use crate::ipc::Settings;

/// What a session knows of its names.
#[derive(Default)]
pub struct Console(source::Names);

impl Console {
    /// Gets a text ready, as the run of a console would, and notes what it declares.
    pub fn plan(&mut self, text: &str) {
        source::plan_only(text, &mut self.0);
    }
}

/// Compiles TypeScript and gets it ready.
pub fn compile(text: &str) {
    source::compile_only(text);
}

/// Engines as a worker builds them, one after the other.
pub struct Engines {
    host: Rc<Host>,
    settings: Settings,
}

impl Engines {
    /// With a heap and a stack of the usual sizes.
    pub fn new(settings: Settings) -> Engines {
        Engines { host: Host::new(settings.clone()), settings }
    }

    /// What a `Prepare` does: builds an engine, checks it, and drops it. Between the two it evaluates a text.
    ///
    /// # Panics
    /// When the text throws.
    pub fn round(&self, text: Option<&str>) {
        let engine = Engine::build(&self.host, &self.settings).expect("there is room for an engine");
        engine.probe(&self.host).expect("nothing interrupts it");
        if let Some(text) = text {
            engine.context.with(|ctx| ctx.eval::<(), _>(text)).expect("the text of a benchmark is right");
        }
        engine.dispose(&self.host);
    }

    /// Bytes of the engine's heap after the text.
    ///
    /// # Panics
    /// When the text throws.
    pub fn heap_after(&self, text: &str) -> u64 {
        let engine = Engine::build(&self.host, &self.settings).expect("there is room for an engine");
        engine.context.with(|ctx| ctx.eval::<(), _>(text)).expect("the text of a benchmark is right");
        let bytes = self.host.heap_bytes();
        engine.dispose(&self.host);
        bytes
    }
}
