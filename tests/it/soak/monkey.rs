//! Somebody who kills and stops workers.

use std::rc::Rc;

use rustix::process::{Pid, Signal, kill_process};

use super::Tally;
use super::chance::Chance;
use crate::support::server::children_of;

/// Strikes after every few runs that have ended. Half of the stopped go on a little later, the others never.
pub async fn torment(server: u32, mut chance: Chance, tally: Rc<Tally>) {
    loop {
        for _ in 0..3 + chance.below(20) {
            tally.ended.notified().await;
        }
        let children = children_of(server);
        if children.is_empty() {
            continue;
        }
        let victim = *chance.pick(&children);
        match chance.below(4) {
            0..2 => send(victim, Signal::KILL, &tally),
            2 => send(victim, Signal::STOP, &tally),
            _ => {
                send(victim, Signal::STOP, &tally);
                tally.ended.notified().await;
                // Unless it has been replaced: its number may be another's by now.
                if children_of(server).contains(&victim) {
                    send(victim, Signal::CONT, &tally);
                }
            }
        }
    }
}

fn send(pid: u32, signal: Signal, tally: &Tally) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("not zero");
    // It may have ended since it was seen.
    if kill_process(pid, signal).is_ok() {
        let name = if signal == Signal::KILL {
            "KILL"
        } else if signal == Signal::STOP {
            "STOP"
        } else {
            "CONT"
        };
        tally.count(&format!("signal SIG{name}"));
    }
}
