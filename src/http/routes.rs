//! The small routes: what the server says about itself.

use actix_web::guard::GuardContext;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use serde::Serialize;

use super::App;
use crate::metrics::ClientStats;
use crate::pool::{PoolStats, SlotKind};
use crate::protocol::{ErrorCode, Hello};
use crate::sandbox::Report;
use crate::session::registry::Kind;

#[derive(Serialize)]
struct Info {
    #[serde(flatten)]
    hello: Hello,
    sessions: usize,
    http_runs: usize,
    pool: PoolShown,
    /// What became of each layer of the workers' box.
    sandbox: Option<Report>,
}

#[derive(Serialize)]
struct PoolShown {
    spawning: usize,
    idle: usize,
    leased: usize,
    recycling: usize,
    dying: usize,
    waiting: usize,
    warm: usize,
    max: usize,
    used_bytes: u64,
    memory_bytes: u64,
}

impl From<PoolStats> for PoolShown {
    fn from(stats: PoolStats) -> PoolShown {
        let PoolStats { slots, waiting, warm, max, used_bytes, memory_bytes } = stats;
        PoolShown {
            spawning: slots.of(SlotKind::Spawning),
            idle: slots.of(SlotKind::Idle),
            leased: slots.of(SlotKind::Leased),
            recycling: slots.of(SlotKind::Recycling),
            dying: slots.of(SlotKind::Dying),
            waiting,
            warm,
            max,
            used_bytes,
            memory_bytes,
        }
    }
}

pub async fn info(app: Data<App>) -> impl Responder {
    HttpResponse::Ok().json(Info {
        hello: app.shared.hello(None),
        sessions: app.sessions.count(Kind::WebSocket),
        http_runs: app.sessions.count(Kind::Http),
        pool: app.shared.pool.stats().into(),
        sandbox: app.shared.pool.box_report().cloned(),
    })
}

/// The process answers.
pub async fn healthz() -> impl Responder {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// A new session would get a runtime.
pub async fn readyz(app: Data<App>) -> impl Responder {
    if app.sessions.is_closing() {
        return HttpResponse::ServiceUnavailable().content_type("text/plain").body("shutting down\n");
    }
    let PoolStats { slots, waiting, warm: _, max, used_bytes, memory_bytes } = app.shared.pool.stats();
    let has_worker = slots.of(SlotKind::Idle) > 0 || (slots.total() < max && waiting == 0);
    let has_memory = used_bytes <= memory_bytes || slots.of(SlotKind::Leased) == 0;
    if has_worker && has_memory {
        HttpResponse::Ok().content_type("text/plain").body("ready\n")
    } else {
        HttpResponse::ServiceUnavailable().content_type("text/plain").body("no runtime is free\n")
    }
}

pub async fn metrics(app: Data<App>) -> impl Responder {
    let clients = ClientStats {
        websockets: app.sessions.count(Kind::WebSocket),
        http_runs: app.sessions.count(Kind::Http),
        connections: app.connections.len(),
        inflight_bytes: app.shared.budget.bytes(),
    };
    let text = app.shared.metrics.render(&app.shared.pool.stats(), &clients);
    HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
}

pub async fn post_only() -> impl Responder {
    not_allowed("POST", "send a POST with a JSON object that has `code`")
}

pub async fn read_only() -> HttpResponse {
    not_allowed("GET, HEAD", "this address can only be read: send a GET")
}

fn not_allowed(methods: &'static str, sentence: &str) -> HttpResponse {
    let mut response = super::run::failure(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadMessage, sentence);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Whether the body is packed in some way. Unpacking would let a small body become a large one.
pub fn is_encoded(request: &GuardContext<'_>) -> bool {
    let encodings = request.head().headers().get_all(CONTENT_ENCODING);
    let is_plain = |value: &HeaderValue| {
        value.to_str().is_ok_and(|line| {
            line.split(',').map(str::trim).all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
        })
    };
    !encodings.into_iter().all(is_plain)
}

pub async fn plain_only() -> impl Responder {
    let sentence = "send the body as it is, without a Content-Encoding";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let mut response = super::run::failure(status, ErrorCode::BadMessage, sentence);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}
