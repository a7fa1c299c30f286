//! Whether a text is complete is what Node's console and Chrome's say of it, but where the table beside this gives a reason.

use std::io::Write;
use std::process::{Command, Stdio};

use runpen::ipc::{Answer, Completeness, Lang, Query};

use crate::support::worker_driver::Worker;

const TABLE: &str = include_str!("completeness_parity/table.txt");

const LEAST_TEXTS: usize = 80;

/// A text, what is to become of it, and whether there are reasons why Node and Chrome see it otherwise.
struct Row {
    text: String,
    state: &'static str,
    node_differs: bool,
    chrome_differs: bool,
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with("//")) {
        match line.strip_prefix("    ").and_then(|reason| reason.split_once(": ")) {
            None => {
                let (state, text) = line.split_once(' ').expect("a state and a text");
                let text = serde_json::from_str(text).expect("the text is JSON");
                rows.push(Row { text, state, node_differs: false, chrome_differs: false });
            }
            Some(("node", reason)) if !reason.is_empty() => rows.last_mut().unwrap().node_differs = true,
            Some(("chrome", reason)) if !reason.is_empty() => rows.last_mut().unwrap().chrome_differs = true,
            Some(other) => panic!("whose reason is this? {other:?}"),
        }
    }
    rows
}

fn reference(texts: &[&str]) -> Vec<(String, String)> {
    let mut node = Command::new("node")
        .args(["-e", include_str!("completeness_parity/reference.js")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed for this test");
    let mut stdin = node.stdin.take().expect("it was asked for");
    stdin.write_all(&serde_json::to_vec(texts).unwrap()).expect("node reads");
    drop(stdin);
    let output = node.wait_with_output().expect("node ends");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("node prints JSON")
}

#[test]
fn a_text_is_complete_where_other_consoles_run_it() {
    let rows = rows();
    assert!(rows.len() >= LEAST_TEXTS, "{} texts", rows.len());
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let mut worker = Worker::start();
    let mut wrong = Vec::new();
    for (row, (node, chrome)) in rows.iter().zip(reference(&texts)) {
        let ours = match worker.ask(Query::IsComplete { code: row.text.clone(), lang: Lang::Js }) {
            Answer::Completeness(Completeness::Complete) => "complete",
            Answer::Completeness(Completeness::Incomplete) => "incomplete",
            Answer::Completeness(Completeness::Invalid) => "invalid",
            other => panic!("{other:?}"),
        };
        if ours != row.state {
            wrong.push(format!("{:?} is {ours}, not {}", row.text, row.state));
        }
        for (whose, theirs, differs) in [("node", node, row.node_differs), ("chrome", chrome, row.chrome_differs)] {
            if (theirs != row.state) != differs {
                wrong.push(format!("{:?}: {whose} says {theirs}, and there is a reason: {differs}", row.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
