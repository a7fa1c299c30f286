//! `POST /api/run`: one run in a session of its own, answered when it is over or, as NDJSON, while it goes on.
//!
//! The session is the same as a WebSocket's. It lives in a task; the request holds a [`HangUp`], whose drop tells the session that
//! the client is gone, so a client that hangs up stops its code by the same ladder.

use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, RETRY_AFTER};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::Stream;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};

use super::App;
use super::present::{Collected, json};
use crate::outcome::Outcome;
use crate::protocol::{
    ClientMessage, ConsoleLine, ErrorCode, ErrorShown, Rejected, Run, ServerMessage, UsageShown, ValueShown,
};
use crate::session::registry::Kind;
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
            self.flow.queued.set(self.flow.queued.get().saturating_sub(weight(message)));
            self.flow.moved.notify_one();
        }
        polled
    }
}

/// What waits for a client that reads slowly, known to both ends.
#[derive(Default)]
struct Flow {
    queued: Cell<usize>,
    moved: Notify,
}

/// What every message costs besides its texts.
const MESSAGE_BYTES: usize = 128;

/// About as many bytes as a message holds, for those of which a run can send many.
fn weight(message: &ServerMessage) -> usize {
    let texts = match message {
        ServerMessage::Console { entries, .. } => entries.iter().map(|entry| entry.bytes() + MESSAGE_BYTES).sum(),
        ServerMessage::InputRequest { text, default, .. } => text.len() + default.as_ref().map_or(0, String::len),
        ServerMessage::Queued { .. }
        | ServerMessage::Started { .. }
        | ServerMessage::Done(_)
        | ServerMessage::Settled { .. }
        | ServerMessage::Reset
        | ServerMessage::Pong
        | ServerMessage::Hello(_)
        | ServerMessage::Properties { .. }
        | ServerMessage::Completions { .. }
        | ServerMessage::Completeness { .. }
        | ServerMessage::Error { .. } => 0,
    };
    MESSAGE_BYTES + texts
}

pub async fn run(req: HttpRequest, body: Result<Bytes, actix_web::Error>, app: Data<App>) -> HttpResponse {
    let received = Instant::now();
    let body = match body {
        Ok(body) => body,
        Err(error) => return unread(&error, &app),
    };
    if !app.admits(&req) {
        return failure(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, "too many runs a second; slow down");
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return failure(StatusCode::BAD_REQUEST, ErrorCode::BadMessage, "the body is not valid UTF-8");
    };
    let run = match Run::from_body(text, app.limits()) {
        Ok(run) => run,
        Err(rejected) => return rejection(rejected),
    };
    let registration = match app.sessions.enter(Kind::Http) {
        Ok(registration) => registration,
        Err(refused) => return super::refused(refused),
    };
    let mut rules = app.shared.rules();
    rules.once = true;
    // A reply is due: timers that live on get as long as the run itself, not the minutes that a conversation would give them.
    let timeout = run.timeout_ms.map_or(rules.timeout, std::time::Duration::from_millis);
    rules.background_timeout = rules.background_timeout.min(timeout);

    let (frames_in, frames) = mpsc::unbounded_channel();
    let flow = Rc::new(Flow::default());
    let mut frames = Frames { frames, flow: Rc::clone(&flow) };
    let (hang_up, hung_up) = oneshot::channel();
    let hang_up = HangUp { _held: hang_up };
    let client = HttpClient::new(run, frames_in, flow, hung_up);
    actix_web::rt::spawn(crate::session::run(client, rules, Rc::new(app.shared.clone()), registration));

    let streams =
        req.headers().get_all(ACCEPT).any(|accept| accept.to_str().is_ok_and(|accept| accept.contains(NDJSON)));
    let first = frames.recv().await;
    match first {
        Some(ServerMessage::Error { code, message, id }) => rejection(Rejected { code, message, id }),
        None => failure(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::ShuttingDown, "the server is shutting down"),
        Some(first) if streams => {
            let lines = Lines { first: Some(first), frames, _hang_up: hang_up };
            HttpResponse::Ok().content_type(NDJSON).streaming(lines)
        }
        Some(first) => whole(first, frames, hang_up, received).await,
    }
}

/// A body that could not be read to its end.
fn unread(error: &actix_web::Error, app: &App) -> HttpResponse {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        let limit = app.limits().frame_bytes;
        let message = format!("a body may have at most {limit} bytes");
        return failure(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, &message);
    }
    super::bad_request(&format!("the body cannot be read: {error}"))
}

/// Waits for the end of the run and makes one JSON object of it.
async fn whole(first: ServerMessage, mut frames: Frames, hang_up: HangUp, received: Instant) -> HttpResponse {
    let mut collected = Collected::default();
    let mut next = Some(first);
    while let Some(message) = next {
        if let ServerMessage::Error { code, message, id } = message {
            return rejection(Rejected { code, message, id });
        }
        if collected.take(message) {
            break;
        }
        next = frames.recv().await;
    }
    drop(hang_up);
    match Reply::of(collected, received) {
        Some(reply) => HttpResponse::Ok().content_type("application/json").body(json(&reply)),
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
        let Collected { console, done, settled, dropped: _ } = collected;
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
    _hang_up: HangUp,
}

impl Stream for Lines {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = match self.first.take() {
            Some(first) => Some(first),
            None => match self.frames.poll_recv(cx) {
                Poll::Ready(message) => message,
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(message.map(|message| Ok(Bytes::from(json(&message) + "\n"))))
    }
}

/// The session's end of an HTTP request.
struct HttpClient {
    run: Option<Box<Run>>,
    /// What prompts are answered with: the lines of an `input` that is an array of strings, then nothing.
    answers: VecDeque<String>,
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
    ) -> HttpClient {
        let answers = run.input.as_deref().and_then(|input| serde_json::from_str(input).ok()).unwrap_or_default();
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
            return Incoming::Message(ClientMessage::Input { id: None, text: self.answers.pop_front() });
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
        self.flow.queued.set(self.flow.queued.get() + weight(&message));
        // A receiver that is gone has hung up, which `next` tells.
        let _ = self.frames.send(message);
    }

    fn backlog(&self) -> usize {
        self.flow.queued.get()
    }

    async fn close(self, _code: CloseCode) {}
}
