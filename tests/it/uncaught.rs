//! An uncaught error is shown as `console.error` shows it, wherever it appears.

use runpen::ipc::WorkerMessage;
use serde_json::json;

use crate::support::server::TestServer;
use crate::support::worker_driver::{Worker, request};
use crate::support::ws::WsClient;

/// Errors with more to them than a message.
const TELLING: [&str; 6] = [
    "new Error('outer', { cause: new TypeError('inner') })",
    "new AggregateError([new Error('one'), new RangeError('two')], 'both')",
    "Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2 })",
    "Object.assign(new (class Mine extends Error {})('x'), { name: 'Other', list: [1, { deep: true }] })",
    "Object.assign(new Error('round'), { get late() { return 1 }, ['a key']: 'b' })",
    "new Error('why', { cause: { code: 7 } })",
];

/// What is the same however the error was thrown: all but the frames, which come from different places.
fn without_frames(text: &str) -> String {
    crate::node_parity::normalised(text)
}

/// What a console shows for an error that is made by `code`.
fn printed(code: &str) -> String {
    let finished = Worker::start().run(&format!("console.error({code})"));
    without_frames(finished.lines()[0])
}

#[test]
fn a_run_that_throws_says_all_that_console_error_says() {
    for code in TELLING {
        let thrown = Worker::start().run(&format!("throw {code}")).end.error.expect("an error");
        assert_eq!(without_frames(&thrown.stack), printed(code));
        let rejected = Worker::start().run(&format!("await Promise.reject({code})")).end.error.expect("an error");
        assert_eq!(without_frames(&rejected.stack), printed(code));
    }
}

#[test]
fn rejections_and_timers_print_all_that_console_error_prints() {
    for code in TELLING {
        let mut worker = Worker::start();
        let finished = worker.run(&format!("Promise.reject({code}); 0"));
        assert_eq!(without_frames(finished.lines()[0]), format!("Uncaught (in promise) {}", printed(code)));
        let run = worker.begin(request(&format!("setTimeout(() => {{ throw {code} }}); 0")));
        worker.finish(run);
        let (lines, settled) = worker.settle(run);
        assert_eq!(without_frames(&lines[0]), format!("Uncaught {}", printed(code)));
        let WorkerMessage::Settled { error: Some(error), .. } = settled else { panic!("{settled:?}") };
        assert_eq!(without_frames(&error.stack), printed(code));
    }
}

#[test]
fn a_getter_of_an_error_is_not_asked_when_it_is_shown() {
    let mut worker = Worker::start();
    let code = "let asked = 0; throw Object.defineProperty(new Error('x'), 'cause', { get() { asked++ } })";
    assert!(worker.run(code).end.error.expect("an error").stack.contains("[cause]: [Getter]"));
    assert_eq!(worker.run("asked").text(), "0");
}

#[tokio::test]
async fn http_and_text_show_all_that_console_error_shows() {
    let server = TestServer::start();
    let mut text = WsClient::open(server.address, "/ws/text").await;
    for code in TELLING {
        let reply = server.run(&json!({ "code": format!("throw {code}") })).json();
        assert_eq!(without_frames(reply["error"]["stack"].as_str().unwrap()), printed(code));
        text.send_text(&format!("throw {code}")).await;
        let mut shown = vec![];
        let expected = format!("Uncaught {}", printed(code));
        while without_frames(&shown.join("\n")) != expected {
            shown.push(text.recv_text().await);
            assert!(shown.len() < 40, "{shown:#?}\nis not\n{expected}");
        }
    }
}
