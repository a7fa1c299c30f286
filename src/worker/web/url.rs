//! Parsing, changing and encoding for `URL` and `URLSearchParams`.

use std::rc::Rc;

use rquickjs::function::Opt;
use rquickjs::{Array, Ctx, Object, Result};
use url::{Url, quirks};

use super::{STEPS_PER_LOOK, bare_list, demand_room, interrupted, lend_function, text_of};
use crate::worker::host::Host;

/// UTF-8 bytes of a URL. As browsers have it; longer ones are invalid.
const MOST_URL_BYTES: usize = 2 << 20;

/// Bytes that one byte may become: a percent sign and two digits.
const MOST_GROWTH: usize = 3;

pub fn lend<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
    lend_function(
        ctx,
        lent,
        "parseUrl",
        |ctx: Ctx<'js>, text: rquickjs::String<'js>, base: Opt<Option<rquickjs::String<'js>>>| -> Result<_> {
            let base = match base.0.flatten() {
                Some(base) => match parse(&text_of(&base)?, None) {
                    Some(base) => Some(base),
                    None => return Ok(None),
                },
                None => None,
            };
            parse(&text_of(&text)?, base.as_ref()).map(|url| parts(&ctx, &url)).transpose()
        },
    )?;
    lend_function(
        ctx,
        lent,
        "setUrl",
        |ctx: Ctx<'js>, href: rquickjs::String<'js>, part: usize, value: rquickjs::String<'js>| -> Result<_> {
            changed(&text_of(&href)?, part, &text_of(&value)?).map(|url| parts(&ctx, &url)).transpose()
        },
    )?;
    let owner = Rc::clone(host);
    let decode = move |ctx: Ctx<'js>, text: rquickjs::String<'js>| pairs(&ctx, &owner, &text_of(&text)?);
    lend_function(ctx, lent, "decodeForm", decode)?;
    let owner = Rc::clone(host);
    let encode = move |ctx: Ctx<'js>, text: rquickjs::String<'js>| {
        let text = text_of(&text)?;
        demand_room(&ctx, &owner, text.len().saturating_mul(MOST_GROWTH))?;
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        rquickjs::String::from_str(ctx, &encoded)
    };
    lend_function(ctx, lent, "encodeForm", encode)
}

fn parse(text: &str, base: Option<&Url>) -> Option<Url> {
    if text.len() > MOST_URL_BYTES {
        return None;
    }
    Url::options().base_url(base).parse(text).ok().filter(|url| url.as_str().len() <= MOST_URL_BYTES)
}

/// The parts of a URL, where the file in JavaScript looks for them.
fn parts<'js>(ctx: &Ctx<'js>, url: &Url) -> Result<Array<'js>> {
    let parts = bare_list(ctx)?;
    parts.set(0, quirks::href(url))?;
    parts.set(1, quirks::origin(url))?;
    parts.set(2, quirks::protocol(url))?;
    parts.set(3, quirks::username(url))?;
    parts.set(4, quirks::password(url))?;
    parts.set(5, quirks::host(url))?;
    parts.set(6, quirks::hostname(url))?;
    parts.set(7, quirks::port(url))?;
    parts.set(8, quirks::pathname(url))?;
    parts.set(9, quirks::search(url))?;
    parts.set(10, quirks::hash(url))?;
    Ok(parts)
}

/// The URL with another value in one of its parts. A value that a part cannot have changes nothing; only a whole URL can be
/// wrong.
fn changed(href: &str, part: usize, value: &str) -> Option<Url> {
    let mut url = parse(href, None)?;
    let before = url.clone();
    if value.len() > MOST_URL_BYTES {
        return if part == 0 { None } else { Some(url) };
    }
    let taken = match part {
        0 => return parse(value, None),
        2 => quirks::set_protocol(&mut url, value),
        3 => quirks::set_username(&mut url, value),
        4 => quirks::set_password(&mut url, value),
        5 => quirks::set_host(&mut url, value),
        6 => quirks::set_hostname(&mut url, value),
        7 => quirks::set_port(&mut url, value),
        8 => {
            quirks::set_pathname(&mut url, value);
            if !before.has_authority() && !before.cannot_be_a_base() {
                url = with_path(&before, value).unwrap_or(url);
            }
            Ok(())
        }
        9 => {
            quirks::set_search(&mut url, value);
            Ok(())
        }
        _ => {
            quirks::set_hash(&mut url, value);
            Ok(())
        }
    };
    Some(if taken.is_ok() && url.as_str().len() <= MOST_URL_BYTES { url } else { before })
}

/// A URL that has a path but no host, with another path. One that begins with two slashes would be a host if it were written as it
/// stands, which `url` does not see.
fn with_path(url: &Url, value: &str) -> Option<Url> {
    let scheme = url.scheme();
    let mut beside = parse(&format!("{scheme}://h/"), None)?;
    quirks::set_pathname(&mut beside, value);
    let path = Some(beside.path()).filter(|path| !path.is_empty())?;
    let guard = if path.starts_with("//") { "/." } else { "" };
    parse(&format!("{scheme}:{guard}{path}{}{}", quirks::search(url), quirks::hash(url)), None)
}

/// Names and values in turn, in a list that inherits nothing.
fn pairs<'js>(ctx: &Ctx<'js>, host: &Host, text: &str) -> Result<Array<'js>> {
    let list = bare_list(ctx)?;
    let text = text.strip_prefix('?').unwrap_or(text);
    for (position, (name, value)) in form_urlencoded::parse(text.as_bytes()).enumerate() {
        if position.is_multiple_of(STEPS_PER_LOOK) && host.must_stop() {
            return Err(interrupted(ctx));
        }
        list.set(2 * position, &*name)?;
        list.set(2 * position + 1, &*value)?;
    }
    Ok(list)
}
