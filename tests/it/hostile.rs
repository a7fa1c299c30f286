//! Every hostile snippet through the real server: alone, in a session that has state, and in eight sessions at once. The results
//! are written to `target/hostile.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::corpus::{Snippet, corpus};
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

const TIMEOUT: Duration = Duration::from_millis(250);

/// What snippets may do that a busy machine has starved, or that code without optimisation is too slow for.
const LONG_TIMEOUT: Duration = Duration::from_secs(40);

/// From the deadline to `done`: the grace of 50 ms, and what is left for everything else.
const STRICT: Duration = Duration::from_millis(100);

/// The same on the busiest machine. What outlives its deadline does so for ever, or until the next thing stops it.
const LOOSE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Setting {
    Alone,
    WithState,
    EightAtOnce,
}

impl Setting {
    const ALL: [Setting; 3] = [Setting::Alone, Setting::WithState, Setting::EightAtOnce];

    fn name(self) -> &'static str {
        match self {
            Setting::Alone => "alone",
            Setting::WithState => "with state",
            Setting::EightAtOnce => "8 at once",
        }
    }
}

/// What came of one snippet in one session.
#[derive(Debug, Clone)]
struct Result {
    outcome: String,
    /// From `started` to `done`.
    took: Duration,
    replaced: bool,
    /// It needed the long timeout to show what it comes to.
    starved: bool,
}

impl Result {
    fn overdue(&self) -> Duration {
        self.took.saturating_sub(if self.starved { LONG_TIMEOUT } else { TIMEOUT })
    }
}

/// Runs the snippet in a session of its own, and holds everything that the session says against the protocol.
async fn run(server: &TestServer, snippet: &Snippet, setting: Setting, timeout: Duration) -> Result {
    let name = &snippet.name;
    let mut client = WsClient::connect(server).await;
    if setting == Setting::WithState {
        client.send(json!({ "type": "hello", "preview": true })).await;
        client.until("hello").await;
        let ran = client.run("var kept__ = 41; let held__ = new Map([[1, { a: [1, 2, 3] }]]); kept__").await;
        assert_eq!(ran.outcome(), "ok", "{name}");
    }
    let mut request = json!({
        "type": "run", "id": "hostile", "code": snippet.code(), "timeout_ms": timeout.as_millis() as u64,
    });
    if let Some(mode) = &snippet.mode {
        request["mode"] = json!(mode);
    }
    if let Some(input) = snippet.input() {
        request["input"] = input;
    }
    client.send(request).await;
    // Counted anew from `started`, which a starved worker may not even come to say.
    let mut begun = Instant::now();
    let done = loop {
        let message = client.recv().await;
        assert_eq!(message["id"], "hostile", "{name}: {message}");
        match message["type"].as_str() {
            Some("done") => break message,
            Some("started") => begun = Instant::now(),
            Some("queued" | "console" | "input_request") => {}
            _ => panic!("{name}: {message}"),
        }
    };
    let took = begun.elapsed();
    let replaced = done["runtime"] == "replaced";

    // The same session goes on, and nothing more is heard of the run but the end of its background.
    let mut settled = if done["background"] == 0 { 1 } else { 0 };
    if settled == 0 {
        client.send(json!({ "type": "cancel", "id": "hostile" })).await;
    }
    // With what is left of the engine, looking must be as safe as running.
    let mut looks = 0;
    if setting == Setting::WithState {
        let reference = done["value"]["preview"]["ref"].as_u64().unwrap_or(1);
        for question in [
            json!({ "type": "inspect", "id": "look", "ref": reference, "count": 1000 }),
            json!({ "type": "complete", "id": "look", "code": "held__." }),
            json!({ "type": "is_complete", "id": "look", "code": snippet.code() }),
        ] {
            client.send(question).await;
            looks += 1;
        }
    }
    let mut was_lost_looking = false;
    let code = "typeof kept__ === 'number' ? kept__ + 1 : 6 * 7 + 100";
    client.send(json!({ "type": "run", "id": "next", "code": code, "timeout_ms": 30_000 })).await;
    client.send(json!({ "type": "ping" })).await;
    let (mut next, mut ponged) = (None, false);
    while next.is_none() || !ponged || settled == 0 || looks > 0 {
        let message = client.recv().await;
        match (message["type"].as_str().unwrap(), message["id"].as_str()) {
            ("pong", _) => ponged = true,
            ("properties" | "completions" | "completeness", Some("look")) => looks -= 1,
            ("error", Some("look")) => {
                looks -= 1;
                was_lost_looking |= message["code"] == "no_answer";
            }
            ("done", Some("next")) => next = Some(message),
            // It was over before the cancel came.
            ("error", Some("hostile")) if message["code"] == "unknown_run" => {}
            ("settled", Some("hostile")) if settled == 0 => settled += 1,
            ("console" | "input_request", Some("hostile")) if settled == 0 => {}
            ("started" | "queued", Some("next")) => {}
            _ => panic!("{name}: after its last message: {message}"),
        }
    }
    let next = next.unwrap();
    assert_eq!(next["outcome"], "ok", "{name}: the next run in the session: {next}");
    let lost = next["value"]["text"] == "142";
    assert!(lost || next["value"]["text"] == "42", "{name}: {next}");
    if setting == Setting::WithState && !replaced && !was_lost_looking && done["background"] == 0 {
        assert!(!lost, "{name}: the state is gone and nobody has said so: {done}");
    }
    client.close(Some(1000)).await;
    Result { outcome: done["outcome"].as_str().unwrap().to_owned(), took, replaced, starved: false }
}

