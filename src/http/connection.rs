//! One connection: the HTTP library's dispatcher, and a watch over its time.
//!
//! The library bounds the first head of a connection and nothing else. So the socket and each request tell the [`Watch`] what they
//! do, and [`serve`] ends the connection when it waits too long: for the next whole head (the first as well as every later one), or
//! for a client that does not take its response. How long a body may take is said where bodies are read.

use std::cell::{Cell, RefCell};
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
use tokio::time::{sleep, sleep_until};

use super::connections::Place;
use super::guarded::guarded;
use crate::session::budget::{Account, Claim};

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection's start or the end of a response to the next whole head.
    pub head: Duration,
    /// Between two moves of a response.
    pub stall: Duration,
}

/// How long a connection that holds too much may take to say why it ends. Until then its memory is in use.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes that are read from a socket in one go. The library reads as long as there is something, and what it has read it must hold,
/// though nobody asks for it yet.
const READ_BYTES: usize = 16 << 10;

/// What a connection is doing. Shared by its socket, its requests, and the task that serves it.
pub struct Watch {
    place: Place,
    /// Since when it waits for a head; `None` while a request is being served.
    waits_since: Cell<Option<Instant>>,
    /// Since when the client has not taken what is there for it.
    stalled_since: Cell<Option<Instant>>,
    /// What the connection holds, all in all.
    account: Rc<Account>,
    /// What the library has ready for the client and the socket does not take.
    unsent: RefCell<Claim>,
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
    /// It held the most of what all may hold, and did not let go in time.
    Evicted,
}

impl Watch {
    pub fn new(place: Place, account: Rc<Account>) -> Watch {
        let unsent = RefCell::new(account.claim());
        Watch {
            place,
            waits_since: Cell::new(Some(Instant::now())),
            stalled_since: Cell::new(None),
            account,
            unsent,
            changed: Notify::new(),
        }
    }

    pub fn account(&self) -> &Rc<Account> {
        &self.account
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

    /// Resolves when the connection is still there though it was told to go.
    async fn overstayed(&self) {
        self.account.evicted().await;
        sleep(FAREWELL).await;
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
                () = self.overstayed() => return Cut::Evicted,
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
    /// Bytes read since the library was last told that there are none.
    read: usize,
}

impl Socket {
    pub fn new(stream: TcpStream, watch: Rc<Watch>) -> Socket {
        Socket { stream, watch, read: 0 }
    }

    pub fn watch(&self) -> &Rc<Watch> {
        &self.watch
    }

    fn note(&self, offered: usize, written: &Poll<io::Result<usize>>) {
        let stalled = &self.watch.stalled_since;
        let taken = if let Poll::Ready(Ok(taken)) = written { *taken } else { 0 };
        self.watch.unsent.borrow_mut().set(offered - taken);
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
        if self.read >= READ_BYTES {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.read = if polled.is_pending() { 0 } else { self.read + buf.filled().len() - before };
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(buf.len(), &written);
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
