//! Text to bytes and back, for `TextEncoder` and `TextDecoder`.

use std::cell::RefCell;
use std::rc::Rc;

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};
use rquickjs::{Ctx, Error, Function, Object, Result, TypedArray, Value};

use super::{bare_list, demand_room, lend_function, text_of};
use crate::sandbox;
use crate::worker::host::Host;

/// UTF-16 units of a label, spaces around it included.
const MOST_LABEL: usize = 256;

/// Bytes that are decoded at once, of which Rust makes up to three times as many. The file in JavaScript asks for as many.
const AT_ONCE: usize = 65_536;

/// How a decoder was asked to be.
#[derive(Debug, Clone, Copy)]
struct Kind {
    encoding: &'static Encoding,
    fatal: bool,
    ignore_bom: bool,
}

impl Kind {
    fn decoder(self) -> Decoder {
        if self.ignore_bom {
            self.encoding.new_decoder_without_bom_handling()
        } else {
            self.encoding.new_decoder_with_bom_removal()
        }
    }
}

pub fn lend<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, lent: &Object<'js>) -> Result<()> {
    let owner = Rc::clone(host);
    let encode = move |ctx: Ctx<'js>, text: rquickjs::String<'js>| {
        let text = text_of(&text)?;
        demand_room(&ctx, &owner, text.len())?;
        TypedArray::<u8>::new_copy(ctx, text.as_bytes())
    };
    lend_function(ctx, lent, "encode", encode)?;
    let owner = Rc::clone(host);
    let encode_into = move |ctx: Ctx<'js>, text: rquickjs::String<'js>, room: usize| {
        let text = owner.tools.borrow().as_ref().ok_or(Error::Unknown)?.look(&ctx)?.text(&text, room)?;
        let (read, end) = fitting(&text, room);
        demand_room(&ctx, &owner, end)?;
        let both = bare_list(&ctx)?;
        both.set(0, read)?;
        both.set(1, TypedArray::<u8>::new_copy(ctx, &text.as_bytes()[..end])?)?;
        Ok::<_, Error>(both)
    };
    lend_function(ctx, lent, "encodeInto", encode_into)?;
    let owner = Rc::clone(host);
    let decoder = move |ctx: Ctx<'js>, label: rquickjs::String<'js>, fatal: bool, ignore_bom: bool| -> Result<_> {
        let label = owner.tools.borrow().as_ref().ok_or(Error::Unknown)?.look(&ctx)?.text(&label, MOST_LABEL)?;
        let Some(encoding) = Encoding::for_label_no_replacement(label.as_bytes()) else { return Ok(None) };
        let made = bare_list(&ctx)?;
        made.set(0, encoding.name().to_ascii_lowercase())?;
        made.set(1, decoding(&ctx, Kind { encoding, fatal, ignore_bom })?)?;
        Ok(Some(made))
    };
    lend_function(ctx, lent, "decoder", decoder)
}

/// How much of a text fits into so many bytes: its UTF-16 units, and its bytes.
fn fitting(text: &str, room: usize) -> (usize, usize) {
    let (mut read, mut end) = (0, 0);
    for c in text.chars() {
        if end + c.len_utf8() > room {
            break;
        }
        read += c.len_utf16();
        end += c.len_utf8();
    }
    (read, end)
}

/// A function that decodes what it is given, and remembers what is left of a character for the next time: a few hundred bytes
/// that live as long as the `TextDecoder` in the engine's heap. It is given small pieces, so that what Rust makes of one is small.
fn decoding<'js>(ctx: &Ctx<'js>, kind: Kind) -> Result<Function<'js>> {
    let decoder = RefCell::new(kind.decoder());
    let decode = move |ctx: Ctx<'js>, bytes: Value<'js>, start: usize, end: usize, last: bool| -> Result<_> {
        let bytes = TypedArray::<u8>::from_value(bytes)?;
        let part = sandbox::copy_bytes(&bytes, start, end.min(start.saturating_add(AT_ONCE))).unwrap_or_default();
        let text = decoded(&mut decoder.borrow_mut(), &part, kind.fatal, last);
        if last || text.is_none() {
            *decoder.borrow_mut() = kind.decoder();
        }
        text.map(|text| rquickjs::String::from_str(ctx, &text)).transpose()
    };
    Function::new(ctx.clone(), decode)
}

/// The text of the next bytes; `None` where they are wrong and wrong ones are not to be replaced.
fn decoded(decoder: &mut Decoder, bytes: &[u8], fatal: bool, last: bool) -> Option<String> {
    let room = decoder.max_utf8_buffer_length(bytes.len())?;
    let mut text = String::with_capacity(room);
    if fatal {
        match decoder.decode_to_string_without_replacement(bytes, &mut text, last) {
            (DecoderResult::InputEmpty, _) => Some(text),
            (DecoderResult::OutputFull | DecoderResult::Malformed(..), _) => None,
        }
    } else {
        match decoder.decode_to_string(bytes, &mut text, last) {
            (CoderResult::InputEmpty, ..) => Some(text),
            (CoderResult::OutputFull, ..) => None,
        }
    }
}
