//! What one lease plants, the next never sees, though it is the same process.

use serde_json::{Value, json};

use crate::support::server::TestServer;
use crate::support::ws::{Ran, WsClient};

/// Code that leaves something behind, code that looks for it, and what the looking shows in a fresh runtime.
const PLANTS: &[(&str, &str, &str)] = &[
    ("globalThis.secret = 'mine'", "typeof secret", "'undefined'"),
    (
        "var older = 1; let newer = 2; const fixed = 3; class Own {}",
        "[typeof older, typeof newer, typeof fixed, typeof Own].join()",
        "'undefined,undefined,undefined,undefined'",
    ),
    (
        "Object.prototype.planted = 1; Array.prototype.planted = 1",
        "[typeof ({}).planted, typeof [].planted].join()",
        "'undefined,undefined'",
    ),
    ("console.log.__proto__.planted = 1", "typeof console.log.planted", "'undefined'"),
    ("console.log.constructor.prototype.stolen = () => 'mine'", "typeof console.log.stolen", "'undefined'"),
    ("Function.prototype.call = Function.prototype.apply = () => 'mine'", "(x => x).call(0, 5)", "5"),
    (
        "Symbol.for('planted'); globalThis[Symbol.for('planted')] = 1",
        "typeof globalThis[Symbol.for('planted')]",
        "'undefined'",
    ),
    (
        "JSON.parse = () => 'mine'; Math.random = () => 0; Date.now = () => 0",
        "[JSON.parse('1'), Math.random() === 0, Date.now() === 0].join()",
        "'1,false,false'",
    ),
    (
        "console.log = () => 0; delete globalThis.setTimeout; globalThis.Promise = 1",
        "[typeof console.log, typeof setTimeout, typeof Promise].join()",
        "'function,function,function'",
    ),
    ("Promise.prototype.then = () => 'mine'", "await Promise.resolve(1).then(x => x + 1)", "2"),
    (
        "Error.prepareStackTrace = () => 'mine'; Error.stackTraceLimit = 0",
        "typeof new Error('x').stack + (new Error('x').stack === 'mine')",
        "'stringfalse'",
    ),
    (
        "Object.defineProperty(Object.prototype, 'value', { set() { this.forged = 1 }, get() { return 'forged' } })",
        "({}).value",
        "undefined",
    ),
    (
        "setInterval(() => { globalThis.late = 1; console.log('late') }, 1)",
        "await new Promise(r => setTimeout(r, 30)); typeof late",
        "'undefined'",
    ),
    (
        "(async () => { for (;;) { await new Promise(r => setTimeout(r, 1)); globalThis.later = 1; console.log('later') } })()",
        "await new Promise(r => setTimeout(r, 30)); typeof later",
        "'undefined'",
    ),
    (
        "queueMicrotask(function again() { globalThis.job = 1; setTimeout(() => queueMicrotask(again), 1) })",
        "await 0; typeof job",
        "'undefined'",
    ),
    (
        "new FinalizationRegistry(() => { globalThis.finalized = 1; console.log('finalized') }).register({}, 1)",
        "await new Promise(r => setTimeout(r, 10)); typeof finalized",
        "'undefined'",
    ),
    (
        "Object.freeze(Array.prototype); Object.freeze(globalThis.console)",
        "Array.prototype.mine = 1; console.mine = 1; [].mine + console.mine",
        "2",
    ),
    (
        "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {}",
        "[typeof Array, typeof console, typeof Map, typeof JSON].join()",
        "'function,object,function,object'",
    ),
];

/// The same process all the time: the pool has one, and the tests look that it is never replaced.
fn one_worker() -> (TestServer, Vec<u32>) {
    // Patient, so that a busy machine does not cost the worker for being slow.
    let server = TestServer::with(&[
        ("pool.warm", "1"),
        ("pool.max", "1"),
        ("pool.max_leases_per_worker", "1000"),
        ("pool.health_ms", "30000"),
        ("pool.start_ms", "30000"),
    ]);
    let worker = server.children();
    assert_eq!(worker.len(), 1);
    (server, worker)
}

