//! `/ws/text`: what a line of the client means. A person at a console types a line when the console is ready for one, a pipe sends
//! all of them at once; both mean the same, so lines wait here until the session is ready for the next one. Then it is the answer
//! if the run has asked something, and the next program if no run is in the foreground.

use std::collections::VecDeque;

use crate::protocol::ServerMessage;
use crate::session::budget::Claim;

/// What a line costs besides its text, so that empty ones are bounded too.
const LINE_BYTES: usize = 64;

pub struct Lines {
    waiting: VecDeque<String>,
    /// What they hold.
    held: Claim,
    /// What they may hold at the most. A longer script is sent as one frame, or by HTTP.
    most_bytes: usize,
    /// The client has said that no more will come.
    ended: bool,
    /// A run was handed over whose `done` has not come yet.
    running: bool,
    /// The last thing that the run said was a question.
    asked: bool,
}

/// What the session is to be told now.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Program(String),
    Answer(String),
    /// Every line is used, or the run asks and there is none left to answer with.
    End,
}

/// As many lines wait as may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Lines {
    /// No lines yet, of which so many bytes may wait; they are claimed from the connection's account.
    pub fn new(most_bytes: usize, held: Claim) -> Lines {
        Lines { waiting: VecDeque::new(), held, most_bytes, ended: false, running: false, asked: false }
    }

    /// Takes one line in.
    ///
    /// # Errors
    /// [`Full`]; the line is lost.
    pub fn hear(&mut self, line: String) -> Result<(), Full> {
        let bytes = self.held.bytes() + line.len() + LINE_BYTES;
        if bytes > self.most_bytes {
            return Err(Full);
        }
        self.held.set(bytes);
        self.waiting.push_back(line);
        Ok(())
    }

    /// No more lines will come.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Takes the next line out, if the session is ready for it.
    pub fn next(&mut self) -> Option<Next> {
        if self.running && !self.asked {
            return None;
        }
        match self.waiting.pop_front() {
            Some(line) => {
                self.held.set(self.held.bytes() - line.len() - LINE_BYTES);
                if std::mem::take(&mut self.asked) {
                    return Some(Next::Answer(line.trim_end_matches(['\r', '\n']).to_owned()));
                }
                self.running = true;
                Some(Next::Program(line))
            }
            None => std::mem::take(&mut self.ended).then_some(Next::End),
        }
    }

    /// The last program was not taken.
    pub fn refused(&mut self) {
        self.running = false;
    }

    /// Notes what the session says to the client.
    pub fn told(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::InputRequest { .. } => self.asked = true,
            ServerMessage::Done(_) | ServerMessage::Error { id: Some(_), .. } => {
                self.running = false;
                self.asked = false;
            }
            ServerMessage::Settled { .. } => self.asked = false,
            ServerMessage::Queued { .. }
            | ServerMessage::Started { .. }
            | ServerMessage::Console { .. }
            | ServerMessage::Reset
            | ServerMessage::Pong
            | ServerMessage::Hello(_)
            | ServerMessage::Properties { .. }
            | ServerMessage::Completions { .. }
            | ServerMessage::Completeness { .. }
            | ServerMessage::Error { id: None, .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::InputKind;
    use crate::outcome::Outcome;
    use crate::protocol::{Done, EndedIn, RequestId, UsageShown};
    use crate::session::budget::Budget;

    const MOST_BYTES: usize = 1 << 20;

    fn empty() -> Lines {
        Lines::new(MOST_BYTES, Budget::new(MOST_BYTES).account().claim())
    }

    fn lines(of: &[&str]) -> Lines {
        let mut lines = empty();
        of.iter().for_each(|line| lines.hear((*line).to_owned()).unwrap());
        lines
    }

    fn done() -> ServerMessage {
        ServerMessage::Done(Box::new(Done {
            id: RequestId::from(1),
            outcome: Outcome::Ok,
            value: None,
            error: None,
            usage: UsageShown::default(),
            runtime: EndedIn::Kept,
            background: 0,
        }))
    }

    fn question() -> ServerMessage {
        ServerMessage::InputRequest {
            id: RequestId::from(1),
            kind: InputKind::Prompt,
            text: String::new(),
            default: None,
        }
    }

    #[test]
    fn the_next_program_waits_for_the_end_of_the_last_one() {
        let mut lines = lines(&["1", "2"]);
        assert_eq!(lines.next(), Some(Next::Program("1".into())));
        assert_eq!(lines.next(), None);
        lines.told(&done());
        assert_eq!(lines.next(), Some(Next::Program("2".into())));
    }

    #[test]
    fn a_question_is_answered_by_the_next_line_even_when_it_came_before_the_question() {
        let mut lines = lines(&["prompt()", "Ada\r\n", "2"]);
        assert_eq!(lines.next(), Some(Next::Program("prompt()".into())));
        lines.told(&question());
        assert_eq!(lines.next(), Some(Next::Answer("Ada".into())));
        assert_eq!(lines.next(), None, "one question, one answer");
    }

    #[test]
    fn the_end_comes_after_every_line_and_once() {
        let mut lines = lines(&["1"]);
        lines.end();
        assert_eq!(lines.next(), Some(Next::Program("1".into())));
        assert_eq!(lines.next(), None);
        lines.told(&done());
        assert_eq!(lines.next(), Some(Next::End));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn a_question_after_the_last_line_is_told_that_nobody_will_answer() {
        let mut lines = lines(&["prompt()"]);
        lines.end();
        assert_eq!(lines.next(), Some(Next::Program("prompt()".into())));
        lines.told(&question());
        assert_eq!(lines.next(), Some(Next::End));
    }

    #[test]
    fn a_program_that_is_refused_does_not_hold_up_the_next() {
        let mut lines = lines(&["too long", "2"]);
        assert_eq!(lines.next(), Some(Next::Program("too long".into())));
        lines.refused();
        assert_eq!(lines.next(), Some(Next::Program("2".into())));
    }

    #[test]
    fn what_waits_is_bounded_and_room_comes_back() {
        let mut lines = empty();
        let most = (0..).take_while(|_| lines.hear(String::new()) == Ok(())).count();
        assert_eq!(most, MOST_BYTES / LINE_BYTES);
        assert_eq!(lines.next(), Some(Next::Program(String::new())));
        assert_eq!(lines.hear(String::new()), Ok(()));
    }
}
