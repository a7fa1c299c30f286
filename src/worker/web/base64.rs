//! Base64, as forgiving as the standard wants it, for `atob` and `btoa`.

use std::rc::Rc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rquickjs::{Ctx, Error, Object, Result};

use super::{demand_room, lend_function, text_of};
use crate::worker::host::Host;

/// What is left after the padding was taken off by hand. Bits that are over are nobody's concern.
const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

pub fn lend<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
    let owner = Rc::clone(host);
    let to = move |ctx: Ctx<'js>, text: rquickjs::String<'js>| {
        let Some(text) = unicode(&text)? else { return Ok(None) };
        demand_room(&ctx, &owner, text.len().saturating_mul(2))?;
        let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        Ok::<_, Error>(bytes.map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes)))
    };
    lend_function(ctx, lent, "toBase64", to)?;
    let owner = Rc::clone(host);
    let from = move |ctx: Ctx<'js>, text: rquickjs::String<'js>| {
        let Some(text) = unicode(&text)? else { return Ok(None) };
        demand_room(&ctx, &owner, text.len().saturating_mul(2))?;
        // One character for each byte.
        Ok::<_, Error>(decoded(&text).map(|bytes| bytes.into_iter().map(char::from).collect::<String>()))
    };
    lend_function(ctx, lent, "fromBase64", from)
}

/// A string as text; `None` where it is not Unicode.
fn unicode(text: &rquickjs::String<'_>) -> Result<Option<String>> {
    match text_of(text) {
        Ok(text) => Ok(Some(text)),
        Err(Error::Utf8(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut text: Vec<u8> =
        text.bytes().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')).collect();
    if text.len().is_multiple_of(4) {
        let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
        text.truncate(text.len() - padding);
    }
    UNPADDED.decode(text).ok()
}
