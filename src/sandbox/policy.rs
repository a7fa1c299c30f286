//! What the server asks of the box, and how that reaches the worker.

use std::fmt;
use std::str::FromStr;

use crate::ids::WorkerId;
#[cfg(feature = "box-probes")]
use crate::sandbox::Layer;

/// The first of the user and group ids that workers take when the server is root.
///
/// In the gap that systemd's allocation table leaves unused (60578 to 61183), above what Debian gives to packages and below
/// 65536, so that the ids also exist in containers, whose user namespaces often map no more than that.
pub const FIRST_USER: u32 = 60_600;

/// How many ids there are from [`FIRST_USER`] on. Twice the default of `pool.max`: as long as no more workers live at once, no two
/// share an id, and they are strangers to each other even where nothing else of the box holds.
pub const USERS: u32 = 512;

/// The default of [`Policy::cpu_seconds`]: forty-eight runs of the longest deadline back to back.
pub const DEFAULT_CPU_SECONDS: u64 = 4 * 60 * 60;

/// The default of [`Policy::code_bytes`].
pub const DEFAULT_CODE_BYTES: u64 = 256 << 10;

/// The default of [`Policy::niceness`]. Ten steps make a worker's share of a contended processor about a tenth of the server's.
pub const DEFAULT_NICENESS: i32 = 10;

/// The user and group id of a worker's own.
pub fn user_for(worker: WorkerId) -> u32 {
    let offset = worker.0 % u64::from(USERS);
    FIRST_USER + u32::try_from(offset).expect("below USERS, a u32")
}

/// What happens when a layer cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The worker does not start.
    Required,
    /// The worker starts and says what is missing.
    BestEffort,
}

impl Mode {
    /// The name used in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Required => "required",
            Mode::BestEffort => "best-effort",
        }
    }
}

/// What the server asks of the box. Travels as one argument on the worker's command line (`Display` and `FromStr`), because the
/// box is entered before the worker reads anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub mode: Mode,
    /// The server's process id: the worker must not outlive it.
    pub parent: u32,
    /// The user and group to become when started as root. `None` stays root, without its capabilities.
    pub user: Option<u32>,
    /// The engine's heap limit; the limit of the address space is reckoned from it.
    pub heap_bytes: u64,
    /// The longest code; what parsers may use is reckoned from it.
    pub code_bytes: u64,
    /// Processor time of the whole process, over all its leases, after which the kernel ends it.
    pub cpu_seconds: u64,
    /// Added to the server's own niceness.
    pub niceness: i32,
    /// Layers that a test leaves out, to prove that the others hold by themselves.
    #[cfg(feature = "box-probes")]
    pub without: Vec<Layer>,
}

impl Policy {
    /// The whole box, for a worker with a heap of `heap_bytes` that is spawned by process `parent`.
    pub fn new(mode: Mode, parent: u32, heap_bytes: u64) -> Policy {
        Policy {
            mode,
            parent,
            user: Some(FIRST_USER),
            heap_bytes,
            code_bytes: DEFAULT_CODE_BYTES,
            cpu_seconds: DEFAULT_CPU_SECONDS,
            niceness: DEFAULT_NICENESS,
            #[cfg(feature = "box-probes")]
            without: Vec::new(),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode={},parent={},heap={}", self.mode.name(), self.parent, self.heap_bytes)?;
        write!(f, ",code={}", self.code_bytes)?;
        write!(f, ",cpu={},nice={}", self.cpu_seconds, self.niceness)?;
        if let Some(user) = self.user {
            write!(f, ",user={user}")?;
        }
        #[cfg(feature = "box-probes")]
        for layer in &self.without {
            write!(f, ",without={}", layer.name())?;
        }
        Ok(())
    }
}

/// Why a text is no policy. Only a spawner that does not fit its worker can cause one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("read `{0}` of the box's policy")]
    Field(String),
    #[error("find `{0}` in the box's policy")]
    Absent(&'static str),
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Policy, PolicyError> {
        fn number<T: FromStr>(field: &str, value: &str) -> Result<T, PolicyError> {
            value.parse().map_err(|_| PolicyError::Field(field.to_owned()))
        }

        let (mut mode, mut parent, mut user) = (None, None, None);
        let (mut heap, mut code, mut cpu, mut nice) = (None, None, None, None);
        #[cfg(feature = "box-probes")]
        let mut without = Vec::new();
        for field in text.split(',') {
            let wrong = || PolicyError::Field(field.to_owned());
            let (key, value) = field.split_once('=').ok_or_else(wrong)?;
            match key {
                "mode" if value == Mode::Required.name() => mode = Some(Mode::Required),
                "mode" if value == Mode::BestEffort.name() => mode = Some(Mode::BestEffort),
                "parent" => parent = Some(number(field, value)?),
                "heap" => heap = Some(number(field, value)?),
                "code" => code = Some(number(field, value)?),
                "cpu" => cpu = Some(number(field, value)?),
                "nice" => nice = Some(number(field, value)?),
                "user" => user = Some(number(field, value)?),
                #[cfg(feature = "box-probes")]
                "without" => {
                    without.push(Layer::ALL.into_iter().find(|layer| layer.name() == value).ok_or_else(wrong)?);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(Policy {
            mode: mode.ok_or(PolicyError::Absent("mode"))?,
            parent: parent.ok_or(PolicyError::Absent("parent"))?,
            user,
            heap_bytes: heap.ok_or(PolicyError::Absent("heap"))?,
            code_bytes: code.ok_or(PolicyError::Absent("code"))?,
            cpu_seconds: cpu.ok_or(PolicyError::Absent("cpu"))?,
            niceness: nice.ok_or(PolicyError::Absent("nice"))?,
            #[cfg(feature = "box-probes")]
            without,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_survives_the_command_line() {
        let whole = Policy::new(Mode::Required, 4711, 64 << 20);
        assert_eq!(whole.to_string().parse(), Ok(whole.clone()));
        let other = Policy { mode: Mode::BestEffort, user: None, code_bytes: 3, cpu_seconds: 1, niceness: 0, ..whole };
        assert_eq!(other.to_string().parse(), Ok(other));
    }

    #[test]
    fn a_policy_with_anything_amiss_is_refused() {
        let whole = Policy::new(Mode::Required, 1, 2).to_string();
        for wrong in ["", "mode", "mode=loose", "parent=-1", "heap=many", "colour=red"] {
            assert!(wrong.parse::<Policy>().is_err(), "{wrong}");
            assert!(format!("{whole},{wrong}").parse::<Policy>().is_err(), "{wrong}");
        }
        assert_eq!("mode=required".parse::<Policy>(), Err(PolicyError::Absent("parent")));
    }

    #[test]
    fn no_two_workers_of_a_full_pool_share_a_user() {
        let users: std::collections::HashSet<u32> =
            (1000..1000 + u64::from(USERS)).map(|id| user_for(WorkerId(id))).collect();
        assert_eq!(users.len(), USERS as usize);
        assert!(users.iter().all(|user| (FIRST_USER..61_184).contains(user)));
    }
}
