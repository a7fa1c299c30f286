//! A WebSocket client that writes its frames by hand, and so what no library would.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::server::TestServer;
use super::ws::WsClient;

/// The first bytes of frames: the opcodes, with FIN and without.
pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
pub const FIRST_TEXT: u8 = 0x01;
pub const FIRST_BINARY: u8 = 0x02;
pub const MIDDLE: u8 = 0x00;
pub const LAST: u8 = 0x80;

/// A client's frame, masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
        long @ 126..0x1_0000 => {
            frame.push(0xfe);
            frame.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
        longest => {
            frame.push(0xff);
            frame.extend((longest as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// The beginning of a frame that declares a length.
pub fn declaring(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0xff][..], &length.to_be_bytes(), &[1, 2, 3, 4]].concat()
}

pub fn run(id: &str, code: &str) -> Vec<u8> {
    frame(TEXT, json!({ "type": "run", "id": id, "code": code }).to_string().as_bytes())
}

/// What the server has sent.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Text(Value),
    Ping,
    Pong(Vec<u8>),
    Close(u16, String),
    End,
}

/// A WebSocket as bytes.
pub struct Raw {
    pub stream: TcpStream,
}

impl Raw {
    pub async fn open(server: &TestServer) -> Raw {
        Raw { stream: WsClient::connect(server).await.into_stream() }
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("sent in time").unwrap();
    }

    /// The next frame. An end that comes with an error is one too: the server may leave what it has not read.
    pub async fn hear(&mut self) -> Heard {
        timeout(PATIENCE, self.try_hear()).await.expect("a frame in time").unwrap_or(Heard::End)
    }

    async fn try_hear(&mut self) -> std::io::Result<Heard> {
        let head = [self.stream.read_u8().await?, self.stream.read_u8().await?];
        let length = match head[1] {
            126 => usize::from(self.stream.read_u16().await?),
            127 => usize::try_from(self.stream.read_u64().await?).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(match head[0] {
            TEXT => Heard::Text(serde_json::from_slice(&payload).unwrap()),
            PING => Heard::Ping,
            PONG => Heard::Pong(payload),
            CLOSE => {
                let (code, reason) = payload.split_first_chunk().expect("a close code");
                Heard::Close(u16::from_be_bytes(*code), String::from_utf8(reason.to_vec()).unwrap())
            }
            other => panic!("the server sent {other:#x}"),
        })
    }

    /// The next message.
    pub async fn message(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(message) => message,
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The one close frame that comes now, and nothing after it.
    pub async fn closed(&mut self) -> (u16, String) {
        match self.hear().await {
            Heard::Close(code, reason) => {
                self.ended().await;
                (code, reason)
            }
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    /// Nothing comes any more. The server waits for the client's end, so that its close frame is not lost on the way.
    pub async fn ended(&mut self) {
        // An error is an end already.
        let _ = self.stream.shutdown().await;
        assert_eq!(self.hear().await, Heard::End, "after the close frame");
    }

    /// A round trip: whatever was to be answered before has been.
    pub async fn works(&mut self) {
        self.send(&frame(TEXT, br#"{"type":"ping"}"#)).await;
        assert_eq!(self.message().await, json!({ "type": "pong" }));
    }
}
