//! Programs that call themselves: as deep as learners write them, and given back afterwards.

use serde_json::json;

use crate::support::server::{TestServer, memory_of};
use crate::support::ws::WsClient;

/// Half of what Node does with its defaults.
const CALLS: usize = 5_500;

#[tokio::test]
async fn recursion_goes_as_deep_as_learners_write_it() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    let plain = format!("(function down(n) {{ return n === 0 ? 'bottom' : down(n - 1) }})({CALLS})");
    let fill = "const grid = Array.from({ length: 40 }, () => Array(40).fill(0)); let filled = 0;
        (function fill(x, y) {
          if (x < 0 || y < 0 || x >= 40 || y >= 40 || grid[y][x]) return;
          grid[y][x] = 1; filled++;
          fill(x + 1, y); fill(x - 1, y); fill(x, y + 1); fill(x, y - 1);
        })(0, 0); filled";
    let search = "const next = Array.from({ length: 5000 }, (_, n) => [n + 1]); const seen = new Set();
        (function visit(n) { if (n >= 5000 || seen.has(n)) return; seen.add(n); for (const m of next[n]) visit(m) })(0); seen.size";
    let memo = "const known = new Map(); const sum = (n) => n === 0 ? 0 : known.get(n) ?? (known.set(n, n + sum(n - 1)), known.get(n)); sum(1000)";
    for (code, text) in [(plain.as_str(), "'bottom'"), (fill, "1600"), (search, "5000"), (memo, "500500")] {
        let ran = client.request(json!({ "type": "run", "code": code, "mode": "script", "fresh": true })).await;
        assert_eq!(ran.outcome(), "ok", "{code}: {}", ran.done);
        assert_eq!(ran.text(), text, "{code}");
    }
}

#[tokio::test]
async fn recursion_without_end_is_an_error_that_can_be_caught_everywhere() {
    let server = TestServer::start();
    let mut client = WsClient::connect(&server).await;
    client.run("var kept = 1").await;
    for code in [
        "(function down() { return down() + 1 })()",
        "const o = { get x() { return this.x } }; o.x",
        "const o = { toString() { return `${this}` } }; `${o}`",
        "class A { constructor() { new A() } } new A()",
        "const f = () => [1].map(f); f()",
        "const f = () => [2, 1].sort(f); f()",
        "const f = () => JSON.stringify({ toJSON: f }); f()",
        "const f = () => JSON.parse('[1]', f); f()",
        "const f = () => 'a'.replace(/a/, f); f()",
        "const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x",
        "const f = () => Reflect.apply(f, null, []); f()",
        "const f = () => { console.log(1); f() }; f()",
        "let deep = []; for (let n = 0; n < 1e5; n++) deep = [deep]; JSON.stringify(deep)",
        "function* g() { yield* g() } [...g()]",
    ] {
        let caught = format!("try {{ {code}; 'went on' }} catch (error) {{ error.name }}");
        let ran = client.request(json!({ "type": "run", "code": caught, "mode": "script" })).await;
        assert_eq!((ran.outcome(), ran.text()), ("ok", "'RangeError'"), "{code}: {}", ran.done);
        assert_eq!(ran.done["runtime"], "kept", "{code}");
    }
    assert_eq!(client.run("kept").await.text(), "1");
}

#[tokio::test]
async fn a_deep_run_leaves_the_worker_as_small_as_it_was() {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1")]);
    let mut client = WsClient::connect(&server).await;
    client.works().await;
    let [worker] = server.children()[..] else { panic!("one worker") };
    client.run("function down(n) { return n === 0 ? 0 : 1 + down(n - 1) }").await;
    client.run("down(100)").await;
    let before = memory_of(worker);
    assert_eq!(client.run("down(5000)").await.text(), "5000");
    server.eventually("the stack is given back", |_| memory_of(worker) < before + (1 << 20));
}
