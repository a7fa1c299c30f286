//! The playground page: built by `make`, embedded in release builds, read from disk in debug builds.

use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use super::routes;

#[derive(RustEmbed)]
#[folder = "static/dist"]
#[allow_missing = true]
struct Assets;

/// Nothing but the server's own scripts and styles, a connection to the server itself only, no framing, and no way from a string
/// to markup or code (trusted types), whatever a run prints.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// Vite puts a hash of the content into the names below this folder, so they never change.
const HASHED: &str = "assets/";

/// What `/` shows.
const INDEX: &str = "index.html";

fn file_of(path: &str) -> &str {
    match path.trim_start_matches('/') {
        "" => INDEX,
        file => file,
    }
}

/// Whether a path is one of the page's files.
pub fn is_file(path: &str) -> bool {
    let file = file_of(path);
    file == INDEX || Assets::get(file).is_some()
}

pub async fn page(req: HttpRequest) -> HttpResponse {
    let path = file_of(req.path());
    let plain = Assets::get(path);
    // CONNECT has no path at all, so it is one of these.
    let is_known = plain.is_some() || path == INDEX;
    if is_known && !matches!(*req.method(), Method::GET | Method::HEAD) {
        return routes::read_only().await;
    }
    let Some(plain) = plain else {
        return if path == INDEX { not_built() } else { not_found() };
    };
    let kind = plain.metadata.mimetype().to_owned();
    // The build has put it there, where it is smaller.
    let packed = if accepts_gzip(req.headers()) { Assets::get(&format!("{path}.gz")) } else { None };
    let is_packed = packed.is_some();
    let asset = packed.unwrap_or(plain);
    // Of the very bytes that are sent: packed and plain have different tags.
    let tag = format!("\"{}\"", hex(&asset.metadata.sha256_hash()[..16]));
    let unchanged = knows(req.headers(), &tag);
    let keep = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, keep))
        .insert_header((ETAG, tag))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .content_type(kind);
    if unchanged {
        return response.finish();
    }
    if is_packed {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.body(asset.data.into_owned())
}

/// Whether the client takes gzip: by its name, or by `*` where its name is not there; a weight of zero says no.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut named = None;
    let mut any = None;
    for (coding, takes) in headers.get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()).flat_map(codings) {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => named = Some(takes),
            "*" => any = Some(takes),
            _ => {}
        }
    }
    named.or(any).unwrap_or(false)
}

/// The codings of one header line, each with whether it is wanted at all.
fn codings(line: &str) -> impl Iterator<Item = (&str, bool)> {
    line.split(',').map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        (coding, weight.is_none_or(|weight| weight.parse().is_ok_and(|weight: f32| weight > 0.0)))
    })
}

/// Whether the client has these bytes already. A proxy may have made the tag a weak one, which is as good here.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn not_built() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body(
        "The page has not been built. Run `make build` (it needs Node 20 or newer), or use the WebSocket at /ws.\n",
    )
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("There is nothing at this address.\n")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        let takes = |lines: &[&'static str]| accepts_gzip(&headers(ACCEPT_ENCODING, lines));
        for lines in [
            &["gzip"][..],
            &["br, GZIP;q=0.1"],
            &["*"],
            &["br", "gzip"],
            &["identity;q=0, *;q=0.5"],
            &["gzip; q=1.0, *;q=0"],
        ] {
            assert!(takes(lines), "{lines:?}");
        }
        for lines in
            [&[][..], &[""], &["br"], &["gzip;q=0"], &["gzip; q=0.000, *"], &["*;q=0"], &["gzipped"], &["gzip;q=much"]]
        {
            assert!(!takes(lines), "{lines:?}");
        }
    }

    #[test]
    fn a_known_tag_is_recognised() {
        let known = |lines: &[&'static str]| knows(&headers(IF_NONE_MATCH, lines), "\"a\"");
        for lines in [&["\"a\""][..], &["\"b\", \"a\""], &["W/\"a\""], &["*"]] {
            assert!(known(lines), "{lines:?}");
        }
        for lines in [&[][..], &["\"b\""], &["a"], &[""]] {
            assert!(!known(lines), "{lines:?}");
        }
    }
}
