//! What the prompts of an HTTP run are answered with: the lines of an `input` that is an array of strings, then nothing.

use crate::session::budget::Claim;

/// The lines that are left. They stay JSON until they are asked for: as strings, short ones would take ten times as much.
pub struct Answers {
    /// A JSON array of strings, or nothing.
    text: String,
    /// Where in it the next one begins.
    at: usize,
    claim: Claim,
}

impl Answers {
    /// The answers that a run's `input` holds, which is JSON; what they take is claimed.
    pub fn new(input: Option<&str>, claim: Claim) -> Answers {
        let mut answers = Answers { text: String::new(), at: 0, claim };
        if let Some(input) = input
            && are_strings(input)
        {
            input.clone_into(&mut answers.text);
            answers.claim.set(input.len());
            // Past the bracket.
            answers.at = 1;
        }
        answers
    }

    /// Takes the next answer; `None` where there are no more.
    pub fn next(&mut self) -> Option<String> {
        match element(&self.text, self.at)? {
            (Some(text), at) => {
                self.at = at;
                Some(text)
            }
            (None, _) => None,
        }
    }
}

/// Whether a JSON text is an array of nothing but strings.
fn are_strings(json: &str) -> bool {
    let mut at = 1;
    json.starts_with('[')
        && loop {
            match element(json, at) {
                Some((Some(_), next)) => at = next,
                Some((None, _)) => break true,
                None => break false,
            }
        }
}

/// The string at this place in an array, and the place behind it; no string at the array's end, and `None` for anything else.
fn element(json: &str, at: usize) -> Option<(Option<String>, usize)> {
    let rest = json.get(at..)?.trim_start_matches([' ', '\t', '\r', '\n', ',']);
    if rest.starts_with(']') {
        return Some((None, at));
    }
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    let text = values.next()?.ok()?;
    Some((Some(text), json.len() - rest.len() + values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::budget::Budget;

    fn all(input: Option<&str>) -> Vec<String> {
        let mut answers = Answers::new(input, Budget::new(1 << 20).account().claim());
        let all = std::iter::from_fn(|| answers.next()).collect();
        assert_eq!(answers.next(), None);
        all
    }

    #[test]
    fn an_array_of_strings_is_given_out_string_by_string() {
        assert_eq!(all(Some(r#"["a", "b,]\"","" ,"é\u0041"]"#)), ["a", "b,]\"", "", "éA"]);
        assert_eq!(all(Some("[ \n\"a\"\t]")), ["a"]);
    }

    #[test]
    fn anything_else_answers_nothing() {
        for input in [None, Some("null"), Some("\"a\""), Some("[]"), Some("[1]"), Some("[\"a\", null]"), Some("{}")] {
            assert_eq!(all(input), [""; 0], "{input:?}");
        }
    }
}
