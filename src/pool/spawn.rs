//! How a worker process comes to be, and the one thread that makes them.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::health::{self, Footprint};
use super::process::Process;
use super::shared::SpawnPermit;
use crate::ids::WorkerId;
use crate::sandbox::{Policy, user_for};

/// Starts workers. Called by one thread only, which lives as long as the pool: a worker may ask the kernel to be killed when its
/// parent *thread* ends.
pub trait Launcher: Send + 'static {
    /// Starts one worker, and does nothing slow besides.
    ///
    /// # Errors
    /// When there is no process to show for it.
    fn launch(&mut self, id: WorkerId) -> Result<Launched, LaunchError>;

    /// How the pool measures a running worker from outside.
    fn meter(&self) -> Meter {
        Arc::new(health::footprint)
    }

    /// How the pool weighs a running worker, once a second.
    fn scale(&self) -> Scale {
        Arc::new(health::unshared_bytes)
    }
}

/// Measures a process by its id; `None` where that is not possible.
pub type Meter = Arc<dyn Fn(u32) -> Option<Footprint> + Send + Sync>;

/// Weighs a process by its id: the bytes of memory that are really there and that it shares with no other. `None` where that is not
/// possible.
pub type Scale = Arc<dyn Fn(u32) -> Option<u64> + Send + Sync>;

/// A started worker that has not yet said anything.
pub struct Launched {
    /// The server's end of the pair.
    pub socket: UnixStream,
    pub process: Box<dyn Process>,
}

/// No process came of it.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    #[error("make a socket pair for a worker")]
    Socket(#[source] io::Error),
    #[error("execute the worker {}", program.display())]
    Execute { program: PathBuf, source: io::Error },
}

/// Starts real processes.
#[derive(Debug, Clone)]
pub struct ProcessLauncher {
    /// The worker's binary, absolute: the environment and with it `PATH` is cleared.
    pub program: PathBuf,
    pub args: Vec<String>,
    /// The box that workers enter, told as one more argument; each gets a user id of its own. `None` tells them nothing.
    pub policy: Option<Policy>,
}

impl Launcher for ProcessLauncher {
    /// The worker finds its end of the socket as file 0, /dev/null as 1 and 2, and nothing else of ours: std opens every file
    /// close-on-exec. There is no `pre_exec` on purpose: with one, std forks instead of using `posix_spawn`, and a fork copies
    /// the page tables of the whole server. So the worker sets its own death signal, limits and priority.
    fn launch(&mut self, id: WorkerId) -> Result<Launched, LaunchError> {
        let (ours, theirs) = UnixStream::pair().map_err(LaunchError::Socket)?;
        let child = Command::new(&self.program)
            .args(&self.args)
            .args(self.policy.clone().map(|policy| Policy { user: Some(user_for(id)), ..policy }.to_string()))
            .env_clear()
            .env("TZ", "UTC0")
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the foreground group: the server decides when its workers end.
            .process_group(0)
            .spawn()
            .map_err(|source| LaunchError::Execute { program: self.program.clone(), source })?;
        Ok(Launched { socket: ours, process: Box::new(child) })
    }
}

/// What the spawner is told.
pub(super) enum SpawnerJob {
    Launch(SpawnPermit),
    End,
}

/// The spawner thread.
pub(super) fn spawn(mut launcher: impl Launcher, jobs: &Receiver<SpawnerJob>) {
    while let Ok(SpawnerJob::Launch(permit)) = jobs.recv() {
        permit.launch(&mut launcher);
    }
}
