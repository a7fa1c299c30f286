//! Values and console lines are, to the byte, what the `node` of this machine prints: `util.inspect` for values, `util.format` and
//! `Console` for the rest. The cases are lines of the files beside this one. Only the frames of stacks are each engine's own.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::support::worker_driver::Worker;

const VALUES: &str = include_str!("node_parity/values.txt");
const FORMATS: &str = include_str!("node_parity/formats.txt");
const CONSOLES: &str = include_str!("node_parity/consoles.txt");

/// Cases in which the engines themselves differ, or running a script's code would be needed, each with its reason.
const DIFFERS: &str = include_str!("node_parity/differs.txt");

const LEAST_CASES: usize = 400;
const MOST_DIFFERENT: usize = 30;

#[derive(Serialize)]
struct Cases {
    values: Vec<&'static str>,
    formats: Vec<&'static str>,
    consoles: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Reference {
    values: Vec<String>,
    formats: Vec<String>,
    consoles: Vec<String>,
}

pub fn cases(file: &'static str) -> Vec<&'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with("// ")).collect()
}

/// The case of each exception, and its reason.
pub fn exceptions_in(file: &'static str) -> BTreeMap<&'static str, &'static str> {
    let lines: Vec<&str> = cases(file);
    lines
        .chunks(2)
        .map(|pair| match pair {
            [case, reason] if reason.starts_with("    ") => (*case, reason.trim()),
            _ => panic!("a case is followed by its reason, indented: {pair:?}"),
        })
        .collect()
}

fn reference(cases: &Cases) -> Reference {
    let mut node = Command::new("node")
        .args(["-e", include_str!("node_parity/reference.js")])
        .env("TZ", "UTC0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is needed for this test");
    let input = serde_json::to_vec(cases).expect("strings are JSON");
    let mut stdin = node.stdin.take().expect("it was asked for");
    // Node reads all of its input before it writes anything.
    stdin.write_all(&input).expect("node reads");
    drop(stdin);
    let output = node.wait_with_output().expect("node ends");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("node prints JSON")
}

/// Makes one line of each run of stack frames, keeping what follows the last one, and takes the numbers out of durations.
pub fn normalised(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut in_frames = false;
    for line in text.split('\n') {
        let inner = line.trim_start_matches(['│', ' ']);
        let is_frame = inner.starts_with("at ") || inner.starts_with("... ") && line.contains("matching cause stack");
        if !is_frame {
            in_frames = false;
            out.push(line.to_owned());
            continue;
        }
        let indent = &line[..line.len() - inner.len()];
        let end = line.rfind([')', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).map_or(line.len(), |end| end + 1);
        let frame = format!("{indent}at …{}", if inner.starts_with("at ") { &line[end..] } else { "" });
        if in_frames {
            out.pop();
        }
        in_frames = true;
        out.push(frame);
    }
    out.join("\n")
}

fn without_durations(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive([' ', '\n']) {
        let bare = word.trim_end();
        let is_duration = bare.strip_suffix("ms").is_some_and(|number| number.parse::<f64>().is_ok());
        out += &if is_duration { word.replace(bare, "…ms") } else { word.to_owned() };
    }
    out
}

fn shown_value(worker: &mut Worker, code: &str) -> String {
    let finished = worker.run(&format!("({code})"));
    match &finished.end.value {
        Some(value) => value.text.clone(),
        None => format!("!! {:?}", finished.end),
    }
}

fn printed(worker: &mut Worker, script: &str) -> String {
    let finished = worker.run(script);
    if let Some(error) = &finished.end.error {
        return format!("!! {}: {}", error.name, error.message);
    }
    finished.lines().iter().map(|line| format!("{line}\n")).collect()
}

fn compare(kind: &str, cases: &[&'static str], node: &[String], mut ours: impl FnMut(&str) -> String) -> Vec<String> {
    let exceptions = exceptions_in(DIFFERS);
    let mut wrong = Vec::new();
    assert_eq!(cases.len(), node.len());
    for (case, node) in cases.iter().zip(node) {
        let (node, ours) = (normalised(node), normalised(&ours(case)));
        match (node == ours, exceptions.get(case)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => wrong.push(format!("{kind}: no exception any more: {case}")),
            (false, None) => wrong.push(format!("{kind}: {case}\n--- node\n{node}\n--- here\n{ours}\n")),
        }
    }
    wrong
}

#[test]
fn everything_is_printed_as_node_prints_it() {
    let cases = Cases { values: cases(VALUES), formats: cases(FORMATS), consoles: cases(CONSOLES) };
    let all: Vec<&str> = [&cases.values, &cases.formats, &cases.consoles].into_iter().flatten().copied().collect();
    assert!(cases.values.len() >= LEAST_CASES, "{} cases", cases.values.len());
    assert!(exceptions_in(DIFFERS).len() <= MOST_DIFFERENT);
    for case in exceptions_in(DIFFERS).keys() {
        assert!(all.contains(case), "an exception without a case: {case}");
    }
    let node = reference(&cases);
    let mut worker = Worker::start();
    let mut wrong = compare("value", &cases.values, &node.values, |code| shown_value(&mut worker, code));
    wrong.extend(compare("format", &cases.formats, &node.formats, |code| {
        let printed = printed(&mut worker, &format!("console.log({code})"));
        printed.strip_suffix('\n').map_or(printed.clone(), str::to_owned)
    }));
    let consoles: Vec<String> = node.consoles.iter().map(|text| without_durations(text)).collect();
    wrong.extend(compare("console", &cases.consoles, &consoles, |script| {
        // Groups and labels outlive a run.
        without_durations(&printed(&mut Worker::start(), script))
    }));
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), all.len(), wrong.join("\n"));
}
