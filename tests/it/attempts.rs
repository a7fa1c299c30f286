//! What the box forbids, attempted by code that a client sent to the real server. Needs the feature `box-probes`, which gives
//! scripts a function that no release has.

#![cfg(all(feature = "box-probes", target_os = "linux"))]

use runpen::sandbox::probes;

use crate::support::server::TestServer;
use crate::support::ws::WsClient;

/// Refused with an error number, for want of anything that the kernel would have to be asked for.
const REFUSED_WITHOUT_A_DEATH: &[&str] = &[];

#[tokio::test]
async fn every_attempt_from_a_session_is_refused_or_fatal_and_the_session_goes_on() {
    let server = TestServer::with(&[("pool.warm", "4"), ("log.level", "error")]);
    let mut client = WsClient::connect(&server).await;
    let mut wrong = Vec::new();
    let mut fatal = 0;
    for name in probes::names() {
        let ran = client.run(&format!("__attempt({name:?})")).await;
        match ran.outcome() {
            "ok" if ran.text().starts_with("'denied ") => {
                if !REFUSED_WITHOUT_A_DEATH.contains(&name) {
                    println!("{name}: {}", ran.text());
                }
            }
            "crashed" if ran.done["runtime"] == "replaced" => fatal += 1,
            _ => wrong.push(format!("{name}: {}", ran.done)),
        }
        let next = client.run("20 + 22").await;
        if next.outcome() != "ok" || next.text() != "42" {
            wrong.push(format!("after {name}: {}", next.done));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(fatal > 50, "only {fatal} were fatal: is the box there at all?");
    assert_eq!(server.metric("runpen_runs_total{outcome=\"crashed\"}"), f64::from(fatal));
}
