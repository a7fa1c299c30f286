use super::*;
use crate::ipc::{Detail, Lang, Query, Reference};

const LIMITS: ClientLimits = ClientLimits { frame_bytes: 1000, code_bytes: 100, max_timeout_ms: 300_000 };

#[track_caller]
fn parsed(frame: &str) -> ClientMessage {
    ClientMessage::parse(frame, LIMITS).unwrap_or_else(|rejected| panic!("{frame}: {rejected:?}"))
}

#[track_caller]
fn rejected(frame: &str, code: ErrorCode, says: &str) -> Rejected {
    let rejected = ClientMessage::parse(frame, LIMITS).expect_err(frame);
    assert_eq!(rejected.code, code, "{frame}");
    assert!(rejected.message.contains(says), "{frame}: {:?} does not say {says:?}", rejected.message);
    rejected
}

#[test]
fn the_first_frame_may_be_a_bare_run() {
    let ClientMessage::Run(run) = parsed(r#"{"type":"run","code":"1+1"}"#) else { panic!("not a run") };
    assert_eq!(run.code, "1+1");
    assert_eq!((run.id, run.timeout_ms, run.fresh), (None, None, false));
}

#[test]
fn ids_are_strings_or_numbers_and_null_is_none() {
    assert_eq!(parsed(r#"{"type":"cancel","id":7}"#), ClientMessage::Cancel { id: Some(RequestId::from(7)) });
    assert_eq!(
        parsed(r#"{"type":"cancel","id":"a"}"#),
        ClientMessage::Cancel { id: Some(RequestId::Text("a".into())) }
    );
    assert_eq!(parsed(r#"{"type":"cancel","id":null}"#), ClientMessage::Cancel { id: None });
    rejected(r#"{"type":"cancel","id":[1]}"#, ErrorCode::BadMessage, "`id` must be a string or a number");
    let long = format!(r#"{{"type":"cancel","id":"{}"}}"#, "x".repeat(MAX_ID_BYTES + 1));
    rejected(&long, ErrorCode::BadMessage, "at most 128 bytes");
}

#[test]
fn unknown_fields_are_ignored_and_unknown_types_are_named() {
    assert_eq!(parsed(r#"{"type":"ping","flavour":"new"}"#), ClientMessage::Ping);
    rejected(r#"{"type":"walk"}"#, ErrorCode::UnknownType, "\"walk\"");
}

#[test]
fn every_wrong_field_is_named_and_the_id_is_kept() {
    rejected("nonsense", ErrorCode::BadMessage, "one JSON object");
    rejected("[\"run\"]", ErrorCode::BadMessage, "one JSON object");
    rejected("{}", ErrorCode::BadMessage, "`type` is missing");
    rejected(r#"{"type":5}"#, ErrorCode::BadMessage, "`type` must be a string");
    rejected(r#"{"type":"run"}"#, ErrorCode::BadMessage, "`code` is missing");
    let kept = rejected(r#"{"type":"run","id":3,"code":5}"#, ErrorCode::BadMessage, "expected a string");
    assert_eq!(kept.id, Some(RequestId::from(3)));
    rejected(r#"{"type":"run","code":"","fresh":"yes"}"#, ErrorCode::BadMessage, "expected a boolean");
    rejected(r#"{"type":"run","code":"","mode":"fast"}"#, ErrorCode::BadMessage, "unknown variant `fast`");
    rejected(r#"{"type":"run","code":"a\u0000b"}"#, ErrorCode::BadMessage, "NUL");
    rejected(&format!(r#"{{"type":"run","code":"{}"}}"#, "x".repeat(101)), ErrorCode::TooLarge, "101 bytes");
}

#[test]
fn a_timeout_is_a_whole_number_within_its_bounds() {
    for bad in ["0", "-1", "1e99", "1.5", "300001"] {
        let frame = format!(r#"{{"type":"run","code":"","timeout_ms":{bad}}}"#);
        rejected(&frame, ErrorCode::BadMessage, "whole number from 1 to 300000");
    }
    let ClientMessage::Run(run) = parsed(r#"{"type":"run","code":"","timeout_ms":300000}"#) else {
        panic!("not a run")
    };
    assert_eq!(run.timeout_ms, Some(300_000));
}

#[test]
fn any_json_may_be_the_input() {
    let ClientMessage::Run(run) = parsed(r#"{"type":"run","code":"","input":{"a":[1,null]}}"#) else {
        panic!("not a run")
    };
    assert_eq!(run.input.as_deref(), Some(r#"{"a":[1,null]}"#));
}

#[test]
fn a_server_message_is_one_compact_object() {
    let queued = ServerMessage::Queued { id: RequestId::from(1), position: 2, waiting_for: WaitingFor::Session };
    assert_eq!(
        serde_json::to_string(&queued).unwrap(),
        r#"{"type":"queued","id":1,"position":2,"waiting_for":"session"}"#
    );
}

#[test]
fn files_have_relative_names_and_count_as_code() {
    let files = |files: &str| format!(r#"{{"type":"run","id":1,"code":"1","files":{files}}}"#);
    let ClientMessage::Run(run) = parsed(&files(r#"{"./b/c.ts":"x","a.js":""}"#)) else { panic!("not a run") };
    let names: Vec<&str> = run.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["b/c.ts", "a.js"]);
    for bad in ["", "/a.js", "../a.js", "a/../b.js", "a//b.js", "a/./b.js", "http://x/y.js", "a\\\\b.js", "a/"] {
        rejected(&files(&format!(r#"{{"{bad}":""}}"#)), ErrorCode::BadMessage, "is no name for a file");
    }
    rejected(&files(r#"{"a.js":"","./a.js":""}"#), ErrorCode::BadMessage, "\"a.js\" is there twice");
    rejected(&files(&format!(r#"{{"a.js":"{}"}}"#, "x".repeat(96))), ErrorCode::TooLarge, "101 bytes");
    rejected(&files(r#"{"a.js":"\u0000"}"#), ErrorCode::BadMessage, "NUL");
    rejected(&files(r#"["a.js"]"#), ErrorCode::BadMessage, "in `run`");
    let many = (0..65).map(|n| format!(r#""{n}":"""#)).collect::<Vec<_>>().join(",");
    let roomy = ClientLimits { code_bytes: 100_000, ..LIMITS };
    let rejected = ClientMessage::parse(&files(&format!("{{{many}}}")), roomy).expect_err("too many files");
    assert!(rejected.message.contains("at most 64 files"), "{rejected:?}");
}

#[test]
fn the_language_may_be_typescript() {
    let ClientMessage::Run(run) = parsed(r#"{"type":"run","code":"","lang":"ts"}"#) else { panic!("not a run") };
    assert_eq!(run.lang, Lang::Ts);
}

#[test]
fn questions_about_the_engine_are_read_with_their_defaults() {
    let query = |frame: &str| match parsed(frame) {
        ClientMessage::Query { id, query } => (id.map(|id| id.to_string()), query),
        other => panic!("{other:?}"),
    };
    let inspect = Query::Inspect { reference: Reference(7), start: 0, count: 100 };
    assert_eq!(query(r#"{"type":"inspect","id":1,"ref":7}"#), (Some("1".into()), inspect));
    let slice = Query::Inspect { reference: Reference(7), start: 4_294_967_296, count: 1000 };
    assert_eq!(query(r#"{"type":"inspect","ref":7,"start":4294967296,"count":1000}"#), (None, slice));
    let complete = Query::Complete { code: "a😀".into(), cursor: 3 };
    assert_eq!(query(r#"{"type":"complete","code":"a😀"}"#), (None, complete.clone()));
    assert_eq!(query(r#"{"type":"complete","code":"a😀","cursor":3}"#), (None, complete));
    let whole = Query::IsComplete { code: "{".into(), lang: Lang::Ts };
    assert_eq!(query(r#"{"type":"is_complete","code":"{","lang":"ts"}"#), (None, whole));
}

#[test]
fn questions_that_make_no_sense_are_refused_by_name() {
    for (frame, says) in [
        (r#"{"type":"inspect"}"#, "the field `ref` is missing"),
        (r#"{"type":"inspect","ref":1.5}"#, "`ref` must be a whole number from 0"),
        (r#"{"type":"inspect","ref":"1"}"#, "in `inspect`"),
        (r#"{"type":"inspect","ref":1,"count":0}"#, "`count` must be a whole number from 1 to 1000"),
        (r#"{"type":"inspect","ref":1,"count":1001}"#, "`count` must be a whole number from 1 to 1000"),
        (r#"{"type":"inspect","ref":1,"start":-1}"#, "`start` must be a whole number from 0"),
        (r#"{"type":"complete"}"#, "the field `code` is missing"),
        (r#"{"type":"complete","code":"ab","cursor":3}"#, "`cursor` must be a whole number from 0 to 2"),
        (r#"{"type":"is_complete"}"#, "the field `code` is missing"),
        (r#"{"type":"is_complete","code":"","lang":"py"}"#, "in `is_complete`"),
        (r#"{"type":"hello","preview":1}"#, "in `hello`"),
    ] {
        rejected(frame, ErrorCode::BadMessage, says);
    }
    let long = format!(r#"{{"type":"complete","code":"{}"}}"#, "x".repeat(101));
    rejected(&long, ErrorCode::TooLarge, "the limit is 100");
}

#[test]
fn a_hello_may_ask_for_previews() {
    let detail = |frame: &str| match parsed(frame) {
        ClientMessage::Hello { detail } => detail,
        other => panic!("{other:?}"),
    };
    assert_eq!(detail(r#"{"type":"hello"}"#), None);
    assert_eq!(detail(r#"{"type":"hello","preview":true}"#), Some(Detail::Previews));
    assert_eq!(detail(r#"{"type":"hello","preview":false}"#), Some(Detail::Text));
}
