//! What a chat server looks after by itself: users that may chat no more, dialogs that are refreshed no more,
//! connections that are admitted no more; and its own end.

use std::sync::Arc;
use std::time::Duration;

use shared::SipUri;

use super::session::Session;
use super::{ChatServer, SESSION_EXPIRES};
use crate::connection::Peer;

/// How often users that only listen are looked up.
const SWEEP: Duration = Duration::from_secs(20);
/// Longest wait for the links to take the BYEs of a server that stops.
const GOODBYE: Duration = Duration::from_secs(3);

impl ChatServer {
    /// Whether the session's user may still chat, by the directory's word of at most `age`.
    pub(super) async fn may_chat(&self, s: &Session, age: Duration) -> bool {
        if let Some(known) = s.enabled_within(age) {
            return known;
        }
        let Ok(uri) = SipUri::try_from(s.user.as_str()) else { return false };
        match self.directory.user_by_aor(&uri).await {
            Ok(u) => s.learn(u),
            Err(e) => tracing::warn!(user = %s.user, cause = %e, "the last known policy goes on"),
        }
        s.enabled()
    }

    /// Ends sessions whose user may chat no more or whose client refreshes them no more; until the server ends.
    pub async fn watch(self: Arc<Self>) {
        let expires = Duration::from_secs(SESSION_EXPIRES + 32);
        let mut deployment = self.deployment.clone();
        let mut turn = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                _ = turn.tick() => {}
                changed = deployment.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.close_strangers();
                    continue;
                }
            }
            for s in self.all() {
                let stays = !s.silent_for(expires) && self.may_chat(&s, SWEEP / 2).await;
                if !stays && self.end(&s) {
                    s.bye().await;
                }
            }
        }
    }

    /// Closes connections that the deployment admits no longer.
    fn close_strangers(&self) {
        let peers: Vec<(Peer, Vec<String>)> = self.state().peers.values().cloned().collect();
        for (peer, names) in peers {
            if !self.admits(&names) {
                tracing::info!(remote = %peer.remote, ?names, "no longer the next hop: disconnected");
                peer.close();
            }
        }
    }

    /// The pool's database was closed: dialogs end, clients come back by themselves.
    pub async fn drop_all(&self) {
        for s in self.all() {
            if self.end(&s) {
                s.bye().await;
            }
        }
    }

    /// Takes no new dialogs, ends those there are and closes the connections after that was written.
    pub async fn stop(&self) {
        self.state().stopped = true;
        if tokio::time::timeout(GOODBYE, self.drop_all()).await.is_err() {
            // A link that takes nothing; what is still open ends with its connection.
            tracing::warn!(server = %self.name, "not everyone could be told that the server stops");
        }
        for (peer, _) in self.state().peers.values() {
            peer.close();
        }
        self.journal.close();
    }
}