/// The snippet in this setting; once more and longer, where it only came to nothing for want of time.
async fn judged(server: &TestServer, snippet: &Snippet, setting: Setting) -> Vec<Result> {
    let begun = Instant::now();
    let sessions = if setting == Setting::EightAtOnce { 8 } else { 1 };
    let runs = (0..sessions).map(|_| run(server, snippet, setting, TIMEOUT));
    let mut results = futures_util::future::join_all(runs).await;
    let starved = |result: &Result| result.outcome == "timeout" && !snippet.allows("timeout");
    if results.iter().any(starved) {
        // Once for all of them: what has time enough here would have had it there.
        let longer = run(server, snippet, setting, LONG_TIMEOUT).await;
        for result in results.iter_mut().filter(|result| starved(result)) {
            *result = Result { starved: true, ..longer.clone() };
        }
    }
    if begun.elapsed() > SLOW {
        println!("{}, {}: {:.1?}", snippet.name, setting.name(), begun.elapsed());
    }
    results
}

/// A session that asks for `1+1` all the while. Returns how long each answer took.
fn neighbour(server: Arc<TestServer>, over: Arc<AtomicBool>) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = WsClient::connect(&server).await;
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut took = Vec::new();
        while !over.load(Ordering::Relaxed) {
            pace.tick().await;
            let ran = client.run("1+1").await;
            assert_eq!((ran.outcome(), ran.text()), ("ok", "2"), "the neighbour: {}", ran.done);
            assert_eq!(ran.done["runtime"], "kept", "the neighbour keeps its worker");
            took.push(ran.took);
        }
        took
    })
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

type Table = BTreeMap<Setting, Vec<(Snippet, Vec<Result>)>>;

fn report(table: &Table, neighbours: &BTreeMap<Setting, Vec<Duration>>, stops: &str) -> String {
    let mut out = String::from("# Hostile snippets\n\n");
    writeln!(out, "Deadline {TIMEOUT:?}, grace 50 ms. Written by `tests/it/hostile.rs`.\n").unwrap();
    out += "| setting | runs | stopped by the clock | of these done in deadline + grace + 50 ms | past the deadline p50, p99, worst | neighbour's 1+1 p50, p99, worst |\n";
    out += "| --- | --- | --- | --- | --- | --- |\n";
    for setting in Setting::ALL {
        let results: Vec<&Result> = table[&setting].iter().flat_map(|(_, results)| results).collect();
        let mut overdue: Vec<Duration> =
            results.iter().filter(|result| result.outcome == "timeout").map(|result| result.overdue()).collect();
        overdue.sort_unstable();
        let strict = overdue.iter().filter(|overdue| **overdue <= STRICT).count();
        let mut near = neighbours[&setting].clone();
        near.sort_unstable();
        let [over50, over99, worst] = [50, 99, 100].map(|percent| ms(percentile(&overdue, percent)));
        let [near50, near99, near_worst] = [50, 99, 100].map(|percent| ms(percentile(&near, percent)));
        writeln!(
            out,
            "| {} | {} | {} | {strict} | {over50:.1}, {over99:.1}, {worst:.1} ms | {near50:.2}, {near99:.2}, {near_worst:.1} ms |",
            setting.name(), results.len(), overdue.len(),
        ).unwrap();
    }
    writeln!(out, "\nFrom a stop to the engine at rest, by the server's own clock:\n\n```\n{stops}```\n").unwrap();
    out += "| snippet | alone | with state | 8 at once | allowed |\n| --- | --- | --- | --- | --- |\n";
    for (index, (snippet, _)) in table[&Setting::Alone].iter().enumerate() {
        let cells = Setting::ALL.map(|setting| cell(&table[&setting][index].1));
        let [alone, state, eight] = cells;
        writeln!(out, "| {} | {alone} | {state} | {eight} | {} |", snippet.name, snippet.outcomes.join(", ")).unwrap();
    }
    out
}

