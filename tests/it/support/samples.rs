//! A conversation that makes the server say everything that it can say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::server::TestServer;
use super::ws::WsClient;

/// A value without its numbers and words: its fields and their types, and what its arrays hold.
pub fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(items) => {
            let shapes: BTreeSet<String> = items.iter().map(shape).collect();
            format!("[{}]", shapes.into_iter().collect::<Vec<_>>().join("|"))
        }
        Value::Object(fields) => {
            // What is inside `json` and `result` is the user's, an id may be a string or a number, and what the box reports
            // depends on the machine.
            let shown = |key: &str, value: &Value| match key {
                "json" | "result" | "id" | "sandbox" => "any".to_owned(),
                _ => shape(value),
            };
            let fields: BTreeSet<String> =
                fields.iter().map(|(key, value)| format!("{key}:{}", shown(key, value))).collect();
            format!("{{{}}}", fields.into_iter().collect::<Vec<_>>().join(","))
        }
    }
}

/// Every kind of message and reply, in each of its forms that the documentation shows.
pub async fn recorded(server: &TestServer) -> Vec<Value> {
    let mut all = Vec::new();
    let mut client = WsClient::connect(server).await;
    let programs = [
        "1 + 1",
        "console.log(1)",
        "Symbol('no JSON')",
        "function f() { throw new TypeError('bad') }\nf()",
        "throw 5",
        "await new Promise(() => {})",
        "for (let i = 0; i < 10001; i++) console.log(i)",
        "setTimeout(() => console.log(1), 10); 1",
        "setTimeout(() => { throw new Error('late') }, 10); 1",
        "console.group(); console.group('1: %cred', 'color: red'); console.groupEnd(); console.groupEnd()",
    ];
    for program in programs {
        client.send(json!({ "type": "run", "code": program })).await;
        loop {
            let message = client.recv().await;
            let last = message["type"] == "settled" || message["type"] == "done" && message["background"] == 0;
            all.push(message);
            if last {
                break;
            }
        }
    }
    let timeout = client.request(json!({ "type": "run", "code": "for (;;);", "timeout_ms": 50 })).await;
    all.push(timeout.done);
    client.send(json!({ "type": "run", "id": "offer", "code": "prompt('?', 'this')" })).await;
    all.push(client.until("input_request").await);
    client.send(json!({ "type": "input", "text": "that" })).await;
    all.push(client.until("done").await);
    client.send(json!({ "type": "run", "id": "ask", "code": "prompt('?')" })).await;
    all.push(client.until("input_request").await);
    for id in ["next", "after", "beyond"] {
        client.send(json!({ "type": "run", "id": id, "code": "1" })).await;
        all.push(client.recv().await);
    }
    client.send(json!({ "type": "cancel", "id": "nobody" })).await;
    all.push(client.until("error").await);
    client.send(json!({ "type": "cancel" })).await;
    all.push(client.until("done").await);
    client.send(json!({ "type": "hello" })).await;
    all.push(client.until("hello").await);
    client.send(json!({ "type": "ping" })).await;
    all.push(client.until("pong").await);
    client.send(json!({ "type": "reset" })).await;
    all.push(client.until("reset").await);
    client.send_text("nonsense").await;
    all.push(client.until("error").await);

    all.extend(answers(server).await);

    let mut whole = WsClient::open(server.address, "/ws?reply=final").await;
    for program in ["console.log(1); 1 + 1", "setTimeout(() => console.log(1), 10); 1"] {
        whole.send(json!({ "type": "run", "code": program })).await;
        all.push(whole.recv().await);
    }

    let bodies = [
        json!({ "code": "console.log(1); 1 + 1" }),
        json!({ "code": "1 + 1" }),
        json!({ "code": "null.x" }),
        json!({ "code": "for (;;);", "timeout_ms": 50 }),
        json!({ "code": 5 }),
    ];
    all.extend(bodies.iter().map(|body| server.run(body).json()));
    all.push(server.get("/api/info").json());
    all
}

/// Previews, and what the questions about them are answered with.
async fn answers(server: &TestServer) -> Vec<Value> {
    let mut client = WsClient::connect(server).await;
    client.send(json!({ "type": "hello", "preview": true })).await;
    let code = "({ a: 1, list: [1, 2], get twice() { return this.a * 2 } })";
    let done = client.run(code).await.done;
    let mut all = vec![done.clone()];
    let mut ask = async |message: Value| {
        client.send(message).await;
        loop {
            let answer = client.recv().await;
            if ["properties", "completions", "completeness"].contains(&answer["type"].as_str().unwrap()) {
                return answer;
            }
        }
    };
    let opened = ask(json!({ "type": "inspect", "id": 1, "ref": done["value"]["preview"]["ref"] })).await;
    let getter = opened["entries"][2]["getter"].clone();
    all.push(opened);
    all.push(ask(json!({ "type": "inspect", "ref": getter })).await);
    all.push(ask(json!({ "type": "complete", "id": 2, "code": "con" })).await);
    all.push(ask(json!({ "type": "is_complete", "id": 3, "code": "{" })).await);
    let done = client.run("({ get bad() { throw 5 } })").await.done;
    client.send(json!({ "type": "inspect", "ref": done["value"]["preview"]["ref"] })).await;
    let opened = client.until("properties").await;
    client.send(json!({ "type": "inspect", "ref": opened["entries"][0]["getter"] })).await;
    all.push(client.until("properties").await);
    all
}