async fn plant(client: &mut WsClient, code: &str) {
    let ran = client.request(json!({ "type": "run", "code": code, "input": { "token": "mine" } })).await;
    // Code that takes apart what its own runtime stands on may end as an error, and has planted all the same.
    assert!(["ok", "error"].contains(&ran.outcome()), "{code}: {}", ran.done);
    assert_eq!(ran.done["runtime"], "kept", "{code}: {}", ran.done);
}

/// What is found, and nothing printed by anybody else.
#[track_caller]
fn check_unseen(ran: &Ran, plant: &str, expected: &str) {
    assert_eq!((ran.outcome(), ran.text()), ("ok", expected), "after {plant}: {}", ran.done);
    assert!(ran.console().is_empty(), "after {plant}: {:?}", ran.console());
}

fn started(ran: &Ran) -> &Value {
    &ran.messages.iter().find(|message| message["type"] == "started").unwrap()["runtime"]
}

#[tokio::test]
async fn a_probe_sees_in_a_fresh_runtime_what_the_table_says_and_the_plants_do_take_root() {
    let (server, _) = one_worker();
    for (code, probe, expected) in PLANTS {
        let mut client = WsClient::connect(&server).await;
        check_unseen(&client.run(probe).await, "nothing", expected);
        client.send(json!({ "type": "reset" })).await;
        client.until("reset").await;
        client.run(code).await;
        let ran = client.run(probe).await;
        let took_root = ran.outcome() != "ok" || ran.text() != *expected || !ran.console().is_empty();
        // A finaliser has no say in when it runs.
        assert!(took_root || code.contains("FinalizationRegistry"), "{code} changes nothing that {probe} sees");
        client.close(Some(1000)).await;
    }
}

#[tokio::test]
async fn the_next_session_in_the_same_process_sees_nothing_of_the_one_before() {
    let (server, worker) = one_worker();
    for (code, probe, expected) in PLANTS {
        let mut first = WsClient::connect(&server).await;
        plant(&mut first, code).await;
        first.close(Some(1000)).await;
        let mut next = WsClient::connect(&server).await;
        let ran = next.run(probe).await;
        assert_eq!(started(&ran), "fresh");
        check_unseen(&ran, code, expected);
        assert_eq!(next.run("typeof input").await.text(), "'undefined'", "`input` was the other's");
        next.close(Some(1000)).await;
    }
    assert_eq!(server.children(), worker, "the process was replaced, so this test shows nothing");
}

#[tokio::test]
async fn everything_planted_at_once_is_gone_for_the_next() {
    let (server, worker) = one_worker();
    let mut first = WsClient::connect(&server).await;
    for (code, _, _) in PLANTS {
        first.send(json!({ "type": "run", "code": code })).await;
        first.until("done").await;
    }
    first.cut();
    let mut next = WsClient::connect(&server).await;
    for (code, probe, expected) in PLANTS {
        check_unseen(&next.run(probe).await, code, expected);
    }
    assert_eq!(server.children(), worker);
}

#[tokio::test]
async fn reset_and_fresh_leave_nothing_of_the_sessions_own_past() {
    let (server, worker) = one_worker();
    let mut client = WsClient::connect(&server).await;
    for (code, probe, expected) in PLANTS {
        plant(&mut client, code).await;
        client.send(json!({ "type": "reset" })).await;
        client.until("reset").await;
        let ran = client.run(probe).await;
        assert_eq!(started(&ran), "fresh");
        check_unseen(&ran, code, expected);

        plant(&mut client, code).await;
        let ran = client.request(json!({ "type": "run", "code": probe, "fresh": true })).await;
        assert_eq!(started(&ran), "fresh");
        check_unseen(&ran, code, expected);
    }
    assert_eq!(server.children(), worker);
}

#[tokio::test]
async fn two_sessions_at_once_share_nothing() {
    let server = TestServer::start();
    let (mut one, mut other) = (WsClient::connect(&server).await, WsClient::connect(&server).await);
    one.works().await;
    other.works().await;
    for (code, probe, expected) in PLANTS {
        one.run(code).await;
        check_unseen(&other.request(json!({ "type": "run", "code": probe, "fresh": true })).await, code, expected);
    }
}
