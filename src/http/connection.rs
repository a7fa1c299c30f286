//! One connection: the HTTP library's dispatcher, and a watch over its time.
//!
//! The library bounds the first head of a connection and nothing else. So the socket and each request tell the [`Watch`] what they
//! do, and [`serve`] ends the connection when it waits too long: for the next whole head (the first as well as every later one), or
//! for a client that does not take its response. How long a body may take is said where bodies are read.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::connections::Place;
use super::guarded::guarded;

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection's start or the end of a response to the next whole head.
    pub head: Duration,
    /// Between two moves of a response.
    pub stall: Duration,
}

/// What a connection is doing. Shared by its socket, its requests, and the task that serves it.
pub struct Watch {
    place: Place,
    /// Since when it waits for a head; `None` while a request is being served.
    waits_since: Cell<Option<Instant>>,
    /// Since when the client has not taken what is there for it.
    stalled_since: Cell<Option<Instant>>,
    /// One of the above has changed such that a wait may be over earlier.
    changed: Notify,
}

/// Why a connection was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// No whole head in time.
    Silent,
    /// The response is not read.
    Stalled,
    /// It had to make room for another, or the server ends.
    GaveWay,
}

impl Watch {
    pub fn new(place: Place) -> Watch {
        Watch {
            place,
            waits_since: Cell::new(Some(Instant::now())),
            stalled_since: Cell::new(None),
            changed: Notify::new(),
        }
    }

    fn wait_since(&self, since: Option<Instant>) {
        self.waits_since.set(since);
        self.place.set_silent_since(since);
        if since.is_some() {
            self.changed.notify_one();
        }
    }

    /// What ends the connection next, and when.
    fn due(&self, patience: Patience) -> Option<(Instant, Cut)> {
        let silent = self.waits_since.get().map(|since| (since + patience.head, Cut::Silent));
        let stalled = self.stalled_since.get().map(|since| (since + patience.stall, Cut::Stalled));
        silent.into_iter().chain(stalled).min_by_key(|(at, _)| *at)
    }

    /// Resolves when the connection has waited too long or is to end.
    async fn cut(&self, patience: Patience) -> Cut {
        loop {
            let due = self.due(patience);
            if let Some((at, cut)) = due
                && at <= Instant::now()
            {
                return cut;
            }
            let clock = async {
                match due {
                    Some((at, _)) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = clock => {}
                () = self.changed.notified() => {}
                () = self.place.ended() => return Cut::GaveWay,
            }
        }
    }
}

/// Runs a dispatcher to its end, or to the end of the watch's patience. Dropping the dispatcher closes the socket and lets go of the
/// request, its session and its response.
///
/// # Errors
/// [`Cut`] where the connection was ended from here.
pub async fn serve<D: Future>(dispatcher: D, watch: &Watch, patience: Patience) -> Result<D::Output, Cut> {
    tokio::select! {
        biased;
        output = dispatcher => Ok(output),
        cut = watch.cut(patience) => Err(cut),
    }
}

/// A client's socket that tells the watch whether the client takes what is written.
pub struct Socket {
    stream: TcpStream,
    watch: Rc<Watch>,
}

impl Socket {
    pub fn new(stream: TcpStream, watch: Rc<Watch>) -> Socket {
        Socket { stream, watch }
    }

    pub fn watch(&self) -> &Rc<Watch> {
        &self.watch
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        let stalled = &self.watch.stalled_since;
        match written {
            Poll::Ready(_) => stalled.set(None),
            Poll::Pending if stalled.get().is_none() => {
                stalled.set(Some(Instant::now()));
                self.watch.changed.notify_one();
            }
            Poll::Pending => {}
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A request that is being served, from its head to the end of its response body.
struct Served {
    watch: Rc<Watch>,
}

impl Served {
    fn begin(watch: Rc<Watch>) -> Served {
        watch.wait_since(None);
        Served { watch }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.watch.wait_since(Some(Instant::now()));
    }
}

/// Tells the watch of each request: the outermost of the application's layers.
///
/// # Errors
/// Those of the inner layers.
pub async fn watched(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let watch = request.conn_data::<Rc<Watch>>().map(Rc::clone);
    let served = watch.map(Served::begin);
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| guarded(body, served)))
}
