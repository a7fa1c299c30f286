//! Holds every message that a client reads against the protocol: the fields are those of its type, and a run ends once.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// What is known of a session's runs, by their ids.
#[derive(Default)]
pub struct Ledger {
    over: HashSet<String>,
    in_background: HashSet<String>,
    /// The next `seq` of each run's console messages.
    console: HashMap<String, u64>,
}

impl Ledger {
    /// The client may use an id again once its run is over.
    pub fn sent(&mut self, message: &Value) {
        if message["type"] == "run" && !message["id"].is_null() {
            let id = message["id"].to_string();
            if self.over.remove(&id) {
                self.console.remove(&id);
            }
        }
    }

    #[track_caller]
    pub fn received(&mut self, message: &Value) {
        check(message);
        let kind = message["type"].as_str().unwrap();
        let id = message["id"].to_string();
        if matches!(kind, "queued" | "started" | "console" | "input_request" | "done" | "settled") {
            assert!(!self.over.contains(&id), "a run that is over says {message}");
        }
        match kind {
            "console" => {
                let seq = self.console.entry(id).or_default();
                assert_eq!(message["seq"], *seq, "{message}");
                *seq += 1;
            }
            "done" => {
                assert!(!self.in_background.contains(&id), "a second `done`: {message}");
                let over = message["background"] == 0 || message.get("console").is_some();
                if over {
                    self.over.insert(id)
                } else {
                    self.in_background.insert(id)
                };
            }
            "settled" => {
                assert!(self.in_background.remove(&id), "`settled` without a background: {message}");
                self.over.insert(id);
            }
            _ => {}
        }
    }
}

const OUTCOMES: &[&str] = &["ok", "error", "timeout", "cancelled", "memory", "unsettled", "crashed", "shutdown"];

const CODES: &[&str] = &[
    "bad_message",
    "unknown_type",
    "too_large",
    "duplicate_id",
    "queue_full",
    "busy",
    "rate_limited",
    "unknown_run",
    "no_input_wanted",
    "ref_expired",
    "no_answer",
    "shutting_down",
];

const VALUE_KINDS: &[&str] = &[
    "undefined",
    "null",
    "boolean",
    "number",
    "bigint",
    "string",
    "symbol",
    "function",
    "array",
    "error",
    "promise",
    "object",
];

#[track_caller]
fn is_preview(preview: &Value) {
    assert!(preview["kind"].as_str().is_some_and(|kind| VALUE_KINDS.contains(&kind)), "no kind in {preview}");
    assert!(preview["text"].as_str().is_some_and(|text| !text.contains('\n')), "no line of text in {preview}");
    assert!(preview.get("ref").is_none_or(Value::is_u64), "{preview}");
    preview.get("entries").into_iter().for_each(are_properties);
}

#[track_caller]
fn are_properties(entries: &Value) {
    for entry in entries.as_array().unwrap_or_else(|| panic!("no entries in {entries}")) {
        assert!(entry["key"].is_string(), "no key in {entry}");
        assert!(entry.get("value").is_none_or(Value::is_object), "{entry}");
        entry.get("value").into_iter().for_each(is_preview);
    }
}

/// A server message has the fields of its type.
#[track_caller]
pub fn check(message: &Value) {
    let is_one_of = |field: &str, names: &[&str]| {
        let known = message[field].as_str().is_some_and(|name| names.contains(&name));
        assert!(known, "`{field}` is none of {names:?} in {message}");
    };
    let is_text = |object: &Value, field: &str| assert!(object[field].is_string(), "no text `{field}` in {message}");
    let is_count = |object: &Value, field: &str| assert!(object[field].is_u64(), "no count `{field}` in {message}");
    let is_id = || assert!(message["id"].is_string() || message["id"].is_number(), "no id in {message}");
    let is_error = |error: &Value| {
        for field in ["name", "message", "stack"] {
            is_text(error, field);
        }
        assert!(error["frames"].is_array(), "no frames in {message}");
    };
    let is_usage = || {
        for field in ["wall_ms", "cpu_ms"] {
            assert!(message["usage"][field].as_f64().is_some_and(|time| time >= 0.0), "no `{field}` in {message}");
        }
        for field in ["heap_bytes", "console_bytes", "dropped"] {
            is_count(&message["usage"], field);
        }
    };
    let are_entries = |entries: &Value| {
        for entry in entries.as_array().unwrap_or_else(|| panic!("no entries in {message}")) {
            let level = entry["level"].as_str().unwrap_or_default();
            assert!(["log", "info", "warn", "error", "debug"].contains(&level), "level {level:?} in {message}");
            is_text(entry, "text");
            is_count(entry, "time");
            entry["values"].as_array().into_iter().flatten().for_each(is_preview);
        }
    };
    match message["type"].as_str().unwrap_or_default() {
        "queued" => {
            is_id();
            assert!(message["position"].as_u64().is_some_and(|position| position > 0), "no position in {message}");
            is_one_of("waiting_for", &["session", "pool"]);
        }
        "started" => {
            is_id();
            is_one_of("runtime", &["kept", "fresh"]);
        }
        "console" => {
            is_id();
            is_count(message, "seq");
            are_entries(&message["entries"]);
        }
        "input_request" => {
            is_id();
            is_one_of("kind", &["prompt", "confirm", "alert"]);
            is_text(message, "text");
        }
        "done" => {
            is_id();
            is_one_of("outcome", OUTCOMES);
            is_one_of("runtime", &["kept", "replaced"]);
            is_count(message, "background");
            is_usage();
            let value = &message["value"];
            assert_eq!(message["outcome"] == "ok", value.is_object(), "a value comes with `ok` alone: {message}");
            assert_eq!(
                message["outcome"] == "ok",
                message["error"].is_null(),
                "an error comes with the rest: {message}"
            );
            if value.is_object() {
                is_text(value, "kind");
                is_text(value, "text");
                value.get("preview").into_iter().for_each(is_preview);
            } else {
                is_error(&message["error"]);
            }
            if let Some(console) = message.get("console") {
                are_entries(console);
            }
        }
        "settled" => {
            is_id();
            is_one_of("outcome", OUTCOMES);
            is_one_of("runtime", &["kept", "replaced"]);
            is_usage();
            if message["outcome"] != "ok" {
                is_error(&message["error"]);
            }
        }
        "reset" | "pong" => {}
        "properties" => {
            is_count(message, "ref");
            if message["entries"].is_array() {
                is_count(message, "start");
                is_count(message, "total");
                are_properties(&message["entries"]);
            } else if message["error"].is_object() {
                is_error(&message["error"]);
            } else {
                is_preview(&message["value"]);
            }
        }
        "completions" => {
            is_count(message, "from");
            is_count(message, "to");
            for item in message["items"].as_array().unwrap_or_else(|| panic!("no items in {message}")) {
                for field in ["label", "kind", "detail"] {
                    is_text(item, field);
                }
            }
        }
        "completeness" => is_one_of("state", &["complete", "incomplete", "invalid"]),
        "hello" => {
            for field in ["protocol", "version", "engine", "session"] {
                is_text(message, field);
            }
            assert!(message["limits"].is_object() && message["features"].is_array(), "{message}");
        }
        "error" => {
            is_one_of("code", CODES);
            is_text(message, "message");
        }
        other => panic!("there is no message type {other:?}: {message}"),
    }
}
