//! A class: many students who begin at the same moment, and read more than they run.

use futures_util::future::join_all;

use crate::support::server::TestServer;
use crate::support::ws::{Ran, WsClient};

const STUDENTS: usize = 300;

/// Students who come in at once. A worker that is built for debugging takes ten times as long to start as another.
const AT_ONCE: usize = 30;

fn runtime(ran: &Ran) -> &str {
    let started = ran.messages.iter().find(|message| message["type"] == "started").unwrap();
    started["runtime"].as_str().unwrap()
}

#[tokio::test]
async fn a_class_of_300_keeps_its_variables_with_the_defaults_and_nobody_is_refused() {
    let server = &TestServer::start();
    let mut class = Vec::new();
    while class.len() < STUDENTS {
        let come = |n: usize| async move {
            let mut student = WsClient::connect(server).await;
            assert_eq!(student.run(&format!("let mine = {n}; mine")).await.text(), n.to_string());
            student
        };
        class.extend(join_all((class.len()..class.len() + AT_ONCE).map(come)).await);
    }
    assert_eq!(server.slots("leased"), STUDENTS as f64);
    let answers = join_all(class.iter_mut().map(|student| student.run("mine"))).await;
    for (n, ran) in answers.iter().enumerate() {
        assert_eq!((ran.text(), runtime(ran)), (n.to_string().as_str(), "kept"));
    }
    assert_eq!((server.metric("runpen_pool_refused_total"), server.recalled("line")), (0.0, 0.0));
    assert!(server.metric("runpen_pool_used_bytes") < server.metric("runpen_pool_memory_bytes"));
}

#[tokio::test]
async fn a_class_of_300_on_64_workers_gets_its_answers_within_the_patience_of_a_waiter() {
    // Nobody is idle for as long as a lease is left alone where nobody waits.
    let server = TestServer::with(&[("pool.max", "64"), ("pool.wait_ms", "18000"), ("pool.idle_lease_ms", "3600000")]);
    let mut class = join_all((0..STUDENTS).map(|_| WsClient::connect(&server))).await;
    let answers = join_all(class.iter_mut().enumerate().map(|(n, student)| async move {
        let ran = student.run(&format!("{n} * 2")).await;
        (ran.text().to_owned(), (n * 2).to_string())
    }))
    .await;
    assert!(answers.iter().all(|(answer, right)| answer == right), "{answers:?}");
    assert!(server.recalled("line") >= (STUDENTS - 64) as f64);
}
