//! One connection: the HTTP library's dispatcher, and a watch over its time.
//!
//! The library bounds the first head of a connection and nothing else. So the socket and each request tell the [`Watch`] what they
//! do, and [`serve`] ends the connection when it waits too long: for the next whole head (the first as well as every later one), or
//! for a client that does not take its response. How long a body may take is said where bodies are read.
//!
//! The library also keeps what has come of heads, and of requests that wait behind the one that is served. The watch counts that.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::sleep_until;

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

/// The same where its client takes nothing, and could only hear it behind all that it has not taken.
const DEAF_FAREWELL: Duration = Duration::from_millis(100);

/// Bytes that are read from a socket in one go. The library reads as long as there is something, and what it has read it must hold,
/// though nobody asks for it yet.
const READ_BYTES: usize = 16 << 10;

/// What a connection is doing. Shared by its socket, its requests, and the task that serves it.
pub struct Watch {
    place: Place,
    /// Since when it waits for a head; `None` while a request is being served, or its response written.
    waits_since: Cell<Option<Instant>>,
    /// Since when the client has not taken what is there for it.
    stalled_since: Cell<Option<Instant>>,
    /// What the connection holds, all in all.
    account: Rc<Account>,
    /// What the library has ready for the client and the socket does not take.
    unsent: Claim,
    /// What was read and not handed on to a request, and the head of the one that is served.
    unread: Claim,
    /// The length of that head, where a request is served.
    served: Cell<Option<usize>>,
    /// Since when it has to go because it holds too much, and how long it may take to say so.
    evicted: Cell<Option<(Instant, Duration)>>,
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
        let (unsent, unread) = (account.claim(), account.claim());
        Watch {
            place,
            waits_since: Cell::new(Some(Instant::now())),
            stalled_since: Cell::new(None),
            account,
            unsent,
            unread,
            served: Cell::new(None),
            evicted: Cell::new(None),
            changed: Notify::new(),
        }
    }

    pub fn account(&self) -> &Rc<Account> {
        &self.account
    }

    /// So many bytes went on to whoever reads the request's body.
    fn hand_on(&self, bytes: usize) {
        self.unread.set(self.unread.bytes().saturating_sub(bytes));
    }

    /// The body is at its end, or nobody wants it any more. How it was framed is not to be counted for ever.
    fn end_body(&self) {
        self.unread.set(self.served.get().unwrap_or(0));
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
        let evicted = self.evicted.get().map(|(since, farewell)| {
            let farewell = if stalled.is_some() { farewell.min(DEAF_FAREWELL) } else { farewell };
            (since + farewell, Cut::Evicted)
        });
        [silent, stalled, evicted].into_iter().flatten().min_by_key(|(at, _)| *at)
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
                () = self.account.evicted(), if self.evicted.get().is_none() => {
                    // To half a head there is no answer.
                    let is_head = self.served.get().is_none() && self.unread.bytes() > 0;
                    let farewell = if is_head { Duration::ZERO } else { FAREWELL };
                    self.evicted.set(Some((Instant::now(), farewell)));
                }
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
        let watch = &*self.watch;
        let taken = if let Poll::Ready(Ok(taken)) = written { *taken } else { 0 };
        watch.unsent.set(offered - taken);
        match written {
            Poll::Ready(_) => {
                watch.stalled_since.set(None);
                if taken == offered && watch.served.get().is_none() {
                    watch.wait_since(Some(Instant::now()));
                }
            }
            Poll::Pending if watch.stalled_since.get().is_none() => {
                watch.stalled_since.set(Some(Instant::now()));
                watch.wait_since(None);
                watch.changed.notify_one();
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
        let bytes = buf.filled().len() - before;
        self.watch.unread.set(self.watch.unread.bytes() + bytes);
        self.read = if polled.is_pending() { 0 } else { self.read + bytes };
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
    fn begin(watch: Rc<Watch>, head_bytes: usize) -> Served {
        watch.served.set(Some(head_bytes));
        watch.wait_since(None);
        Served { watch }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let head = self.watch.served.take().unwrap_or(0);
        // A little more than it has when it is understood: spaces, say, which would add up over a long life.
        self.watch.hand_on(head + head / 8 + 64);
        // While something of the response is still to be written, the wait has not begun.
        if self.watch.stalled_since.get().is_none() {
            self.watch.wait_since(Some(Instant::now()));
        }
    }
}

/// A request's body that tells the watch what becomes of it.
struct Told {
    body: Payload,
    watch: Rc<Watch>,
    /// Its end was read.
    is_read: Rc<Cell<bool>>,
}

impl Stream for Told {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        match &next {
            Poll::Ready(Some(Ok(bytes))) => self.watch.hand_on(bytes.len()),
            Poll::Ready(None) => self.is_read.set(true),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        next
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.watch.end_body();
    }
}

/// About as many bytes as a request's head has.
fn head_bytes(request: &ServiceRequest) -> usize {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    request.method().as_str().len() + request.uri().to_string().len() + 14 + headers.sum::<usize>()
}

/// Tells the watch of each request: the outermost of the application's layers.
///
/// # Errors
/// Those of the inner layers.
pub async fn watched(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(watch) = request.conn_data::<Rc<Watch>>().map(Rc::clone) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let served = Served::begin(Rc::clone(&watch), head_bytes(&request));
    // Without a body, all of it is read.
    let is_read = Rc::new(Cell::new(true));
    let (request, body) = request.into_parts();
    let body: Payload = match body {
        Payload::None => Payload::None,
        body => {
            is_read.set(false);
            Payload::Stream { payload: Box::pin(Told { body, watch, is_read: Rc::clone(&is_read) }) }
        }
    };
    let mut response = next.call(ServiceRequest::from_parts(request, body)).await?;
    // What is left of a body would have to be read and thrown away before the next head.
    if !is_read.get() && !response.response().head().upgrade() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| guarded(body, served)))
}
