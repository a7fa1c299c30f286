//! Who is let in, and by which methods: raw requests, as pages, proxies and attackers send them, to the real server.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::server::TestServer;
use crate::support::shell::typed;

/// The head of an answer, and as much of the body as came before the end or, for a WebSocket, none.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    fn sentence(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"));
        assert_eq!((&body["success"], &body["error"]["type"]), (&json!(false), &json!("bad_message")), "{body}");
        body["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// Sends bytes as they are; `PORT` stands for the server's port.
#[track_caller]
fn send(server: &TestServer, request: &str) -> Answer {
    let request = request.replace("PORT", &server.address.port().to_string());
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let upgraded = |bytes: &[u8]| bytes.starts_with(b"HTTP/1.1 101") && bytes.ends_with(b"\r\n\r\n");
    while !upgraded(&bytes) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => bytes.extend(&piece[..read]),
            Err(error) => panic!("{error} after {:?} to {request:?}", String::from_utf8_lossy(&bytes)),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?} to {request:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request without a body, and an end to the connection.
#[track_caller]
fn ask(server: &TestServer, line: &str, headers: &str) -> Answer {
    send(server, &format!("{line} HTTP/1.1\r\n{headers}connection: close\r\n\r\n"))
}

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[track_caller]
fn ask_upgrade(server: &TestServer, path: &str, headers: &str) -> Answer {
    send(server, &format!("GET {path} HTTP/1.1\r\n{headers}{UPGRADE}\r\n"))
}

#[track_caller]
fn post(server: &TestServer, headers: &str) -> Answer {
    let body = r#"{"code":"6*7"}"#;
    let length = body.len();
    send(
        server,
        &format!("POST /api/run HTTP/1.1\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"),
    )
}

const HERE: &str = "host: 127.0.0.1:PORT\r\n";
const REBOUND: &str = "host: evil.example:PORT\r\norigin: http://evil.example:PORT\r\n";
const FOREIGN: &str = "host: 127.0.0.1:PORT\r\norigin: https://evil.example\r\n";
const NAMELESS: &str = "host: 127.0.0.1:PORT\r\norigin: null\r\n";

#[test]
fn no_foreign_page_and_no_foreign_name_comes_to_anything_that_runs_or_tells() {
    let server = TestServer::start();
    for headers in [REBOUND, FOREIGN, NAMELESS] {
        let key = if headers == REBOUND { "`server.public_url`" } else { "`server.origins`" };
        let mut answers =
            vec![post(&server, headers), post(&server, &format!("{headers}content-type: text/plain\r\n"))];
        answers.extend(["/ws", "/ws/text", "/ws?once=1"].map(|path| ask_upgrade(&server, path, headers)));
        for path in ["/ws", "/api/run", "/api/info", "/metrics", "//ws", "/%77s", "/ws/", "/nothing"] {
            answers.extend(["GET", "OPTIONS", "POST"].map(|method| ask(&server, &format!("{method} {path}"), headers)));
        }
        for answer in answers {
            assert_eq!(answer.status, 403, "{headers} {answer:?}");
            assert!(answer.sentence().contains(key), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{answer:?}");
        }
        let head = ask(&server, "HEAD /api/info", headers);
        assert_eq!((head.status, head.body.as_str()), (403, ""));
    }
    let text = server.metrics();
    assert!(!text.lines().any(|line| line.starts_with("runpen_runs_total{") && !line.ends_with(" 0")), "{text}");
    server.at_rest();
}

#[test]
fn the_page_and_the_probes_answer_to_every_name() {
    let server = TestServer::start();
    for headers in [REBOUND, FOREIGN, NAMELESS, "host: 10.0.0.1:8080\r\n"] {
        assert_eq!(ask(&server, "GET /healthz", headers).status, 200);
        assert_eq!(ask(&server, "GET /readyz", headers).status, 200);
        // 404 says that the page has not been built.
        assert!(matches!(ask(&server, "GET /", headers).status, 200 | 404));
        let license = ask(&server, "GET /healthz", headers);
        assert_eq!(license.header("access-control-allow-origin"), None);
    }
}

#[test]
fn clients_that_are_no_browsers_and_the_servers_own_pages_need_nothing() {
    let server = TestServer::start();
    for headers in [
        HERE,
        "host: localhost:PORT\r\n",
        "host: LOCALHOST.\r\n",
        "host: [::1]:PORT\r\n",
        "host: 127.0.0.1:PORT\r\norigin: http://127.0.0.1:PORT\r\n",
        "host: localhost:PORT\r\norigin: http://localhost:PORT\r\n",
    ] {
        assert_eq!(ask_upgrade(&server, "/ws", headers).status, 101, "{headers}");
        let ran = post(&server, headers);
        assert_eq!(ran.status, 200, "{ran:?}");
        assert!(ran.body.contains(r#""result":42"#), "{ran:?}");
        assert_eq!(ran.header("access-control-allow-origin"), None);
        assert_eq!(ran.header("vary"), Some("Origin"), "a cache must not keep it for other pages: {ran:?}");
    }
    let address = server.address;
    let by_curl = typed(&format!("curl -sS -d '{{\"code\":\"6*7\"}}' http://localhost:{}/api/run", address.port()));
    assert!(by_curl.stdout.contains(r#""result":42"#), "{by_curl:?}");
    let by_websocat = typed(&format!("echo '6*7' | websocat ws://{address}/ws/text"));
    assert_eq!(by_websocat.stdout, "42\n", "{by_websocat:?}");
}

#[test]
fn what_is_not_http_about_names_is_a_400() {
    let server = TestServer::start();
    for headers in [
        "",
        "host:\r\n",
        "host: a b\r\n",
        "host: 127.0.0.1@evil.example\r\n",
        "host: 127.0.0.1:PORT\r\nhost: evil.example\r\n",
        "host: 127.0.0.1:PORT\r\nhost: 127.0.0.1:PORT\r\n",
        "host: 127.0.0.1:PORT\r\norigin: http://127.0.0.1:PORT\r\norigin: https://evil.example\r\n",
    ] {
        assert_eq!(ask(&server, "GET /api/info", headers).status, 400, "{headers}");
        assert_eq!(ask_upgrade(&server, "/ws", headers).status, 400, "{headers}");
    }
    for (target, host, status) in [
        ("http://127.0.0.1:PORT/api/info", "127.0.0.1:PORT", 200),
        ("http://evil.example/api/info", "127.0.0.1:PORT", 400),
        ("http://127.0.0.1:PORT/api/info", "evil.example", 400),
        ("http://evil.example/api/info", "evil.example", 403),
        ("http://127.0.0.1:PORT@evil.example/api/info", "127.0.0.1:PORT", 400),
    ] {
        let answer = ask(&server, &format!("GET {target}"), &format!("host: {host}\r\n"));
        assert_eq!(answer.status, status, "{target} {host}: {answer:?}");
    }
    // An old client need not name the server. A page's browser always does.
    assert_eq!(send(&server, "GET /api/info HTTP/1.0\r\n\r\n").status, 200);
    assert_eq!(send(&server, "GET /api/info HTTP/1.0\r\nhost: evil.example\r\n\r\n").status, 403);
    assert_eq!(send(&server, "GET /api/info HTTP/1.0\r\norigin: http://127.0.0.1:PORT\r\n\r\n").status, 403);
}

#[test]
fn a_header_of_a_proxy_opens_nothing() {
    let url = [("server.public_url", "https://run.example.org")];
    let server = TestServer::with(&url);
    for extra in [
        "x-forwarded-host: run.example.org\r\n",
        "forwarded: host=run.example.org\r\n",
        "x-forwarded-host: 127.0.0.1:PORT\r\nx-forwarded-proto: http\r\nx-forwarded-for: 127.0.0.1\r\n",
    ] {
        assert_eq!(ask(&server, "GET /api/info", &format!("{REBOUND}{extra}")).status, 403);
        assert_eq!(ask(&server, "GET /api/info", &format!("{FOREIGN}{extra}")).status, 403);
    }
    assert_eq!(ask_upgrade(&server, "/ws", "host: run.example.org\r\norigin: https://run.example.org\r\n").status, 101);
}

#[test]
fn listed_pages_are_told_so_and_may_ask_first() {
    let server = TestServer::with(&[("server.origins", "https://school.example,http://dev.example:3000")]);
    let listed = "host: 127.0.0.1:PORT\r\norigin: https://school.example\r\n";
    assert_eq!(ask_upgrade(&server, "/ws", listed).status, 101);
    for answer in [post(&server, listed), ask(&server, "GET /api/info", listed), ask(&server, "GET /api/run", listed)] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://school.example"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
        assert_eq!(answer.header("vary"), Some("Origin"), "{answer:?}");
    }
    for (path, methods) in [("/api/run", "POST"), ("/api/info", "GET, HEAD"), ("/ws", "GET, HEAD")] {
        let asks =
            format!("{listed}access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n");
        let answer = ask(&server, &format!("OPTIONS {path}"), &asks);
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://school.example"));
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods));
        assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
        assert_eq!(answer.header("access-control-allow-private-network"), None);
        assert_eq!(answer.header("content-type"), None);
        let asks = format!("{asks}access-control-request-private-network: true\r\n");
        let answer = ask(&server, &format!("OPTIONS {path}"), &asks);
        assert_eq!(answer.header("access-control-allow-private-network"), Some("true"));
    }
    assert_eq!(ask(&server, "OPTIONS /nothing", listed).status, 404);
    // Nobody else.
    assert_eq!(ask(&server, "OPTIONS /api/run", FOREIGN).status, 403);
    assert_eq!(ask(&server, "OPTIONS /api/run", HERE).status, 405);

    let all = TestServer::with(&[("server.origins", "*")]);
    for headers in [FOREIGN, NAMELESS] {
        assert_eq!(ask_upgrade(&all, "/ws", headers).status, 101);
        assert_eq!(post(&all, headers).header("access-control-allow-origin"), Some("*"));
        assert_eq!(ask(&all, "OPTIONS /api/run", headers).status, 204);
        assert_eq!(ask(&all, "OPTIONS /api/run", headers).header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(ask_upgrade(&all, "/ws", REBOUND).status, 403);
}

#[test]
fn every_known_address_names_its_methods_to_those_who_use_another() {
    let server = TestServer::start();
    let paths = ["/", "/index.html", "/ws", "/ws/text", "/api/info", "/healthz", "/readyz", "/metrics"];
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"] {
        for path in paths {
            let answer = ask(&server, &format!("{method} {path}"), HERE);
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}: {answer:?}"
            );
            assert!(answer.sentence().contains("GET"), "{answer:?}");
        }
        let answer = ask(&server, &format!("{method} /nothing"), HERE);
        assert_eq!(answer.status, 404, "{method}: {answer:?}");
    }
    for method in ["GET", "PUT", "DELETE", "TRACE", "OPTIONS"] {
        let answer = ask(&server, &format!("{method} /api/run"), HERE);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}: {answer:?}");
    }
    for headers in [HERE, "host: x:80\r\n"] {
        let answer = ask(&server, "CONNECT x:80", headers);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{answer:?}");
    }
}

#[test]
fn head_says_what_get_would_and_sends_no_body() {
    let server = TestServer::start();
    for path in ["/", "/ws", "/ws/text", "/api/info", "/healthz", "/readyz", "/metrics", "/nothing"] {
        let (get, head) = (ask(&server, &format!("GET {path}"), HERE), ask(&server, &format!("HEAD {path}"), HERE));
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}: {head:?}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert!(head.header("content-length").is_some(), "{path}: {head:?}");
        // The connection goes on where the head ends.
        let both = send(
            &server,
            &format!("HEAD {path} HTTP/1.1\r\n{HERE}\r\nGET /healthz HTTP/1.1\r\n{HERE}connection: close\r\n\r\n"),
        );
        assert!(both.body.starts_with("HTTP/1.1 200") && both.body.ends_with("\r\n\r\nok\n"), "{path}: {both:?}");
    }
}

#[test]
fn a_packed_body_is_a_415_before_it_is_read() {
    let server = TestServer::start();
    for encoding in
        ["gzip", "GZIP", "br", "deflate", "zstd", "identity, gzip", "x", "identity\r\ncontent-encoding: gzip"]
    {
        // The body does not come: the answer is to the head.
        let head = format!(
            "POST /api/run HTTP/1.1\r\n{HERE}content-encoding: {encoding}\r\ncontent-length: 100\r\nconnection: close\r\n\r\n"
        );
        let answer = send(&server, &head);
        assert_eq!(
            (answer.status, answer.header("accept-encoding")),
            (415, Some("identity")),
            "{encoding}: {answer:?}"
        );
        assert!(answer.sentence().contains("Content-Encoding"), "{answer:?}");
    }
    for encoding in ["identity", "Identity", "", "identity, identity"] {
        assert_eq!(post(&server, &format!("{HERE}content-encoding: {encoding}\r\n")).status, 200, "{encoding}");
    }
}

#[test]
fn another_version_of_websocket_is_a_426_that_names_ours() {
    let server = TestServer::with(&[("server.max_sessions", "1")]);
    let upgrade = |version: &str| {
        let headers = format!(
            "{HERE}connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        format!("GET /ws HTTP/1.1\r\n{headers}{version}")
    };
    for version in ["8", "0", "14", "013", "13, 8", "", "13\r\nsec-websocket-version: 8"] {
        let request = upgrade(&format!("sec-websocket-version: {version}\r\n"));
        for request in [request, upgrade("")] {
            let answer =
                send(&server, &format!("{request}\r\nGET /healthz HTTP/1.1\r\n{HERE}connection: close\r\n\r\n"));
            let said = (answer.status, answer.header("sec-websocket-version"), answer.header("upgrade"));
            assert_eq!(said, (426, Some("13"), Some("websocket")), "{version}: {answer:?}");
        }
    }
    for headers in ["", "upgrade: websocket\r\n", "connection: upgrade\r\n", "connection: upgrade\r\nupgrade: h2c\r\n"]
    {
        let answer = send(
            &server,
            &format!("GET /ws HTTP/1.1\r\n{HERE}{headers}\r\nGET /healthz HTTP/1.1\r\n{HERE}connection: close\r\n\r\n"),
        );
        assert_eq!(answer.status, 400, "{headers}: {answer:?}");
        assert!(answer.body.contains("this address speaks WebSocket"), "{answer:?}");
    }
    let good = upgrade("sec-websocket-version: 13\r\n");
    for bad in [good.replace("HTTP/1.1", "HTTP/1.0"), format!("{good}transfer-encoding: chunked\r\n")] {
        let answer = send(&server, &format!("{bad}\r\n0\r\n\r\n"));
        assert_eq!(answer.status, 400, "{bad}: {answer:?}");
        assert!(answer.body.contains("a request of HTTP/1.1 without a body"), "{answer:?}");
    }
    // None of them has kept the only place.
    assert_eq!(send(&server, &format!("{}sec-websocket-version: 13\r\n\r\n", upgrade(""))).status, 101);
}
