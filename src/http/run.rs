//! `POST /api/run`: one run in a session of its own, answered when it is over or, as NDJSON, while it goes on.
//!
//! The session is the same as a WebSocket's. It lives in a task; the request holds a [`HangUp`], whose drop tells the session that
//! the client is gone, so a client that hangs up stops its code by the same ladder.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::header::{ACCEPT, RETRY_AFTER};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::Stream;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};

use super::App;
use super::answers::Answers;
use super::body::{self, Unread};
use super::guarded::guarded;
use super::pieces::{Pieces, Rest};
use super::present::{Collected, json};
use crate::outcome::Outcome;
use crate::protocol::{
    ClientMessage, ConsoleLine, ErrorCode, ErrorShown, Rejected, Run, ServerMessage, UsageShown, ValueShown,
};
use crate::session::budget::Claim;
use crate::session::registry::{Kind, Registration};
use crate::session::state::CloseCode;
use crate::session::{BACKLOG_BYTES, Client, Incoming};

/// What a client gets that asked for NDJSON.
const NDJSON: &str = "application/x-ndjson";

/// Frames on their way into the response. Not bounded themselves: the session's back-pressure bounds their bytes, by the [`Flow`].
struct Frames {
    frames: mpsc::UnboundedReceiver<ServerMessage>,
    flow: Rc<Flow>,
}

impl Frames {
    async fn recv(&mut self) -> Option<ServerMessage> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<ServerMessage>> {
        let polled = self.frames.poll_recv(cx);
        if let Poll::Ready(Some(message)) = &polled {
            self.flow.queued.set(self.flow.queued.bytes().saturating_sub(message.bytes()));
            self.flow.moved.notify_one();
        }
        polled
    }
}

/// What waits for a client that reads slowly, known to both ends.
struct Flow {
    queued: Claim,
    moved: Notify,
}

pub async fn run(req: HttpRequest, payload: Payload, app: Data<App>) -> HttpResponse {
    // A place is taken before the body is read, and given up when the last of the response has left.
    let registration = match app.sessions.enter(Kind::Http) {
        Ok(registration) => registration,
        Err(refused) => return super::refused(refused),
    };
    let permit = registration.permit();
    let response = run_in(registration, &req, payload, &app).await;
    response.map_body(|_, body| guarded(body, permit))
}

async fn run_in(registration: Registration, req: &HttpRequest, payload: Payload, app: &App) -> HttpResponse {
    if !app.admits(req) {
        return failure(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, "too many runs a second; slow down");
    }
    let (account, config) = (app.account(req), &app.shared.config.server);
    let body = match body::read(req, payload, config.frame_bytes, config.body_timeout, &account).await {
        Ok(body) => body,
        Err(unread) => return unread_body(&unread, app),
    };
    let received = Instant::now();
    let Ok(text) = std::str::from_utf8(&body.bytes) else {
        return failure(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, "the body is not valid UTF-8");
    };
    let run = match Run::from_body(text, app.limits()) {
        Ok(run) => run,
        Err(rejected) => return rejection(rejected),
    };
    // From here on the session answers for what it holds.
    drop(body);
    let mut rules = app.shared.rules();
    rules.once = true;
    // A reply is due: timers that live on get as long as the run itself, not the minutes that a conversation would give them.
    let timeout = run.timeout_ms.map_or(rules.timeout, std::time::Duration::from_millis);
    rules.background_timeout = rules.background_timeout.min(timeout);

    let (frames_in, frames) = mpsc::unbounded_channel();
    let flow = Rc::new(Flow { queued: account.claim(), moved: Notify::new() });
    let mut frames = Frames { frames, flow: Rc::clone(&flow) };
    let (hang_up, hung_up) = oneshot::channel();
    let hang_up = HangUp { _held: hang_up };
    let client = HttpClient::new(run, frames_in, flow, hung_up, account.claim());
    let reply = account.claim();
    actix_web::rt::spawn(crate::session::run(client, rules, Rc::new(app.shared.clone()), registration, account));

    let streams =
        req.headers().get_all(ACCEPT).any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(NDJSON)));
    let first = frames.recv().await;
    match first {
        Some(ServerMessage::Error { code, message, id }) => rejection(Rejected { code, message, id }),
        None => failure(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown, "the server is shutting down"),
        Some(first) if streams => {
            let lines = Lines { first: Some(first), frames, rest: Rest::default(), held: reply, _hang_up: hang_up };
            HttpResponse::Ok().content_type(NDJSON).streaming(lines)
        }
        Some(first) => whole(first, frames, hang_up, reply, received).await,
    }
}

