//! The server: routes, start and shutdown.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::metrics::Metrics;
use crate::pool::{Pool, PoolError, ProcessLauncher};
use crate::protocol::{ClientLimits, ErrorCode};
use crate::sandbox::Policy;
use crate::session::Shared;
use crate::session::budget::{Account, Budget};
use crate::session::registry::{Refused, Registry};

mod admission;
mod answers;
mod application;
mod body;
mod connection;
mod connections;
mod door;
pub(crate) mod gate;
mod guarded;
mod handshake;
mod lines;
mod page;
mod pieces;
pub(crate) mod present;
mod routes;
mod run;
mod server;
mod ws;

use application::Application;
use connection::{Patience, Watch};
use connections::Connections;
use door::Door;
use server::{Server, Serving};

/// Addresses remembered by the rate limit before old ones are forgotten.
const RATE_ADDRESSES: usize = 10_000;

/// Of the time that a shutdown may take, the part that is left for ending connections and workers after the sessions have ended.
const SHUTDOWN_TAIL: Duration = Duration::from_millis(500);

/// Of that, the part for connections: the last bytes of a goodbye reach a client that reads within this.
const CONNECTIONS_TAIL: Duration = Duration::from_millis(200);

/// With fewer, the page alone would not load: a browser opens six.
const FEWEST_CONNECTIONS: u64 = 16;

