//! What the worker says, taken as an attacker's word: a frame that cannot be true kills the worker and ends its runs as `crashed`.

use std::time::Instant;

use super::ending::{BackgroundEnd, ForegroundEnd};
use super::queries::is_bounded_preview;
use super::{Action, Active, Engine, Phase, Stage, State};
use crate::ids::RunId;
use crate::ipc::{
    ConsoleEntry, ErrorInfo, HostMessage, InputKind, MAX_PROMPT_BYTES, MAX_PROMPTS, RunEnd, ValueInfo, WorkerMessage,
};
use crate::outcome::{Outcome, StopReason, Usage};
use crate::pool::RetireReason;
use crate::protocol::{ConsoleLine, ServerMessage, ValueShown};

/// How far a run's console may be over its caps before the worker counts as broken. The worker enforces the caps; this stands
/// behind it, and leaves room for the note on a cut text and for uncaught errors.
const CONSOLE_SLACK_BYTES: u64 = 256 * 1024;
const CONSOLE_SLACK_ENTRIES: u64 = 1_000;

/// How far a text may be over its cap, for the same reasons.
const TEXT_SLACK_BYTES: u64 = 256;

/// More than the worker ever says of an error.
const MOST_STACK_FRAMES: usize = 100;
const MOST_NAME_BYTES: usize = 1024;

/// A frame that no healthy worker sends.
pub(super) struct Violation;

/// What a run asks.
struct Question {
    kind: InputKind,
    text: String,
    default: Option<String>,
}

impl State {
    pub(super) fn worker(&mut self, message: WorkerMessage, now: Instant) {
        let taken = match message {
            WorkerMessage::Ready { nonce, health: _ } => self.ready(nonce),
            // Said once by a new process, long before a session has it.
            WorkerMessage::Boxed(_) => Err(Violation),
            // The worker is being told to start anew: what it still says about the old runs is of no interest.
            _ if matches!(self.engine, Engine::Preparing { .. }) => Ok(()),
            WorkerMessage::Started { run } => self.started(run, now),
            WorkerMessage::Console { run, entries, dropped } => self.console(run, entries, dropped),
            WorkerMessage::InputRequest { run, kind, text, default } => {
                self.input_request(run, Question { kind, text, default }, now)
            }
            WorkerMessage::Done(end) => self.done(*end, now),
            WorkerMessage::Settled { run, outcome, error, usage, engine_replaced } => {
                self.settled(run, outcome, error, usage, engine_replaced, now)
            }
            // What the session's end has left open is of no interest.
            WorkerMessage::Answer { .. } if matches!(self.phase, Phase::Ending(_)) => Ok(()),
            WorkerMessage::Answer { id, answer, engine_replaced } => self.answered(id, answer, engine_replaced, now),
        };
        if taken.is_err() {
            self.lose_worker(RetireReason::Violation, None, now);
        }
    }

    fn ready(&mut self, nonce: u64) -> Result<(), Violation> {
        match self.engine {
            Engine::Preparing { nonce: expected, .. } if expected == nonce => {
                self.engine = Engine::Up { virgin: true };
                self.told.clear();
                Ok(())
            }
            _ => Err(Violation),
        }
    }

    fn started(&mut self, id: RunId, now: Instant) -> Result<(), Violation> {
        let asks = self.asking.is_some();
        let run = self.active.get_mut(&id).ok_or(Violation)?;
        let Stage::Dispatched { fresh, begin: _ } = run.stage else { return Err(Violation) };
        run.stage = Stage::Foreground;
        run.unbegun = None;
        run.clock = State::clock(run.timeout, asks, now);
        let (id, source) = (run.id.clone(), id.source());
        let message = ServerMessage::Started { id, runtime: State::started_in(fresh), source };
        self.send(message);
        Ok(())
    }

    fn console(&mut self, id: RunId, entries: Vec<ConsoleEntry>, dropped: u64) -> Result<(), Violation> {
        let settings = &self.rules.settings;
        let run = self.active.get_mut(&id).ok_or(Violation)?;
        // A frame that says nothing costs the server and the client as much as one that says something.
        if matches!(run.stage, Stage::Dispatched { .. }) || (entries.is_empty() && dropped == 0) {
            return Err(Violation);
        }
        run.console_bytes += entries.iter().map(|entry| entry.bytes() as u64).sum::<u64>();
        run.console_entries += entries.len().max(1) as u64;
        if run.console_bytes > settings.console_bytes.saturating_add(CONSOLE_SLACK_BYTES)
            || run.console_entries > settings.console_entries.saturating_add(CONSOLE_SLACK_ENTRIES)
        {
            return Err(Violation);
        }
        let (id, seq) = (run.id.clone(), run.seq);
        run.seq += 1;
        let references = &mut self.references;
        let shown = |mut entry: ConsoleEntry| {
            let values = entry.values.into_iter();
            entry.values =
                values.map(|value| value.try_map(&mut |one| references.of_client(one))).collect::<Option<_>>()?;
            Some(ConsoleLine::from(entry))
        };
        let entries = entries.into_iter().map(shown).collect::<Option<_>>().ok_or(Violation)?;
        self.send(ServerMessage::Console { id, seq, entries, dropped });
        Ok(())
    }

