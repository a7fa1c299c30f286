//! WebSocket clients: one session after the other, each with a mood, and each left in its own way.

use std::rc::Rc;
use std::time::Instant;

use serde_json::json;

use super::Tally;
use super::book::Book;
use super::chance::Chance;
use super::http;
use super::programs::{self, Mood};
use crate::support::server::TestServer;
use crate::support::ws::WsClient;

/// Sessions until it is time.
pub async fn sessions(server: Rc<TestServer>, mut chance: Chance, until: Instant, tally: Rc<Tally>) {
    while Instant::now() < until {
        let is_narrow = chance.percent(50);
        let client = if is_narrow { WsClient::connect_narrow(&server).await } else { WsClient::connect(&server).await };
        tally.count("session");
        let mood = if chance.percent(50) { Mood::Decent } else { Mood::Hostile };
        let session =
            Session { client, book: Book::default(), server: &server, chance: &mut chance, mood, tally: &tally };
        session.live().await;
    }
}

struct Session<'a> {
    client: WsClient,
    book: Book,
    server: &'a TestServer,
    chance: &'a mut Chance,
    mood: Mood,
    tally: &'a Tally,
}

impl Session<'_> {
    async fn live(mut self) {
        for _ in 0..1 + self.chance.below(8) {
            match self.chance.below(100) {
                0..60 => {
                    for _ in 0..1 + self.chance.below(3) {
                        self.run().await;
                    }
                }
                60..72 if self.book.sent() > 0 => {
                    let id = self.chance.below(self.book.sent());
                    self.cancel(json!({ "type": "cancel", "id": id })).await;
                }
                72..78 => self.cancel(json!({ "type": "cancel" })).await,
                78..84 => {
                    self.book.resets_asked += 1;
                    self.cancel(json!({ "type": "reset" })).await;
                }
                84..92 => self.stall().await,
                _ => self.client.send(json!({ "type": "ping" })).await,
            }
            let open = self.chance.below(3);
            while self.book.open() > open {
                self.read().await;
            }
        }
        self.leave().await;
    }

    async fn run(&mut self) {
        let request = self.book.add(programs::choose(self.chance, self.mood));
        self.tally.count("run sent");
        self.client.send(request).await;
    }

    async fn cancel(&mut self, message: serde_json::Value) {
        self.book.may_cancel = true;
        self.client.send(message).await;
    }

    /// Reads nothing while somebody else has a run of some length.
    async fn stall(&mut self) {
        self.tally.count("stall");
        http::pass_time(self.server).await;
    }

    async fn read(&mut self) {
        let message = self.client.recv().await;
        self.book.received(&message, self.tally);
        if message["type"] == "input_request" && self.chance.percent(70) {
            let id = &message["id"];
            self.client.send(json!({ "type": "input", "id": id, "text": "somebody" })).await;
        }
    }

    async fn leave(mut self) {
        match self.chance.below(10) {
            // Waits for all that is due, and for a sign that there is no more.
            0..5 => {
                while !self.book.is_settled() {
                    self.read().await;
                }
                for message in self.client.ping().await {
                    let is_late_answer = matches!(message["type"].as_str(), Some("error" | "pong"));
                    assert!(is_late_answer, "after everything was over: {message}");
                }
                self.tally.count("leave at rest");
                self.close(Some(1000)).await;
            }
            5..7 => {
                self.tally.count("leave with a code");
                self.close(Some(1000)).await;
            }
            7 => {
                self.tally.count("leave without a code");
                self.close(None).await;
            }
            8 => {
                self.tally.count("cut");
                self.client.cut();
            }
            _ => {
                self.tally.count("connection reset");
                self.client.reset_connection();
            }
        }
    }

    async fn close(mut self, code: Option<u16>) {
        self.client.close(code).await;
        // What was on its way still comes, and nothing that contradicts it.
        for message in self.client.closed().await.0 {
            self.book.received(&message, self.tally);
        }
    }
}
