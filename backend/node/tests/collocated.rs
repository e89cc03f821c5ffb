//! A Front End and a chat server on one computer: both run, both are reported.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use node::ca::LocalCa;
use node::traits::{ChatStore, ChatUser, Databases, Directory, DirectoryError};
use node::{HostRuntime, Settings};
use shared::deployment::{
    ChatPoolHost, ChatServerHost, ChatSettings, Deployment, FrontEndHost, HostedServer, ServerRole,
    ServerState,
};
use shared::{Fqdn, ObjectId, SipUri};
use tokio::sync::watch;

struct Nobody;

#[async_trait]
impl Directory for Nobody {
    async fn user_by_aor(&self, _: &SipUri) -> Result<Option<ChatUser>, DirectoryError> {
        Ok(None)
    }
    async fn user_by_login(&self, _: &str) -> Result<Option<ChatUser>, DirectoryError> {
        Ok(None)
    }
}

struct Closed(watch::Sender<u64>);

impl Databases for Closed {
    fn current(&self, _: &ObjectId) -> Option<Arc<dyn ChatStore>> {
        None
    }
    fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_roles_of_one_computer_run_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    // Kept open together, so that three different ports come.
    let free: Vec<_> = (0..3).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let ports: Vec<u16> = free.iter().map(|l| l.local_addr().unwrap().port()).collect();
    drop(free);
    let name = Fqdn::try_from("one.litwareinc.com").unwrap();
    let id = |i: &str| ObjectId::try_from(i).unwrap();
    let uri = |u: &str| SipUri::try_from(u).unwrap();
    let server = HostedServer {
        fqdn: name.clone(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        runs_here: true,
        node: None,
        unreachable: false,
    };
    let front_end = FrontEndHost {
        id: id("f"),
        fqdn: name.clone(),
        servers: vec![server.clone()],
        tls_port: ports[0],
        tcp_port: ports[1],
    };
    let pool = ChatPoolHost {
        id: id("p"),
        fqdn: name,
        display_name: String::new(),
        port: ports[2],
        next_hop: id("f"),
        servers: vec![ChatServerHost { server, active: true }],
        lookup_uri: uri("sip:l@litwareinc.com"),
        channel_uri: uri("sip:c@litwareinc.com"),
        endpoints: Vec::new(),
        default_for: Vec::new(),
        default_for_front_ends: Vec::new(),
        compliance: false,
        settings: ChatSettings::default(),
        database: None,
        pair: None,
    };
    let deployment =
        Deployment { generation: 1, front_ends: vec![front_end], pools: vec![pool], ..Deployment::default() };
    let (_sender, deployment) = watch::channel(Arc::new(deployment));
    let settings = Settings {
        rosters: Arc::default(),
        ca: Arc::new(LocalCa::open(dir.path()).unwrap()),
        directory: Arc::new(Nobody),
        databases: Arc::new(Closed(watch::channel(0).0)),
    };
    let host = HostRuntime::start(settings, deployment);
    let mut reports = host.reports();
    let both = reports.wait_for(|l| l.len() == 2 && l.iter().all(|r| r.state == ServerState::Running));
    let list = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap().unwrap().clone();
    assert_eq!([list[0].role, list[1].role], [ServerRole::FrontEnd, ServerRole::Chat]);
    tokio::time::timeout(Duration::from_secs(10), host.shutdown()).await.unwrap();
    for port in ports {
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    }
}
