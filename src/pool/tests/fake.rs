//! Workers that follow a script. Each is a thread; killing it closes its socket.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle, ThreadId};

use bytes::BytesMut;

use super::PATIENCE;
use crate::ids::{RunId, WorkerId};
use crate::ipc::{self, Health, HostMessage, RunEnd, WorkerMessage};
use crate::outcome::{Outcome, Usage};
use crate::pool::{Footprint, LaunchError, Launched, Launcher, Meter, Process, Scale};

/// What a worker does about a message.
#[derive(Clone)]
pub(super) enum Act {
    Say(WorkerMessage),
    /// Bytes that need not be a frame.
    Raw(Vec<u8>),
    /// Waits until the test opens this gate.
    Gate(&'static str),
    /// Says the same thing for ever.
    Flood(WorkerMessage),
    /// Ends.
    Die,
    /// Reads nothing more, and does nothing until it is killed.
    Hang,
}

pub(super) const FIT: Health = Health { heap_bytes: 100_000, interrupt_polls: 5, open_files: 3, leftovers: 0 };

pub(super) fn ready(nonce: u64) -> Act {
    unfit(nonce, FIT)
}

pub(super) fn unfit(nonce: u64, health: Health) -> Act {
    Act::Say(WorkerMessage::Ready { nonce, health })
}

pub(super) fn done(run: RunId) -> Act {
    Act::Say(WorkerMessage::Done(Box::new(RunEnd {
        run,
        outcome: Outcome::Ok,
        value: None,
        error: None,
        usage: Usage::default(),
        background: 0,
        engine_replaced: false,
    })))
}

pub(super) fn console(run: u32) -> WorkerMessage {
    WorkerMessage::Console { run: RunId(u64::from(run)), entries: Vec::new(), dropped: 1 }
}

/// What a good worker does.
pub(super) fn behave(message: &HostMessage) -> Vec<Act> {
    match message {
        HostMessage::Prepare { nonce, .. } => vec![ready(*nonce)],
        HostMessage::Run(run) => vec![Act::Say(WorkerMessage::Started { run: run.run }), done(run.run)],
        HostMessage::Interrupt { .. } | HostMessage::InputAnswer { .. } | HostMessage::Query { .. } => Vec::new(),
    }
}

/// What a script sees: the worker (1 for the first launched), how many `Prepare`s it has had with this one, the message.
pub(super) struct Cue<'a> {
    pub(super) worker: u64,
    pub(super) prepares: u32,
    pub(super) message: &'a HostMessage,
}

