//! One conversation: a thin loop around the state machine in [`state`].
//!
//! The loop waits in one place for whatever comes first (the client, the worker, the pool, a clock, the server's shutdown), turns it
//! into an [`Event`], and carries out the [`Action`]s that come back. It owns the lease, so that dropping the loop gives it back.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use crate::config::Config;
use crate::ids::SessionId;
use crate::ipc::WorkerMessage;
use crate::metrics::Metrics;
use crate::pool::{Acquired, Busy, Lease, Pool, Waited, Waiter, WorkerGone};
use crate::protocol::{ClientMessage, Hello, LimitsShown, PROTOCOL, Rejected, RequestId, ServerMessage};

pub mod budget;
pub mod registry;
pub mod state;

use budget::{Account, Budget, Claim};
use registry::Registration;
use state::{Action, CloseCode, Event, Rules, RunReport, State};

/// Unread output above which a worker's console is not taken any further, in bytes: the worker blocks, and a client that reads
/// slowly costs the server no more than this. Enough for a few screens, so that a client that keeps up never waits.
pub const BACKLOG_BYTES: usize = 256 * 1024;

/// The other end of a session: a WebSocket, or an HTTP request.
pub trait Client {
    /// Waits for the client; also moves what is queued for it. Not called again after [`Incoming::Gone`]. Cancel safe.
    fn next(&mut self) -> impl Future<Output = Incoming>;
    /// Queues a message. Never waits.
    fn send(&mut self, message: ServerMessage);
    /// Bytes that were queued and have not reached the socket.
    fn backlog(&self) -> usize;
    /// The same, and what is being collected for a reply that is not due yet.
    fn held(&self) -> usize {
        self.backlog()
    }
    /// Lets go of what is held: it is too much for the server, and the session ends. [`Client::close`] says why.
    fn evict(&mut self);
    /// Sends what is queued and says goodbye. Bounded in time by itself.
    fn close(self, code: CloseCode) -> impl Future<Output = ()>;
}

#[derive(Debug)]
pub enum Incoming {
    Message(ClientMessage),
    Rejected(Rejected),
    /// Nothing more will come, but the client still reads; finish within this time.
    Drain(Option<Duration>),
    Gone,
    /// Queued output has moved.
    Progress,
}

/// What sessions share.
#[derive(Clone)]
pub struct Shared {
    pub config: Arc<Config>,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    pub budget: Budget,
}

impl Shared {
    /// The state machine's rules as the configuration has them.
    pub fn rules(&self) -> Rules {
        let Config { run, pool, session, .. } = &*self.config;
        Rules {
            timeout: run.timeout,
            kill_grace: run.kill_grace,
            background_timeout: run.background_timeout,
            input_timeout: run.input_timeout,
            prepare_timeout: run.kill_grace + pool.health,
            start_timeout: pool.start,
            queue: run.queue,
            queued_bytes: session.queued_bytes,
            once: false,
            settings: self.config.worker_settings(),
        }
    }

    /// What `hello` and `/api/info` say.
    pub fn hello(&self, session: Option<SessionId>) -> Hello {
        let Config { run, server, .. } = &*self.config;
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION"),
            engine: "QuickJS (quickjs-ng)",
            session: session.map(|id| id.to_string()),
            limits: LimitsShown {
                timeout_ms: millis(run.timeout),
                max_timeout_ms: millis(run.max_timeout),
                background_timeout_ms: millis(run.background_timeout),
                input_timeout_ms: millis(run.input_timeout),
                code_bytes: run.code_bytes,
                frame_bytes: server.frame_bytes,
                heap_bytes: run.heap_bytes,
                console_bytes: run.console_bytes,
                console_entries: run.console_entries,
                queue: run.queue,
                timers: run.timers,
            },
            features: vec![
                "background",
                "cancel",
                "complete",
                "files",
                "input",
                "inspect",
                "is_complete",
                "modules",
                "preview",
                "reset",
                "top_level_await",
                "typescript",
            ],
        }
    }
}

/// How the session holds, or waits for, its worker.
enum Hold {
    None,
    Waiting(Waiter),
    Leased(Lease),
}

enum Woken {
    Client(Incoming),
    Waited(Waited),
    Worker(WorkerMessage),
    Lost { gone: WorkerGone, overdue: bool, taken: bool },
    Recalled,
    Clock,
    Evicted,
    Shutdown,
}

