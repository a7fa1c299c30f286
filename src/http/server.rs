//! Listening: one thread accepts connections, others serve them, and all of them end together.
//!
//! ```text
//! main thread                      http threads, `server.http_threads` of them
//!   accept ── TcpStream, Place ──►   one dispatcher of the HTTP library for each connection,
//!   signals                          under its watch (http::connection)
//! ```

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::dev::AppConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::{Cut, Patience, Socket, Watch, serve};
use super::connections::{Connections, Place};
use super::{Application, ServeError};
use crate::metrics::Metrics;
use crate::session::budget::Budget;

/// Connections that may wait to be accepted: a whole class that opens the page at once.
const BACKLOG: i32 = 4096;

/// How long to wait when there is no descriptor for a connection: others are given back meanwhile.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(50);

/// How long the library goes on reading what a client still sends after an early answer, so that the client sees the answer.
const LINGER: Duration = Duration::from_secs(1);

/// A connection on its way to the thread that serves it.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
}

/// What the threads need besides the application.
#[derive(Clone)]
pub struct Serving {
    pub patience: Patience,
    pub connections: Connections,
    pub metrics: Arc<Metrics>,
    pub budget: Budget,
}

/// The threads that serve, and the socket that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    threads: Vec<Thread>,
    serving: Serving,
    /// The thread that gets the next connection.
    turn: usize,
}

struct Thread {
    connections: mpsc::UnboundedSender<Accepted>,
    handle: JoinHandle<()>,
}

impl Server {
    /// Binds, and starts the threads. When it returns, clients are served as soon as [`Server::accept`] is awaited. Must be called
    /// in a tokio runtime with I/O.
    ///
    /// # Errors
    /// Where the address cannot be bound or a thread cannot be started.
    pub fn start(
        listen: SocketAddr,
        threads: usize,
        application: Application,
        serving: Serving,
    ) -> Result<Server, ServeError> {
        let bind = |error| ServeError::Bind(listen, error);
        let listener = bound(listen).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let started: Result<Vec<Thread>, ServeError> =
            (0..threads).map(|number| start_thread(number, application.clone(), serving.clone())).collect();
        let threads = started?;
        let listener = TcpListener::from_std(listener).map_err(bind)?;
        Ok(Server { listener, address, threads, serving, turn: 0 })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts connections for ever.
    ///
    /// # Errors
    /// When the listening socket fails, or a thread has ended.
    ///
    /// # Cancel safety
    /// Safe: a connection that was not accepted waits in the kernel.
    pub async fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept().await {
                // Known to this thread's runtime until here, and from now on to that of another.
                Ok((stream, peer)) => self.welcome(stream.into_std()?, peer)?,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    // What has been silent for the longest has a descriptor that somebody needs.
                    self.serving.connections.make_room();
                    tokio::time::sleep(NO_DESCRIPTOR_PAUSE).await;
                }
            }
        }
    }

    /// Hands a connection to the next thread. One for which there is no room is closed without a word: whoever sends nothing can be
    /// told nothing.
    fn welcome(&mut self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let Some(place) = self.serving.connections.enter() else {
            self.serving.metrics.connection_cut("full");
            return Ok(());
        };
        self.turn = (self.turn + 1) % self.threads.len();
        let accepted = Accepted { stream, peer, place };
        self.threads[self.turn].connections.send(accepted).map_err(|_| io::Error::other("an http thread has ended"))
    }

    /// Takes no more connections, ends those that wait for a request, and gives the others this long.
    pub async fn stop(self, within: Duration) {
        let Server { listener, threads, serving, .. } = self;
        drop(listener);
        serving.connections.end_silent();
        let handles: Vec<_> = threads.into_iter().map(|Thread { connections: _, handle }| handle).collect();
        let ended = async {
            while handles.iter().any(|handle| !handle.is_finished()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if timeout(within, ended).await.is_err() {
            tracing::debug!(connections = serving.connections.len(), "connections are cut off");
        }
    }
}

fn bound(listen: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(listen)?;
    // A second call changes the length of the queue, which the standard library chooses.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Whether only this connection has failed, while it waited to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | WouldBlock)
}

/// Starts one thread and waits until it can serve.
fn start_thread(number: usize, application: Application, serving: Serving) -> Result<Thread, ServeError> {
    let (connections, incoming) = mpsc::unbounded_channel();
    let (ready, is_ready) = std_mpsc::sync_channel(1);
    let handle = std::thread::Builder::new()
        .name(format!("http-{number}"))
        .spawn(move || {
            let runtime = match actix_web::rt::Runtime::new() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            runtime.block_on(serve_all(incoming, application, serving, ready));
        })
        .map_err(ServeError::Thread)?;
    let ready = is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("it has ended")));
    ready.map_err(ServeError::Thread)?;
    Ok(Thread { connections, handle })
}

/// A thread's life: serves what it is handed until no more can come and the last connection is over.
async fn serve_all(
    mut incoming: mpsc::UnboundedReceiver<Accepted>,
    application: Application,
    serving: Serving,
    ready: std_mpsc::SyncSender<io::Result<()>>,
) {
    let factory = application.build().into_factory().map_err(|error: actix_web::Error| error.error_response());
    let service = HttpService::build()
        .keep_alive(actix_http::KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(LINGER)
        // Whoever closes his side is gone: his code is to be stopped, not finished.
        .h1_allow_half_closed(false)
        .on_connect_ext(|socket: &Socket, data| {
            data.insert(Rc::clone(socket.watch()));
        })
        .h1(map_config(factory, |()| AppConfig::default()))
        .new_service(())
        .await;
    let Ok(service) = service else {
        let _ = ready.send(Err(io::Error::other("the application cannot be built")));
        return;
    };
    let service = Rc::new(service);
    if ready.send(Ok(())).is_err() {
        return;
    }
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = incoming.recv() => match accepted {
                Some(accepted) => {
                    let (service, serving) = (Rc::clone(&service), serving.clone());
                    connections.spawn_local(connection(accepted, service, serving));
                }
                None => break,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection<S>(accepted: Accepted, service: Rc<S>, serving: Serving)
where
    S: Service<(Socket, Option<SocketAddr>), Response = (), Error = DispatchError>,
{
    let Accepted { stream, peer, place } = accepted;
    let Ok(stream) = alive(stream) else { return };
    let watch = Rc::new(Watch::new(place, serving.budget.account()));
    let dispatcher = service.call((Socket::new(stream, Rc::clone(&watch)), Some(peer)));
    match serve(dispatcher, &watch, serving.patience).await {
        Ok(Ok(())) => {}
        Ok(Err(DispatchError::Parse(error))) => {
            serving.metrics.connection_cut("not_http");
            tracing::debug!(%peer, %error, "a request is no HTTP");
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a connection has failed"),
        Err(cut) => {
            serving.metrics.connection_cut(cut.name());
            tracing::debug!(%peer, ?cut, "a connection is ended");
        }
    }
}

fn alive(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
    // Two small frames in a row would otherwise wait 40 ms for the client's delayed acknowledgement.
    stream.set_nodelay(true)?;
    tokio::net::TcpStream::from_std(stream)
}

impl Cut {
    fn name(self) -> &'static str {
        match self {
            Cut::Silent => "silent",
            Cut::Stalled => "stalled",
            Cut::GaveWay => "gave_way",
            Cut::Evicted => "evicted",
        }
    }
}
