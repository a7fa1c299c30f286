//! What a client knows of its runs, and what the server may still say about them. Fields and `seq` are checked by every test client;
//! here it is about which run may say what when, and how it may end.

use serde_json::Value;

use super::Tally;
use super::programs::Program;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sent,
    Started,
    Background,
    Over,
}

struct Run {
    program: Program,
    stage: Stage,
}

#[derive(Default)]
pub struct Book {
    /// By id, which counts from 0.
    runs: Vec<Run>,
    /// A cancel or a reset was sent: any run from then on may end so.
    pub may_cancel: bool,
    /// Another run may take the engine along, by its deadline or by what it does to it.
    has_hostile: bool,
    has_background: bool,
    pub resets_asked: usize,
    resets: usize,
}

impl Book {
    /// Notes a run before it is sent, and gives it its id.
    pub fn add(&mut self, mut program: Program) -> Value {
        program.request["id"] = self.runs.len().into();
        self.has_hostile |= program.is_hostile;
        self.may_cancel |= program.request["fresh"] == true;
        let request = program.request.clone();
        self.runs.push(Run { program, stage: Stage::Sent });
        request
    }

    pub fn sent(&self) -> usize {
        self.runs.len()
    }

    /// Runs whose last message has not come.
    pub fn open(&self) -> usize {
        self.runs.iter().filter(|run| run.stage != Stage::Over).count()
    }

    /// Nothing is owed to this client any more.
    pub fn is_settled(&self) -> bool {
        self.open() == 0 && self.resets == self.resets_asked
    }

    pub fn received(&mut self, message: &Value, tally: &Tally) {
        let kind = message["type"].as_str().unwrap_or_default();
        let id = message["id"].as_u64().map(|id| id as usize);
        match (kind, id) {
            ("started", Some(id)) => {
                for (other, run) in self.runs.iter().enumerate().filter(|(other, _)| *other != id) {
                    assert_ne!(run.stage, Stage::Started, "{other} is in the foreground, and yet {message}");
                    assert!(other > id || run.stage != Stage::Sent, "{other} was sent before: {message}");
                }
                self.step(id, Stage::Sent, Stage::Started, message);
            }
            ("queued", Some(id)) => self.step(id, Stage::Sent, Stage::Sent, message),
            ("console" | "input_request", Some(id)) => {
                let stage = self.runs[id].stage;
                assert!(matches!(stage, Stage::Started | Stage::Background), "{stage:?} says {message}");
            }
            ("done", Some(id)) => {
                let stage = self.runs[id].stage;
                assert!(matches!(stage, Stage::Sent | Stage::Started), "{stage:?} says {message}");
                let has_background = message["background"] != 0;
                self.has_background |= has_background;
                self.runs[id].stage = if has_background { Stage::Background } else { Stage::Over };
                self.check_end(id, message);
                tally.run_ended(message["outcome"].as_str().expect("an outcome"));
            }
            ("settled", Some(id)) => {
                self.step(id, Stage::Background, Stage::Over, message);
                tally.count(&format!("background {}", message["outcome"].as_str().expect("an outcome")));
            }
            ("error", id) => {
                let code = message["code"].as_str().unwrap_or_default();
                match (code, id) {
                    ("busy" | "queue_full", Some(id)) => self.step(id, Stage::Sent, Stage::Over, message),
                    ("unknown_run" | "no_input_wanted", _) => {}
                    _ => panic!("nothing was sent that deserves {message}"),
                }
                tally.count(&format!("refused {code}"));
            }
            ("reset", None) => {
                self.resets += 1;
                assert!(self.resets <= self.resets_asked, "a reset that nobody asked for");
            }
            ("pong", None) => {}
            _ => panic!("not expected here: {message}"),
        }
    }

    fn step(&mut self, id: usize, from: Stage, to: Stage, message: &Value) {
        assert_eq!(self.runs[id].stage, from, "{message}");
        self.runs[id].stage = to;
    }

    fn check_end(&self, id: usize, message: &Value) {
        let Program { outcomes, text, .. } = &self.runs[id].program;
        let outcome = message["outcome"].as_str().expect("an outcome");
        let is_its_own = outcomes.iter().any(|own| own == outcome);
        let by_others = match outcome {
            // The worker was killed, stopped, or taken along by another run.
            "crashed" => true,
            "cancelled" => self.may_cancel,
            // A neighbour's deadline that ended in a kill.
            "timeout" => self.has_hostile || self.has_background,
            "shutdown" | "disconnected" => false,
            // Hostile code has the same globals and the same heap.
            _ => self.has_hostile,
        };
        let request = &self.runs[id].program.request;
        assert!(is_its_own || by_others, "{request} should end as one of {outcomes:?}: {message}");
        if let Some(text) = text
            && outcome == "ok"
            && !self.has_hostile
        {
            assert_eq!(message["value"]["text"], *text, "{request}: {message}");
        }
    }
}
