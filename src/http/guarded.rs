//! A response body that keeps something until its last byte has left: a place, a watch.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

struct Guarded<G> {
    body: BoxBody,
    _guard: G,
}

/// The same body; `guard` is dropped with it.
pub fn guarded<G: Unpin + 'static>(body: impl MessageBody + 'static, guard: G) -> BoxBody {
    BoxBody::new(Guarded { body: body.boxed(), _guard: guard })
}

impl<G: Unpin> MessageBody for Guarded<G> {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
