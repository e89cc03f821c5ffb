//! Routing: client requests to an active chat server of the pool they name, over mutual TLS; the chat
//! server's requests and all responses back. Responses find their way by the connection number in the
//! Via branch, so no transaction is kept.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::Fqdn;
use shared::deployment::{ChatPoolHost, ChatServerHost, Deployment, HostedServer};
use tokio::net::TcpStream;
use wire::sip::{Message, NameAddr, Request, Response, Uri};

use super::{FrontEnd, Route, refuse};
use crate::connection::{self, Peer};

/// Longest wait for a chat server to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// CSeq of a BYE that the Front End sends for a client that is gone: above any the client has used.
const LAST_CSEQ: u32 = 1 << 30;

/// The pool that an address reaches: its own contacts, its endpoint, or the old fixed address.
fn pool_of<'a>(d: &'a Deployment, uri: &str) -> Option<&'a ChatPoolHost> {
    let aor = Uri::parse(uri)?.aor();
    let names = |p: &&ChatPoolHost| {
        aor == p.lookup_uri.as_str()
            || aor == p.channel_uri.as_str()
            || p.endpoints.iter().any(|e| aor == e.as_str())
    };
    d.pools.iter().find(names).or_else(|| match d.pools.as_slice() {
        [only]
            if aor.starts_with("sip:ocschat@")
                && d.sip_domains.iter().any(|s| aor.ends_with(&format!("@{s}"))) =>
        {
            Some(only)
        }
        _ => None,
    })
}

impl FrontEnd {
    fn via(&self, back_to: u64) -> String {
        format!("SIP/2.0/TLS {}:5061;branch=z9hG4bKfe{back_to}x{}", self.name, self.next())
    }

    /// Who sends: the signed-in user of the connection, or the one whom another Front End names.
    fn user_of(&self, peer: &Peer, r: &Request) -> Option<String> {
        if self.is_front_end(peer) {
            return r.headers.get("P-Asserted-Identity").and_then(NameAddr::parse).map(|n| n.uri.aor());
        }
        self.state().bound.get(&peer.id).map(|b| b.aor.clone())
    }

    /// Forwards a client's request; what is answered at once when it is not forwarded.
    pub(super) async fn to_server(&self, peer: &Peer, mut r: Request) -> Option<Response> {
        let is_ack = r.method == "ACK";
        let answer = |response: Response| (!is_ack).then_some(response);
        let hops: u32 = r.headers.get("Max-Forwards").and_then(|v| v.trim().parse().ok()).unwrap_or(70);
        if hops == 0 {
            return answer(refuse(&r, 483, "Too Many Hops", "1005", "Max-Forwards is used up"));
        }
        let Some(user) = self.user_of(peer, &r) else {
            return answer(refuse(&r, 403, "Forbidden", "4001", "Sign in first"));
        };
        let call = r.call_id().unwrap_or_default().to_owned();
        let route = self.state().dialogs.get(&call).filter(|d| d.client.id == peer.id).cloned();
        let server = match route {
            Some(route) => route.server,
            None if r.method == "INVITE" => match self.new_dialog(peer, &r, &call, &user).await {
                Ok(server) => server,
                Err(response) => return Some(*response),
            },
            None => return answer(refuse(&r, 481, "Call/Transaction Does Not Exist", "2", "No such dialog")),
        };
        r.headers.set("Max-Forwards", (hops - 1).to_string());
        // A client that follows Record-Route names us first.
        let own =
            |v: &str| NameAddr::parse(v).is_some_and(|n| n.uri.host.eq_ignore_ascii_case(self.name.as_str()));
        if r.headers.get("Route").is_some_and(own) {
            r.headers.remove_first("Route");
        }
        r.headers.push_front("Via", self.via(peer.id));
        if r.method == "INVITE" {
            r.headers.push_front("Record-Route", format!("<sip:{}:5061;transport=tls;lr>", self.name));
        }
        r.headers.set("P-Asserted-Identity", format!("<{user}>"));
        if r.method == "BYE" {
            self.state().dialogs.remove(&call);
        }
        if server.send(&Message::Request(r.clone())) {
            return None;
        }
        self.state().dialogs.remove(&call);
        r.headers.remove_first("Via");
        answer(refuse(&r, 503, "Service Unavailable", "1020", "The chat server's connection ended"))
    }