/// A body that could not be read to its end. Whatever comes behind it is not waited for.
fn unread_body(unread: &Unread, app: &App) -> HttpResponse {
    let config = &app.shared.config.server;
    let mut response = match unread {
        Unread::TooLarge => {
            let message = format!("a body may have at most {} bytes", config.frame_bytes);
            failure(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, &message)
        }
        Unread::TooSlow => {
            let message = format!("the body did not arrive within {} ms", config.body_timeout.as_millis());
            failure(StatusCode::REQUEST_TIMEOUT, ErrorCode::BadMessage, &message)
        }
        Unread::Evicted => {
            app.shared.metrics.evicted();
            failure(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Busy, super::EVICTED)
        }
        Unread::Broken(error) => super::bad_request(&format!("the body cannot be read: {error}")),
    };
    response.head_mut().set_connection_type(ConnectionType::Close);
    response
}

/// Waits for the end of the run and makes one JSON object of it. What is collected is held, and then the object until it has left.
async fn whole(
    first: ServerMessage,
    mut frames: Frames,
    hang_up: HangUp,
    held: Claim,
    received: Instant,
) -> HttpResponse {
    let mut collected = Collected::default();
    let mut next = Some(first);
    while let Some(message) = next {
        if let ServerMessage::Error { code, message, id } = message {
            return rejection(Rejected { code, message, id });
        }
        let is_last = collected.take(message);
        held.set(collected.bytes());
        if is_last {
            break;
        }
        next = frames.recv().await;
    }
    drop(hang_up);
    match Reply::of(collected, received) {
        Some(reply) => {
            let text = json(&reply);
            held.set(text.len());
            HttpResponse::Ok().content_type("application/json").body(guarded(Pieces::new(text), held))
        }
        None => failure(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown, "the server is shutting down"),
    }
}

#[derive(Serialize)]
struct Reply {
    success: bool,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    console: Vec<ConsoleLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ReplyError>,
    usage: UsageShown,
    timing: Timing,
    /// Milliseconds since 1970.
    timestamp: u64,
}

#[derive(Serialize)]
struct ReplyError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    stack: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

/// Milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Timing {
    /// Of the run's foreground, by the worker's clock.
    execution_time: f64,
    /// From the request's last byte to this reply.
    total_time: f64,
}

impl Reply {
    fn of(collected: Collected, received: Instant) -> Option<Reply> {
        let Collected { console, done, settled, .. } = collected;
        let done = done?;
        // Where the value was fine but a timer failed afterwards, the reply is that failure: nothing may be lost in a `success`.
        let (outcome, error) = match settled {
            Some(settled) if done.outcome == Outcome::Ok => (settled.outcome, settled.error),
            _ => (done.outcome, done.error),
        };
        let (result, text) = match done.value {
            Some(ValueShown { text, json, .. }) => (json, Some(text)),
            None => (None, None),
        };
        Some(Reply {
            success: outcome == Outcome::Ok,
            outcome,
            result,
            text,
            console,
            error: error.map(ReplyError::from),
            timing: Timing {
                execution_time: done.usage.wall_ms,
                total_time: received.elapsed().as_micros() as f64 / 1000.0,
            },
            usage: done.usage,
            timestamp: timestamp(),
        })
    }
}

impl From<ErrorShown> for ReplyError {
    fn from(error: ErrorShown) -> ReplyError {
        let ErrorShown { name, message, stack, line, column, frames: _ } = error;
        ReplyError { kind: name, message, stack, line, column }
    }
}

#[derive(Serialize)]
struct Failure<'a> {
    success: bool,
    error: FailureError<'a>,
    timestamp: u64,
}

#[derive(Serialize)]
struct FailureError<'a> {
    #[serde(rename = "type")]
    kind: ErrorCode,
    message: &'a str,
}