type Script = Arc<dyn Fn(Cue<'_>) -> Vec<Act> + Send + Sync>;

/// Everything the fake workers of one test share.
#[derive(Clone)]
pub(super) struct World {
    script: Script,
    shared: Arc<(Mutex<Facts>, Condvar)>,
}

#[derive(Default)]
struct Facts {
    launches: u64,
    alive: usize,
    open: HashSet<&'static str>,
    killed: HashSet<u64>,
    /// A second handle on each living worker's socket.
    wires: HashMap<u64, UnixStream>,
    footprints: HashMap<u64, Footprint>,
    weights: HashMap<u64, u64>,
    refuse_launches: bool,
    hold_reaping: bool,
    /// The names of the threads that have launched something.
    launched_by: HashSet<(ThreadId, Option<String>)>,
}

impl World {
    pub(super) fn new(script: impl Fn(Cue<'_>) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), shared: Arc::default() }
    }

    /// Only good workers.
    pub(super) fn good() -> Self {
        Self::new(|cue| behave(cue.message))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Facts) -> R) -> R {
        let result = change(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
        result
    }

    fn wait_for(&self, condition: impl Fn(&Facts) -> bool) -> bool {
        let facts = self.shared.0.lock().unwrap();
        let (_facts, timeout) = self.shared.1.wait_timeout_while(facts, PATIENCE, |facts| !condition(facts)).unwrap();
        !timeout.timed_out()
    }

    pub(super) fn launches(&self) -> u64 {
        self.change(|facts| facts.launches)
    }

    /// The names of the threads that have launched something, each thread once.
    pub(super) fn launched_by(&self) -> Vec<Option<String>> {
        self.change(|facts| facts.launched_by.iter().map(|(_, name)| name.clone()).collect())
    }

    #[track_caller]
    pub(super) fn wait_for_launches(&self, launches: u64) {
        assert!(self.wait_for(|facts| facts.launches >= launches), "{launches} launches");
    }

    pub(super) fn open(&self, gate: &'static str) {
        self.change(|facts| facts.open.insert(gate));
    }

    pub(super) fn refuse_launches(&self, refuse: bool) {
        self.change(|facts| facts.refuse_launches = refuse);
    }

    /// Killed workers are not reaped while this is on.
    pub(super) fn hold_reaping(&self, hold: bool) {
        self.change(|facts| facts.hold_reaping = hold);
    }

    pub(super) fn set_footprint(&self, pid: u32, footprint: Footprint) {
        self.change(|facts| facts.footprints.insert(u64::from(pid), footprint));
    }

    /// What the worker weighs from now on.
    pub(super) fn set_weight(&self, pid: u32, bytes: u64) {
        self.change(|facts| facts.weights.insert(u64::from(pid), bytes));
    }

    /// Ends a worker: as its pool does it, or as if somebody else had.
    pub(super) fn kill(&self, pid: u32) {
        self.change(|facts| {
            facts.killed.insert(u64::from(pid));
            if let Some(wire) = facts.wires.get(&u64::from(pid)) {
                let _ = wire.shutdown(Shutdown::Both);
            }
        });
    }

    #[track_caller]
    pub(super) fn check_all_ended(&self) {
        assert!(self.wait_for(|facts| facts.alive == 0), "a worker has outlived its pool");
    }

    /// The life of one worker.
    fn live(&self, worker: u64, mut socket: UnixStream) {
        let mut buffer = BytesMut::new();
        let mut prepares = 0;
        while let Some(message) = read_message(&mut socket, &mut buffer) {
            prepares += u32::from(matches!(message, HostMessage::Prepare { .. }));
            for act in (self.script)(Cue { worker, prepares, message: &message }) {
                if self.perform(worker, act, &mut socket).is_none() {
                    return;
                }
            }
        }
    }

    fn perform(&self, worker: u64, act: Act, socket: &mut UnixStream) -> Option<()> {
        let killed = |facts: &Facts| facts.killed.contains(&worker);
        match act {
            Act::Say(message) => say(socket, &message),
            Act::Raw(bytes) => socket.write_all(&bytes).ok(),
            Act::Gate(gate) => {
                self.wait_for(|facts| facts.open.contains(gate) || killed(facts));
                Some(())
            }
            Act::Flood(message) => {
                while say(socket, &message).is_some() {}
                None
            }
            Act::Die => None,
            Act::Hang => {
                self.wait_for(killed);
                None
            }
        }
    }
}

fn say(socket: &mut UnixStream, message: &WorkerMessage) -> Option<()> {
    let mut frame = BytesMut::new();
    ipc::encode(message, &mut frame).unwrap();
    socket.write_all(&frame).ok()
}

fn read_message(socket: &mut UnixStream, buffer: &mut BytesMut) -> Option<HostMessage> {
    loop {
        if let Some(message) = ipc::decode(buffer).expect("the server speaks well") {
            return Some(message);
        }
        let mut space = [0; 4096];
        match socket.read(&mut space) {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&space[..read]),
        }
    }
}

pub(super) struct FakeLauncher(pub(super) World);

impl Launcher for FakeLauncher {
    fn launch(&mut self, _: WorkerId) -> Result<Launched, LaunchError> {
        let world = self.0.clone();
        let worker = world.change(|facts| {
            facts.launches += 1;
            let thread = thread::current();
            facts.launched_by.insert((thread.id(), thread.name().map(String::from)));
            if facts.refuse_launches {
                return Err(LaunchError::Execute { program: "fake".into(), source: io::ErrorKind::NotFound.into() });
            }
            facts.alive += 1;
            Ok(facts.launches)
        })?;
        let (ours, theirs) = UnixStream::pair().map_err(LaunchError::Socket)?;
        let wire = theirs.try_clone().map_err(LaunchError::Socket)?;
        world.change(|facts| facts.wires.insert(worker, wire));
        let thread = thread::spawn(move || {
            let end = theirs.try_clone().unwrap();
            world.live(worker, theirs);
            // The kernel closes a dead process's socket, whoever else has a handle on it here.
            let _ = end.shutdown(Shutdown::Both);
            world.change(|facts| {
                facts.alive -= 1;
                facts.wires.remove(&worker);
            });
        });
        let process = FakeProcess { world: self.0.clone(), worker, thread: Some(thread) };
        Ok(Launched { socket: ours, process: Box::new(process) })
    }

    fn meter(&self) -> Meter {
        let world = self.0.clone();
        Arc::new(move |pid| world.change(|facts| facts.footprints.get(&u64::from(pid)).copied()))
    }

    fn scale(&self) -> Scale {
        let world = self.0.clone();
        Arc::new(move |pid| world.change(|facts| facts.weights.get(&u64::from(pid)).copied()))
    }
}

struct FakeProcess {
    world: World,
    worker: u64,
    thread: Option<JoinHandle<()>>,
}

impl Process for FakeProcess {
    fn pid(&self) -> u32 {
        u32::try_from(self.worker).unwrap()
    }

    fn kill(&mut self) {
        self.world.kill(self.pid());
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let thread = self.thread.take().expect("not waited for again");
        if self.world.change(|facts| facts.hold_reaping) || !thread.is_finished() {
            self.thread = Some(thread);
            return Ok(None);
        }
        thread.join().expect("fake workers do not panic");
        Ok(Some(ExitStatus::from_raw(9)))
    }
}
