//! `/ws` and `/ws/text`: the WebSocket end of a session.
//!
//! Output goes `send` → `queue` → actix-ws's channel → response body → socket. The channel is bounded in frames only, so a
//! [`Window`] counts the bytes that the body has not yet given to the socket, and frames wait in `queue` while it is full.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, Message, ProtocolError};
use bytestring::ByteString;
use futures_util::Sink;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};

mod gated;
mod heard;

use gated::Seen;

use super::App;
use super::guarded::guarded;
use super::lines::Lines;
use super::pieces::Pieces;
use super::present::{Finals, Presenter};
use crate::protocol::{ClientLimits, ServerMessage};
use crate::session::budget::Claim;
use crate::session::registry::Kind;
use crate::session::state::CloseCode;
use crate::session::{BACKLOG_BYTES, Client, Incoming};

/// Bytes given to the connection but not yet to the socket. One full batch of console output and a little more, so that the
/// socket never runs dry while the session is scheduled.
const WINDOW_BYTES: usize = 64 * 1024;

/// Output above which no more of the client's messages are read: whoever does not read his answers may not ask for more.
const DEAF_BYTES: usize = 1024 * 1024;

/// How long a goodbye may take to reach a client that reads slowly.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(serde::Deserialize)]
pub struct Options {
    #[serde(default)]
    once: Option<String>,
    #[serde(default)]
    reply: Option<String>,
}

/// Which dialect the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Json,
    Text,
}

pub async fn json(req: HttpRequest, body: Payload, app: Data<App>, options: Query<Options>) -> HttpResponse {
    upgrade(&req, body, &app, options.into_inner(), Dialect::Json)
}

pub async fn text(req: HttpRequest, body: Payload, app: Data<App>, options: Query<Options>) -> HttpResponse {
    upgrade(&req, body, &app, options.into_inner(), Dialect::Text)
}

fn upgrade(req: &HttpRequest, body: Payload, app: &App, options: Options, dialect: Dialect) -> HttpResponse {
    if let Some(refusal) = super::handshake::refusal(req) {
        return refusal;
    }
    let once = match options.once.as_deref() {
        None | Some("0" | "false") => false,
        Some("" | "1" | "true") => true,
        Some(_) => return super::bad_request("`once` must be 1 or 0"),
    };
    let presenter = match (dialect, options.reply.as_deref()) {
        (Dialect::Text, None) => Presenter::Text,
        (Dialect::Text, Some(_)) => return super::bad_request("`reply` belongs to /ws, not to /ws/text"),
        (Dialect::Json, None | Some("stream")) => Presenter::Json,
        (Dialect::Json, Some("final")) => Presenter::Final(Finals::default()),
        (Dialect::Json, Some(_)) => return super::bad_request("`reply` must be final or stream"),
    };
    let registration = match app.sessions.enter(Kind::WebSocket) {
        Ok(registration) => registration,
        Err(refused) => return super::refused(refused),
    };
    let config = &app.shared.config;
    let frame_bytes = config.server.frame_bytes;
    let account = app.account(req);
    let (body, seen) = gated::gated(req, body, frame_bytes, account.claim());
    let (response, session, stream) = match actix_ws::handle(req, body) {
        Ok(upgraded) => upgraded,
        Err(error) => return super::bad_request(&format!("this address speaks WebSocket: {error}")),
    };
    let window = Rc::new(Window::new(account.claim()));
    let (counted, permit) = (Rc::clone(&window), registration.permit());
    // The session keeps its place until its last word has left.
    let response = response
        .map_body(move |_, inner| guarded(Counted { inner: Pieces::new(inner), window: counted, chunk: 0 }, permit));

    let heartbeat = config.session.heartbeat;
    let mut pings = interval_at(tokio::time::Instant::now() + heartbeat, heartbeat);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let client = WsClient {
        socket: session,
        stream: stream.max_frame_size(frame_bytes).aggregate_continuations().max_continuation_size(frame_bytes),
        seen,
        presenter,
        lines: (dialect == Dialect::Text).then(|| Lines::new(config.session.queued_bytes, account.claim())),
        limits: app.limits(),
        rate: config.session.messages_per_s.map(|per_s| RateLimiter::direct(Quota::per_second(per_s))),
        queue: VecDeque::new(),
        pong: None,
        collected: account.claim(),
        window,
        pings,
        heartbeat,
        alive: Instant::now(),
        close_drain: (dialect == Dialect::Json).then_some(config.session.close_drain),
        goodbye: None,
    };
    let mut rules = app.shared.rules();
    rules.once = once;
    actix_web::rt::spawn(crate::session::run(client, rules, Rc::new(app.shared.clone()), registration, account));
    response
}

