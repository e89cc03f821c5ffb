//! What a Front End looks after by itself: registrations that end, users that may no longer sign in,
//! connections that never sign in; and its own end.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use shared::SipUri;

use super::FrontEnd;
use super::ends::Told;
use crate::connection::Peer;

/// How often ends are looked for.
const TURN: Duration = Duration::from_secs(5);
/// Turns between two looks into the directory.
const LOOKS: u32 = 4;
/// A connection on which nobody signs in for this long is closed.
const SIGN_IN: Duration = Duration::from_secs(30);
/// Longest wait for the upstream connections to write what is queued.
const FLUSH: Duration = Duration::from_secs(3);

impl FrontEnd {
    /// Looks after registrations and connections until the server ends.
    pub async fn watch(self: Arc<Self>) {
        let mut deployment = self.deployment.clone();
        let mut turn = tokio::time::interval(TURN);
        let mut turns = 0u32;
        loop {
            tokio::select! {
                _ = turn.tick() => {}
                changed = deployment.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.close_strangers();
                    self.close_unreachable();
                    continue;
                }
            }
            self.expire();
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(LOOKS) {
                self.look_up().await;
            }
        }
    }

    /// Ends registrations whose time is over, and connections without one.
    fn expire(&self) {
        let now = Instant::now();
        let (over, silent) = {
            let state = self.state();
            let peer = |id: &u64| state.accepted.get(id).map(|c| c.peer.clone());
            let over: Vec<Peer> =
                state.bound.iter().filter(|(_, b)| b.until <= now).filter_map(|(id, _)| peer(id)).collect();
            let idle = state
                .accepted
                .iter()
                .filter(|(id, c)| !c.trusted && !state.bound.contains_key(id) && c.since.elapsed() > SIGN_IN);
            (over, idle.map(|(_, c)| c.peer.clone()).collect::<Vec<_>>())
        };
        for peer in over {
            self.sign_out(&peer);
        }
        for peer in silent {
            peer.close();
        }
    }

    /// Signs out whoever the directory no longer lets in. What it does not know now stays as it is.
    async fn look_up(&self) {
        let bound: Vec<(Peer, String)> = {
            let state = self.state();
            let peer = |id: &u64| state.accepted.get(id).map(|c| c.peer.clone());
            state.bound.iter().filter_map(|(id, b)| Some((peer(id)?, b.aor.clone()))).collect()
        };
        let mut known: HashMap<String, bool> = HashMap::new();
        for (peer, aor) in bound {
            let enabled = match known.get(&aor) {
                Some(k) => *k,
                None => match SipUri::try_from(aor.as_str()) {
                    Ok(uri) => {
                        self.directory.user_by_aor(&uri).await.map_or(true, |u| u.is_some_and(|u| u.enabled))
                    }
                    Err(_) => false,
                },
            };
            known.insert(aor, enabled);
            if !enabled {
                tracing::info!(remote = %peer.remote, "a user who may no longer sign in is signed out");
                self.sign_out(&peer);
            }
        }
    }

    /// Closes connections of servers that the deployment has no longer.
    fn close_strangers(&self) {
        let trusted: Vec<(Peer, Vec<String>)> = {
            let state = self.state();
            state.accepted.values().filter(|c| c.trusted).map(|c| (c.peer.clone(), c.names.clone())).collect()
        };
        for (peer, names) in trusted {
            if !self.trusts(&names) {
                if let Some(c) = self.state().accepted.get_mut(&peer.id) {
                    c.trusted = false;
                }
                peer.close();
            }
        }
    }

    /// Closes connections to servers whose node does not answer: their clients are told now and go elsewhere,
    /// instead of waiting until the connection proves to be dead.
    fn close_unreachable(&self) {
        let d = self.deployment.borrow().clone();
        let chat = d.pools.iter().flat_map(|p| p.servers.iter().map(move |s| (&s.server, p.port)));
        let front = d.front_ends.iter().flat_map(|f| f.servers.iter().map(move |s| (s, f.tls_port)));
        let gone: Vec<_> = chat
            .chain(front)
            .filter(|(s, _)| s.unreachable)
            .map(|(s, port)| (s.fqdn.clone(), port))
            .collect();
        let state = self.state();
        for u in state.upstream.values().filter(|u| gone.contains(&u.server)) {
            tracing::warn!(server = %u.server.0, "a server's node does not answer; its sessions end");
            u.peer.close();
        }
    }

    /// Ends all dialogs at both ends, then the connections after that was written.
    pub async fn stop(&self) {
        self.state().stopped = true;
        self.end_dialogs(None, |_| true, Told::Both);
        let peers: Vec<Peer> = {
            let state = self.state();
            let accepted = state.accepted.values().map(|c| &c.peer);
            accepted.chain(state.upstream.values().map(|u| &u.peer)).cloned().collect()
        };
        for peer in peers {
            peer.close();
        }
        let mut links = std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner));
        // What takes longer is cut off with the set.
        let _ = tokio::time::timeout(FLUSH, async { while links.join_next().await.is_some() {} }).await;
    }
}
