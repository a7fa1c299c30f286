//! The work that a text takes grows as the text does, whatever it repeats. Work is the processor time of the worker: eight times the
//! text may take three times as much more than eight times the work, and with the square of its length it would take sixty-four.

use runpen::ipc::{Answer, Lang, Mode, Query, RunRequest};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request, settings};

const SHORT: usize = 24 << 10;
const GROWTH: usize = 8;
const MOST_GROWTH: u64 = 24;

/// Work below which nothing is compared, in nanoseconds: what any answer takes.
const FLOOR_NS: u64 = 2_000_000;

/// What is repeated. Those that are no programs are asked about, and run all the same. An enum that is declared thousands of times is
/// not among them: the compiler compares each with all others, until its time is up.
const UNITS: [&str; 61] = [
    "\n",
    "\r",
    "\u{2028}",
    " ",
    "\t\n",
    ";",
    "//\n",
    "// a\r",
    "/**/",
    "/*\n*/",
    "/*",
    "<!--\n",
    "1;",
    "1\n",
    "'a';",
    "'a'+\n",
    "'use strict';",
    "`a`;",
    "`${1}`;",
    "let a;",
    "var a;",
    "var a=1,",
    "a:1,",
    "{}",
    "{let a}",
    "[],",
    "()=>1;",
    "async()=>1;",
    "a=>1,",
    "(a,b)=>1,",
    "(a),",
    "(a,",
    "async(a),",
    "a<b,",
    "a<b>c,",
    "a<b>(c),",
    "<T>(a)=>1,",
    "/a/;",
    "/[a]/;",
    "/a/d.b/c;",
    "a/b;",
    "1n;",
    "0x1;",
    "if(1){}",
    "if(1){}else ",
    "for(;0;);",
    "try{}catch{}",
    "switch(1){}",
    "case 1:",
    "function f(){}",
    "class A{}",
    "class{a;b(){}}",
    "@a",
    "@a class A{@b c}",
    "import 'a';",
    "import a from 'a';",
    "export let a;",
    "await 1;",
    "return 1;",
    "type A=1;",
    "a?.b!.c;",
];

/// The processor time of a process so far, in nanoseconds.
fn cpu_ns(worker: &Worker) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/schedstat", worker.id())).expect("the kernel counts it");
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number")
}

/// What it takes, at best: other programs can only add to it.
fn work(worker: &mut Worker, what: &str, code: &str, act: fn(&mut Worker, &str)) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..3 {
        let before = cpu_ns(worker);
        act(worker, code);
        least = least.min(cpu_ns(worker) - before);
    }
    assert!(least > 0, "{what}");
    least
}

#[track_caller]
fn check(act: fn(&mut Worker, &str), units: &[&str]) {
    let mut worker = Worker::start_with(runpen::ipc::Settings { text_bytes: 1000, ..settings() });
    let mut wrong = Vec::new();
    for unit in units {
        let short = unit.repeat(SHORT / unit.len());
        let long = short.repeat(GROWTH);
        let (less, more) = (work(&mut worker, unit, &short, act), work(&mut worker, unit, &long, act));
        if more > less.max(FLOOR_NS) * MOST_GROWTH {
            wrong.push(format!("{unit:?}: {less} ns, {more} ns"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_complete(worker: &mut Worker, code: &str, lang: Lang) {
    let answer = worker.ask(Query::IsComplete { code: code.to_owned(), lang });
    // Too slow is so much work that it shows.
    assert!(matches!(answer, Answer::Completeness(_) | Answer::TooSlow), "{answer:?}");
}

fn run(worker: &mut Worker, code: &str, lang: Lang) {
    let run = worker.begin(RunRequest { mode: Mode::Repl, lang, timeout_ms: 60_000, ..request(code) });
    let finished = worker.finish(run);
    assert!(matches!(finished.end.outcome, Outcome::Ok | Outcome::Error), "{:?}", finished.end);
}

#[test]
fn is_complete_takes_work_in_proportion_to_the_text() {
    check(|worker, code| is_complete(worker, code, Lang::Js), &UNITS);
}

#[test]
fn is_complete_of_typescript_takes_work_in_proportion_to_the_text() {
    check(|worker, code| is_complete(worker, code, Lang::Ts), &UNITS);
}

#[test]
fn completion_takes_work_in_proportion_to_the_text() {
    check(
        |worker, code| {
            let cursor = u32::try_from(code.encode_utf16().count()).unwrap();
            let answer = worker.ask(Query::Complete { code: code.to_owned(), cursor });
            assert!(matches!(answer, Answer::Completions(_) | Answer::TooSlow), "{answer:?}");
        },
        &UNITS,
    );
}

#[test]
fn a_run_takes_work_in_proportion_to_the_text() {
    // The engine itself looks for a name in every block around and before it.
    let units: Vec<&str> = UNITS.into_iter().filter(|unit| *unit != "{let a}").collect();
    check(|worker, code| run(worker, code, Lang::Js), &units);
}

/// The work of a run that declares so many constants of an earlier run again.
fn work_of_names(keyword: &str, count: usize) -> u64 {
    let declare = |keyword: &str| (0..count).map(|n| format!("{keyword} n{n}={n};")).collect::<String>();
    (0..2)
        .map(|_| {
            let mut worker = Worker::start();
            worker.run(&declare("const"));
            let again = declare(keyword);
            let before = cpu_ns(&worker);
            run(&mut worker, &again, Lang::Js);
            cpu_ns(&worker) - before
        })
        .min()
        .expect("two measurements")
}

#[test]
fn names_that_are_declared_again_take_work_in_proportion_to_their_number() {
    for keyword in ["var", "let", "const"] {
        let (less, more) = (work_of_names(keyword, 1500), work_of_names(keyword, 1500 * GROWTH));
        assert!(more <= less.max(FLOOR_NS) * MOST_GROWTH, "{keyword}: {less} ns, {more} ns");
    }
}
