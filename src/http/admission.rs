//! The layer that carries out what the [`Door`] decides, and tells browsers (CORS).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    VARY,
};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::door::{Admitted, Asked, Door, Refusal};
use super::{App, page, run};
use crate::protocol::ErrorCode;

/// How long a browser may remember that a page is allowed, in seconds. A few requests of a visit, and little enough that a change of the
/// configuration is soon felt.
const REMEMBERED_S: &str = "600";

/// What a browser of a listed page asks first where the page is on the internet and the server is not, and the answer.
const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Lets a request in or answers it.
///
/// # Errors
/// Those of the inner layers.
pub async fn at_the_door(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let app = request.app_data::<Data<App>>().expect("the application is built with its state");
    let decided = decide(&app.door, request.request());
    let admitted = match decided {
        Ok(admitted) => Some(admitted),
        Err(_) if is_for_all(request.request()) => None,
        Err(refusal) => {
            let mut response = refuse(refusal);
            response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
            return Ok(request.into_response(response));
        }
    };
    let is_question = request.method() == Method::OPTIONS;
    let asks_private = request.headers().contains_key(ASKS_PRIVATE);
    let by_page = request.headers().contains_key(ORIGIN);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let Some(admitted) = admitted else { return Ok(response) };
    if is_question && by_page && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let methods = response.headers().get(ALLOW).cloned();
        response = response.into_response(allowed(&admitted, methods, asks_private));
    }
    tell(&admitted, response.headers_mut());
    Ok(response)
}

fn decide(door: &Door, request: &HttpRequest) -> Result<Admitted, Refusal> {
    let all = |name| request.headers().get_all(name).map(HeaderValue::as_bytes).collect::<Vec<_>>();
    let target = request.uri().authority().map(|authority| authority.as_str());
    let is_old = request.version() <= Version::HTTP_10;
    door.decide(Asked { hosts: &all(HOST), origins: &all(ORIGIN), target, is_old })
}

/// The page and its files, and what tells whether the server is well: nothing is run there and nothing said that is not known. So a
/// page has no use of them, and a probe comes in by any name. All that is not certainly one of these is guarded.
fn is_for_all(request: &HttpRequest) -> bool {
    let path = request.path();
    matches!(path, "/healthz" | "/readyz") || page::is_file(path)
}

fn refuse(refusal: Refusal) -> HttpResponse {
    match refusal {
        Refusal::Malformed(sentence) => super::bad_request(sentence),
        Refusal::Forbidden(sentence) => run::failure(StatusCode::FORBIDDEN, ErrorCode::BadMessage, &sentence),
    }
}

/// The answer to a browser that asks what a page may do.
fn allowed(admitted: &Admitted, methods: Option<HeaderValue>, asks_private: bool) -> HttpResponse {
    let mut response = HttpResponse::NoContent().finish();
    let headers = response.headers_mut();
    if let Some(methods) = methods {
        headers.insert(ALLOW, methods.clone());
        if *admitted != Admitted::Own {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
    }
    if *admitted != Admitted::Own {
        // No header has any power here, so all may be sent.
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED_S));
        if asks_private {
            headers.insert(ALLOW_PRIVATE, HeaderValue::from_static("true"));
        }
    }
    response
}

/// Lets the browser show the answer to the page that has asked.
fn tell(admitted: &Admitted, headers: &mut HeaderMap) {
    // Also to those who have no need of it: a cache between may keep the answer for another page.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let origin = match admitted {
        Admitted::Own => return,
        Admitted::Any => HeaderValue::from_static("*"),
        Admitted::Listed(page) => {
            HeaderValue::try_from(page.to_string()).expect("a name that was read is of letters that headers may have")
        }
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After"));
}
