//! The globals of the Web Platform do what the `node` of this machine does with them: values, errors, and how objects print. The
//! cases are lines of `node_parity/web.txt`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::node_parity::{cases, exceptions_in, normalised};
use crate::support::worker_driver::Worker;

const CASES: &str = include_str!("node_parity/web.txt");
const PRELUDE: &str = include_str!("node_parity/web_prelude.js");

/// Cases in which Node has not, or not yet, what the standards say, each with its reason.
const DIFFERS: &str = include_str!("node_parity/web_differs.txt");

const LEAST_CASES: usize = 400;
const MOST_DIFFERENT: usize = 40;

fn reference(cases: &[&str]) -> Vec<String> {
    let mut node = Command::new("node")
        .args(["-e", include_str!("node_parity/web_reference.js")])
        .env("TZ", "UTC0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed for this test");
    let input = json!({ "prelude": PRELUDE, "values": cases }).to_string();
    let mut stdin = node.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("node reads");
    drop(stdin);
    let output = node.wait_with_output().expect("node ends");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("node prints JSON")
}

#[test]
fn the_web_globals_do_what_nodes_do() {
    let cases = cases(CASES);
    assert!(cases.len() >= LEAST_CASES, "{} cases", cases.len());
    let exceptions = exceptions_in(DIFFERS);
    assert!(exceptions.len() <= MOST_DIFFERENT);
    for case in exceptions.keys() {
        assert!(cases.contains(case), "an exception without a case: {case}");
    }
    let node = reference(&cases);
    let mut worker = Worker::start();
    worker.run(PRELUDE);
    let mut wrong = Vec::new();
    for (case, node) in cases.iter().zip(&node) {
        let finished = worker.run(&format!("await ({case})"));
        let ours = match &finished.end.value {
            Some(value) => value.text.clone(),
            None => format!("!! {:?}", finished.end),
        };
        let (node, ours) = (normalised(node), normalised(&ours));
        match (node == ours, exceptions.get(case)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => wrong.push(format!("no exception any more: {case}")),
            (false, None) => wrong.push(format!("{case}\n--- node\n{node}\n--- here\n{ours}\n")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
