//! Every hostile snippet of the corpus, each in a worker of its own, with a deadline of 300 ms.

use std::time::{Duration, Instant};

use runpen::ipc::RunRequest;
use runpen::outcome::Outcome;
use serde::Deserialize;

use crate::support::worker_driver::{Worker, request};

const CORPUS: &str = include_str!("../hostile/corpus.json");

const TIMEOUT: Duration = Duration::from_millis(300);

/// Past the deadline, within which a process must be gone: the grace, and much for a busy machine.
const MOST_OVERDUE: Duration = Duration::from_secs(4);

#[derive(Deserialize)]
struct Snippet {
    name: String,
    code: String,
    outcomes: Vec<Outcome>,
}

const SIGALRM: i32 = 14;

/// The exit code of a worker that was asked to stop and did not.
const STUCK: i32 = 72;

fn outcome_of(snippet: &Snippet, timeout: Duration) -> (Outcome, String) {
    let mut worker = Worker::start();
    let begun = Instant::now();
    let run = worker.begin(RunRequest { timeout_ms: timeout.as_millis() as u64, ..request(&snippet.code) });
    let finished = worker.try_finish(run);
    let took = begun.elapsed();
    assert!(took < timeout + MOST_OVERDUE, "{}: took {took:?}", snippet.name);
    match finished {
        Some(finished) => (finished.end.outcome, format!("{:?}", finished.end)),
        None => {
            let death = worker.death();
            let outcome = match (death.code, death.signal) {
                (Some(STUCK), _) | (_, Some(SIGALRM)) if took >= timeout => Outcome::Timeout,
                _ => Outcome::Crashed,
            };
            (outcome, format!("{death:?} after {took:?}"))
        }
    }
}

#[test]
fn every_hostile_snippet_ends_as_it_should() {
    let corpus: Vec<Snippet> = serde_json::from_str(CORPUS).expect("the corpus is JSON");
    assert!(corpus.len() > 100);
    let mut wrong = Vec::new();
    for snippet in &corpus {
        let (mut outcome, mut seen) = outcome_of(snippet, TIMEOUT);
        if outcome == Outcome::Timeout && !snippet.outcomes.contains(&outcome) {
            // A busy machine, or code that is not optimised. What really does not end will not end in this time either.
            (outcome, seen) = outcome_of(snippet, TIMEOUT * 30);
        }
        if !snippet.outcomes.contains(&outcome) {
            wrong.push(format!(
                "{}: {outcome:?}, not one of {:?}\n  {}\n  {seen}",
                snippet.name, snippet.outcomes, snippet.code
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