/// What of the output is under way, shared with the response body.
struct Window {
    /// Bytes that wait in the client's own queue.
    queued: Cell<usize>,
    /// The same, and what is in flight.
    held: Claim,
    /// The connection has let go of the body. While no messages are read, nothing else tells that the client is gone.
    closed: Cell<bool>,
    /// One of the above has changed.
    moved: Notify,
}

impl Window {
    fn new(held: Claim) -> Window {
        Window { queued: Cell::new(0), held, closed: Cell::new(false), moved: Notify::new() }
    }

    /// Bytes given to the connection but not yet to the socket.
    fn in_flight(&self) -> usize {
        self.held.bytes() - self.queued.get()
    }

    fn set(&self, queued: usize, in_flight: usize) {
        self.queued.set(queued);
        self.held.set(queued + in_flight);
    }
}

/// The response body, counting what the socket takes.
struct Counted {
    inner: Pieces,
    window: Rc<Window>,
    /// What was given of a chunk that is not given to its end: its memory is held until then.
    chunk: usize,
}

impl MessageBody for Counted {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.inner).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.chunk += bytes.len();
            if self.inner.is_between_chunks() {
                let given = std::mem::take(&mut self.chunk);
                let window = &self.window;
                window.set(window.queued.get(), window.in_flight().saturating_sub(given));
            }
            self.window.moved.notify_one();
        }
        next
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.window.closed.set(true);
        self.window.moved.notify_one();
    }
}

struct WsClient {
    socket: actix_ws::Session,
    stream: AggregatedMessageStream,
    /// What the gate before `stream` has seen.
    seen: Rc<Seen>,
    presenter: Presenter,
    /// What the client of `/ws/text` has said and the session is not ready for.
    lines: Option<Lines>,
    limits: ClientLimits,
    rate: Option<DefaultDirectRateLimiter>,
    queue: VecDeque<Message>,
    /// What the pong in `queue` is to say, where one waits. It answers the newest ping alone (RFC 6455 §5.5.3).
    pong: Option<Bytes>,
    /// What the presenter holds.
    collected: Claim,
    window: Rc<Window>,
    pings: Interval,
    heartbeat: Duration,
    /// When the client was last heard, or last took output.
    alive: Instant,
    /// How long a `Close` without a code lets runs finish; `None` for as long as they may take.
    close_drain: Option<Duration>,
    /// What to answer the client's `Close` with, or why it is sent away.
    goodbye: Option<Option<CloseReason>>,
}

/// What `WsClient::next` waits for.
enum Moved {
    Taken(Result<(), actix_ws::Closed>),
    Window,
    Heard(Option<Result<AggregatedMessage, ProtocolError>>),
    Ping,
}

impl Client for WsClient {
    async fn next(&mut self) -> Incoming {
        loop {
            if let Some(next) = self.lines.as_mut().and_then(Lines::next) {
                return self.next_line(next);
            }
            let deaf = self.backlog() >= DEAF_BYTES;
            // The session reads no more from its worker: it has to hear when that may go on.
            let held_back = self.backlog() >= BACKLOG_BYTES;
            let (queued, room) = (!self.queue.is_empty(), self.window.in_flight() < WINDOW_BYTES);
            let moved = tokio::select! {
                taken = ready(&mut self.socket), if queued && room => Moved::Taken(taken),
                () = self.window.moved.notified(), if queued && !room || held_back => Moved::Window,
                heard = self.stream.recv(), if !deaf => Moved::Heard(heard),
                _ = self.pings.tick() => Moved::Ping,
            };
            match moved {
                Moved::Taken(Err(actix_ws::Closed)) => return Incoming::Gone,
                Moved::Taken(Ok(())) => {
                    if !self.hand_over() {
                        return Incoming::Gone;
                    }
                    if self.queue.is_empty() {
                        return Incoming::Progress;
                    }
                }
                Moved::Window if self.window.closed.get() => return Incoming::Gone,
                Moved::Window => {
                    self.alive = Instant::now();
                    return Incoming::Progress;
                }
                Moved::Heard(heard) => {
                    self.alive = Instant::now();
                    if let Some(incoming) = self.heard(heard) {
                        return incoming;
                    }
                }
                Moved::Ping => {
                    if self.alive.elapsed() >= 2 * self.heartbeat {
                        return Incoming::Gone;
                    }
                    self.push(Message::Ping(Bytes::new()));
                }
            }
        }
    }

