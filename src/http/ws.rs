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

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::{Bytes, Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, Message, ProtocolError};
use bytestring::ByteString;
use futures_util::Sink;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};

use super::App;
use super::lines::{Full, Lines, Next};
use super::present::{Finals, Presenter};
use crate::protocol::{ClientLimits, ClientMessage, ErrorCode, Rejected, RequestId, Run, ServerMessage};
use crate::session::registry::Kind;
use crate::session::state::CloseCode;
use crate::session::{Client, Incoming};

/// Bytes given to the connection but not yet to the socket. One full batch of console output and a little more, so that the
/// socket never runs dry while the session is scheduled.
const WINDOW_BYTES: usize = 64 * 1024;

/// Output above which no more of the client's messages are read: whoever does not read his answers may not ask for more.
const DEAF_BYTES: usize = 1024 * 1024;

/// How long a goodbye may take to reach a client that reads slowly.
const GOODBYE: Duration = Duration::from_secs(2);

/// What actix-ws says when the frames of one message are too large together. It has no kind of error of its own for that.
const TOO_MANY_PIECES: &str = "Exceeded maximum continuation size";

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
    let (response, session, stream) = match actix_ws::handle(req, body) {
        Ok(upgraded) => upgraded,
        Err(error) => return super::bad_request(&format!("this address speaks WebSocket: {error}")),
    };
    let window = Rc::new(Window::default());
    let counted = Rc::clone(&window);
    let response = response.map_body(move |_, inner| BoxBody::new(Counted { inner, window: counted }));

    let frame_bytes = config.server.frame_bytes;
    let heartbeat = config.session.heartbeat;
    let mut pings = interval_at(tokio::time::Instant::now() + heartbeat, heartbeat);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let client = WsClient {
        socket: session,
        stream: stream.max_frame_size(frame_bytes).aggregate_continuations().max_continuation_size(frame_bytes),
        presenter,
        lines: (dialect == Dialect::Text).then(Lines::default),
        limits: app.limits(),
        rate: config.session.messages_per_s.map(|per_s| RateLimiter::direct(Quota::per_second(per_s))),
        queue: VecDeque::new(),
        queued_bytes: 0,
        window,
        pings,
        heartbeat,
        alive: Instant::now(),
        close_drain: (dialect == Dialect::Json).then_some(config.session.close_drain),
        goodbye: None,
    };
    let mut rules = app.shared.rules();
    rules.once = once;
    actix_web::rt::spawn(crate::session::run(client, rules, Rc::new(app.shared.clone()), registration));
    response
}

/// What of the output is under way, shared with the response body.
#[derive(Default)]
struct Window {
    in_flight: Cell<usize>,
    /// The connection has let go of the body. While no messages are read, nothing else tells that the client is gone.
    closed: Cell<bool>,
    /// One of the above has changed.
    moved: Notify,
}

/// The response body, counting what the socket takes.
struct Counted {
    inner: BoxBody,
    window: Rc<Window>,
}

