//! The worker's memory is bounded whatever the code does, and the server's does not depend on it.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const BOMBS: &[(&str, &str)] = &[
    ("objects", "const a=[];for(;;)a.push({x:1,y:2})"),
    ("buffers", "const a=[];for(;;)a.push(new Uint8Array(1e5).fill(1))"),
    ("shared buffers", "const a=[];for(;;)a.push(new SharedArrayBuffer(1e6))"),
    ("one large string", "'x'.repeat(2**30-2)"),
    ("doubling string", "let s='ab';for(;;){s+=s;s.charCodeAt(1)}"),
    ("resized buffer", "const b=new ArrayBuffer(1,{maxByteLength:2**30});for(let i=1;;i*=2)b.resize(i)"),
    ("map", "const m=new Map;for(let i=0;;i++)m.set('k'+i,{i})"),
    ("closures", "let f=null;for(;;){const g=f;f=()=>g}"),
    ("bigint", "let n=1n;for(;;)n=n<<100000n|n"),
    ("promises", "for(;;)Promise.resolve().then(()=>{})"),
    ("caught and again", "const a=[];for(;;)try{for(;;)a.push(new Array(1e5).fill(0))}catch{}"),
];

/// Twice the heap and 128 MiB, beside what is reserved for parsers: the kernel's limit on a worker, by `sandbox::policy`.
const ADDRESS_SPACE: u64 = 2 * (64 << 20) + (128 << 20);

/// What parsers may use of texts of the largest size.
fn reserved() -> u64 {
    runpen::sandbox::scratch::reserved_bytes(runpen::sandbox::DEFAULT_CODE_BYTES)
}

/// A line of `/proc/PID/status`, in bytes.
fn status_bytes(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10)
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn heap_bombs_end_by_their_limit_and_the_process_stays_within_its_address_space() {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1"), ("log.level", "error")]);
    let mut seen = 0;
    for (name, bomb) in BOMBS {
        let mut client = WsClient::connect(&server).await;
        client.run("1").await;
        let [worker] = server.children()[..] else { panic!("one worker: {:?}", server.children()) };
        let ran = client.request(json!({ "type": "run", "code": bomb, "timeout_ms": 20_000 })).await;
        // Code that catches everything goes on until its deadline, and so does code that a slow machine has not let fill its heap.
        assert!(["memory", "error", "timeout"].contains(&ran.outcome()), "{name}: {}", ran.done);
        if ran.done["runtime"] == "kept" {
            let (peak, resident) = (status_bytes(worker, "VmPeak"), status_bytes(worker, "VmHWM"));
            assert!(
                peak > reserved() && peak <= ADDRESS_SPACE + reserved(),
                "{name}: an address space of {peak} bytes"
            );
            assert!(resident < ADDRESS_SPACE / 2, "{name}: {resident} bytes resident");
            seen += 1;
        }
        client.works().await;
        client.close(Some(1000)).await;
        server.at_rest();
    }
    assert!(seen >= 5, "only {seen} workers lived on to be measured");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_a_deep_text_takes_is_given_back() {
    let server = TestServer::with(&[("pool.warm", "1"), ("pool.max", "1"), ("log.level", "error")]);
    let mut client = WsClient::connect(&server).await;
    client.run("let kept = 1").await;
    let [worker] = server.children()[..] else { panic!("one worker: {:?}", server.children()) };
    let before = status_bytes(worker, "VmRSS");
    for text in ["[".repeat(200_000), "enum A{a,b}".repeat(20_000)] {
        let ran = client.request(json!({ "type": "run", "code": text, "lang": "ts", "timeout_ms": 60_000 })).await;
        let name = ran.done["error"]["name"].as_str();
        assert!(name == Some("SyntaxError"), "{}", ran.done);
        assert!(status_bytes(worker, "VmHWM") > before + (48 << 20), "it took nothing");
        let after = status_bytes(worker, "VmRSS");
        assert!(after < before + (8 << 20), "{before} bytes before, {after} after");
    }
    assert_eq!(client.run("kept").await.text(), "1");
}

#[tokio::test]
async fn fifty_heap_bombs_at_once_do_not_take_the_server_with_them() {
    let server = TestServer::with(&[("pool.warm", "4"), ("pool.max", "60"), ("log.level", "error")]);
    let mut clients = join_all((0..50).map(|_| WsClient::connect(&server))).await;
    join_all(clients.iter_mut().map(|client| client.run("1"))).await;
    let before = server.footprint().memory;
    for (_, bomb) in &BOMBS[..2] {
        let ran = join_all(
            clients
                .iter_mut()
                .map(|client| client.request(json!({ "type": "run", "code": bomb, "timeout_ms": 10_000 }))),
        )
        .await;
        for ran in ran {
            assert!(["memory", "error", "timeout"].contains(&ran.outcome()), "{}", ran.done);
        }
        join_all(clients.iter_mut().map(WsClient::works)).await;
    }
    let grown = server.footprint().memory.saturating_sub(before);
    assert!(grown < 16 << 20, "the server has grown by {grown} bytes");
    drop(clients);
    server.at_rest();
}

/// A server on which two of [`FILL`] have room, and three are more than an eighth too much.
fn narrow() -> TestServer {
    TestServer::with(&[
        ("run.heap_bytes", "33554432"),
        ("pool.memory_bytes", "67108864"),
        ("pool.warm", "1"),
        ("run.timeout_ms", "60000"),
    ])
}

const FILL: &str = "globalThis.filled = new Uint8Array(25e6).fill(1); console.log('full');";

#[tokio::test]
async fn where_all_are_at_work_the_largest_run_ends_as_memory_and_the_others_go_on() {
    let server = narrow();
    let mut clients = join_all((0..3).map(|_| WsClient::connect(&server))).await;
    for client in &mut clients {
        client.send(json!({ "type": "run", "id": "r", "code": format!("{FILL} for (;;);") })).await;
        client.until("console").await;
    }
    server.eventually("the end of one", |server| server.ended("memory") == 1.0);
    assert_eq!(server.retired("memory"), 1.0);
    for client in &mut clients {
        client.send(json!({ "type": "cancel" })).await;
    }
    let ends = join_all(clients.iter_mut().map(|client| client.until("done"))).await;
    let (short, others): (Vec<_>, Vec<_>) = ends.into_iter().partition(|done| done["outcome"] == "memory");
    assert_eq!(short[0]["runtime"], "replaced");
    assert!(short[0]["error"]["message"].as_str().unwrap().contains("short of memory"), "{}", short[0]);
    assert!(others.len() == 2 && others.iter().all(|done| done["outcome"] == "cancelled"), "{others:?}");
}

#[tokio::test]
async fn an_idle_session_gives_way_before_any_run_is_ended() {
    let server = narrow();
    let mut idle = WsClient::connect(&server).await;
    idle.run(FILL).await;
    let mut clients = join_all((0..2).map(|_| WsClient::connect(&server))).await;
    for client in &mut clients {
        client.send(json!({ "type": "run", "id": "r", "code": format!("{FILL} for (;;);") })).await;
        client.until("console").await;
    }
    server.eventually("the recall", |server| server.recalled("memory") == 1.0);
    for client in &mut clients {
        client.send(json!({ "type": "cancel" })).await;
        assert_eq!(client.until("done").await["outcome"], "cancelled");
        client.close(Some(1000)).await;
    }
    assert_eq!(idle.run("typeof filled").await.text(), "'undefined'");
    assert_eq!(server.retired("memory"), 0.0);
}
