//! Frames that no client library would send: the bytes of a connection by hand, at the real server.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::frames::{
    BINARY, CLOSE, FIRST_BINARY, FIRST_TEXT, Heard, LAST, MIDDLE, PING, PONG, Raw, TEXT, declaring, frame, run,
};
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const FRAME_BYTES: usize = 1 << 20;

/// Frames in which a message may come by default: 64, and one for each KiB of `server.frame_bytes`.
const MOST_PIECES: usize = 64 + FRAME_BYTES / 1024;

/// What a flood that is not read may add to the server: what it reads ahead, and the allocator's and the threads' noise.
const MEMORY_ROOM: u64 = 12 << 20;

/// A connection of its own sends these bytes, and gets one close frame of this code.
async fn ends_with(server: &TestServer, bytes: &[u8], code: u16) -> String {
    let mut raw = Raw::open(server).await;
    raw.send(bytes).await;
    let (got, reason) = raw.closed().await;
    assert_eq!(got, code, "{reason} for {:02x?}", &bytes[..bytes.len().min(40)]);
    reason
}

/// Sends as fast as the server takes it, up to `most` bytes, and returns how many it took until it ended the connection.
async fn flood(stream: &mut (impl AsyncWriteExt + Unpin), most: usize) -> usize {
    let chunk = vec![0x5a; 256 << 10];
    let mut sent = 0;
    while sent < most {
        match timeout(Duration::from_secs(5), stream.write(&chunk)).await {
            Ok(Ok(count)) => sent += count,
            // It reads no further: what the kernel holds is full.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    sent
}

#[tokio::test]
async fn a_declared_length_is_refused_before_its_data_come_and_costs_no_memory() {
    const FLOOD: usize = 200 << 20;
    let server = TestServer::start();
    Raw::open(&server).await.works().await;
    let before = server.footprint().memory;
    for (what, start, code) in [
        ("text", declaring(TEXT, 1 << 40), 1009),
        ("binary", declaring(BINARY, 1 << 40), 1009),
        ("the first of more", declaring(FIRST_TEXT, 1 << 40), 1009),
        ("the last", [frame(FIRST_TEXT, b"x"), declaring(LAST, 1 << 40)].concat(), 1009),
        ("one in the middle", [frame(FIRST_BINARY, b"x"), declaring(MIDDLE, 1 << 40)].concat(), 1009),
        ("one byte too long", declaring(TEXT, FRAME_BYTES as u64 + 1), 1009),
        ("all bits but one", declaring(TEXT, i64::MAX as u64), 1009),
        ("64 bits", declaring(TEXT, 1 << 63), 1002),
        ("a ping", declaring(PING, 1 << 40), 1002),
        ("a pong", declaring(PONG, 1 << 40), 1002),
        ("a close", declaring(CLOSE, 1 << 40), 1002),
    ] {
        // As soon as the header is there.
        ends_with(&server, &start, code).await;
        let raw = Raw::open(&server).await;
        let (reader, mut writer) = raw.stream.into_split();
        writer.write_all(&start).await.unwrap();
        let sent = flood(&mut writer, FLOOD).await;
        let after = server.footprint().memory;
        println!("{what}: {sent} bytes were taken, memory {before} -> {after}");
        assert!(after < before + MEMORY_ROOM, "{what}: {before} has become {after}");
        drop(reader);
    }
    server.at_rest();
}

#[tokio::test]
async fn a_reserved_bit_closes_once_with_1002_wherever_it_is() {
    let server = TestServer::start();
    let starts: [&[u8]; 4] = [
        b"",
        &frame(PING, b""),
        &frame(FIRST_TEXT, b"{"),
        &[frame(FIRST_BINARY, b"x"), frame(MIDDLE, b""), frame(PONG, b"")].concat(),
    ];
    for start in starts {
        for bit in [0x10, 0x20, 0x40] {
            for opcode in [MIDDLE, 0x01, 0x02, 0x08, 0x09, 0x0a] {
                for fin in [0x80, 0] {
                    let bad = frame(fin | bit | opcode, b"");
                    // What comes after it is never read.
                    let bytes = [start, &bad, &bad, &run("never", "1")].concat();
                    let mut raw = Raw::open(&server).await;
                    raw.send(&bytes).await;
                    let mut heard = raw.hear().await;
                    if let Heard::Pong(_) = heard {
                        heard = raw.hear().await;
                    }
                    let what = format!("{:02x?}", bytes);
                    assert_eq!(heard, Heard::Close(1002, "a reserved bit is set".to_owned()), "{what}");
                    raw.ended().await;
                }
            }
        }
    }
    server.at_rest();
    assert_eq!(server.ended("ok"), 0.0, "nothing ran");
}

#[tokio::test]
async fn what_was_whole_before_a_violation_is_answered_and_nothing_after_it() {
    let server = TestServer::start();
    let mut raw = Raw::open(&server).await;
    let ping = frame(TEXT, br#"{"type":"ping"}"#);
    let bad = frame(0xc1, b"x");
    raw.send(&[&ping[..], &ping, &frame(PING, b"p"), &frame(TEXT, b"\xff"), &ping, &bad, &ping].concat()).await;
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
    assert_eq!(raw.hear().await, Heard::Pong(b"p".to_vec()));
    let error = raw.message().await;
    assert_eq!(error["code"], "bad_message", "in the order of what it answers: {error}");
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
    assert_eq!(raw.closed().await.0, 1002);
}

#[tokio::test]
async fn a_frame_that_is_not_masked_closes_with_1002() {
    let server = TestServer::start();
    for bytes in
        [&[TEXT, 2, b'{', b'}'][..], &[PING, 0], &[CLOSE, 0], &[FIRST_TEXT, 0], &[TEXT, 126, 1, 0], &[TEXT, 127]]
    {
        ends_with(&server, bytes, 1002).await;
    }
}

#[tokio::test]
async fn a_message_in_too_many_pieces_closes_with_1009_and_says_why() {
    let server = TestServer::start();
    for piece in [&b""[..], b" "] {
        // One piece for each byte of a program is many; as many as may be are fine.
        let start = br#"{"type":"ping""#;
        let fits = [frame(FIRST_TEXT, start), frame(MIDDLE, piece).repeat(MOST_PIECES - 2), frame(LAST, b"}")].concat();
        let mut raw = Raw::open(&server).await;
        raw.send(&fits).await;
        assert_eq!(raw.message().await, json!({ "type": "pong" }));
        let many = [frame(FIRST_TEXT, start), frame(MIDDLE, piece).repeat(MOST_PIECES)].concat();
        let reason = ends_with(&server, &many, 1009).await;
        assert_eq!(reason, format!("a message may have at most {MOST_PIECES} frames"));
    }
}

/// Each connection leaves a message unfinished, in as many pieces as it may have, and between two of them as many pings as fill
/// what the server reads at once: a piece must not keep in memory what it came with.
#[tokio::test]
async fn pieces_of_unfinished_messages_cost_little_and_do_not_keep_what_came_with_them() {
    const CLIENTS: usize = 20;
    let server = TestServer::start();
    let mut held = Vec::new();
    for _ in 0..CLIENTS {
        let mut raw = Raw::open(&server).await;
        raw.works().await;
        held.push(raw);
    }
    let before = server.footprint().memory;
    let pongs = frame(PONG, &[b'x'; 125]).repeat(128);
    for raw in &mut held {
        raw.send(&frame(FIRST_TEXT, b" ")).await;
        for index in 0..MOST_PIECES - 1 {
            raw.send(&frame(MIDDLE, b" ")).await;
            // 16 KiB with every fourth piece.
            if index % 4 == 0 {
                raw.send(&pongs).await;
            }
        }
        raw.send(&frame(PING, b"read")).await;
        assert_eq!(raw.hear().await, Heard::Pong(b"read".to_vec()));
    }
    let each = server.footprint().memory.saturating_sub(before) / CLIENTS as u64;
    println!("{each} bytes for each of {CLIENTS}, of which {MOST_PIECES} pieces");
    assert!(each < 1 << 20, "{each} bytes for {MOST_PIECES} bytes of text");
}

#[tokio::test]
async fn everything_may_come_a_byte_at_a_time() {
    let server = TestServer::start();
    let mut raw = Raw::open(&server).await;
    let long = format!(r#"{{"type":"ping","pad":"{}"}}"#, "é".repeat(100));
    let bytes = [
        frame(TEXT, long.as_bytes()),
        frame(FIRST_TEXT, br#"{"type""#),
        frame(PING, b"between"),
        frame(LAST, br#":"ping"}"#),
        frame(TEXT, b"\xc3"),
        frame(CLOSE, b"\x0f\xa0bye"),
    ]
    .concat();
    for byte in bytes {
        raw.send(&[byte]).await;
    }
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
    assert_eq!(raw.hear().await, Heard::Pong(b"between".to_vec()));
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
    assert_eq!(raw.message().await["code"], "bad_message");
    assert_eq!(raw.closed().await, (4000, "bye".to_owned()));
    // And so may what is wrong.
    let mut raw = Raw::open(&server).await;
    for byte in declaring(TEXT, 1 << 40) {
        // The verdict is there before the mask is: then nobody reads any more.
        let _ = raw.stream.write_all(&[byte]).await;
    }
    assert_eq!(raw.closed().await.0, 1009);
}

#[tokio::test]
async fn half_a_frame_and_silence_are_ended_by_the_heartbeat() {
    let server = TestServer::with(&[("session.heartbeat_ms", "1000")]);
    let begun = Instant::now();
    let mut silent = Vec::new();
    let (half, first) = (frame(TEXT, b"not whole"), frame(FIRST_TEXT, b"{"));
    for bytes in [&[TEXT][..], &[TEXT, 0xfe, 1], &[TEXT, 0x85, 1, 2], &half[..9], &first, &[first[0]]] {
        let mut raw = Raw::open(&server).await;
        raw.send(bytes).await;
        silent.push(raw);
    }
    for mut raw in silent {
        while raw.hear().await != Heard::End {}
    }
    assert!(begun.elapsed() > Duration::from_millis(900), "not before: {:?}", begun.elapsed());
    server.at_rest();
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_one_error_each_and_the_session_goes_on() {
    let server = TestServer::start();
    let mut raw = Raw::open(&server).await;
    let smile = "😀".as_bytes();
    let bad: [Vec<u8>; 7] = [
        frame(TEXT, b"\xff"),
        frame(TEXT, &smile[..3]),
        // A surrogate, a code point beyond the last, and one written too long.
        frame(TEXT, b"\xed\xa0\x80"),
        frame(TEXT, b"\xf4\x90\x80\x80"),
        frame(TEXT, b"\xc0\xaf"),
        [frame(FIRST_TEXT, b"{\"a\":\"\xff"), frame(MIDDLE, b"x"), frame(LAST, b"\"}")].concat(),
        [frame(FIRST_TEXT, &smile[..2]), frame(PONG, b""), frame(LAST, b"")].concat(),
    ];
    for bytes in &bad {
        raw.send(bytes).await;
        let error = raw.message().await;
        assert_eq!(error["code"], "bad_message", "{bytes:02x?}: {error}");
        raw.works().await;
    }
    // All at once, too.
    raw.send(&bad.concat()).await;
    for _ in &bad {
        assert_eq!(raw.message().await["code"], "bad_message");
    }
    raw.works().await;
    // A code point may be split over frames.
    let text = r#"{"type":"fly😀"}"#.as_bytes();
    for cut in 0..text.len() {
        raw.send(&[frame(FIRST_TEXT, &text[..cut]), frame(PONG, b""), frame(LAST, &text[cut..])].concat()).await;
        let error = raw.message().await;
        assert!(error["code"] == "unknown_type" && error["message"].as_str().unwrap().contains('😀'), "{error}");
    }
    assert_eq!(ends_with(&server, &frame(CLOSE, b"\x03\xe8\xff"), 1007).await, "the reason is not valid UTF-8");
}

#[tokio::test]
async fn nothing_after_a_close_frame_is_read() {
    let server = TestServer::start();
    let close = frame(CLOSE, b"\x03\xe8");
    let mut raw = Raw::open(&server).await;
    raw.send(&[&close[..], &run("never", "1"), &frame(PING, b""), &[0xff; 100]].concat()).await;
    assert_eq!(raw.closed().await, (1000, String::new()));
    // Without a code what was sent before is finished, and that alone.
    let mut raw = Raw::open(&server).await;
    raw.send(&[run("before", "1 + 1"), frame(CLOSE, b""), run("after", "2 + 2"), vec![0xff; 100]].concat()).await;
    assert_eq!(raw.message().await["type"], "started");
    let done = raw.message().await;
    assert_eq!((&done["id"], &done["outcome"]), (&json!("before"), &json!("ok")));
    let mut rest = Vec::new();
    timeout(PATIENCE, raw.stream.read_to_end(&mut rest)).await.expect("an end in time").unwrap();
    assert_eq!(rest, [CLOSE, 0], "an empty close frame and nothing else");
}

/// The newest ping is answered; the ones before it need not be (RFC 6455 §5.5.3), and are not where nobody reads.
#[tokio::test]
async fn pings_of_a_client_that_does_not_read_leave_one_pong_in_memory() {
    const PINGS: usize = 400_000;
    let server = TestServer::with(&[("session.heartbeat_ms", "600000")]);
    let raw = WsClient::connect_narrow(&server).await.into_stream();
    let before = server.footprint().memory;
    let (mut reader, mut writer) = raw.into_split();
    let pings = frame(PING, &[b'x'; 120]).repeat(1000);
    for _ in 0..PINGS / 1000 {
        timeout(PATIENCE, writer.write_all(&pings)).await.expect("the server reads on").unwrap();
    }
    writer.write_all(&frame(PING, b"the last")).await.unwrap();
    let after = server.footprint().memory;
    println!("memory {before} -> {after}");
    assert!(after < before + MEMORY_ROOM, "{before} has become {after}");
    let (mut heard, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    while !heard.ends_with(b"\x8a\x08the last") {
        let count = timeout(PATIENCE, reader.read(&mut chunk)).await.expect("a pong in time").unwrap();
        assert!(count > 0, "the server ended it");
        heard.extend_from_slice(&chunk[..count]);
    }
    let pongs = heard.len() / 122;
    println!("{pongs} of {PINGS} pings were answered");
    assert!(pongs < PINGS / 2, "{pongs} pongs for {PINGS} pings");
}

#[tokio::test]
async fn control_frames_binary_and_broken_text_count_as_messages() {
    const RATE: &[(&str, &str)] = &[("session.messages_per_s", "3")];
    let server = TestServer::with(RATE);
    let limited =
        json!({ "type": "error", "code": "rate_limited", "message": "too many messages a second; slow down" });
    for (what, bytes) in [
        ("pings", frame(PING, b"")),
        ("pongs", frame(PONG, b"")),
        ("binary frames", frame(BINARY, b"x")),
        ("broken text", frame(TEXT, b"\xff")),
        ("pieces", [frame(FIRST_TEXT, b"{"), frame(MIDDLE, b"").repeat(30), frame(LAST, b"}")].concat()),
        ("broken pieces", [frame(FIRST_TEXT, b"\xff"), frame(MIDDLE, b"").repeat(30), frame(LAST, b"}")].concat()),
    ] {
        let mut raw = Raw::open(&server).await;
        let times = if what.contains("pieces") { 1 } else { 30 };
        raw.send(&[bytes.repeat(times), frame(TEXT, br#"{"type":"ping"}"#)].concat()).await;
        // Three are allowed, and one more for each third of a second that a busy machine takes.
        let mut answers = Vec::new();
        loop {
            let heard = raw.hear().await;
            let is_last = heard == Heard::Text(limited.clone()) && !matches!(bytes[0], TEXT | BINARY);
            answers.push(heard);
            if is_last || answers.len() == 31 {
                break;
            }
        }
        assert_eq!(answers.last(), Some(&Heard::Text(limited.clone())), "{what}: {answers:?}");
        let allowed = answers.iter().filter(|heard| **heard != Heard::Text(limited.clone())).count();
        assert!(allowed <= 10, "{what}: {answers:?}");
    }
}

#[tokio::test]
async fn a_message_in_pieces_is_not_refused_for_their_number_alone() {
    let server = TestServer::with(&[("session.messages_per_s", "2")]);
    let mut raw = Raw::open(&server).await;
    let text = [frame(FIRST_TEXT, br#"{"type":"#), frame(MIDDLE, b" ").repeat(50), frame(LAST, br#""ping"}"#)].concat();
    raw.send(&text).await;
    assert_eq!(raw.message().await, json!({ "type": "pong" }));
}

/// Another client is served while one floods.
#[tokio::test]
async fn a_flood_of_violations_neither_talks_without_end_nor_stops_others() {
    let server = TestServer::start();
    let mut other = WsClient::connect(&server).await;
    let mut raw = Raw::open(&server).await;
    let bad = [[0xa1, 0x80, 1, 2, 3, 4], [0x91, 0x80, 1, 2, 3, 4], [0xc9, 0x80, 1, 2, 3, 4]].concat();
    // The server stops reading at the first; the rest may not be taken.
    let _ = timeout(Duration::from_secs(5), raw.stream.write_all(&bad.repeat(10_000))).await;
    other.works().await;
    let mut all = Vec::new();
    // An error is the end as well: the server has left what it did not read.
    let _ = timeout(PATIENCE, raw.stream.read_to_end(&mut all)).await.expect("an end in time");
    assert!(all.len() < 64, "{} bytes were said", all.len());
    other.cut();
    server.at_rest();
}