    async fn new_dialog(
        &self,
        peer: &Peer,
        r: &Request,
        call: &str,
        user: &str,
    ) -> Result<Peer, Box<Response>> {
        let d = self.deployment();
        let Some(pool) = pool_of(&d, &r.uri) else {
            return Err(Box::new(refuse(
                r,
                404,
                "Not Found",
                "1003",
                "No pool or endpoint has this address",
            )));
        };
        let picked = if pool.next_hop == self.pool {
            self.pick(pool).await
        } else if self.is_front_end(peer) {
            Err("This Front End is not the pool's next hop".to_owned())
        } else {
            self.next_hop(&d, pool).await
        };
        let server = picked.map_err(|why| Box::new(refuse(r, 503, "Service Unavailable", "1020", &why)))?;
        let route = Route {
            client: peer.clone(),
            server: server.clone(),
            from: r.headers.get("From").unwrap_or_default().to_owned(),
            to: String::new(),
            target: r.uri.clone(),
            user: user.to_owned(),
            invite: Some(r.clone()),
        };
        self.state().dialogs.insert(call.to_owned(), route);
        Ok(server)
    }

    /// A connection to an active server of the pool; the next one is tried when one does not answer.
    async fn pick(&self, pool: &ChatPoolHost) -> Result<Peer, String> {
        let active: Vec<&ChatServerHost> = pool.servers.iter().filter(|s| s.active).collect();
        if active.is_empty() {
            return Err(format!("No server of {} is active", pool.fqdn));
        }
        // New sessions go around; a dialog stays where it began.
        let start = usize::try_from(self.next()).unwrap_or(0) % active.len();
        let mut last = String::new();
        for s in active.iter().cycle().skip(start).take(active.len()) {
            match self.upstream(&s.server, pool.port).await {
                Ok(peer) => return Ok(peer),
                Err(e) => last = format!("{}: {e}", s.server.fqdn),
            }
        }
        Err(format!("No active server of {} answers; last tried {last}", pool.fqdn))
    }

    /// Another Front End that is the pool's next hop: only that one may talk to its servers.
    async fn next_hop(&self, d: &Deployment, pool: &ChatPoolHost) -> Result<Peer, String> {
        let hop = d.front_ends.iter().find(|f| f.id == pool.next_hop).ok_or("The pool has no next hop")?;
        let mut last = format!("{} has no server", hop.fqdn);
        for s in &hop.servers {
            match self.upstream(s, hop.tls_port).await {
                Ok(peer) => return Ok(peer),
                Err(e) => last = format!("{}: {e}", s.fqdn),
            }
        }
        Err(format!("The next hop {} does not answer; last tried {last}", hop.fqdn))
    }

    async fn upstream(&self, s: &HostedServer, port: u16) -> Result<Peer, String> {
        let open = |(name, p): &&(Fqdn, Peer)| *name == s.fqdn && !p.is_closed();
        if let Some((_, p)) = self.state().upstream.values().find(open) {
            return Ok(p.clone());
        }
        let at = SocketAddr::new(s.address, port);
        let name = rustls::pki_types::ServerName::try_from(s.fqdn.to_string()).map_err(|e| e.to_string())?;
        let open = async {
            let tcp = TcpStream::connect(at).await?;
            tcp.set_nodelay(true)?;
            let local = tcp.local_addr()?;
            let tls = tokio_rustls::TlsConnector::from(self.upstream_tls.clone()).connect(name, tcp).await?;
            Ok::<_, std::io::Error>((tls, local))
        };
        let opened =
            tokio::time::timeout(CONNECT, open).await.map_err(|_| "it does not answer".to_owned())?;
        let (tls, local) = opened.map_err(|e| e.to_string())?;
        let handler: Arc<FrontEnd> = self.this.upgrade().ok_or("the Front End is ending")?;
        let (peer, work) = connection::start(tls, at, local, handler);
        self.state().upstream.insert(peer.id, (s.fqdn.clone(), peer.clone()));
        tokio::spawn(work);
        Ok(peer)
    }

