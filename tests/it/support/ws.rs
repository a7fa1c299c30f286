//! A WebSocket client that waits for what it expects and never for ever.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::PATIENCE;
use super::ledger::Ledger;
use super::server::TestServer;

/// Every message that it reads is held against the protocol: its fields, and one end for each run.
pub struct WsClient {
    socket: WebSocketStream<TcpStream>,
    ledger: Ledger,
}

/// Loops until it is interrupted.
pub const LOOP: &str = "for(;;);";

/// Loops inside the engine's own code, which never looks whether it is interrupted.
pub const NATIVE_LOOP: &str = "[].reverse.call({length:2**53-1})";

/// The longest deadline a run may have: whoever stops before it was stopped by something else.
pub const LONG_MS: u64 = 300_000;

/// All that a run said, up to its `done`.
#[derive(Debug)]
pub struct Ran {
    pub messages: Vec<Value>,
    pub done: Value,
    /// From the request to `done`.
    pub took: Duration,
}

impl Ran {
    pub fn outcome(&self) -> &str {
        self.done["outcome"].as_str().unwrap()
    }

    pub fn text(&self) -> &str {
        self.done["value"]["text"].as_str().unwrap_or_else(|| panic!("no value in {}", self.done))
    }

    /// The texts of the run's console entries.
    pub fn console(&self) -> Vec<String> {
        let own = |message: &&Value| message["type"] == "console" && message["id"] == self.done["id"];
        let entries = self.messages.iter().filter(own);
        let entries = entries.flat_map(|message| message["entries"].as_array().unwrap());
        entries.map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }
}

impl WsClient {
    pub async fn connect(server: &TestServer) -> WsClient {
        WsClient::open(server.address, "/ws").await
    }

    pub async fn open(address: SocketAddr, path: &str) -> WsClient {
        WsClient::try_open(address, path).await.unwrap_or_else(|error| panic!("no WebSocket at {path}: {error}"))
    }

    /// The error is the server's refusal.
    pub async fn try_open(address: SocketAddr, path: &str) -> Result<WsClient, Error> {
        WsClient::upgrade(TcpStream::connect(address).await.unwrap(), path).await
    }

    /// A client whose kernel takes little for it, so that the server feels it at once when the client does not read.
    pub async fn connect_narrow(server: &TestServer) -> WsClient {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8 << 10).unwrap();
        let stream = socket.connect(server.address).await.unwrap();
        WsClient::upgrade(stream, "/ws").await.expect("a WebSocket at /ws")
    }

    async fn upgrade(stream: TcpStream, path: &str) -> Result<WsClient, Error> {
        let address = stream.peer_addr().unwrap();
        stream.set_nodelay(true).unwrap();
        let handshake = client_async(format!("ws://{address}{path}"), stream);
        let (socket, _) = timeout(PATIENCE, handshake).await.expect("a handshake in time")?;
        Ok(WsClient { socket, ledger: Ledger::default() })
    }

    /// Goes on over a connection that has been used by hand.
    pub async fn over(stream: TcpStream) -> WsClient {
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        WsClient { socket, ledger: Ledger::default() }
    }

    pub async fn send(&mut self, message: Value) {
        self.ledger.sent(&message);
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_raw(Message::text(text)).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message)).await.expect("sent in time").unwrap();
    }

    /// The next text frame or close; pings are answered on the way.
    pub async fn recv_raw(&mut self) -> Option<Message> {
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            let message = timeout_at(patience, self.socket.next()).await.expect("a message in time");
            match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub async fn recv_text(&mut self) -> String {
        match self.recv_raw().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    pub async fn recv(&mut self) -> Value {
        let text = self.recv_text().await;
        let message = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
        self.ledger.received(&message);
        message
    }

    /// Reads on until a message of this type, and returns it.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let message = self.recv().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The code of the server's close frame; what comes before it is let go.
    pub async fn close_code(&mut self) -> Option<u16> {
        self.closed().await.1.map(|frame| frame.code.into())
    }

    /// Everything up to the end of the connection, and the server's close frame.
    pub async fn closed(&mut self) -> (Vec<Value>, Option<CloseFrame>) {
        let mut messages = Vec::new();
        loop {
            match self.recv_raw().await {
                Some(Message::Close(frame)) => return (messages, frame),
                Some(Message::Text(text)) => {
                    let message = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
                    self.ledger.received(&message);
                    messages.push(message);
                }
                Some(other) => panic!("expected a text frame or the end, got {other:?}"),
                None => return (messages, None),
            }
        }
    }

    /// A round trip: every answer to what was sent before has come. Returns what came on the way.
    pub async fn ping(&mut self) -> Vec<Value> {
        self.send(json!({ "type": "ping" })).await;
        self.all_until(|message| message["type"] == "pong").await
    }

    /// Every message up to the first that `is_last` says yes to; that one is the last of the list.
    pub async fn all_until(&mut self, mut is_last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            messages.push(self.recv().await);
            if is_last(&messages[messages.len() - 1]) {
                return messages;
            }
        }
    }

    /// Sends something that is answered with an `error`, and returns that.
    pub async fn refused(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.until("error").await
    }

    /// The runtime answers as it should.
    pub async fn works(&mut self) {
        assert_eq!(self.run("6 * 7").await.text(), "42");
    }

    pub async fn run(&mut self, code: &str) -> Ran {
        self.request(json!({ "type": "run", "code": code })).await
    }

    /// Sends a `run` and reads until its `done`.
    pub async fn request(&mut self, message: Value) -> Ran {
        let sent = Instant::now();
        self.send(message).await;
        let mut messages = Vec::new();
        loop {
            let message = self.recv().await;
            assert_ne!(message["type"], "error", "refused: {message}");
            if message["type"] == "done" {
                return Ran { messages, done: message, took: sent.elapsed() };
            }
            messages.push(message);
        }
    }

    /// Starts an endless loop and returns when it runs.
    pub async fn start_loop(&mut self) -> Value {
        self.start(LOOP).await
    }

    /// Starts code with the longest deadline there is, and returns its id when it runs.
    pub async fn start(&mut self, code: &str) -> Value {
        self.send(json!({ "type": "run", "code": code, "timeout_ms": LONG_MS })).await;
        self.until("started").await["id"].clone()
    }

    pub async fn close(&mut self, code: Option<u16>) {
        let frame = code.map(|code| CloseFrame { code: CloseCode::from(code), reason: "".into() });
        self.send_raw(Message::Close(frame)).await;
    }

    /// Cuts the connection without a word.
    pub fn cut(self) {
        drop(self.socket);
    }

    /// As [`WsClient::cut`], with a reset, as a machine does that knows nothing of the connection any more.
    pub fn reset_connection(self) {
        self.socket.get_ref().set_zero_linger().unwrap();
        drop(self.socket);
    }

    /// The bare connection, for a client that does what no library would.
    pub fn into_stream(self) -> TcpStream {
        self.socket.into_inner()
    }
}
