//! Who is connected: the bound on sessions, and how all of them learn that the server is closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use dashmap::DashMap;
use tokio::sync::watch;

use crate::ids::SessionId;

/// How a session came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    WebSocket,
    Http,
}

#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub kind: Kind,
    pub since: Instant,
}

/// All sessions of the server. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    sessions: DashMap<SessionId, Entry>,
    max: usize,
    next: AtomicU64,
    closing: watch::Sender<bool>,
    left: tokio::sync::Notify,
}

/// Why a session is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Full,
    Closing,
}

impl Registry {
    pub fn new(max: usize) -> Registry {
        let inner = Inner {
            sessions: DashMap::new(),
            max,
            next: AtomicU64::new(1),
            closing: watch::Sender::new(false),
            left: tokio::sync::Notify::new(),
        };
        Registry { inner: Arc::new(inner) }
    }

    /// Takes a session in until its [`Registration`] is dropped.
    ///
    /// # Errors
    /// [`Refused`] when the server is full or closing.
    pub fn enter(&self, kind: Kind) -> Result<Registration, Refused> {
        // Subscribed before the look, so that a close in between is either seen here or heard later.
        let closing = self.inner.closing.subscribe();
        if *closing.borrow() {
            return Err(Refused::Closing);
        }
        let id = SessionId(self.inner.next.fetch_add(1, Ordering::Relaxed));
        self.inner.sessions.insert(id, Entry { kind, since: Instant::now() });
        let permit = Permit { place: Arc::new(Place { id, registry: self.clone() }) };
        let registration = Registration { permit, closing };
        // Inserted first and counted after, so that two newcomers at once cannot both take the last place.
        if self.inner.sessions.len() > self.inner.max { Err(Refused::Full) } else { Ok(registration) }
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.inner.sessions.iter().filter(|entry| entry.kind == kind).count()
    }

    pub fn len(&self) -> usize {
        self.inner.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.inner.sessions.is_empty()
    }

    pub fn is_closing(&self) -> bool {
        *self.inner.closing.borrow()
    }

    /// Tells every session to end, and lets nobody in any more.
    pub fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Waits until the last session has left. Cancel safe.
    pub async fn emptied(&self) {
        loop {
            let left = self.inner.left.notified();
            if self.is_empty() {
                return;
            }
            left.await;
        }
    }
}

/// A place among the sessions, given up when the last clone is dropped: when the session is over *and* its last answer has left.
#[derive(Clone)]
pub struct Permit {
    place: Arc<Place>,
}

struct Place {
    id: SessionId,
    registry: Registry,
}

/// A session's place in the registry, and its ear for the server's end.
pub struct Registration {
    permit: Permit,
    closing: watch::Receiver<bool>,
}

impl Registration {
    pub fn id(&self) -> SessionId {
        self.permit.place.id
    }

    /// The same place once more, for what outlives the session: its response.
    pub fn permit(&self) -> Permit {
        self.permit.clone()
    }

    /// Resolves once, when the server begins to close; stays pending afterwards. Cancel safe.
    pub async fn shutdown(&mut self) {
        let already_told = !self.closing.has_changed().unwrap_or(false) && *self.closing.borrow();
        if already_told || self.closing.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.inner.sessions.remove(&self.id);
        self.registry.inner.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_on_sessions_holds_and_a_place_is_free_again_after_one_left() {
        let registry = Registry::new(1);
        let first = registry.enter(Kind::WebSocket).unwrap();
        assert_eq!(registry.enter(Kind::Http).err(), Some(Refused::Full));
        assert_eq!(registry.len(), 1, "the refused one is not counted");
        let response = first.permit();
        drop(first);
        assert_eq!(registry.enter(Kind::Http).err(), Some(Refused::Full), "its response is under way");
        drop(response);
        assert!(registry.enter(Kind::Http).is_ok());
    }

    #[tokio::test]
    async fn closing_is_told_once_and_nobody_gets_in_after_it() {
        let registry = Registry::new(5);
        let mut session = registry.enter(Kind::WebSocket).unwrap();
        registry.close();
        session.shutdown().await;
        assert!(futures_util::FutureExt::now_or_never(session.shutdown()).is_none(), "told a second time");
        assert_eq!(registry.enter(Kind::WebSocket).err(), Some(Refused::Closing));
        drop(session);
        registry.emptied().await;
    }
}
