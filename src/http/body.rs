//! The body of a request, read within its bounds: of size, of time, and of what all clients together may hold.

use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::session::budget::{Account, Claim};

/// A whole body, and the bytes that it holds of the account until it is dropped.
pub struct Body {
    pub bytes: BytesMut,
    _held: Claim,
}

/// Why a body could not be had.
#[derive(Debug)]
pub enum Unread {
    TooLarge,
    TooSlow,
    /// The server holds too much for its clients, and this one the most of it.
    Evicted,
    Broken(PayloadError),
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// [`Unread`]; what was read is given up.
pub async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    most: usize,
    within: Duration,
    account: &Rc<Account>,
) -> Result<Body, Unread> {
    // Refused before any of it is there, where the client says that it will be too much.
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(Unread::TooLarge);
    }
    let held = account.claim();
    let whole = async {
        let mut bytes = BytesMut::new();
        while let Some(piece) = payload.next().await {
            let piece = piece.map_err(Unread::Broken)?;
            if bytes.len() + piece.len() > most {
                return Err(Unread::TooLarge);
            }
            bytes.extend_from_slice(&piece);
            held.set(bytes.capacity());
        }
        Ok(bytes)
    };
    let bytes = tokio::select! {
        whole = timeout(within, whole) => whole.map_err(|_| Unread::TooSlow)??,
        () = account.evicted() => return Err(Unread::Evicted),
    };
    Ok(Body { bytes, _held: held })
}
