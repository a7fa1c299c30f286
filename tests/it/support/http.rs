//! A bare HTTP client, for what curl does not do: reading a reply as it comes, and hanging up.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::server::TestServer;

/// A `POST /api/run` that was sent.
pub struct Posted {
    stream: BufReader<TcpStream>,
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
        Posted { stream: BufReader::new(stream) }
    }

    pub async fn ndjson(server: &TestServer, body: &Value) -> Posted {
        Posted::run(server, body, "application/x-ndjson").await
    }

    /// The next line of a streamed reply; headers and the sizes of chunks are passed over.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await.expect("a line in time").unwrap();
            match read {
                0 => return None,
                _ if line.starts_with('{') => return Some(serde_json::from_str(&line).unwrap()),
                _ if line == "0\r\n" => return None,
                _ => {}
            }
        }
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