    fn send(&mut self, message: ServerMessage) {
        if let Some(lines) = &mut self.lines {
            lines.told(&message);
        }
        let frame = self.presenter.present(message);
        self.collected.set(self.presenter.held());
        let Some(frame) = frame else { return };
        self.push(Message::Text(frame.into()));
    }

    fn backlog(&self) -> usize {
        self.window.held.bytes()
    }

    fn held(&self) -> usize {
        self.backlog() + self.presenter.held()
    }

    fn evict(&mut self) {
        self.queue.clear();
        self.window.set(0, self.window.in_flight());
        self.goodbye =
            Some(Some(CloseReason { code: actix_ws::CloseCode::Again, description: Some(super::EVICTED.to_owned()) }));
    }

    async fn close(mut self, code: CloseCode) {
        let reason = match (self.goodbye.take(), code) {
            (Some(reason), _) => reason,
            (None, CloseCode::Normal) => Some(CloseReason::from(actix_ws::CloseCode::Normal)),
            (None, CloseCode::GoingAway) => Some(CloseReason {
                code: actix_ws::CloseCode::Away,
                description: Some("the server is shutting down".to_owned()),
            }),
            (None, CloseCode::Gone) => return,
        };
        let flush = async {
            while !self.queue.is_empty() {
                if ready(&mut self.socket).await.is_err() || !self.hand_over() {
                    return;
                }
            }
            // An error means that the connection is gone, and with it whoever wanted a goodbye.
            let _ = self.socket.close(reason).await;
        };
        if timeout(GOODBYE, flush).await.is_err() {
            tracing::debug!("a client did not read its goodbye");
        }
    }
}

impl WsClient {
    fn push(&mut self, message: Message) {
        self.window.set(self.window.queued.get() + frame_bytes(&message), self.window.in_flight());
        self.queue.push_back(message);
    }

    /// Moves one frame to the connection, after [`ready`] said that there is room.
    fn hand_over(&mut self) -> bool {
        let Some(mut message) = self.queue.pop_front() else { return true };
        let mut queued = self.window.queued.get() - frame_bytes(&message);
        if let Message::Pong(payload) = &mut message {
            *payload = self.pong.take().unwrap_or_default();
        }
        if self.lines.is_some()
            && let Message::Text(text) = &message
        {
            let (line, rest) = first_line(text);
            if let Some(rest) = rest {
                let rest = Message::Text(rest);
                queued += frame_bytes(&rest);
                self.queue.push_front(rest);
            }
            message = Message::Text(line);
        }
        self.window.set(queued, self.window.in_flight() + frame_bytes(&message));
        Pin::new(&mut self.socket).start_send(message).is_ok()
    }

    /// Answers a ping, once the connection has room for it.
    fn answer(&mut self, ping: Bytes) {
        if self.pong.replace(ping).is_none() {
            self.push(Message::Pong(Bytes::new()));
        }
    }
}

/// The first line of a text, and the rest. `/ws/text` sends a frame for each line: websocat prints a frame as one line, whatever is
/// in it, and takes an empty one for the end. Taken apart only when it is sent, because a line costs far more than its one byte.
fn first_line(text: &ByteString) -> (ByteString, Option<ByteString>) {
    let (line, rest) = match text.split_once('\n') {
        Some((line, rest)) => (text.slice_ref(line), Some(text.slice_ref(rest))),
        None => (text.clone(), None),
    };
    (if line.is_empty() { ByteString::from_static(" ") } else { line }, rest)
}

/// Waits until the connection's channel has a place.
async fn ready(socket: &mut actix_ws::Session) -> Result<(), actix_ws::Closed> {
    std::future::poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await
}

/// What a message takes on the wire (RFC 6455 §5.2; server frames are not masked).
fn frame_bytes(message: &Message) -> usize {
    let payload = match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) | Message::Continuation(_) | Message::Nop => 0,
    };
    payload
        + match payload {
            0..=125 => 2,
            126..=65_535 => 4,
            _ => 10,
        }
}