    /// A chat server's request goes to the client of its dialog.
    pub(super) fn to_client(&self, server: &Peer, mut r: Request) {
        let call = r.call_id().unwrap_or_default().to_owned();
        let route = self.state().dialogs.get(&call).filter(|d| d.server.id == server.id).cloned();
        let Some(route) = route else {
            if r.method != "ACK" {
                server.send(&Message::Response(refuse(
                    &r,
                    481,
                    "Call/Transaction Does Not Exist",
                    "2",
                    "The client is gone",
                )));
            }
            return;
        };
        if r.method == "BYE" {
            self.state().dialogs.remove(&call);
        }
        r.headers.remove("Route");
        r.headers.push_front("Via", self.via(server.id));
        if !route.client.send(&Message::Request(r.clone())) {
            r.headers.remove_first("Via");
            server.send(&Message::Response(refuse(
                &r,
                481,
                "Call/Transaction Does Not Exist",
                "2",
                "The client is gone",
            )));
        }
    }

    /// A response goes to the connection whose number stands in our Via.
    pub(super) fn response(&self, mut r: Response) {
        let Some(branch) = r.top_via_branch() else { return };
        let number = branch
            .strip_prefix("z9hG4bKfe")
            .and_then(|b| b.split('x').next())
            .and_then(|n| n.parse::<u64>().ok());
        let Some(number) = number else { return };
        r.headers.remove_first("Via");
        let is_invite = r.cseq().is_some_and(|(_, m)| m == "INVITE");
        let call = r.call_id().unwrap_or_default().to_owned();
        let mut state = self.state();
        if is_invite && r.status >= 300 {
            state.dialogs.remove(&call);
        } else if is_invite && let Some(d) = state.dialogs.get_mut(&call) {
            if r.status >= 200 {
                d.invite = None;
            }
            r.headers.get("To").unwrap_or_default().clone_into(&mut d.to);
            if let Some(c) = r.headers.get("Contact").and_then(NameAddr::parse) {
                d.target = c.uri.to_string();
            }
        }
        let accepted = state.accepted.get(&number).map(|(p, _)| p.clone());
        let peer = accepted.or_else(|| state.upstream.get(&number).map(|(_, p)| p.clone()));
        drop(state);
        if let Some(p) = peer {
            p.send(&Message::Response(r));
        }
    }

    /// Ends what hung on a connection: a client's dialogs at their servers, a server's dialogs at their clients.
    pub(super) fn connection_ended(&self, peer: &Peer) {
        let mut state = self.state();
        state.bound.remove(&peer.id);
        state.accepted.remove(&peer.id);
        state.upstream.remove(&peer.id);
        let ended = |d: &Route| d.client.id == peer.id || d.server.id == peer.id;
        let calls: Vec<String> =
            state.dialogs.iter().filter(|(_, d)| ended(d)).map(|(c, _)| c.clone()).collect();
        let list: Vec<(String, Route)> =
            calls.into_iter().filter_map(|c| state.dialogs.remove(&c).map(|d| (c, d))).collect();
        drop(state);
        for (call, d) in list {
            let (to_server, target) = (d.client.id == peer.id, d.target.clone());
            if let Some(invite) = d.invite.as_ref().filter(|_| !to_server) {
                let gone =
                    refuse(invite, 503, "Service Unavailable", "1020", "The server ended the connection");
                d.client.send(&Message::Response(gone));
                continue;
            }
            let mut bye = Request::new("BYE", target);
            let other = if to_server { &d.server } else { &d.client };
            bye.headers.push("Via", self.via(other.id));
            bye.headers.push("Max-Forwards", "70");
            let (from, to) = if to_server { (&d.from, &d.to) } else { (&d.to, &d.from) };
            bye.headers.push("From", from.clone());
            bye.headers.push("To", to.clone());
            bye.headers.push("Call-ID", call);
            bye.headers.push("CSeq", format!("{LAST_CSEQ} BYE"));
            if to_server {
                bye.headers.push("P-Asserted-Identity", format!("<{}>", d.user));
            }
            other.send(&Message::Request(bye));
        }
    }
}
