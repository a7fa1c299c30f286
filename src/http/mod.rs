//! The server: routes, start and shutdown.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;
use crate::metrics::Metrics;
use crate::pool::{Pool, PoolError, ProcessLauncher};
use crate::protocol::{ClientLimits, ErrorCode};
use crate::sandbox::Policy;
use crate::session::Shared;
use crate::session::registry::{Refused, Registry};

mod lines;
mod page;
pub(crate) mod present;
mod routes;
mod run;
mod ws;

/// Addresses remembered by the rate limit before old ones are forgotten.
const RATE_ADDRESSES: usize = 10_000;

/// Of the time that a shutdown may take, the part that is left for ending connections and workers after the sessions have ended.
const SHUTDOWN_TAIL: Duration = Duration::from_millis(500);

/// Connections that may wait to be accepted: a whole class that opens the page at once.
const BACKLOG: u32 = 4096;

/// Under this name the HTTP library logs what its own threads do.
pub const LIBRARY_LOG: &str = "actix_server";

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
    #[error("hear SIGTERM and SIGINT")]
    Signals(#[source] std::io::Error),
    #[error("serve")]
    Serve(#[source] std::io::Error),
}

/// What every route can reach.
pub struct App {
    pub shared: Shared,
    pub sessions: Registry,
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

    /// Whether the address of this request may start another run now.
    fn admits(&self, req: &HttpRequest) -> bool {
        let (Some(rate), Some(peer)) = (&self.rate, req.peer_addr()) else { return true };
        if rate.len() > RATE_ADDRESSES {
            rate.retain_recent();
        }
        rate.check_key(&peer.ip()).is_ok()
    }
}

/// Serves until SIGTERM or SIGINT. Prints `listening on http://ADDR` when it is ready for clients.
///
/// # Errors
/// [`ServeError`] where the server cannot start; once it listens, only where a socket or the runtime fails.
pub fn serve(config: Config) -> Result<(), ServeError> {
    raise_open_files();
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
    let shared = Shared { config: Arc::clone(&config), pool: pool.clone(), metrics };
    let app = Data::new(App {
        shared,
        sessions: Registry::new(config.server.max_sessions),
        rate: config.server.http_runs_per_s.map(|per_s| RateLimiter::keyed(Quota::per_second(per_s))),
    });
    let served = actix_web::rt::System::new().block_on(listen(app, &config));
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

/// Each session has a socket and each worker another: ask for as many as this user may have.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files stays low");
    }
}

async fn listen(app: Data<App>, config: &Config) -> Result<(), ServeError> {
    let frame_bytes = config.server.frame_bytes;
    let routes = app.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(routes.clone())
            .app_data(PayloadConfig::new(frame_bytes))
            .route("/ws", web::get().to(ws::json))
            .route("/ws/text", web::get().to(ws::text))
            .service(
                web::resource("/api/run")
                    .app_data(PayloadConfig::new(frame_bytes))
                    .route(web::post().to(run::run))
                    .default_service(web::to(routes::post_only)),
            )
            .route("/api/info", web::get().to(routes::info))
            .route("/healthz", web::get().to(routes::healthz))
            .route("/readyz", web::get().to(routes::readyz))
            .route("/metrics", web::get().to(routes::metrics))
            .default_service(web::get().to(page::page))
    })
    .workers(config.server.http_threads)
    .backlog(BACKLOG)
    // Two small frames in a row would otherwise wait 40 ms for the client's delayed acknowledgement.
    .tcp_nodelay(true)
    // Whoever closes his side is gone: his code is to be stopped, not finished.
    .h1_allow_half_closed(false)
    .disable_signals()
    .shutdown_timeout(1)
    .bind(config.server.listen)
    .map_err(|error| ServeError::Bind(config.server.listen, error))?;
    // Before anybody is told that the server is there: until they are heard, signals kill.
    let signals = Signals::hear().map_err(ServeError::Signals)?;
    for address in server.addrs() {
        tracing::info!(%address, "listening");
        println!("listening on http://{address}");
    }
    let server = server.run();
    let stopper = actix_web::rt::spawn(stop_on_signal(signals, server.handle(), app, config.server.shutdown));
    let served = server.await.map_err(ServeError::Serve);
    stopper.abort();
    served
}

/// What stops the server.
struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    fn hear() -> std::io::Result<Signals> {
        Ok(Signals { term: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Cancel safe.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// SIGTERM or SIGINT: tell every session, wait until they have said goodbye, then stop. A second signal does not wait.
async fn stop_on_signal(mut signals: Signals, server: ServerHandle, app: Data<App>, within: Duration) {
    signals.next().await;
    tracing::info!(sessions = app.sessions.len(), "shutting down");
    app.sessions.close();
    let patience = within.saturating_sub(SHUTDOWN_TAIL);
    tokio::select! {
        () = app.sessions.emptied() => {}
        () = tokio::time::sleep(patience) => tracing::warn!(sessions = app.sessions.len(), "sessions left behind"),
        () = signals.next() => {}
    }
    server.stop(false).await;
}

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
