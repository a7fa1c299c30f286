//! The hostile snippets: what was measured of the engine (`corpus.json`), and what was found by thinking about this program
//! (`ours.json`).

use serde::Deserialize;
use serde_json::Value;

const MEASURED: &str = include_str!("../../hostile/corpus.json");
const OURS: &str = include_str!("../../hostile/ours.json");

#[derive(Debug, Clone, Deserialize)]
pub struct Snippet {
    pub name: String,
    code: String,
    /// What may come of it, the best first.
    pub outcomes: Vec<String>,
    #[serde(default)]
    pub mode: Option<String>,
    #[serde(default)]
    pub input: Option<Value>,
    /// A text and how often it stands in place of `@@`.
    #[serde(default)]
    repeat: Option<(String, usize)>,
    /// A text and how often it stands in the `input`, an array.
    #[serde(default)]
    input_repeat: Option<(String, usize)>,
}

impl Snippet {
    pub fn code(&self) -> String {
        match &self.repeat {
            Some((text, times)) => self.code.replacen("@@", &text.repeat(*times), 1),
            None => self.code.clone(),
        }
    }

    pub fn input(&self) -> Option<Value> {
        let long = self.input_repeat.as_ref();
        let long = long.map(|(text, times)| serde_json::from_str(&format!("[{}1]", text.repeat(*times))).unwrap());
        long.or_else(|| self.input.clone())
    }

    pub fn allows(&self, outcome: &str) -> bool {
        self.outcomes.iter().any(|allowed| allowed == outcome)
    }
}

/// All snippets, of both files.
pub fn corpus() -> Vec<Snippet> {
    let mut all: Vec<Snippet> = serde_json::from_str(MEASURED).expect("the corpus is JSON");
    let ours: Vec<Snippet> = serde_json::from_str(OURS).expect("our snippets are JSON");
    assert!(all.len() > 100 && ours.len() >= 40);
    all.extend(ours);
    all
}