/// Under this name the HTTP library logs requests that are no HTTP, as errors. They are counted, and logged at debug, in
/// `server`: a stranger must not be able to fill the log.
pub const LIBRARY_LOG: &str = "actix_http";

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("find the program that workers run")]
    Program(#[source] std::io::Error),
    #[error("start the pool")]
    Pool(#[from] PoolError),
    #[error("see the workers boxed: the worker program did not say what box it is in")]
    Unboxed,
    #[error("bind {0} (`server.listen`)")]
    Bind(SocketAddr, #[source] std::io::Error),
    #[error("raise the limit of open files: it is {limit}, and at least {needed} are needed")]
    OpenFiles { limit: u64, needed: u64 },
    #[error("start a thread for HTTP (`server.http_threads`)")]
    Thread(#[source] std::io::Error),
    #[error("start the thread that accepts connections")]
    Runtime(#[source] std::io::Error),
    #[error("hear SIGTERM, SIGINT and SIGHUP")]
    Signals(#[source] std::io::Error),
    #[error("serve")]
    Serve(#[source] std::io::Error),
}

/// What every route can reach.
pub struct App {
    pub shared: Shared,
    pub sessions: Registry,
    pub connections: Connections,
    door: Door,
    rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl App {
    pub fn limits(&self) -> ClientLimits {
        let Config { run, server, .. } = &*self.shared.config;
        ClientLimits {
            frame_bytes: server.frame_bytes,
            code_bytes: run.code_bytes,
            max_timeout_ms: u64::try_from(run.max_timeout.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The account of the connection that this request came by.
    fn account(&self, req: &HttpRequest) -> Rc<Account> {
        req.conn_data::<Rc<Watch>>().map_or_else(|| self.shared.budget.account(), |watch| Rc::clone(watch.account()))
    }

    /// Whether the address of this request may start another run now.
    fn admits(&self, req: &HttpRequest) -> bool {
        let (Some(rate), Some(peer)) = (&self.rate, req.peer_addr()) else { return true };
        if rate.len() > RATE_ADDRESSES {
            rate.retain_recent();
        }
        rate.check_key(&peer.ip()).is_ok()
    }
}

/// Serves until SIGTERM, SIGINT or SIGHUP. Prints `listening on http://ADDR` when it is ready for clients.
///
/// # Errors
/// [`ServeError`] where the server cannot start; once it listens, only where a socket or the runtime fails.
pub fn serve(config: Config) -> Result<(), ServeError> {
    crate::sandbox::give_back_large_blocks();
    let open_files = raise_open_files();
    let most_connections = connections_within(open_files, &config)?;
    let config = Arc::new(config);
    let metrics = Arc::new(Metrics::new());
    let policy = Policy {
        code_bytes: config.run.code_bytes as u64,
        ..Policy::new(config.sandbox.mode, std::process::id(), config.run.heap_bytes)
    };
    let launcher = ProcessLauncher { program: worker_program()?, args: vec!["worker".into()], policy: Some(policy) };
    let hook = Arc::clone(&metrics) as Arc<dyn crate::pool::PoolHook>;
    let pool = Pool::start(config.pool.clone(), config.worker_settings(), config.run.kill_grace, launcher, hook)?;
    match pool.box_report() {
        Some(report) if report.is_complete() => tracing::info!(%report, "workers are boxed"),
        Some(report) => tracing::warn!(%report, "workers are boxed in part (`sandbox.mode` is best-effort)"),
        None => return Err(ServeError::Unboxed),
    }
    let budget = Budget::new(config.server.inflight_bytes);
    let shared = Shared { config: Arc::clone(&config), pool: pool.clone(), metrics, budget };
    let app = Data::new(App {
        shared,
        sessions: Registry::new(config.server.max_sessions),
        connections: Connections::new(most_connections),
        door: Door::new(&config.server),
        rate: config.server.http_runs_per_s.map(|per_s| RateLimiter::keyed(Quota::per_second(per_s))),
    });
    let served = match actix_web::rt::Runtime::new() {
        Ok(runtime) => runtime.block_on(listen(app, &config)),
        Err(error) => Err(ServeError::Runtime(error)),
    };
    if let Err(error) = pool.shutdown(SHUTDOWN_TAIL) {
        tracing::warn!(%error, "the pool did not end in time");
    }
    served
}

/// The worker is this very program; tests may name another.
fn worker_program() -> Result<PathBuf, ServeError> {
    match std::env::var_os("RUNPEN_WORKER_PROGRAM") {
        Some(program) => Ok(program.into()),
        None => std::env::current_exe().map_err(ServeError::Program),
    }
}

/// Each session has a socket and each worker another: asks for as many as this user may have, and returns how many that is.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files stays low");
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

/// The descriptors that the server's own workings need, whoever is connected.
const OWN_FILES: u64 = 64;

/// The descriptors that one worker takes in the server: its socket, and its handle while it starts and ends.
const FILES_A_WORKER: u64 = 2;

/// How many connections there may be, so that workers can still be started: never more than the rest of the open files.
fn connections_within(open_files: u64, config: &Config) -> Result<usize, ServeError> {
    let workers = OWN_FILES + FILES_A_WORKER * config.pool.max as u64;
    let room = open_files.saturating_sub(workers.min(open_files / 2).max(OWN_FILES));
    if room < FEWEST_CONNECTIONS {
        return Err(ServeError::OpenFiles { limit: open_files, needed: OWN_FILES + FEWEST_CONNECTIONS });
    }
    Ok(config.server.max_connections.min(usize::try_from(room).unwrap_or(usize::MAX)))
}

async fn listen(app: Data<App>, config: &Config) -> Result<(), ServeError> {
    // Before anybody is told that the server is there: until they are heard, signals kill.
    let mut signals = Signals::hear().map_err(ServeError::Signals)?;
    let serving = Serving {
        patience: Patience { head: config.server.head_timeout, stall: config.server.stall_timeout },
        connections: app.connections.clone(),
        metrics: Arc::clone(&app.shared.metrics),
        budget: app.shared.budget.clone(),
    };
    let application = Application::new(app.clone());
    let mut server = Server::start(config.server.listen, config.server.http_threads, application, serving)?;
    let address = server.address();
    tracing::info!(%address, "listening");
    println!("listening on http://{address}");
    let stopped = tokio::select! {
        failed = server.accept() => failed.map_err(ServeError::Serve),
        () = signals.next() => {
            // Who comes now is told that the server closes, as long as others finish.
            tokio::select! {
                failed = server.accept() => failed.map_err(ServeError::Serve),
                () = say_goodbye(&mut signals, &app, config.server.shutdown) => Ok(()),
            }
        }
    };
    server.stop(CONNECTIONS_TAIL).await;
    stopped
}

/// What stops the server.
struct Signals {
    term: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn hear() -> std::io::Result<Signals> {
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Cancel safe.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Tells every session that the server ends, and waits until they have said goodbye. A second signal does not wait.
async fn say_goodbye(signals: &mut Signals, app: &App, within: Duration) {
    tracing::info!(sessions = app.sessions.len(), "shutting down");
    app.sessions.close();
    let patience = within.saturating_sub(SHUTDOWN_TAIL);
    tokio::select! {
        () = app.sessions.emptied() => {}
        () = tokio::time::sleep(patience) => tracing::warn!(sessions = app.sessions.len(), "sessions left behind"),
        () = signals.next() => {}
    }
}

/// What a client is told whose connection holds the most when all together hold too much.
const EVICTED: &str = "the server holds too much for its clients, and this one has the most of it; try again later";

fn bad_request(message: &str) -> HttpResponse {
    run::failure(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, message)
}

fn refused(refused: Refused) -> HttpResponse {
    let (code, message) = match refused {
        Refused::Full => (ErrorCode::Busy, "the server has as many sessions as it takes; try again later"),
        Refused::Closing => (ErrorCode::ShuttingDown, "the server is shutting down"),
    };
    run::failure(StatusCode::SERVICE_UNAVAILABLE, code, message)
}
