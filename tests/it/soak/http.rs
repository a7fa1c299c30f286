//! Clients of `POST /api/run` that read their reply to the end, or hang up somewhere.

use std::rc::Rc;
use std::time::Instant;

use serde_json::json;

use super::Tally;
use super::chance::Chance;
use super::programs::{self, Mood};
use crate::support::http::Posted;
use crate::support::ledger::Ledger;
use crate::support::server::TestServer;

/// Requests until it is time.
pub async fn requests(server: Rc<TestServer>, mut chance: Chance, until: Instant, tally: Rc<Tally>) {
    while Instant::now() < until {
        let mut body = programs::choose(&mut chance, Mood::Hostile).request;
        body.as_object_mut().expect("a message").remove("type");
        let mut posted = Posted::ndjson(&server, &body).await;
        tally.count("run sent by HTTP");
        let most = if chance.percent(40) { chance.below(4) } else { usize::MAX };
        let mut ledger = Ledger::default();
        let mut ended = 0;
        for _ in 0..most {
            let Some(message) = posted.next().await else { break };
            if message["type"].is_null() {
                // Refused, which is no stream.
                tally.count("refused by HTTP");
                break;
            }
            ledger.received(&message);
            if message["type"] == "done" {
                ended += 1;
                tally.run_ended(message["outcome"].as_str().expect("an outcome"));
            }
        }
        assert!(ended <= 1);
        if most < usize::MAX {
            tally.count("hang-up by HTTP");
        }
        posted.hang_up();
    }
}

/// Returns after a run of some length that nobody minds.
pub async fn pass_time(server: &TestServer) {
    let code = "await new Promise(resolve => setTimeout(resolve, 200))";
    let mut posted = Posted::ndjson(server, &json!({ "code": code })).await;
    while posted.next().await.is_some() {}
}
