//! Questions of the client about its engine, answered between turns.
//!
//! A question is a turn of no run: it has a short deadline of its own and the same ladder behind it. Only a getter that is asked for
//! runs code of the script's, and what that prints belongs to nobody. The microtasks that it leaves may be what a foreground run waits
//! for: then they are that run's.

use std::time::Instant;

use rquickjs::{Object, Persistent, Value};

use super::event_loop::Worker;
use super::host::{Stop, Turn};
use super::references::Kept;
use super::turn::clear_exception;
use super::{complete, errors, inspect, source};
use crate::clock::RunClock;
use crate::ids::{QueryId, RunId};
use crate::ipc::{Answer, PATIENT_GRACE, Query, Reference, WorkerMessage};

/// The run of a question's turn. The server counts runs from 1.
const NO_RUN: RunId = RunId(0);

impl Worker {
    pub(super) fn answer(&mut self, id: QueryId, query: &Query) {
        if self.host.is_cancelled(id) {
            self.host.send(&WorkerMessage::Answer { id, answer: Answer::TooSlow, engine_replaced: false });
            return;
        }
        let now = Instant::now();
        let grace = if self.calls_getter(query) { self.host.grace() } else { PATIENT_GRACE };
        self.begin(Turn { run: NO_RUN, clock: RunClock::start(query.time_limit(), now), grace }, now);
        let found = match query {
            Query::Inspect { reference, start, count } => self.inspected(*reference, *start, *count),
            Query::Complete { code, cursor } => self.completed(code, *cursor),
            Query::IsComplete { code, lang } => source::completeness(&self.host, code, *lang).map(Answer::Completeness),
        };
        let stopped = self.host.end_turn();
        let mut engine_replaced = false;
        if let Some(Stop::Run(reason)) = stopped {
            engine_replaced = self.end_interrupted_turn(NO_RUN, reason);
        }
        let answer = match (stopped, found) {
            (Some(Stop::Prepare), _) => return,
            (None, Some(answer)) => answer,
            (Some(Stop::Run(_)), _) | (None, None) => Answer::TooSlow,
        };
        self.host.send(&WorkerMessage::Answer { id, answer, engine_replaced });
        if let Some(awaiting) = &self.awaiting {
            self.jobs_turn(awaiting.run);
        }
    }

    fn calls_getter(&self, query: &Query) -> bool {
        let Query::Inspect { reference, .. } = query else { return false };
        matches!(self.host.references.borrow().get(*reference), Some(Kept::Getter { .. }))
    }

    fn inspected(&mut self, reference: Reference, start: u64, count: u32) -> Option<Answer> {
        let kept = self.host.references.borrow().get(reference);
        match kept {
            None => Some(Answer::Expired),
            Some(Kept::Value(value)) => self.properties(value, start, count),
            Some(Kept::Getter { of, key }) => self.getter(of, key),
        }
    }

    fn properties(&self, value: Persistent<Value<'static>>, start: u64, count: u32) -> Option<Answer> {
        self.engine.as_ref()?.context.with(|ctx| {
            let value = value.restore(&ctx).ok()?;
            let found = inspect::properties(&ctx, &self.host, &value, start, count);
            clear_exception(&ctx);
            found.ok().map(|(total, entries)| Answer::Properties { total, entries })
        })
    }

    /// Calls a getter, as a script would, and finishes the microtasks that it leaves, unless they are a run's.
    fn getter(&self, of: Persistent<Object<'static>>, key: Persistent<Value<'static>>) -> Option<Answer> {
        let engine = self.engine.as_ref()?;
        let (got, was_thrown) = engine.context.with(|ctx| {
            let (of, key) = (of.restore(&ctx).ok()?, key.restore(&ctx).ok()?);
            Some(match of.get::<_, Value>(key) {
                Ok(value) => (Persistent::save(&ctx, value), false),
                Err(_) => (Persistent::save(&ctx, ctx.catch()), true),
            })
        })?;
        if self.awaiting.is_none() {
            self.drain_jobs(NO_RUN, None);
        }
        if self.host.stopped().is_some() {
            return None;
        }
        engine.context.with(|ctx| {
            let got = got.restore(&ctx).ok()?;
            let answer = if was_thrown {
                errors::error_info(&ctx, &self.host, &got, NO_RUN).map(Answer::Thrown)
            } else {
                inspect::preview(&ctx, &self.host, &got).map(Answer::Value)
            };
            clear_exception(&ctx);
            answer.ok()
        })
    }

    fn completed(&self, code: &str, cursor: u32) -> Option<Answer> {
        self.engine.as_ref()?.context.with(|ctx| {
            let found = complete::completions(&ctx, &self.host, code, cursor);
            clear_exception(&ctx);
            found.ok().map(Answer::Completions)
        })
    }
}
