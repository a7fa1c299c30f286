//! The conformance of the WebSocket, case by case, in the groups that implementations are commonly tested by: framing, pings,
//! reserved bits, opcodes, fragmentation, UTF-8, closing, sizes. The server is no echo: a text is answered as a message of the
//! protocol, so most texts here are a `ping` with room in it.

use serde_json::json;

use crate::support::frames::{
    BINARY, CLOSE, FIRST_BINARY, FIRST_TEXT, Heard, LAST, MIDDLE, PING, PONG, Raw, TEXT, frame,
};
use crate::support::server::TestServer;

/// What a case is answered with.
enum Then {
    /// One message `pong` for each text.
    Answers(usize),
    /// One `error` of this code; the session goes on.
    Error(&'static str),
    /// A WebSocket pong with the payload of the newest ping, perhaps after others.
    Pong(Vec<u8>),
    /// Nothing; the session goes on.
    Nothing,
    /// One close frame of this code, and nothing more.
    Close(u16),
}

/// Which writes the bytes reach the server in.
#[derive(Clone, Copy)]
enum Cut {
    Whole,
    /// In so many bytes each.
    Every(usize),
}

async fn check(server: &TestServer, what: &str, bytes: &[u8], cut: Cut, then: &Then) {
    println!("{what}");
    let mut raw = Raw::open(server).await;
    match cut {
        Cut::Whole => raw.send(bytes).await,
        Cut::Every(size) => {
            for piece in bytes.chunks(size) {
                raw.send(piece).await;
            }
        }
    }
    match then {
        Then::Answers(count) => {
            for _ in 0..*count {
                let heard = loop {
                    match raw.hear().await {
                        Heard::Pong(_) => {}
                        other => break other,
                    }
                };
                assert_eq!(heard, Heard::Text(json!({ "type": "pong" })), "{what}");
            }
        }
        Then::Error(code) => assert_eq!(raw.message().await["code"], *code, "{what}"),
        Then::Pong(newest) => loop {
            match raw.hear().await {
                Heard::Pong(payload) if payload == *newest => break,
                Heard::Pong(_) => {}
                other => panic!("{what}: {other:?}"),
            }
        },
        Then::Nothing => {}
        Then::Close(code) => {
            let (got, reason) = loop {
                match raw.hear().await {
                    Heard::Close(code, reason) => break (code, reason),
                    // What was whole before.
                    Heard::Pong(_) | Heard::Text(_) => {}
                    other => panic!("{what}: {other:?}"),
                }
            };
            assert_eq!(got, *code, "{what}: {reason}");
            return raw.ended().await;
        }
    }
    raw.works().await;
    raw.send(&frame(CLOSE, b"\x03\xe8")).await;
    assert_eq!(raw.closed().await, (1000, String::new()), "{what}");
}

/// A `ping` of exactly this length.
fn padded(length: usize) -> Vec<u8> {
    let mut text = br#"{"type":"ping"}"#.to_vec();
    assert!(length >= text.len());
    text.resize(length, b' ');
    text
}

/// A message in frames of `size` bytes.
fn pieces(first: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let last = payload.len().div_ceil(size) - 1;
    let frames = payload.chunks(size).enumerate().map(|(index, piece)| match index {
        0 => frame(if last == 0 { first | 0x80 } else { first }, piece),
        index if index == last => frame(LAST, piece),
        _ => frame(MIDDLE, piece),
    });
    frames.collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn framing_of_all_lengths_whole_and_chopped() {
    let server = TestServer::start();
    for length in [15, 125, 126, 127, 128, 65_535, 65_536] {
        let what = format!("text of {length}");
        check(&server, &what, &frame(TEXT, &padded(length)), Cut::Whole, &Then::Answers(1)).await;
    }
    check(&server, "empty text", &frame(TEXT, b""), Cut::Whole, &Then::Error("bad_message")).await;
    check(&server, "chopped", &frame(TEXT, &padded(65_536)), Cut::Every(997), &Then::Answers(1)).await;
    for length in [0, 125, 126, 127, 128, 65_535, 65_536] {
        let what = format!("binary of {length}");
        check(&server, &what, &frame(BINARY, &vec![0xfe; length]), Cut::Whole, &Then::Error("bad_message")).await;
    }
    let chopped = frame(BINARY, &[0xfe; 65_536]);
    check(&server, "chopped binary", &chopped, Cut::Every(997), &Then::Error("bad_message")).await;
}

#[tokio::test]
async fn pings_and_pongs() {
    let server = TestServer::start();
    for payload in [&b""[..], b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", &[0xfe; 125]] {
        let what = format!("a ping of {}", payload.len());
        check(&server, &what, &frame(PING, payload), Cut::Whole, &Then::Pong(payload.to_vec())).await;
        check(&server, &what, &frame(PING, payload), Cut::Every(1), &Then::Pong(payload.to_vec())).await;
    }
    check(&server, "a ping of 126", &frame(PING, &[0xfe; 126]), Cut::Whole, &Then::Close(1002)).await;
    for payload in [&b""[..], b"unsolicited", &[0xfe; 125]] {
        check(&server, "a pong", &frame(PONG, payload), Cut::Whole, &Then::Nothing).await;
    }
    check(&server, "a pong of 126", &frame(PONG, &[0xfe; 126]), Cut::Whole, &Then::Close(1002)).await;
    let both = [frame(PONG, b"unsolicited"), frame(PING, b"mine")].concat();
    check(&server, "a pong, then a ping", &both, Cut::Whole, &Then::Pong(b"mine".to_vec())).await;
    let ten: Vec<u8> = (0..10).flat_map(|index| frame(PING, format!("payload {index}").as_bytes())).collect();
    for cut in [Cut::Whole, Cut::Every(1)] {
        check(&server, "ten pings", &ten, cut, &Then::Pong(b"payload 9".to_vec())).await;
    }
}

#[tokio::test]
async fn reserved_bits_and_opcodes() {
    let server = TestServer::start();
    let (text, ping) = (frame(TEXT, &padded(20)), frame(PING, b""));
    for reserved in (1..8).map(|bits: u8| bits << 4) {
        let bad = frame(TEXT | reserved, &padded(20));
        let bytes = [&text[..], &bad, &ping].concat();
        for cut in [Cut::Whole, Cut::Every(1)] {
            check(&server, &format!("reserved bits {reserved:#x}"), &bytes, cut, &Then::Close(1002)).await;
        }
        for first in [BINARY, PING, CLOSE] {
            check(&server, "of others", &frame(first | reserved, b"\x03\xe8"), Cut::Whole, &Then::Close(1002)).await;
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in [&b""[..], b"payload"] {
            let bytes = [&text[..], &frame(0x80 | opcode, payload), &ping].concat();
            check(&server, &format!("opcode {opcode}"), &bytes, Cut::Whole, &Then::Close(1002)).await;
        }
    }
}

#[tokio::test]
async fn fragmentation() {
    let server = TestServer::start();
    let (first, middle, last) = (frame(FIRST_TEXT, br#"{"type":"#), frame(MIDDLE, br#""pi"#), frame(LAST, br#"ng"}"#));
    let (ping, pong) = (frame(PING, b"between"), frame(PONG, b"between"));
    let whole = [&first[..], &middle, &last].concat();
    for (what, bytes, then) in [
        ("a ping in fragments", [frame(0x09, b"a"), frame(LAST, b"b")].concat(), Then::Close(1002)),
        ("a pong in fragments", [frame(0x0a, b"a"), frame(LAST, b"b")].concat(), Then::Close(1002)),
        ("a close in fragments", [frame(0x08, b"\x03"), frame(LAST, b"\xe8")].concat(), Then::Close(1002)),
        ("text in fragments", whole.clone(), Then::Answers(1)),
        ("again and again", whole.repeat(5), Then::Answers(5)),
        ("a ping between", [&first[..], &ping, &middle, &ping, &last].concat(), Then::Answers(1)),
        ("a pong between", [&first[..], &pong, &middle, &pong, &last].concat(), Then::Answers(1)),
        ("empty ones", [&first[..], &frame(MIDDLE, b""), &middle, &last].concat(), Then::Answers(1)),
        (
            "all empty",
            [frame(FIRST_TEXT, b""), frame(MIDDLE, b""), frame(LAST, b"")].concat(),
            Then::Error("bad_message"),
        ),
        ("binary", [frame(FIRST_BINARY, b"a"), frame(LAST, b"b")].concat(), Then::Error("bad_message")),
        ("a last one without a first", [&last[..], &whole].concat(), Then::Close(1002)),
        ("a middle one without a first", [&middle[..], &whole].concat(), Then::Close(1002)),
        ("a continuation after the end", [&whole[..], &last].concat(), Then::Close(1002)),
        ("a first one twice", [&first[..], &first].concat(), Then::Close(1002)),
        ("a whole one inside", [&first[..], &frame(TEXT, &padded(20))].concat(), Then::Close(1002)),
        ("binary inside of text", [&first[..], &frame(FIRST_BINARY, b"")].concat(), Then::Close(1002)),
        ("a close inside", [&first[..], &frame(CLOSE, b"\x03\xe8")].concat(), Then::Close(1000)),
    ] {
        for cut in [Cut::Whole, Cut::Every(1)] {
            check(&server, what, &bytes, cut, &then).await;
        }
    }
}

#[tokio::test]
async fn utf_8_whole_in_fragments_and_in_single_bytes() {
    let server = TestServer::start();
    let good: [&[u8]; 9] = [
        "κόσμε".as_bytes(),
        b"\x00",
        b"\x7f",
        b"\xc2\x80",
        b"\xdf\xbf",
        b"\xe0\xa0\x80\xef\xbf\xbf",
        b"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd",
        b"\xf0\x90\x80\x80",
        b"\xf4\x8f\xbf\xbf",
    ];
    let bad: [&[u8]; 16] = [
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xce",
        b"\x80",
        b"\xbf\x80",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xfe",
        b"\xff",
    ];
    let texts = good.iter().map(|text| (*text, true)).chain(bad.iter().map(|text| (*text, false)));
    for (text, is_text) in texts {
        let whole = frame(TEXT, text);
        let single = pieces(FIRST_TEXT, text, 1);
        for bytes in [whole, single] {
            let mut raw = Raw::open(&server).await;
            raw.send(&bytes).await;
            let error = raw.message().await;
            // None of them is a message of the protocol; what differs is why.
            let is_broken = error["message"].as_str().unwrap().contains("UTF-8");
            assert_eq!((&error["code"], is_broken), (&json!("bad_message"), !is_text), "{text:02x?}: {error}");
            raw.works().await;
        }
        let split = pieces(FIRST_TEXT, text, 2);
        check(&server, "in pairs", &split, Cut::Every(1), &Then::Error("bad_message")).await;
    }
}

#[tokio::test]
async fn closing() {
    let server = TestServer::start();
    let close = |payload: &[u8]| frame(CLOSE, payload);
    let with = |code: u16, reason: &[u8]| close(&[&code.to_be_bytes(), reason].concat());
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        check(&server, &format!("code {code}"), &with(code, b""), Cut::Whole, &Then::Close(code)).await;
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        check(&server, &format!("code {code}"), &with(code, b""), Cut::Whole, &Then::Close(1002)).await;
    }
    check(&server, "half a code", &close(b"\x03"), Cut::Whole, &Then::Close(1002)).await;
    check(&server, "a reason", &with(1000, b"Hello World!"), Cut::Every(1), &Then::Close(1000)).await;
    check(&server, "the longest reason", &with(1000, &[b'*'; 123]), Cut::Every(1), &Then::Close(1000)).await;
    check(&server, "too long a reason", &with(1000, &[b'*'; 124]), Cut::Whole, &Then::Close(1002)).await;
    check(&server, "no text", &with(1000, b"\xce\xba\xed\xa0\x80edited"), Cut::Whole, &Then::Close(1007)).await;
    for after in [frame(TEXT, &padded(20)), frame(PING, b""), with(1001, b""), vec![0xff; 500]] {
        let bytes = [with(1000, b""), after].concat();
        check(&server, "something after it", &bytes, Cut::Whole, &Then::Close(1000)).await;
    }
    let bytes = [frame(FIRST_TEXT, b"{"), with(1000, b""), frame(LAST, b"}")].concat();
    check(&server, "inside of a message", &bytes, Cut::Whole, &Then::Close(1000)).await;
}

#[tokio::test]
async fn sizes_up_to_the_limit_in_frames_of_all_sizes_and_beyond_it() {
    const FRAME_BYTES: usize = 1 << 20;
    let server = TestServer::start();
    for length in [1 << 16, 1 << 18, FRAME_BYTES] {
        let what = format!("{length} bytes");
        check(&server, &what, &frame(TEXT, &padded(length)), Cut::Whole, &Then::Answers(1)).await;
        check(&server, &what, &frame(BINARY, &vec![0; length]), Cut::Whole, &Then::Error("bad_message")).await;
        for size in [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18] {
            let what = format!("{length} bytes in frames of {size}");
            check(&server, &what, &pieces(FIRST_TEXT, &padded(length), size), Cut::Whole, &Then::Answers(1)).await;
        }
        for size in [1 << 10, 1 << 12, 1 << 16] {
            let what = format!("{length} bytes in writes of {size}");
            check(&server, &what, &frame(TEXT, &padded(length)), Cut::Every(size), &Then::Answers(1)).await;
        }
    }
    let beyond = FRAME_BYTES + 1;
    check(&server, "one byte more", &frame(TEXT, &padded(beyond))[..14], Cut::Whole, &Then::Close(1009)).await;
    let many = pieces(FIRST_TEXT, &padded(FRAME_BYTES), 1 << 16);
    let many = [&many[..many.len() - (1 << 16) - 14], &frame(MIDDLE, &[b' '; 1 << 16]), &frame(LAST, b"x")].concat();
    check(&server, "in fragments", &many, Cut::Whole, &Then::Close(1009)).await;
    let tiny = pieces(FIRST_TEXT, &padded(FRAME_BYTES), 64);
    let tiny = &tiny[..(64 + FRAME_BYTES / 1024) * 70 + 1];
    check(&server, "in tiny fragments", tiny, Cut::Whole, &Then::Close(1009)).await;
}
