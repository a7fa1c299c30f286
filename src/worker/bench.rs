//! The way of a text up to the engine, for measuring it. Not part of the worker.

use super::source;

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