    fn input_request(&mut self, id: RunId, question: Question, now: Instant) -> Result<(), Violation> {
        let Question { kind, text, default } = question;
        let is_bounded = |text: &String| text.len() as u64 <= MAX_PROMPT_BYTES as u64 + TEXT_SLACK_BYTES;
        let run = self.active.get_mut(&id).ok_or(Violation)?;
        run.prompts += 1;
        if self.asking.is_some()
            || matches!(run.stage, Stage::Dispatched { .. })
            || !is_bounded(&text)
            || !default.as_ref().is_none_or(is_bounded)
            || run.prompts > MAX_PROMPTS
        {
            return Err(Violation);
        }
        if run.stop.is_some() {
            return Ok(());
        }
        let message = ServerMessage::InputRequest { id: run.id.clone(), kind, text, default };
        // Who has said that he will send no more cannot answer.
        let may_answer = !matches!(self.phase, Phase::Draining { .. });
        if may_answer && !run.patience.is_over(now) {
            run.patience.resume(now);
            self.active.values_mut().flat_map(Active::clocks).for_each(|clock| clock.pause(now));
            self.asking = Some(id);
            self.send(message);
        } else {
            self.out.push(Action::ToWorker(HostMessage::InputAnswer { run: id, text: None }));
        }
        Ok(())
    }

    fn done(&mut self, end: RunEnd, now: Instant) -> Result<(), Violation> {
        let RunEnd { run: id, outcome, value, error, usage, background, engine_replaced } = end;
        let run = self.active.get(&id).ok_or(Violation)?;
        // A run that is stopped while an earlier one's background turn holds the engine never starts.
        let may_be_over = match run.stage {
            Stage::Foreground => true,
            Stage::Dispatched { .. } => run.stop.is_some(),
            Stage::Background => false,
        };
        let is_true = may_be_over
            && !(engine_replaced && background > 0)
            && self.may_end(outcome)
            && self.may_live_on(background)
            && value.as_ref().is_none_or(|value| self.is_bounded_value(value))
            && error.as_ref().is_none_or(|error| self.is_bounded_error(error));
        if !is_true {
            return Err(Violation);
        }
        self.forget_prompt(id, now);
        let value = match (outcome, value) {
            (Outcome::Ok, Some(mut value)) => {
                if let Some(preview) = value.preview.take() {
                    let preview = preview.try_map(&mut |reference| self.references.of_client(reference));
                    value.preview = Some(preview.ok_or(Violation)?);
                }
                Some(ValueShown::try_from(value).map_err(|_| Violation)?)
            }
            _ => None,
        };
        // What is said of every other end is the host's own.
        let error = error.filter(|_| outcome == Outcome::Error).map(Into::into);
        let end = ForegroundEnd { outcome, value, error, usage, background, replaced: engine_replaced };
        self.end_foreground(id, end, now);
        self.note_replaced(engine_replaced);
        Ok(())
    }

    fn settled(
        &mut self,
        id: RunId,
        outcome: Outcome,
        error: Option<ErrorInfo>,
        usage: Usage,
        replaced: bool,
        now: Instant,
    ) -> Result<(), Violation> {
        let run = self.active.get(&id).ok_or(Violation)?;
        let is_bounded = error.as_ref().is_none_or(|error| self.is_bounded_error(error));
        if run.stage != Stage::Background || !self.may_end(outcome) || !is_bounded {
            return Err(Violation);
        }
        self.forget_prompt(id, now);
        let error = error.filter(|_| outcome == Outcome::Error).map(Into::into);
        self.settle(id, BackgroundEnd { outcome, error, usage, replaced }, now);
        self.note_replaced(replaced);
        Ok(())
    }

    pub(super) fn note_replaced(&mut self, replaced: bool) {
        if replaced {
            self.engine = Engine::Up { virgin: true };
            self.rebuilding = true;
        }
    }

    /// A run lives on by its timers, and those of a session are bounded together: so are the runs that live on at once. One more
    /// than the limit may be there, because an interval does not count while its callback runs.
    fn may_live_on(&self, timers: u32) -> bool {
        let most = self.rules.settings.timers.saturating_add(1);
        let others = self.active.values().filter(|run| run.stage == Stage::Background).count();
        timers <= most && (timers == 0 || others < most as usize)
    }

    fn is_bounded_value(&self, value: &ValueInfo) -> bool {
        let settings = &self.rules.settings;
        let ValueInfo { kind: _, text, json, preview } = value;
        text.len() as u64 <= settings.text_bytes.saturating_add(TEXT_SLACK_BYTES)
            && json
                .as_ref()
                .is_none_or(|json| json.len() as u64 <= settings.json_bytes.saturating_add(TEXT_SLACK_BYTES))
            && preview.as_ref().is_none_or(is_bounded_preview)
    }

    pub(super) fn is_bounded_error(&self, error: &ErrorInfo) -> bool {
        let most = self.rules.settings.text_bytes.saturating_add(TEXT_SLACK_BYTES);
        let ErrorInfo { name, message, stack, line: _, column: _, frames } = error;
        name.len() <= MOST_NAME_BYTES
            && message.len() as u64 <= most
            && stack.len() as u64 <= most
            && frames.len() <= MOST_STACK_FRAMES
            && frames.iter().map(|frame| (frame.function.len() + frame.source.len()) as u64).sum::<u64>() <= most
    }

    /// Outcomes that the host decides are believed only where the host has said so. A deadline the worker sees for itself.
    fn may_end(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Ok | Outcome::Error | Outcome::Timeout | Outcome::Memory | Outcome::Unsettled => true,
            Outcome::Crashed => false,
            Outcome::Cancelled => self.told.contains(&StopReason::Cancel),
            Outcome::Shutdown => self.told.contains(&StopReason::Shutdown),
            Outcome::Disconnected => self.told.contains(&StopReason::Disconnect),
        }
    }

    fn forget_prompt(&mut self, id: RunId, now: Instant) {
        if self.asking == Some(id) {
            self.resume_clocks(now);
        }
    }
}
