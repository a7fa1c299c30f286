//! What the clients run, and how each may end when nobody interferes.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

use super::chance::Chance;

#[derive(Debug, Clone)]
pub struct Program {
    pub request: Value,
    pub outcomes: Vec<String>,
    /// The value's text, when it is `ok`.
    pub text: Option<&'static str>,
    /// May take its engine, and with it a neighbour in the same session, along.
    pub is_hostile: bool,
}

/// Code, how it ends, the text of its value.
const GOOD: [(&str, &str, Option<&str>); 13] = [
    ("1+1", "ok", Some("2")),
    ("await new Promise(r => setTimeout(r, 15)); 7", "ok", Some("7")),
    ("console.log('a'); console.error({b: 1}); 'done'", "ok", Some("'done'")),
    ("[...Array(1000).keys()].reduce((a, b) => a + b)", "ok", Some("499500")),
    ("throw new TypeError('mine')", "error", None),
    ("let = = 1", "error", None),
    ("await Promise.reject(new Error('mine'))", "error", None),
    ("await new Promise(() => {})", "unsettled", None),
    ("for (let i = 0; i < 3; i++) setTimeout(() => console.log(i), 10 * i); 'later'", "ok", Some("'later'")),
    ("setTimeout(() => { throw new Error('late') }, 5); 1", "ok", Some("1")),
    ("setInterval(() => console.log('tick'), 30); 1", "ok", Some("1")),
    ("String(prompt('name?')).length > 0", "ok", Some("true")),
    ("setTimeout(() => console.log(confirm('sure?')), 5); 1", "ok", Some("1")),
];

/// Code that needs its short time limit.
const STUCK: [&str; 5] = [
    "for(;;);",
    "[].reverse.call({length: 2**53 - 1})",
    "setTimeout(() => { for(;;); }, 5); 1",
    "const loop = () => Promise.resolve().then(loop); loop(); await new Promise(() => {})",
    "while (true) { try { for(;;); } catch {} }",
];

#[derive(Deserialize)]
struct Snippet {
    code: String,
    outcomes: Vec<String>,
}

fn corpus() -> &'static [Snippet] {
    static CORPUS: OnceLock<Vec<Snippet>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        serde_json::from_str(include_str!("../../hostile/corpus.json")).expect("the corpus is what it should be")
    })
}

/// A session of decent code can be held to more: nothing in it spoils its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Decent,
    Hostile,
}

pub fn choose(chance: &mut Chance, mood: Mood) -> Program {
    let most = if mood == Mood::Decent { 50 } else { 100 };
    match chance.below(most) {
        0..50 => {
            let (code, outcome, text) = *chance.pick(&GOOD);
            let mut request = json!({ "type": "run", "code": code });
            if chance.percent(5) {
                request["fresh"] = true.into();
            }
            Program { request, outcomes: vec![outcome.to_owned()], text, is_hostile: false }
        }
        50..60 => {
            let line = 10 + chance.below(200);
            let code = format!("for (let i = 0; i < 12000; i++) console.log('x'.repeat({line})); 'flood'");
            // Who reads slowly may let the time run out.
            let outcomes = vec!["ok".to_owned(), "timeout".to_owned()];
            let request = json!({ "type": "run", "code": code, "timeout_ms": 5000 });
            Program { request, outcomes, text: Some("'flood'"), is_hostile: true }
        }
        60..75 => {
            let timeout_ms = 50 + chance.below(200);
            let request = json!({ "type": "run", "code": chance.pick(&STUCK), "timeout_ms": timeout_ms });
            Program { request, outcomes: vec!["timeout".into(), "ok".into()], text: None, is_hostile: true }
        }
        _ => {
            let Snippet { code, outcomes } = chance.pick(corpus());
            let timeout_ms = 50 + chance.below(250);
            let mut outcomes = outcomes.clone();
            // Some need more than this time to come to their end.
            outcomes.push("timeout".into());
            let request = json!({ "type": "run", "code": code, "timeout_ms": timeout_ms });
            Program { request, outcomes, text: None, is_hostile: true }
        }
    }
}
