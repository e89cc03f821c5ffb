//! A server that runs: what it was started as, and how it is stopped.

use std::sync::Arc;

use shared::deployment::{ChatPoolHost, Deployment, FrontEndHost, HostedServer, ServerRole};
use shared::{Fqdn, ObjectId};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::FLUSH;
use crate::chat::ChatServer;
use crate::front_end::FrontEnd;

/// What decides whether a running server must be started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) server: HostedServer,
    pub(super) pool: ObjectId,
    pub(super) pool_name: Fqdn,
    pub(super) role: ServerRole,
    pub(super) ports: Vec<u16>,
}

pub(super) enum Service {
    FrontEnd(Arc<FrontEnd>),
    Chat(Arc<ChatServer>),
}

impl Service {
    pub(super) fn sessions(&self) -> u32 {
        match self {
            Self::FrontEnd(f) => f.sessions(),
            Self::Chat(c) => c.sessions(),
        }
    }
}

pub(super) struct Running {
    pub(super) shape: Shape,
    pub(super) service: Service,
    /// Told when the listeners are to end.
    pub(super) stop: watch::Sender<bool>,
    pub(super) listeners: Vec<JoinHandle<()>>,
    /// What is ended with the service.
    pub(super) tasks: Vec<JoinHandle<()>>,
    /// Writes compliance events; ends by itself.
    pub(super) journal: Option<JoinHandle<()>>,
    pub(super) listens: Vec<String>,
}

impl Running {
    /// Stops accepting, lets the service say good-bye, and ends what is left after a short while.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        match &self.service {
            Service::FrontEnd(f) => f.stop().await,
            Service::Chat(c) => c.stop().await,
        }
        // The listeners end by themselves; their ports are free afterwards.
        for t in self.listeners {
            let _ = t.await;
        }
        for t in self.tasks {
            t.abort();
            let _ = t.await;
        }
        if let Some(mut journal) = self.journal
            && tokio::time::timeout(FLUSH, &mut journal).await.is_err()
        {
            tracing::error!(server = %self.shape.server.fqdn, "compliance events could not be written in time");
            journal.abort();
        }
    }
}

pub(super) enum Slot {
    Running(Box<Running>),
    Failed(Shape, String),
}

pub(super) fn shapes(d: &Deployment) -> Vec<Shape> {
    let fe = |f: &FrontEndHost| {
        let ports = vec![f.tls_port, f.tcp_port];
        let make = |s: &HostedServer| Shape {
            server: s.clone(),
            pool: f.id.clone(),
            pool_name: f.fqdn.clone(),
            role: ServerRole::FrontEnd,
            ports: ports.clone(),
        };
        f.servers.iter().filter(|s| s.runs_here).map(make).collect::<Vec<_>>()
    };
    let chat = |p: &ChatPoolHost| {
        let make = |s: &HostedServer| Shape {
            server: s.clone(),
            pool: p.id.clone(),
            pool_name: p.fqdn.clone(),
            role: ServerRole::Chat,
            ports: vec![p.port],
        };
        p.servers.iter().map(|s| &s.server).filter(|s| s.runs_here).map(make).collect::<Vec<_>>()
    };
    d.front_ends.iter().flat_map(fe).chain(d.pools.iter().flat_map(chat)).collect()
}
