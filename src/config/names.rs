//! The names of servers and of pages, as `Host`, `Origin` and the configuration have them.
//!
//! One parser for all three, so that what is compared was read in the same way. Stricter than the URL standard, which forgives what
//! an attacker would write (user names, back slashes, tabs, percent signs): a browser sends none of that in a header.

use std::fmt;

use url::Host;

use super::check::NotAllowed;

/// The longest name: a domain of 253 characters, with a scheme and a port around it.
const MAX_BYTES: usize = 300;

/// Pages of others that may be listed. Each request is held against all of them, and nobody has written more by hand.
const MAX_ORIGINS: usize = 100;

/// A host and, where one is given, a port: what the header `Host` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub host: Host,
    pub port: Option<u16>,
}

impl Authority {
    pub fn parse(text: &str) -> Option<Authority> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if text.len() > MAX_BYTES || !text.bytes().all(is_plain) {
            return None;
        }
        // Inside brackets a colon belongs to the address.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (text, ""),
        };
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        let host = match Host::parse(host).ok()? {
            // The root's dot makes no other host of it.
            Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(&name).to_owned()),
            address => address,
        };
        let is_empty = matches!(&host, Host::Domain(name) if name.split('.').any(str::is_empty));
        (!is_empty).then_some(Authority { host, port })
    }

    /// Whether this is an address or `localhost`: nobody can make a name of theirs out of one of these.
    pub fn is_own_by_nature(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(_) | Host::Ipv6(_) => true,
        }
    }

    /// Whether this names the very machine that the client runs on, where each port may be somebody else's.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback() || address.is_unspecified(),
            Host::Ipv6(address) => {
                let mapped = address.to_ipv4_mapped();
                let mapped = mapped.is_some_and(|address| address.is_loopback() || address.is_unspecified());
                mapped || address.is_loopback() || address.is_unspecified()
            }
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

/// Where a page comes from: what the header `Origin` says, unless it is `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOrigin {
    pub scheme: String,
    pub host: Host,
    /// The scheme's usual one where none is given; `None` where the scheme has none, as those of browser extensions.
    pub port: Option<u16>,
}

impl PageOrigin {
    pub fn parse(text: &str) -> Option<PageOrigin> {
        let (scheme, rest) = text.split_once("://")?;
        let mut letters = scheme.bytes();
        let begins = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        if text.len() > MAX_BYTES || !begins || !letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let Authority { host, port } = Authority::parse(rest)?;
        let port = port.or(usual_port(&scheme));
        Some(PageOrigin { scheme, host, port })
    }

    pub fn is_web(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// As a browser writes it.
impl fmt::Display for PageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if usual_port(&self.scheme) != Some(port) => write!(f, ":{port}"),
            Some(_) | None => Ok(()),
        }
    }
}

/// What this server is called outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    origin: PageOrigin,
}

