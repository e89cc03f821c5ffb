//! The dialogs of a Front End, found by their key, counted by user and listed by connection: thousands of users
//! sign on and leave in the same minute, and none of them looks through all the others' dialogs.

use std::collections::{HashMap, HashSet};

use super::router::Route;

/// Dialogs by key.
#[derive(Default)]
pub struct Dialogs {
    routes: HashMap<String, Route>,
    users: HashMap<String, usize>,
    /// Keys by the number of the client's connection, and by that of the server's.
    ends: HashMap<u64, HashSet<String>>,
}

impl Dialogs {
    /// The dialog with this key.
    pub fn get(&self, key: &str) -> Option<&Route> {
        self.routes.get(key)
    }

    /// The dialog with this key, to be changed; its user and connections stay.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Route> {
        self.routes.get_mut(key)
    }

    /// Whether there is one with this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.routes.contains_key(key)
    }

    /// Dialogs of a user.
    pub fn of_user(&self, user: &str) -> usize {
        self.users.get(user).copied().unwrap_or_default()
    }

    /// Keys of the dialogs that have this connection as one end.
    pub fn of_connection(&self, id: u64) -> Vec<String> {
        self.ends.get(&id).into_iter().flatten().cloned().collect()
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        self.routes.keys().cloned().collect()
    }

    /// Adds a dialog; one with the same key goes.
    pub fn insert(&mut self, key: String, route: Route) {
        self.remove(&key);
        *self.users.entry(route.user.clone()).or_default() += 1;
        for id in [route.client.id, route.server.id] {
            self.ends.entry(id).or_default().insert(key.clone());
        }
        self.routes.insert(key, route);
    }

    /// Takes a dialog out.
    pub fn remove(&mut self, key: &str) -> Option<Route> {
        let route = self.routes.remove(key)?;
        if let Some(n) = self.users.get_mut(&route.user) {
            *n -= 1;
            if *n == 0 {
                self.users.remove(&route.user);
            }
        }
        for id in [route.client.id, route.server.id] {
            if let Some(keys) = self.ends.get_mut(&id) {
                keys.remove(key);
                if keys.is_empty() {
                    self.ends.remove(&id);
                }
            }
        }
        Some(route)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::connection::{self, Handler, Peer, Timing};
    use wire::sip::Message;

    struct Nothing;

    #[async_trait::async_trait]
    impl Handler for Nothing {
        fn accepted(&self, _: &Peer, _: &[String]) -> bool {
            true
        }
        async fn message(&self, _: &Peer, _: Message) {}
        async fn closed(&self, _: &Peer) {}
    }

    fn peer() -> Peer {
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 5061));
        connection::start(tokio::io::duplex(64).0, here, here, Arc::new(Nothing), Timing::ACCEPTED).0
    }

    #[test]
    fn what_is_taken_out_leaves_nothing_behind() {
        let (a, b, server) = (peer(), peer(), peer());
        let route = |client: &Peer, user: &str| Route {
            client: client.clone(),
            server: server.clone(),
            from: String::new(),
            to: String::new(),
            target: String::new(),
            user: user.to_owned(),
            invite: None,
        };
        let mut d = Dialogs::default();
        d.insert("1".to_owned(), route(&a, "u"));
        d.insert("2".to_owned(), route(&b, "u"));
        d.insert("2".to_owned(), route(&b, "v"));
        assert_eq!((d.of_user("u"), d.of_user("v"), d.of_connection(server.id).len()), (1, 1, 2));
        assert_eq!(d.of_connection(a.id), ["1"]);
        assert!(d.remove("1").is_some() && d.remove("1").is_none());
        assert_eq!(d.of_connection(server.id), ["2"]);
        d.remove("2");
        assert!(d.users.is_empty() && d.ends.is_empty() && d.keys().is_empty());
    }
}