/// Runs one session to its end. Dropping the future midway gives the lease back.
pub async fn run<C: Client>(
    mut client: C,
    rules: Rules,
    shared: Rc<Shared>,
    mut registration: Registration,
    account: Rc<Account>,
) {
    let mut session = Session {
        id: registration.id(),
        hold: Hold::None,
        gone: false,
        state: State::new(rules, Instant::now()),
        unread_bytes: shared.config.session.unread_bytes,
        left_out: HashMap::new(),
        waiting: account.claim(),
        shared,
    };
    let mut close = None;
    while close.is_none() {
        let woken = session.wait(&mut client, &mut registration).await;
        close = session.handle(woken, &mut client);
        session.waiting.set(session.waiting_bytes());
    }
    let code = close.expect("the loop ends with a code");
    // A worker must not wait for a client that is slow to read its goodbye.
    session.hold = Hold::None;
    session.waiting.set(0);
    client.close(code).await;
}

/// How a session hears that its worker is gone: taken from it for want of memory, or lost.
fn lost(taken: bool, overdue: bool) -> Event {
    if taken { Event::WorkerTaken } else { Event::WorkerGone { overdue } }
}

struct Session {
    id: SessionId,
    hold: Hold,
    /// The client has said its last. It is not asked again: what has ended is always ready to say so, and the loop would only ever
    /// hear that, never the worker.
    gone: bool,
    state: State,
    /// What may wait for the client.
    unread_bytes: usize,
    /// Console entries of live runs that the client had no room for.
    left_out: HashMap<RequestId, u64>,
    /// What waits for the worker, and is half read from it.
    waiting: Claim,
    shared: Rc<Shared>,
}

