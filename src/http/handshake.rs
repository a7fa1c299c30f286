//! What a request for a WebSocket must say before a place is taken for it.

use actix_web::http::header::{CONNECTION, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::{HttpRequest, HttpResponse};

use super::run;
use crate::protocol::ErrorCode;

/// The only version of WebSocket that ever left the drafts.
const VERSION: &str = "13";

/// The answer to a request that no WebSocket can come of.
pub fn refusal(request: &HttpRequest) -> Option<HttpResponse> {
    let mut upgrades = request.headers().get_all(UPGRADE).filter_map(|value| value.to_str().ok());
    let wants = upgrades.any(|line| line.split(',').any(|name| name.trim().eq_ignore_ascii_case("websocket")));
    if !wants || !request.head().upgrade() || request.method() != Method::GET {
        return Some(super::bad_request("this address speaks WebSocket: send a GET with `Upgrade: websocket`"));
    }
    // What follows the head belongs to the WebSocket: the library would read it as a body, and end its answer as one.
    if request.version() != Version::HTTP_11 || request.headers().contains_key(TRANSFER_ENCODING) {
        return Some(super::bad_request("an upgrade to WebSocket is a request of HTTP/1.1 without a body"));
    }
    let mut versions = request.headers().get_all(SEC_WEBSOCKET_VERSION);
    if versions.next().is_some_and(|version| version == VERSION) && versions.next().is_none() {
        return None;
    }
    let sentence = "this address speaks version 13 of WebSocket";
    let mut response = run::failure(StatusCode::UPGRADE_REQUIRED, ErrorCode::BadMessage, sentence);
    let headers = response.headers_mut();
    for (name, value) in [(SEC_WEBSOCKET_VERSION, VERSION), (UPGRADE, "websocket"), (CONNECTION, "upgrade")] {
        headers.insert(name, value.parse().expect("a word is a valid header value"));
    }
    Some(response)
}
