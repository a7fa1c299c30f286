//! A bare HTTP client, for what curl does not do: reading a reply as it comes, and hanging up.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::server::TestServer;

/// A `POST /api/run` that was sent.
pub struct Posted {
    stream: BufReader<TcpStream>,
    /// The head of the reply was read.
    has_begun: bool,
    /// What has come of a line that is not whole.
    unread: Vec<u8>,
}

impl Posted {
    pub async fn run(server: &TestServer, body: &Value, accept: &str) -> Posted {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "POST /api/run HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        Posted { stream: BufReader::new(stream), has_begun: false, unread: Vec::new() }
    }

    pub async fn ndjson(server: &TestServer, body: &Value) -> Posted {
        Posted::run(server, body, "application/x-ndjson").await
    }

    /// The next line of a streamed reply.
    pub async fn next(&mut self) -> Option<Value> {
        if !self.has_begun {
            let mut is_chunked = false;
            loop {
                let line = self.line().await?.to_lowercase();
                is_chunked |= line.trim_end() == "transfer-encoding: chunked";
                if line.trim_end().is_empty() {
                    break;
                }
            }
            self.has_begun = true;
            if !is_chunked {
                // One object, as long as the head has said.
                let line = timeout(PATIENCE, self.object()).await.expect("an object in time");
                return Some(line);
            }
        }
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let size = usize::from_str_radix(self.line().await?.trim_end(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            timeout(PATIENCE, self.stream.read_exact(&mut chunk)).await.expect("a chunk in time").ok()?;
            if size == 0 {
                assert_eq!(self.unread, b"", "the reply ends inside of a line");
                return None;
            }
            self.unread.extend_from_slice(&chunk[..size]);
        }
    }

    /// A whole JSON object, without a line's end.
    async fn object(&mut self) -> Value {
        let mut bytes = Vec::new();
        loop {
            bytes.push(self.stream.read_u8().await.unwrap());
            if bytes.ends_with(b"}")
                && let Ok(object) = serde_json::from_slice(&bytes)
            {
                return object;
            }
        }
    }

    /// A line of the transfer; `None` where the connection has ended.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await.expect("a line in time").unwrap();
        (read > 0).then_some(line)
    }

    /// Reads on until a message of this type, and returns it.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the reply ended before any {kind:?}"));
            super::ledger::check(&message);
            if message["type"] == kind {
                return message;
            }
        }
    }

    pub fn hang_up(self) {
        drop(self.stream);
    }
}
