//! The stream of a client's bytes behind its [`Gate`].

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{FutureExt, Stream};

use crate::http::gate::{Gate, Violation};
use crate::session::budget::Claim;

/// What the gate has seen, for whoever reads the messages behind it.
#[derive(Debug, Default)]
pub struct Seen {
    violation: Cell<Option<Violation>>,
    pieces: Cell<usize>,
}

impl Seen {
    /// Why the stream has ended, where the client has broken a rule.
    pub fn violation(&self) -> Option<Violation> {
        self.violation.get()
    }

    /// The number of frames in which the message came that was read last.
    pub fn pieces(&self) -> usize {
        self.pieces.get()
    }
}

/// The bytes that a gate lets through, a frame at a time. It ends at the first violation, and reads no further.
struct Gated {
    client: Payload,
    gate: Gate,
    /// Bytes that the gate has not judged yet.
    waiting: BytesMut,
    /// A whole frame was given out just now.
    is_whole: bool,
    seen: Rc<Seen>,
    /// What is here or behind the gate of a message that is not whole.
    held: Claim,
}

type BoxedStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// Puts a gate before the bytes of a request, for messages of at most `frame_bytes`.
pub fn gated(req: &HttpRequest, client: Payload, frame_bytes: usize, held: Claim) -> (Payload, Rc<Seen>) {
    let seen = Rc::new(Seen::default());
    let gate = Gate::new(frame_bytes);
    let stream = Gated { client, gate, waiting: BytesMut::new(), is_whole: false, seen: Rc::clone(&seen), held };
    (payload(req, Box::pin(stream)), seen)
}

/// A stream as the library takes it.
fn payload(req: &HttpRequest, stream: BoxedStream) -> Payload {
    let extracted = Payload::from_request(req, &mut dev::Payload::Stream { payload: stream }).now_or_never();
    extracted.and_then(Result::ok).expect("taking a payload neither waits nor fails")
}

impl Stream for Gated {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if std::mem::take(&mut this.is_whole) {
            // The library reads all that there is before it parses any. So it parses each frame when that is whole: messages come out
            // in order, errors among them, and what waits unread waits here, as bytes, or with the client.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            match this.gate.pass(&mut this.waiting) {
                Ok(Some(bytes)) => {
                    this.is_whole = this.gate.is_between_frames();
                    this.held.set(this.gate.partial_bytes() + this.waiting.len());
                    this.seen.pieces.set(this.gate.pieces());
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Ok(None) => {}
                Err(violation) => {
                    this.seen.violation.set(Some(violation));
                    this.waiting = BytesMut::new();
                    return Poll::Ready(None);
                }
            }
            match Pin::new(&mut this.client).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) if this.waiting.is_empty() => this.waiting = BytesMut::from(bytes),
                Poll::Ready(Some(Ok(bytes))) => this.waiting.extend_from_slice(&bytes),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    if this.waiting.is_empty() {
                        this.waiting = BytesMut::new();
                    }
                    this.held.set(this.gate.partial_bytes() + this.waiting.len());
                    return Poll::Pending;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
