//! One connection to the portal: what is told over it, and how it ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use node::remote::{ALIVE, FROM_PORTAL, SILENCE, ToNode, ToPortal, VERSION, WRITE, read, write};
use node::roster::Rosters;
use shared::ObjectId;
use shared::deployment::{ChatPoolHost, Deployment, ServerReport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};

use super::portal::connect;
use super::{Node, PRODUCT};

/// Questions that may wait for the link.
const WAITING: usize = 1024;

/// Why a session ended.
pub(super) enum Over {
    /// Tried again.
    Lost(String),
    /// For good.
    Removed(String),
}

impl Node {
    /// One connection to the portal, from its beginning to its end.
    pub(super) async fn session(&self, reports: &mut watch::Receiver<Vec<ServerReport>>) -> Over {
        let lost = |e: &dyn std::fmt::Display| Over::Lost(e.to_string());
        let own = self.own();
        let tls = match self.tls() {
            Ok(t) => t,
            Err(e) => return lost(&e),
        };
        let mut stream = match connect(&own.portal, tls).await {
            Ok(s) => s,
            Err(e) => return lost(&e),
        };
        let hello = ToPortal::Hello {
            version: VERSION,
            product: PRODUCT.to_owned(),
            listen: self.args.listen,
            groups: true,
        };
        let exchange = async {
            write(&mut stream, &hello).await?;
            read::<ToNode>(&mut stream, FROM_PORTAL).await
        };
        let (link, waiting) = mpsc::channel(WAITING);
        let boot = match tokio::time::timeout(SILENCE, exchange).await {
            Ok(Ok(ToNode::Welcome { boot, certificate })) => {
                self.renew(certificate);
                boot
            }
            Ok(Ok(other)) => {
                return self
                    .take("", other, &link)
                    .err()
                    .unwrap_or_else(|| lost(&"the portal was not understood"));
            }
            Ok(Err(e)) => return lost(&e),
            Err(_) => return lost(&"the portal is silent"),
        };
        tracing::info!(portal = own.portal, "connected");
        println!("connected portal={}", own.portal);
        let (r, w) = tokio::io::split(stream);
        reports.mark_changed();
        let presence = present(&self.rosters, self.deployment.subscribe(), link.clone());
        let tests = link.clone();
        self.remote.up(link);
        let over = tokio::select! {
            o = self.hear(&boot, r, &tests) => o,
            () = presence => lost(&"the link takes nothing any more"),
            why = speak(w, waiting, reports) => Over::Lost(why),
        };
        self.remote.down();
        self.tests.stop_all();
        // Who is elsewhere is not known any more.
        self.rosters.forget(|_| true);
        over
    }

    async fn hear(&self, boot: &str, mut r: impl AsyncRead + Unpin, link: &mpsc::Sender<ToPortal>) -> Over {
        loop {
            let m = match tokio::time::timeout(SILENCE, read::<ToNode>(&mut r, FROM_PORTAL)).await {
                Ok(Ok(m)) => m,
                Ok(Err(e)) => return Over::Lost(e.to_string()),
                Err(_) => return Over::Lost("the portal is silent".to_owned()),
            };
            if let Err(over) = self.take(boot, m, link) {
                return over;
            }
        }
    }
}

/// Tells the portal who is in which room here, as long as the link takes it.
async fn present(
    rosters: &Rosters,
    mut deployment: watch::Receiver<Arc<Deployment>>,
    link: mpsc::Sender<ToPortal>,
) {
    let mut changes = rosters.subscribe();
    let mut told: BTreeSet<ObjectId> = BTreeSet::new();
    loop {
        let d = deployment.borrow_and_update().clone();
        let here = |p: &&ChatPoolHost| p.servers.iter().any(|s| s.server.runs_here);
        let own: BTreeSet<ObjectId> = d.pools.iter().filter(here).map(|p| p.id.clone()).collect();
        told.retain(|p| own.contains(p));
        for pool in own {
            if told.insert(pool.clone()) {
                let people = rosters.of(&pool).all().into_iter().filter(|p| p.origin.is_empty()).collect();
                if link.send(ToPortal::Present { pool, reset: true, people }).await.is_err() {
                    return;
                }
            }
        }
        tokio::select! {
            r = deployment.changed() => if r.is_err() { return },
            c = changes.recv() => match c {
                Ok((pool, p)) if p.origin.is_empty() && told.contains(&pool) => {
                    let people = vec![p];
                    if link.send(ToPortal::Present { pool, reset: false, people }).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                // Too much at once: told anew as it stands.
                Err(broadcast::error::RecvError::Lagged(_)) => told.clear(),
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// Writes questions, reports and signs of life.
async fn speak(
    mut w: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<ToPortal>,
    reports: &mut watch::Receiver<Vec<ServerReport>>,
) -> String {
    let mut beat = tokio::time::interval(ALIVE);
    loop {
        let next = tokio::select! {
            m = waiting.recv() => match m {
                Some(m) => m,
                None => return "nothing more to say".to_owned(),
            },
            r = reports.changed() => match r {
                Ok(()) => ToPortal::Reports(reports.borrow_and_update().clone()),
                Err(_) => return "the servers have ended".to_owned(),
            },
            _ = beat.tick() => ToPortal::Alive,
        };
        match tokio::time::timeout(WRITE, write(&mut w, &next)).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return e.to_string(),
            Err(_) => return "the portal takes nothing".to_owned(),
        }
    }
}