impl MessageBody for Counted {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.inner).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            let window = &self.window;
            window.in_flight.set(window.in_flight.get().saturating_sub(bytes.len()));
            window.moved.notify_one();
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
    presenter: Presenter,
    /// What the client of `/ws/text` has said and the session is not ready for.
    lines: Option<Lines>,
    limits: ClientLimits,
    rate: Option<DefaultDirectRateLimiter>,
    queue: VecDeque<Message>,
    queued_bytes: usize,
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
            let (queued, room) = (!self.queue.is_empty(), self.window.in_flight.get() < WINDOW_BYTES);
            let moved = tokio::select! {
                taken = ready(&mut self.socket), if queued && room => Moved::Taken(taken),
                () = self.window.moved.notified(), if queued && !room || deaf => Moved::Window,
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
        let Some(frame) = self.presenter.present(message) else { return };
        self.push(Message::Text(frame.into()));
    }

    fn backlog(&self) -> usize {
        self.queued_bytes + self.window.in_flight.get()
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
        self.queued_bytes += frame_bytes(&message);
        self.queue.push_back(message);
    }

    /// Moves one frame to the connection, after [`ready`] said that there is room.
    fn hand_over(&mut self) -> bool {
        let Some(mut message) = self.queue.pop_front() else { return true };
        self.queued_bytes -= frame_bytes(&message);
        if self.lines.is_some()
            && let Message::Text(text) = &message
        {
            let (line, rest) = first_line(text);
            if let Some(rest) = rest {
                let rest = Message::Text(rest);
                self.queued_bytes += frame_bytes(&rest);
                self.queue.push_front(rest);
            }
            message = Message::Text(line);
        }
        self.window.in_flight.set(self.window.in_flight.get() + frame_bytes(&message));
        Pin::new(&mut self.socket).start_send(message).is_ok()
    }

    /// What a frame means; `None` for one that means nothing to a session.
    fn heard(&mut self, heard: Option<Result<AggregatedMessage, ProtocolError>>) -> Option<Incoming> {
        match heard {
            Some(Ok(AggregatedMessage::Text(text))) => self.understand(&text),
            Some(Ok(AggregatedMessage::Binary(_))) => Some(reject("binary frames are not understood here; send text")),
            Some(Ok(AggregatedMessage::Ping(payload))) => {
                self.push(Message::Pong(payload));
                None
            }
            Some(Ok(AggregatedMessage::Pong(_))) => None,
            Some(Ok(AggregatedMessage::Close(None))) => {
                self.goodbye = Some(None);
                match &mut self.lines {
                    Some(lines) => {
                        lines.end();
                        None
                    }
                    None => Some(Incoming::Drain(self.close_drain)),
                }
            }
            Some(Ok(AggregatedMessage::Close(Some(reason)))) => {
                self.goodbye = Some(Some(reason));
                Some(Incoming::Gone)
            }
            Some(Err(ProtocolError::Io(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
                Some(reject("the text is not valid UTF-8"))
            }
            Some(Err(ProtocolError::Overflow)) => Some(self.too_large()),
            Some(Err(ProtocolError::Io(error))) if error.to_string() == TOO_MANY_PIECES => Some(self.too_large()),
            Some(Err(ProtocolError::Io(_))) | None => Some(Incoming::Gone),
            Some(Err(error)) => {
                self.goodbye = Some(Some(CloseReason {
                    code: actix_ws::CloseCode::Protocol,
                    description: Some(error.to_string()),
                }));
                Some(Incoming::Gone)
            }
        }
    }

    fn too_large(&mut self) -> Incoming {
        let limit = self.limits.frame_bytes;
        self.goodbye = Some(Some(CloseReason {
            code: actix_ws::CloseCode::Size,
            description: Some(format!("a message may have at most {limit} bytes")),
        }));
        Incoming::Gone
    }

    fn understand(&mut self, text: &str) -> Option<Incoming> {
        let too_fast = self.rate.as_ref().is_some_and(|rate| rate.check().is_err());
        let Some(lines) = &mut self.lines else {
            return Some(match ClientMessage::parse(text, self.limits) {
                Ok(message) if too_fast => rejected(ErrorCode::RateLimited, TOO_FAST, message_id(message)),
                Ok(message) => Incoming::Message(message),
                Err(rejected) => Incoming::Rejected(rejected),
            });
        };
        if too_fast {
            return Some(rejected(ErrorCode::RateLimited, TOO_FAST, None));
        }
        match lines.hear(text.to_owned()) {
            Ok(()) => None,
            Err(Full) => Some(rejected(
                ErrorCode::QueueFull,
                "too many lines wait; this one is lost: send a script as one frame",
                None,
            )),
        }
    }

    /// A line for which the session is ready.
    fn next_line(&mut self, next: Next) -> Incoming {
        match next {
            Next::Program(code) => match Run::from_code(code, self.limits) {
                Ok(run) => Incoming::Message(ClientMessage::Run(Box::new(run))),
                Err(rejected) => {
                    self.lines.iter_mut().for_each(Lines::refused);
                    Incoming::Rejected(rejected)
                }
            },
            Next::Answer(text) => Incoming::Message(ClientMessage::Input { id: None, text: Some(text) }),
            Next::End => Incoming::Drain(self.close_drain),
        }
    }
}

const TOO_FAST: &str = "too many messages a second; slow down";

fn rejected(code: ErrorCode, message: &str, id: Option<RequestId>) -> Incoming {
    Incoming::Rejected(Rejected { code, message: message.to_owned(), id })
}

fn reject(sentence: &str) -> Incoming {
    rejected(ErrorCode::BadMessage, sentence, None)
}

fn message_id(message: ClientMessage) -> Option<RequestId> {
    match message {
        ClientMessage::Run(run) => run.id,
        ClientMessage::Cancel { id } | ClientMessage::Input { id, .. } | ClientMessage::Query { id, .. } => id,
        ClientMessage::Reset | ClientMessage::Hello { .. } | ClientMessage::Ping => None,
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
