//! Where texts are parsed: on a stack and a heap that can be thrown away, because no text tells how deep it will lead a parser.

use crate::ipc::ErrorInfo;
use crate::sandbox::scratch::{self, Cut};
use crate::worker::host::Host;

/// Does some work on a text. What it returns is copied, and must hold nothing that is shared.
///
/// # Errors
/// Why it came to nothing: the text leads too far, or the turn must stop.
pub fn guarded<T: Clone>(host: &Host, work: impl FnOnce() -> T) -> Result<T, Cut> {
    host.with_patience(|| scratch::run(&mut || host.must_stop(), work))
}

/// What is said of a text that leads too far.
pub fn sentence(cut: Cut) -> &'static str {
    match cut {
        Cut::TooDeep => "This is nested too deeply",
        Cut::TooLarge => "This takes too much memory to be parsed",
        // Said to nobody: the turn ends by its own reason.
        Cut::Stopped => "The parser was stopped",
    }
}

/// The same as an error. It has no position: where the parser was by then is the reader's last concern, and nobody's fault.
pub fn too_much(file: &str, cut: Cut) -> ErrorInfo {
    let message = sentence(cut);
    ErrorInfo {
        name: "SyntaxError".into(),
        message: message.into(),
        stack: format!("SyntaxError: {message}\n    at {file}"),
        line: None,
        column: None,
        frames: Vec::new(),
    }
}