/// A request that did not become a run.
pub fn failure(status: StatusCode, kind: ErrorCode, message: &str) -> HttpResponse {
    let failure = Failure { success: false, error: FailureError { kind, message }, timestamp: timestamp() };
    let mut response = HttpResponse::build(status);
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.insert_header((RETRY_AFTER, "1"));
    }
    response.content_type("application/json").body(json(&failure))
}

fn rejection(rejected: Rejected) -> HttpResponse {
    let Rejected { code, message, id: _ } = rejected;
    let status = match code {
        ErrorCode::BadMessage
        | ErrorCode::UnknownType
        | ErrorCode::DuplicateId
        | ErrorCode::UnknownRun
        | ErrorCode::NoInputWanted
        | ErrorCode::RefExpired => StatusCode::BAD_REQUEST,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::QueueFull | ErrorCode::Busy | ErrorCode::NoAnswer | ErrorCode::ShuttingDown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    failure(status, code, &message)
}

fn timestamp() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Held by the request. Its drop is the client's hanging up, unless the session is over already.
struct HangUp {
    _held: oneshot::Sender<()>,
}

/// The response body of a streamed run.
struct Lines {
    first: Option<ServerMessage>,
    frames: Frames,
    /// What of a line was not given out.
    rest: Rest,
    /// The line, until all of it is.
    held: Claim,
    _hang_up: HangUp,
}

impl Stream for Lines {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(piece) = self.rest.piece() {
                return Poll::Ready(Some(Ok(piece)));
            }
            self.held.set(0);
            let message = match self.first.take() {
                Some(first) => Some(first),
                None => match self.frames.poll_recv(cx) {
                    Poll::Ready(message) => message,
                    Poll::Pending => return Poll::Pending,
                },
            };
            let Some(message) = message else { return Poll::Ready(None) };
            let line = json(&message) + "\n";
            self.held.set(line.len());
            self.rest = Bytes::from(line).into();
        }
    }
}

/// The session's end of an HTTP request.
struct HttpClient {
    run: Option<Box<Run>>,
    /// What prompts are answered with.
    answers: Answers,
    /// Prompts that wait for their answer.
    asked: u32,
    frames: mpsc::UnboundedSender<ServerMessage>,
    flow: Rc<Flow>,
    hung_up: oneshot::Receiver<()>,
}

impl HttpClient {
    fn new(
        run: Run,
        frames: mpsc::UnboundedSender<ServerMessage>,
        flow: Rc<Flow>,
        hung_up: oneshot::Receiver<()>,
        claim: Claim,
    ) -> HttpClient {
        let answers = Answers::new(run.input.as_deref(), claim);
        HttpClient { run: Some(Box::new(run)), answers, asked: 0, frames, flow, hung_up }
    }
}

impl Client for HttpClient {
    async fn next(&mut self) -> Incoming {
        if let Some(run) = self.run.take() {
            return Incoming::Message(ClientMessage::Run(run));
        }
        if self.asked > 0 {
            self.asked -= 1;
            return Incoming::Message(ClientMessage::Input { id: None, text: self.answers.next() });
        }
        let held_back = self.backlog() >= BACKLOG_BYTES;
        tokio::select! {
            // Nothing is ever sent through it: it ends when the request does.
            _ = &mut self.hung_up => Incoming::Gone,
            () = self.flow.moved.notified(), if held_back => Incoming::Progress,
        }
    }

    fn send(&mut self, message: ServerMessage) {
        if let ServerMessage::InputRequest { .. } = message {
            self.asked += 1;
        }
        self.flow.queued.set(self.flow.queued.bytes() + message.bytes());
        // A receiver that is gone has hung up, which `next` tells.
        let _ = self.frames.send(message);
    }

    fn backlog(&self) -> usize {
        self.flow.queued.bytes()
    }

    fn evict(&mut self) {
        // Behind what is queued already, where nothing can be taken back: that is what the client reads, or it is cut off.
        let _ = self.frames.send(ServerMessage::Error {
            code: ErrorCode::Busy,
            message: super::EVICTED.to_owned(),
            id: None,
        });
    }

    async fn close(self, _code: CloseCode) {}
}