/// The outcomes with how often they came, whether the worker was replaced, and the slowest.
fn cell(results: &[Result]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for result in results {
        let replaced = if result.replaced { " (replaced)" } else { "" };
        let starved = if result.starved { " (longer)" } else { "" };
        *counts.entry(format!("{}{replaced}{starved}", result.outcome)).or_default() += 1;
    }
    let outcomes = counts.into_iter().map(|(what, count)| if count > 1 { format!("{count} × {what}") } else { what });
    let slowest = results.iter().map(|result| result.took).max().unwrap_or_default();
    format!("{} {:.0} ms", outcomes.collect::<Vec<_>>().join(", "), ms(slowest))
}

/// What is worth a line while the test runs.
const SLOW: Duration = Duration::from_secs(3);

/// What the box of the table is judged by: nothing may outlive its deadline by much, whatever else was going on.
fn mistakes(table: &Table) -> Vec<String> {
    let mut wrong = Vec::new();
    for (setting, rows) in table {
        for (snippet, results) in rows {
            for result in results {
                if !snippet.allows(&result.outcome) || result.overdue() > LOOSE {
                    let (name, allowed) = (&snippet.name, &snippet.outcomes);
                    wrong.push(format!("{name}, {}: {result:?}, allowed {allowed:?}", setting.name()));
                }
            }
        }
    }
    wrong
}

/// How many snippets run side by side where each is to be alone in its session: as many as leave it a core, more or less.
const SIDE_BY_SIDE: usize = 2;

#[test]
fn hostile_code_ends_in_time_and_harms_neither_its_session_nor_its_neighbours() {
    let settings = [("pool.warm", "10"), ("pool.max", "24"), ("run.input_timeout_ms", "200"), ("log.level", "error")];
    let server = Arc::new(TestServer::with(&settings));
    let corpus = corpus();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut table, mut neighbours) = (Table::new(), BTreeMap::new());
    for setting in Setting::ALL {
        let begun = Instant::now();
        let over = Arc::new(AtomicBool::new(false));
        let neighbour = {
            let (server, over) = (Arc::clone(&server), Arc::clone(&over));
            std::thread::spawn(move || neighbour(server, over))
        };
        let side_by_side = if setting == Setting::EightAtOnce { 1 } else { SIDE_BY_SIDE };
        let results = runtime.block_on(
            stream::iter(&corpus)
                .map(|snippet| judged(&server, snippet, setting))
                .buffered(side_by_side)
                .collect::<Vec<_>>(),
        );
        over.store(true, Ordering::Relaxed);
        neighbours.insert(setting, neighbour.join().expect("the neighbour got every answer"));
        println!("{}: {:.0?}", setting.name(), begun.elapsed());
        table.insert(setting, corpus.iter().cloned().zip(results).collect());
    }
    let metrics = server.get("/metrics").body;
    let stops: String = metrics
        .lines()
        .filter(|line| line.starts_with("runpen_stop_seconds") && line.contains("deadline"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    let report = report(&table, &neighbours, &stops);
    let target = Path::new(env!("CARGO_BIN_EXE_runpen")).ancestors().nth(2).unwrap();
    std::fs::write(target.join("hostile.md"), &report).unwrap();
    println!("{}", report.split("| snippet").next().unwrap());

    let wrong = mistakes(&table);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (setting, took) in neighbours {
        assert!(took.len() > 10, "{setting:?}: the neighbour was hardly heard");
        assert!(took.iter().all(|took| *took < PATIENCE / 4), "{setting:?}: the neighbour waited too long");
    }
    slots_add_up(&server);
}

/// Every lease is home, every worker that the pool counts is a process, and there are no others.
fn slots_add_up(server: &TestServer) {
    server.eventually("nobody is connected", |server| server.metric("runpen_sessions{kind=\"websocket\"}") == 0.0);
    server.eventually("every worker is idle and every process counted", |server| {
        let others = ["spawning", "leased", "recycling", "dying"].iter().map(|state| server.slots(state)).sum::<f64>();
        others == 0.0 && server.slots("idle") >= 10.0 && server.children().len() as f64 == server.slots("idle")
    });
    let value: Value = server.run(&json!({ "code": "1+1" })).json();
    assert_eq!(value["result"], 2, "{value}");
}
