//! Questions about an engine: `inspect`, `complete` and `is_complete`.

use serde::Deserialize;

use super::{ClientLimits, ClientMessage, Rejected, fields_of};
use crate::ipc::{Lang, MOST_PROPERTIES, Query, Reference};
use crate::protocol::{ErrorCode, RequestId};

/// Entries of a `properties` where the client does not say how many it wants.
const DEFAULT_COUNT: u32 = 100;

/// The largest whole number that JavaScript counts with.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

#[derive(Deserialize)]
struct InspectFields {
    #[serde(rename = "ref")]
    reference: Option<f64>,
    start: Option<f64>,
    count: Option<f64>,
}

#[derive(Deserialize)]
struct CompleteFields {
    code: Option<String>,
    cursor: Option<f64>,
}

#[derive(Deserialize)]
struct IsCompleteFields {
    code: Option<String>,
    lang: Option<Lang>,
}

pub(super) fn inspect(frame: &str, id: Option<RequestId>) -> Result<ClientMessage, Rejected> {
    let InspectFields { reference, start, count } = fields_of("inspect", frame, &id)?;
    let Some(reference) = reference else {
        return Err(Rejected::bad(id, "in `inspect`: the field `ref` is missing".to_owned()));
    };
    let reference = whole("ref", reference, 0, u32::MAX.into(), &id)?;
    let start = start.map_or(Ok(0), |start| whole("start", start, 0, MAX_SAFE_INTEGER, &id))?;
    let count =
        count.map_or(Ok(DEFAULT_COUNT.into()), |count| whole("count", count, 1, MOST_PROPERTIES.into(), &id))?;
    let narrow = |number: u64| u32::try_from(number).expect("it was just held against a bound of 32 bits");
    let query = Query::Inspect { reference: Reference(narrow(reference)), start, count: narrow(count) };
    Ok(ClientMessage::Query { id, query })
}

pub(super) fn complete(frame: &str, id: Option<RequestId>, limits: ClientLimits) -> Result<ClientMessage, Rejected> {
    let CompleteFields { code, cursor } = fields_of("complete", frame, &id)?;
    let code = code_of("complete", code, &id, limits)?;
    let length = code.encode_utf16().count() as u64;
    let cursor = cursor.map_or(Ok(length), |cursor| whole("cursor", cursor, 0, length, &id))?;
    let cursor = u32::try_from(cursor).expect("code is far shorter than 4 GiB");
    Ok(ClientMessage::Query { id, query: Query::Complete { code, cursor } })
}

pub(super) fn is_complete(frame: &str, id: Option<RequestId>, limits: ClientLimits) -> Result<ClientMessage, Rejected> {
    let IsCompleteFields { code, lang } = fields_of("is_complete", frame, &id)?;
    let code = code_of("is_complete", code, &id, limits)?;
    Ok(ClientMessage::Query { id, query: Query::IsComplete { code, lang: lang.unwrap_or_default() } })
}

fn code_of(kind: &str, code: Option<String>, id: &Option<RequestId>, limits: ClientLimits) -> Result<String, Rejected> {
    let Some(code) = code else {
        return Err(Rejected::bad(id.clone(), format!("in `{kind}`: the field `code` is missing")));
    };
    if code.len() > limits.code_bytes {
        let message = format!("`code` has {} bytes; the limit is {}", code.len(), limits.code_bytes);
        return Err(Rejected { code: ErrorCode::TooLarge, message, id: id.clone() });
    }
    Ok(code)
}

fn whole(name: &str, number: f64, least: u64, most: u64, id: &Option<RequestId>) -> Result<u64, Rejected> {
    if number.fract() == 0.0 && number >= least as f64 && number <= most as f64 {
        return Ok(number as u64);
    }
    Err(Rejected::bad(id.clone(), format!("`{name}` must be a whole number from {least} to {most}")))
}
