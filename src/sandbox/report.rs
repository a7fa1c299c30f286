//! What became of each layer: for the server, `/api/info` and the log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The layers of the box, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Nothing is open but the socket.
    Descriptors,
    /// The environment holds the time zone and nothing else.
    Environment,
    /// The working directory is `/`.
    Directory,
    /// The signals that end a process can end this one.
    Signals,
    /// Under memory pressure the kernel ends workers before anything else.
    MemoryPressure,
    /// The server is scheduled before its workers.
    Priority,
    /// Kernel limits on memory, files, processes and processor time.
    Limits,
    /// A user and group of its own, and no capabilities.
    User,
    /// Nothing that is executed could gain rights.
    NoNewPrivileges,
    /// Nobody else may look into the process, and it leaves no core.
    NotDumpable,
    /// The worker dies with the server.
    ParentDeath,
    /// Memory that was writable never becomes executable.
    ExecutableMemory,
    /// No files, no TCP, no signals and no abstract sockets to the outside.
    Landlock,
    /// No new descriptor can be made, of whatever kind.
    NewDescriptors,
    /// System calls off the list end the process.
    Seccomp,
}

impl Layer {
    /// All of them, in the order in which they are applied.
    pub const ALL: [Layer; 15] = [
        Layer::Descriptors,
        Layer::Environment,
        Layer::Directory,
        Layer::Signals,
        Layer::MemoryPressure,
        Layer::Priority,
        Layer::Limits,
        Layer::User,
        Layer::NoNewPrivileges,
        Layer::NotDumpable,
        Layer::ParentDeath,
        Layer::ExecutableMemory,
        Layer::Landlock,
        Layer::NewDescriptors,
        Layer::Seccomp,
    ];

    /// The name used in the log and in `/api/info`.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Descriptors => "descriptors",
            Layer::Environment => "environment",
            Layer::Directory => "directory",
            Layer::Signals => "signals",
            Layer::MemoryPressure => "memory_pressure",
            Layer::Priority => "priority",
            Layer::Limits => "limits",
            Layer::User => "user",
            Layer::NoNewPrivileges => "no_new_privileges",
            Layer::NotDumpable => "not_dumpable",
            Layer::ParentDeath => "parent_death",
            Layer::ExecutableMemory => "executable_memory",
            Layer::Landlock => "landlock",
            Layer::NewDescriptors => "new_descriptors",
            Layer::Seccomp => "seccomp",
        }
    }
}

/// What became of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It holds as the documentation says.
    Enforced,
    /// It holds with the gap that the text names. No reason to refuse to start: another layer closes the gap.
    Partly(String),
    /// It does not hold; the text says why.
    Missing(String),
}

impl Status {
    /// `Missing`, with what was tried and the error of it.
    pub(super) fn failed(what: &str, error: impl fmt::Display) -> Status {
        Status::Missing(format!("{what}: {error}"))
    }
}

/// One line of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerReport {
    pub layer: Layer,
    pub status: Status,
}

/// What became of the box. Written before any user code runs in the process, so the *first* report of a new process can be
/// believed, and no later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// One line for each layer, in the order of [`Layer::ALL`].
    #[serde(deserialize_with = "crate::ipc::counted::list")]
    pub layers: Vec<LayerReport>,
    /// How long it took, in microseconds.
    pub micros: u32,
}

impl Report {
    /// The status of one layer.
    pub fn status(&self, layer: Layer) -> Option<&Status> {
        self.layers.iter().find(|line| line.layer == layer).map(|line| &line.status)
    }

    /// The layers that do not hold.
    pub fn missing(&self) -> impl Iterator<Item = &LayerReport> {
        self.layers.iter().filter(|line| matches!(line.status, Status::Missing(_)))
    }

    /// Whether every layer holds, if some of them with gaps.
    pub fn is_complete(&self) -> bool {
        Layer::ALL.into_iter().all(|layer| matches!(self.status(layer), Some(Status::Enforced | Status::Partly(_))))
    }
}

impl fmt::Display for Report {
    /// One line: how many layers hold, and each that does not hold wholly with its reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enforced = self.layers.iter().filter(|line| line.status == Status::Enforced).count();
        write!(f, "{enforced} of {} layers enforced", Layer::ALL.len())?;
        for LayerReport { layer, status } in &self.layers {
            match status {
                Status::Enforced => {}
                Status::Partly(gap) => write!(f, "; {} partly ({gap})", layer.name())?,
                Status::Missing(reason) => write!(f, "; {} missing ({reason})", layer.name())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(odd: Status) -> Report {
        let mut layers = Layer::ALL.map(|layer| LayerReport { layer, status: Status::Enforced }).to_vec();
        layers[7].status = odd;
        Report { layers, micros: 1 }
    }

    #[test]
    fn a_report_is_complete_with_gaps_but_not_with_holes() {
        assert!(report(Status::Enforced).is_complete());
        assert!(report(Status::Partly("x".into())).is_complete());
        assert!(!report(Status::Missing("x".into())).is_complete());
        assert!(!Report { layers: Vec::new(), micros: 0 }.is_complete(), "silence is not a box");
    }

    #[test]
    fn a_report_names_what_does_not_hold_and_why() {
        let text = report(Status::Missing("not root".into())).to_string();
        assert_eq!(text, "14 of 15 layers enforced; user missing (not root)");
    }

    #[test]
    fn a_report_fits_the_frame_format_and_json() {
        let report = report(Status::Partly("gap".into()));
        let bytes = postcard::to_stdvec(&report).unwrap();
        assert_eq!(postcard::from_bytes::<Report>(&bytes), Ok(report.clone()));
        assert!(bytes.len() < 64, "{}", bytes.len());
        assert!(serde_json::to_string(&report).unwrap().contains(r#"{"layer":"user","status":{"partly":"gap"}}"#));
    }
}