impl PublicUrl {
    /// An `http` or `https` URL without a user name, a query or a fragment; a path is that of a proxy.
    pub fn parse(text: &str) -> Option<PublicUrl> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let origin = PageOrigin::parse(&format!("{scheme}://{authority}"))?;
        let is_path = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte));
        let is_one = origin.is_web() && is_path && path.len() <= MAX_BYTES;
        is_one.then(|| PublicUrl { text: text.to_owned(), origin })
    }

    pub fn origin(&self) -> &PageOrigin {
        &self.origin
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The foreign pages that may use this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignPages {
    /// All of them, those without an origin of their own too.
    Any,
    Listed(Vec<PageOrigin>),
}

pub(super) fn public_url(key: &'static str, value: &str) -> Result<Option<PublicUrl>, NotAllowed> {
    if value.is_empty() {
        return Ok(None);
    }
    let not_allowed = || NotAllowed {
        key,
        allowed: "an http or https URL without a query, such as \"https://run.example.org\", or \"\"".to_owned(),
        found: quoted(value),
    };
    PublicUrl::parse(value).map(Some).ok_or_else(not_allowed)
}

pub(super) fn origins(key: &'static str, values: &[String]) -> Result<ForeignPages, NotAllowed> {
    if values.iter().any(|value| value == "*") {
        return match values {
            [_] => Ok(ForeignPages::Any),
            _ => Err(NotAllowed {
                key,
                allowed: "`*` alone, which lets all pages in, or a list without it".to_owned(),
                found: format!("a list of {}", values.len()),
            }),
        };
    }
    if values.len() > MAX_ORIGINS {
        return Err(NotAllowed {
            key,
            allowed: format!("a list of at most {MAX_ORIGINS}"),
            found: format!("a list of {}", values.len()),
        });
    }
    let listed = values.iter().map(|value| {
        PageOrigin::parse(value).ok_or_else(|| NotAllowed {
            key,
            allowed:
                "a list of origins, each a scheme, a host and perhaps a port, such as \"https://school.example\", \
                      without a path or a slash at the end, or of `*` alone"
                    .to_owned(),
            found: quoted(value),
        })
    });
    listed.collect::<Result<_, _>>().map(ForeignPages::Listed)
}

/// The list as it is written.
pub(super) fn origins_shown(pages: &ForeignPages) -> Vec<String> {
    match pages {
        ForeignPages::Any => vec!["*".to_owned()],
        ForeignPages::Listed(listed) => listed.iter().map(ToString::to_string).collect(),
    }
}

/// A value in a message, cut where it is too long for one.
fn quoted(value: &str) -> String {
    const SHOWN_CHARS: usize = 100;
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{:?} and more", &value[..end]),
        None => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_browsers_mean_it() {
        for (text, shown) in [
            ("localhost", "localhost"),
            ("LocalHost:80", "localhost:80"),
            ("localhost.:8080", "localhost:8080"),
            ("example.org:", "example.org"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("127.1", "127.0.0.1"),
            ("0x7f000001:65535", "127.0.0.1:65535"),
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]:8080", "[::1]:8080"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_host", "my_host"),
        ] {
            assert_eq!(Authority::parse(text).map(|host| host.to_string()).as_deref(), Some(shown), "{text}");
        }
        let long = format!("{}.example", "a".repeat(MAX_BYTES));
        for text in [
            "",
            ":80",
            ".",
            "..",
            "a..",
            ".a",
            "a..b",
            "a b",
            " a",
            "a\t",
            "a,b",
            "a@b",
            "user:pass@a",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a%2eb",
            "%6cocalhost",
            "bücher.example",
            "a:b",
            "a:-1",
            "a:+1",
            "a:65536",
            "a:80:80",
            "::1",
            "[::1",
            "[::1]]",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "1.2.3.4.5",
            "256.0.0.1",
            "a.1",
            "http://a",
            &long,
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_is_read_as_browsers_write_it() {
        for (text, shown) in [
            ("http://a.example", "http://a.example"),
            ("HTTPS://A.Example:443", "https://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ] {
            assert_eq!(PageOrigin::parse(text).map(|origin| origin.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in [
            "",
            "null",
            "*",
            "a.example",
            "http://",
            "://a",
            "http:a",
            "http:/a",
            "http:///a",
            "http://a/",
            "http://a?",
            "http://a#",
            "http://u@a",
            "http://a http://b",
            "http://a,http://b",
            "1http://a",
            "ht tp://a",
            "file://",
            "http://a:x",
        ] {
            assert_eq!(PageOrigin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_public_url_may_have_a_path_and_nothing_more() {
        for text in ["https://a.example", "https://a.example/", "http://a.example:8080/run/pen/", "https://[::1]"] {
            assert_eq!(PublicUrl::parse(text).map(|url| url.to_string()).as_deref(), Some(text));
        }
        for text in [
            "",
            "a.example",
            "ftp://a",
            "ws://a",
            "https://u:p@a",
            "https://a?b",
            "https://a/?b",
            "https://a/#b",
            "https://a/ b",
        ] {
            assert_eq!(PublicUrl::parse(text), None, "{text}");
        }
    }
}
