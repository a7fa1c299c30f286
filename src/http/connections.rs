//! All open connections: how many there may be, and which of them gives way when there is no room for a newcomer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::Notify;

/// The bound on connections. Shared by the thread that accepts and those that serve.
#[derive(Clone)]
pub struct Connections {
    open: Arc<Mutex<Open>>,
    max: usize,
}

#[derive(Default)]
struct Open {
    members: HashMap<u64, Arc<Member>>,
    next: u64,
}

/// What other threads may know of a connection, and how they end it.
struct Member {
    /// When it last began to wait for a request; `None` while one is being served.
    silent_since: Mutex<Option<Instant>>,
    ended: AtomicBool,
    end: Notify,
}

/// A place among the connections, given up on drop.
pub struct Place {
    connections: Connections,
    id: u64,
    member: Arc<Member>,
}

impl Connections {
    /// Room for `max` connections, at least one.
    pub fn new(max: usize) -> Connections {
        Connections { open: Arc::default(), max: max.max(1) }
    }

    /// Takes a newcomer in. Where there is no room, the connection that has been silent for the longest is ended for it: whoever is
    /// served keeps its place. `None` where every connection is being served.
    pub fn enter(&self) -> Option<Place> {
        let mut open = self.lock();
        if open.members.len() >= self.max && !open.make_room() {
            return None;
        }
        let id = open.next;
        open.next += 1;
        let member = Arc::new(Member {
            silent_since: Mutex::new(Some(Instant::now())),
            ended: AtomicBool::new(false),
            end: Notify::new(),
        });
        open.members.insert(id, Arc::clone(&member));
        drop(open);
        Some(Place { connections: self.clone(), id, member })
    }

    /// Ends the connection that has been silent for the longest, if there is one.
    pub fn make_room(&self) {
        self.lock().make_room();
    }

    /// Connections that hold a place.
    pub fn len(&self) -> usize {
        self.lock().members.len()
    }

    /// Ends the connections that wait for a request.
    pub fn end_silent(&self) {
        self.lock().members.values().filter(|member| member.silent_since().is_some()).for_each(|member| member.end());
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Open {
    /// Whether a place has become free. The task of the connection that gives way hears of it a little later, and its socket lives
    /// until then, which is what the descriptors that are kept back are for.
    fn make_room(&mut self) -> bool {
        let silent = self.members.iter().filter_map(|(id, member)| Some((member.silent_since()?, *id)));
        let longest = silent.min().and_then(|(_, id)| self.members.remove(&id));
        longest.inspect(|member| member.end()).is_some()
    }
}

impl Member {
    fn silent_since(&self) -> Option<Instant> {
        *self.silent_since.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.end.notify_one();
    }
}

impl Place {
    /// Notes that a request has begun (`None`), or since when the connection waits for the next one.
    pub fn set_silent_since(&self, since: Option<Instant>) {
        *self.member.silent_since.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = since;
    }

    /// Resolves when the connection is to end. Cancel safe.
    pub async fn ended(&self) {
        while !self.member.ended.load(Ordering::Acquire) {
            self.member.end.notified().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().members.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_ended(place: &Place) -> bool {
        place.ended().now_or_never().is_some()
    }

    #[test]
    fn the_connection_that_is_silent_for_the_longest_gives_way() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| connections.enter().unwrap());
        first.set_silent_since(None);
        let fourth = connections.enter().unwrap();
        assert!(!is_ended(&first), "a request is being served there");
        assert!(is_ended(&second));
        assert!(!is_ended(&third) && !is_ended(&fourth));
        assert_eq!(connections.len(), 3);
    }

    #[test]
    fn nobody_who_is_served_gives_way() {
        let connections = Connections::new(2);
        let places = [(); 2].map(|()| connections.enter().unwrap());
        places.iter().for_each(|place| place.set_silent_since(None));
        assert!(connections.enter().is_none());
        drop(places);
        assert!(connections.enter().is_some());
    }

    #[test]
    fn a_place_comes_back_once() {
        let connections = Connections::new(1);
        let silent = connections.enter().unwrap();
        let next = connections.enter().unwrap();
        drop(silent);
        assert_eq!(connections.len(), 1, "the place of the one that gave way is the newcomer's");
        drop(next);
        assert_eq!(connections.len(), 0);
    }
}
