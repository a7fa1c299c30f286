//! The gate and the library behind it are of one mind about what frames are.

use std::pin::pin;
use std::task::Waker;

use actix_web::test::TestRequest;
use actix_ws::{AggregatedMessage, ProtocolError};
use futures_util::{Future, stream};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::session::budget::Budget;

const FRAME_BYTES: usize = 8192;

/// Text of a client, as bytes that may be no UTF-8.
const TEXT: &[u8] = "né😀".as_bytes();

/// A frame that may break any rule, but mostly breaks none.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![20 => prop::sample::select(vec![0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0x89, 0x8a]),
        1 => Just(0x88), 1 => any::<u8>()];
    let length = prop_oneof![8 => 0..TEXT.len() + 1, 2 => 120..130_usize, 1 => 4000..5000_usize];
    let mask = prop_oneof![40 => Just(0x80_u8), 1 => Just(0)];
    (opcode, length, mask).prop_map(|(first, length, mask)| {
        let mut frame = vec![first];
        match length {
            0..126 => frame.push(mask | length as u8),
            _ => {
                frame.push(mask | 126);
                frame.extend((length as u16).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(TEXT.iter().cycle().take(length));
        frame
    })
}

fn upgrade() -> HttpRequest {
    let request =
        TestRequest::default().insert_header(("upgrade", "websocket")).insert_header(("connection", "upgrade"));
    let request = request.insert_header(("sec-websocket-version", "13"));
    request.insert_header(("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==")).to_http_request()
}

/// What the library makes of these bytes behind a gate, and why the gate stopped.
fn behind_the_gate(chunks: Vec<Bytes>) -> (Vec<Result<AggregatedMessage, ProtocolError>>, Option<Violation>) {
    let req = upgrade();
    let held = Budget::new(1 << 30).account().claim();
    let client = payload(&req, Box::pin(stream::iter(chunks.into_iter().map(Ok))));
    let (body, seen) = gated(&req, client, FRAME_BYTES, held);
    // The response is the connection: without it the library reads no further.
    let (_response, _session, messages) = actix_ws::handle(&req, body).unwrap();
    let mut messages =
        messages.max_frame_size(FRAME_BYTES).aggregate_continuations().max_continuation_size(FRAME_BYTES);
    let mut heard = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        // Where it is pending it has woken itself.
        match pin!(messages.recv()).poll(&mut cx) {
            Poll::Ready(Some(message)) => heard.push(message),
            Poll::Ready(None) => return (heard, seen.violation()),
            Poll::Pending => {}
        }
    }
}

/// How many messages and control frames are whole in what a gate lets through.
fn whole_ones(input: &[u8]) -> (usize, Option<Violation>) {
    let (mut gate, mut waiting) = (Gate::new(FRAME_BYTES), BytesMut::from(input));
    let (mut whole, mut first) = (0, None);
    loop {
        match gate.pass(&mut waiting) {
            Ok(Some(bytes)) => {
                let byte = *first.get_or_insert(bytes[0]);
                if gate.is_between_frames() {
                    whole += usize::from(byte & 0x80 != 0);
                    first = None;
                }
            }
            Ok(None) => return (whole, None),
            Err(violation) => return (whole, Some(violation)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn whatever_passes_is_read_by_the_library_once_and_without_an_error_but_for_its_text(
        frames in vec(frame(), 0..12),
        cut in 1..3000_usize,
    ) {
        let input = frames.concat();
        let (whole, violation) = whole_ones(&input);
        let (heard, stopped) = behind_the_gate(input.chunks(cut).map(Bytes::copy_from_slice).collect());
        prop_assert_eq!((heard.len(), stopped), (whole, violation), "{:?}", heard);
        for message in heard {
            if let Err(error) = message {
                let is_text = matches!(&error, ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData);
                prop_assert!(is_text, "{:?}", error);
            }
        }
    }
}