impl Session {
    /// The one place that waits.
    async fn wait<C: Client>(&mut self, client: &mut C, registration: &mut Registration) -> Woken {
        // The end of what is being stopped must be read even when the client is slow to read. A worker that obeys says little more;
        // one that does not is killed, read or not.
        let most = if self.state.must_hear_worker() { self.unread_bytes } else { BACKLOG_BYTES };
        let may_read = client.backlog() < most;
        let wake_at = self.state.wake_at();
        let (gone, account) = (self.gone, self.waiting.account());
        let idle_since = self.state.idle_since();
        let recall = match &self.hold {
            Hold::Leased(lease) => {
                lease.note_idle(idle_since);
                idle_since.map(|_| lease.recall())
            }
            Hold::None | Hold::Waiting(_) => None,
        };
        let held = async {
            match &mut self.hold {
                Hold::None => std::future::pending().await,
                Hold::Waiting(waiter) => Woken::Waited(waiter.next().await),
                Hold::Leased(lease) if may_read => match lease.recv().await {
                    Ok(message) => Woken::Worker(message),
                    Err(gone) => Woken::Lost { gone, overdue: lease.is_overdue().await, taken: lease.was_taken() },
                },
                Hold::Leased(_) => std::future::pending().await,
            }
        };
        let clock = async {
            match wake_at {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let recalled = async {
            match &recall {
                Some(recall) => recall.called().await,
                None => std::future::pending().await,
            }
        };
        let anything = async {
            tokio::select! {
                incoming = client.next(), if !gone => Woken::Client(incoming),
                woken = held => woken,
                () = clock => Woken::Clock,
                () = recalled => Woken::Recalled,
                () = account.evicted(), if !gone => Woken::Evicted,
            }
        };
        tokio::select! {
            // First, and told once: the leases that others give back as they end must not begin another run here.
            biased;
            () = registration.shutdown() => Woken::Shutdown,
            woken = anything => woken,
        }
    }

    /// The one place that acts. Returns how to say goodbye once the session is over.
    fn handle<C: Client>(&mut self, woken: Woken, client: &mut C) -> Option<CloseCode> {
        let event = match woken {
            Woken::Client(Incoming::Message(message)) => {
                if matches!(message, ClientMessage::Hello { .. }) {
                    client.send(ServerMessage::Hello(Box::new(self.shared.hello(Some(self.id)))));
                }
                Event::Client(message)
            }
            Woken::Client(Incoming::Rejected(rejected)) => Event::Rejected(rejected),
            Woken::Client(Incoming::Drain(limit)) => Event::Drain(limit),
            Woken::Client(Incoming::Gone) => {
                self.gone = true;
                Event::Gone
            }
            Woken::Client(Incoming::Progress) => return None,
            Woken::Waited(Waited::Position(position)) => Event::Position(position),
            Woken::Waited(Waited::Ready(lease)) => {
                self.hold = Hold::Leased(lease);
                Event::Leased
            }
            Woken::Waited(Waited::TimedOut) => self.no_lease("no runtime became free in time; try again later"),
            Woken::Waited(Waited::Closed) => self.no_lease("the server is shutting down"),
            Woken::Worker(message) => Event::Worker(message),
            Woken::Lost { gone, overdue, taken } => {
                tracing::debug!(session = %self.id, %gone, overdue, taken, "worker gone");
                lost(taken, overdue)
            }
            Woken::Recalled => Event::Recalled,
            Woken::Clock => Event::Tick,
            Woken::Evicted => {
                tracing::info!(session = %self.id, "a session is ended because it holds the most (`server.inflight_bytes`)");
                self.shared.metrics.evicted();
                client.evict();
                self.gone = true;
                Event::Gone
            }
            Woken::Shutdown => Event::Shutdown,
        };
        self.apply(event, client)
    }

    fn no_lease(&mut self, sentence: &str) -> Event {
        self.hold = Hold::None;
        Event::NoLease(sentence.to_owned())
    }

    fn apply<C: Client>(&mut self, event: Event, client: &mut C) -> Option<CloseCode> {
        let mut close = None;
        let mut next = Some(event);
        while let Some(event) = next.take() {
            for action in self.state.apply(event, Instant::now()) {
                match action {
                    Action::Send(message) => {
                        let room = self.unread_bytes.saturating_sub(client.held());
                        client.send(self.fit(message, room));
                    }
                    Action::Acquire => next = self.acquire(),
                    Action::LeaveLine | Action::GiveBack => self.hold = Hold::None,
                    Action::ToWorker(message) => {
                        if let Hold::Leased(lease) = &mut self.hold
                            && lease.send(&message).is_err()
                        {
                            next = Some(lost(lease.was_taken(), false));
                        }
                    }
                    Action::Kill(reason) => {
                        if let Hold::Leased(lease) = std::mem::replace(&mut self.hold, Hold::None) {
                            lease.retire(reason);
                        }
                    }
                    Action::Ended(report) => {
                        let RunReport { outcome, took } = report;
                        tracing::debug!(session = %self.id, outcome = outcome.name(), ?took, "run ended");
                        self.shared.metrics.run_ended(&report);
                    }
                    Action::Stopped(reason, latency) => self.shared.metrics.stopped(reason, latency),
                    Action::Close(code) => close = Some(code),
                }
            }
        }
        close
    }

    /// Leaves out of a message what there is no room for, and has the end of its run count the console entries that were.
    fn fit(&mut self, message: ServerMessage, room: usize) -> ServerMessage {
        let entries = |message: &ServerMessage| match message {
            ServerMessage::Console { entries, .. } => entries.len() as u64,
            _ => 0,
        };
        let before = entries(&message);
        let mut message = message.within(room);
        let lost = before - entries(&message);
        match &mut message {
            ServerMessage::Console { id, .. } if lost > 0 => *self.left_out.entry(id.clone()).or_default() += lost,
            ServerMessage::Done(done) if done.background > 0 => {
                done.usage.dropped += self.left_out.get(&done.id).copied().unwrap_or_default();
            }
            ServerMessage::Done(done) => done.usage.dropped += self.left_out.remove(&done.id).unwrap_or_default(),
            ServerMessage::Settled { id, usage, .. } => {
                usage.dropped += self.left_out.remove(id).unwrap_or_default();
            }
            _ => {}
        }
        message
    }

    /// What this session holds besides its output.
    fn waiting_bytes(&self) -> usize {
        let worker = match &self.hold {
            Hold::Leased(lease) => lease.buffered_bytes(),
            Hold::None | Hold::Waiting(_) => 0,
        };
        self.state.queued_bytes() + worker
    }

    /// A waiter tells its place in the line by itself.
    fn acquire(&mut self) -> Option<Event> {
        match self.shared.pool.acquire() {
            Ok(Acquired::Now(lease)) => {
                self.hold = Hold::Leased(lease);
                Some(Event::Leased)
            }
            Ok(Acquired::Waiting(waiter)) => {
                self.hold = Hold::Waiting(waiter);
                None
            }
            Err(Busy::LineFull) => {
                Some(Event::NoLease("too many sessions wait for a runtime; try again later".to_owned()))
            }
            Err(Busy::Closed) => Some(Event::NoLease("the server is shutting down".to_owned())),
        }
    }
}
