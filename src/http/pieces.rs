//! Response bodies in small pieces.
//!
//! The HTTP library copies whatever a body gives it, and asks for more while it holds less than 32 KiB. So a body that gives all it has
//! at once waits for a slow client where nobody counts it. In pieces it waits here, in the hands of whoever made it.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// The most that is given at once.
const PIECE_BYTES: usize = 16 * 1024;

/// What is left of a chunk.
#[derive(Default)]
pub struct Rest {
    bytes: Bytes,
}

impl Rest {
    /// The next piece; `None` where all is given.
    pub fn piece(&mut self) -> Option<Bytes> {
        let length = self.bytes.len().min(PIECE_BYTES);
        (length > 0).then(|| self.bytes.split_to(length))
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl From<Bytes> for Rest {
    fn from(bytes: Bytes) -> Rest {
        Rest { bytes }
    }
}

/// A body whose chunks are given in pieces.
pub struct Pieces {
    body: BoxBody,
    rest: Rest,
}

impl Pieces {
    pub fn new(body: impl MessageBody + 'static) -> Pieces {
        Pieces { body: body.boxed(), rest: Rest::default() }
    }

    /// Whether the last chunk is given to its end.
    pub fn is_between_chunks(&self) -> bool {
        self.rest.is_empty()
    }
}

impl MessageBody for Pieces {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            if let Some(piece) = self.rest.piece() {
                return Poll::Ready(Some(Ok(piece)));
            }
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes.into(),
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_body_comes_in_small_pieces_and_whole() {
        let whole: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let mut pieces = Pieces::new(whole.clone());
        assert_eq!(pieces.size(), BodySize::Sized(100_000));
        let mut got = Vec::new();
        while let Some(piece) = std::future::poll_fn(|cx| Pin::new(&mut pieces).poll_next(cx)).now_or_never().unwrap() {
            let piece = piece.unwrap();
            assert!((1..=PIECE_BYTES).contains(&piece.len()));
            got.extend_from_slice(&piece);
        }
        assert_eq!(got, whole);
    }
}
