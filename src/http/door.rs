//! Who may come in, by what a request says of itself: the name that it calls this server by, and the page that it comes from.
//!
//! A browser sends a page's requests wherever the page wants, with the user's own reach: to `127.0.0.1` too. Two headers that pages
//! cannot write tell them apart. `Origin` names the page; `Host` names the server as the page does, and so shows a page that has
//! let its own name point here (DNS rebinding), which is a page of this server to the browser. Programs that are no browsers may
//! write what they want, and can reach nothing here that they could not reach without.
//!
//! No header of a proxy (`Forwarded`, `X-Forwarded-Host`) is believed: pages can write those.

use crate::config::{Authority, ForeignPages, PageOrigin, PublicUrl, Server};

/// The rules, from the configuration.
#[derive(Debug, Clone)]
pub struct Door {
    public_url: Option<PublicUrl>,
    origins: ForeignPages,
    /// Whether only this machine reaches the listener.
    is_local: bool,
}

/// What a request says of itself, each header as often as it came.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub hosts: &'a [&'a [u8]],
    pub origins: &'a [&'a [u8]],
    /// The host in the request's target, where it is a whole URL.
    pub target: Option<&'a str>,
    /// HTTP/1.0, whose clients need not say a `Host`.
    pub is_old: bool,
}

/// Why a request is let in, which decides what the browser is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// By no page, or by one of this server's own.
    Own,
    /// By a page that is listed.
    Listed(PageOrigin),
    /// By any page, because all may.
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not what HTTP allows.
    Malformed(&'static str),
    /// A sentence that names the key and the value that would let it in.
    Forbidden(String),
}

impl Door {
    pub fn new(config: &Server) -> Door {
        let is_local = config.listen.ip().to_canonical().is_loopback();
        Door { public_url: config.public_url.clone(), origins: config.origins.clone(), is_local }
    }

    /// Decides about one request.
    pub fn decide(&self, asked: Asked<'_>) -> Result<Admitted, Refusal> {
        let host = host_of(asked)?;
        if let Some(host) = &host {
            self.is_called(host)?;
        }
        let origin = match asked.origins {
            [] => return Ok(Admitted::Own),
            [origin] => *origin,
            _ => return Err(Refusal::Malformed("a request has one Origin at most")),
        };
        let parsed = std::str::from_utf8(origin).ok().and_then(PageOrigin::parse);
        let is_own = |page: &PageOrigin| {
            let is_outer = self.public_url.as_ref().is_some_and(|url| url.origin() == page);
            is_outer || host.as_ref().is_some_and(|host| names(page, host))
        };
        match (parsed, &self.origins) {
            (Some(page), _) if is_own(&page) => Ok(Admitted::Own),
            (_, ForeignPages::Any) => Ok(Admitted::Any),
            (Some(page), ForeignPages::Listed(listed)) if listed.contains(&page) => Ok(Admitted::Listed(page)),
            (Some(page), ForeignPages::Listed(_)) => Err(Refusal::Forbidden(format!(
                "pages of {page} may not use this server; if they shall, add \"{page}\" to `server.origins`"
            ))),
            (None, ForeignPages::Listed(_)) => Err(Refusal::Forbidden(
                "pages without a plain origin may not use this server; if all pages on earth shall, set \
                 `server.origins` to [\"*\"]"
                    .to_owned(),
            )),
        }
    }

    /// Whether this server is called by this name.
    fn is_called(&self, host: &Authority) -> Result<(), Refusal> {
        let forbidden = |sentence: String| Err(Refusal::Forbidden(sentence));
        if host.is_own_by_nature() {
            return Ok(());
        }
        match &self.public_url {
            Some(url) if is_same(url.origin(), host) => Ok(()),
            Some(url) => forbidden(format!(
                "this server is called {url}, not \"{host}\"; if it is called so too, have the proxy send the name of \
                 `server.public_url`, or set that to {:?}",
                url_of(host)
            )),
            None if self.is_local => forbidden(format!(
                "this server is not known as \"{host}\"; if it is, set `server.public_url` to {:?}",
                url_of(host)
            )),
            None => Ok(()),
        }
    }
}

/// The one name that a request calls this server by; `None` for an old client that has none.
fn host_of(asked: Asked<'_>) -> Result<Option<Authority>, Refusal> {
    let parsed = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(Authority::parse);
    let host = match asked.hosts {
        [] => None,
        [host] => Some(
            parsed(host).ok_or(Refusal::Malformed("the Host is not a name or an address with or without a port"))?,
        ),
        _ => return Err(Refusal::Malformed("a request has one Host only")),
    };
    // The target goes before the header, says HTTP; a request where they differ has been made to fool somebody.
    match (asked.target.map(|target| parsed(target.as_bytes())), host) {
        (None, Some(host)) => Ok(Some(host)),
        (Some(Some(target)), Some(host)) if target == host => Ok(Some(host)),
        (Some(Some(target)), None) if asked.is_old => Ok(Some(target)),
        (None, None) if asked.is_old => Ok(None),
        (Some(_), _) => Err(Refusal::Malformed("the request's target and its Host are not the same")),
        (None, None) => Err(Refusal::Malformed("a request has a Host")),
    }
}

/// Whether a page comes from the server that the request was sent to.
fn names(page: &PageOrigin, host: &Authority) -> bool {
    // A proxy may pass on the name without the port. On the machine itself another port is another program's, and no proxy's doing.
    page.is_web()
        && if host.is_loopback() { has_port(page, host) && page.host == host.host } else { is_same(page, host) }
}

/// The same host, and the same port where one is said.
fn is_same(origin: &PageOrigin, host: &Authority) -> bool {
    origin.host == host.host && (host.port.is_none() || has_port(origin, host))
}

fn has_port(origin: &PageOrigin, host: &Authority) -> bool {
    // Where none is said it is the usual one of the scheme, which the bare origin has.
    let usual = PageOrigin::parse(&format!("{}://{}", origin.scheme, host.host)).and_then(|bare| bare.port);
    origin.port == host.port.or(usual)
}

/// The URL that a user most likely has in mind: with a port the server's own, without one that of a proxy.
fn url_of(host: &Authority) -> String {
    let scheme = if host.port.is_some_and(|port| port != 443) { "http" } else { "https" };
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests;
