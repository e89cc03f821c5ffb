//! A chat client of our own making: a session with a pool's channel over SIP, in it rooms.

use anyhow::{Context, Result, bail, ensure};
use wire::digest::{Challenge, ha1, respond};
use wire::roomuri::RoomUri;
use wire::sip::{NameAddr, Request};
use wire::xccos::{self, ChanIb, Chat, Data, Element, Envelope, Item};

use crate::plain_sip::{Sip, request, sign_on};
use crate::support::{Sample, User};

/// An open session.
pub struct ChatClient {
    sip: Sip,
    user: String,
    target: String,
    remote: String,
    call: String,
    route: Vec<String>,
    number: u32,
    /// Elements that came and nobody has asked for yet.
    came: Vec<Element>,
}

impl ChatClient {
    /// Signs `user` on and opens a session with the channel of the pool.
    pub async fn open(s: &Sample, user: &User, pool: &str) -> Result<Self> {
        Self::over(sign_on(s, user).await?, user, pool).await
    }

    /// Opens a session with the channel of the pool over this connection.
    pub async fn over(mut sip: Sip, user: &User, pool: &str) -> Result<Self> {
        let channel = format!("sip:gc-channel-{pool}@litwareinc.com");
        let mut invite = request("INVITE", &channel, &user.sip, &channel, 1);
        let mut answer = sip.exchange(&invite).await?;
        let asked = answer.headers.get("Proxy-Authenticate").and_then(Challenge::parse);
        if let Some(challenge) = asked.filter(|_| answer.status == 407) {
            // A proxy on the way wants to know who calls; it knows our users by the same password.
            let call = invite.call_id().unwrap_or_default().to_owned();
            let mut ack = request("ACK", &channel, &user.sip, &channel, 1);
            for (name, value) in [("Via", &invite), ("From", &invite), ("Call-ID", &invite), ("To", &invite)]
                .map(|(n, r)| (n, r.headers.get(n).unwrap_or_default().to_owned()))
            {
                ack.headers.set(name, value);
            }
            ack.headers.set("To", answer.headers.get("To").unwrap_or_default());
            sip.send(&ack).await?;
            let name = user.logon.rsplit('\\').next().unwrap_or_default();
            let secret = ha1(challenge.algorithm, name, &challenge.realm, &user.password);
            let proof = respond(&challenge, name, &secret, "INVITE", &channel, "abc", 1);
            invite = request("INVITE", &channel, &user.sip, &channel, 1);
            invite.headers.set("Call-ID", call);
            invite.headers.set("CSeq", "2 INVITE");
            invite.headers.push("Proxy-Authorization", proof.to_string());
            answer = sip.exchange(&invite).await?;
        }
        let begun = invite.cseq().map_or(1, |c| c.0);
        ensure!(answer.status == 200, "the channel answers {} {}", answer.status, answer.reason);
        let contact = answer.headers.get("Contact").and_then(NameAddr::parse).context("no Contact")?;
        let mut route = answer.headers.values("Record-Route");
        route.reverse();
        let mut client = Self {
            sip,
            user: user.sip.clone(),
            target: contact.uri.to_string(),
            remote: answer.headers.get("To").unwrap_or_default().to_owned(),
            call: invite.call_id().unwrap_or_default().to_owned(),
            route,
            number: begun,
            came: Vec::new(),
        };
        let ack = client.in_dialog("ACK");
        client.sip.send(&ack).await?;
        Ok(client)
    }

    /// The chat server that the session is with, as its contact names it.
    pub fn server(&self) -> &str {
        &self.target
    }

    /// Ends the session.
    pub async fn bye(&mut self) -> Result<()> {
        let bye = self.in_dialog("BYE");
        let answer = self.sip.exchange(&bye).await?;
        ensure!(answer.status == 200, "BYE: {} {}", answer.status, answer.reason);
        Ok(())
    }

    /// The addresses of the proxies on the way, nearest first.
    pub fn route(&self) -> &[String] {
        &self.route
    }

    /// Waits until the service ends the session.
    pub async fn ended(&mut self) -> Result<()> {
        while self.sip.incoming().await?.method != "BYE" {}
        Ok(())
    }

    /// Waits until the service says that `user` has entered a room.
    pub async fn entered(&mut self, user: &str) -> Result<()> {
        let of = |i: &Item| matches!(i, Item::Uib(u) if u.uri.eq_ignore_ascii_case(user));
        self.next(|e| {
            matches!(e, Element::Notice { id, data } if id == "ntc:join" && data.0.iter().any(of))
                .then_some(())
        })
        .await
    }

    /// The texts of the next `n` messages, in their order.
    pub async fn texts(&mut self, n: usize) -> Result<Vec<String>> {
        let mut out = Vec::new();
        while out.len() < n {
            out.push(
                self.next(|e| if let Element::Chat(c) = e { Some(c.text.clone()) } else { None }).await?,
            );
        }
        Ok(out)
    }

    fn in_dialog(&mut self, method: &str) -> Request {
        if method != "ACK" {
            self.number += 1;
        }
        let mut r = request(method, &self.target, &self.user, "sip:x@y", self.number);
        r.headers.set("From", format!("<{}>;tag=tINVITE", self.user));
        r.headers.set("To", self.remote.clone());
        r.headers.set("Call-ID", self.call.clone());
        for hop in &self.route {
            r.headers.push("Route", hop.clone());
        }
        r
    }

    async fn info(&mut self, e: &Envelope) -> Result<()> {
        let mut r = self.in_dialog("INFO");
        r.set_body(xccos::CONTENT_TYPE, e.to_xml());
        let answer = self.sip.exchange(&r).await?;
        let said = answer.headers.get("ms-diagnostics").unwrap_or_default();
        ensure!(answer.status == 200, "INFO: {} {said}", answer.status);
        Ok(())
    }

    /// The next element that `pick` takes; the others wait for their turn.
    async fn next<T>(&mut self, mut pick: impl FnMut(&Element) -> Option<T>) -> Result<T> {
        loop {
            if let Some((i, found)) = self.came.iter().enumerate().find_map(|(i, e)| Some((i, pick(e)?))) {
                self.came.remove(i);
                return Ok(found);
            }
            let r = self.sip.incoming().await?;
            if r.method == "INFO" {
                self.came.extend(xccos::parse(&r.body).map_err(|e| anyhow::anyhow!("{e:?}"))?.elements);
            }
        }
    }

    async fn command(&mut self, id: &str, data: Data) -> Result<Data> {
        let envid = 7_000 + u64::from(self.number);
        self.info(&Envelope::command(envid, id, data)).await?;
        let (code, text, data) = self
            .next(|e| match e {
                Element::Reply { command: Some((_, c)), code, text, data, .. } if *c == envid => {
                    Some((*code, text.clone(), data.clone()))
                }
                _ => None,
            })
            .await?;
        if code != 200 {
            bail!("{id}: {code} {text}");
        }
        Ok(data)
    }

    /// Joins a room by its URI; what the service says of it.
    pub async fn join(&mut self, room: &str) -> Result<ChanIb> {
        let uri = RoomUri::parse(room).with_context(|| format!("{room} is no room"))?;
        let id = Item::ChanId { key: 0, domain: uri.domain, value: uri.id };
        let data = self.command("cmd:join", Data::one(id)).await?;
        data.rooms().next().cloned().context("no room in the answer")
    }

    /// The history that the service sends when the client names no number.
    pub async fn history(&mut self, room: &str) -> Result<Vec<String>> {
        let asked = ChanIb { uri: room.to_owned(), ..ChanIb::default() };
        let data = self.command("cmd:bccontext", Data::one(Item::ChanIb(asked))).await?;
        Ok(data.rooms().flat_map(|c| c.msgs.iter().map(|m| m.text.clone())).collect())
    }

    /// Posts a text.
    pub async fn post(&mut self, room: &str, text: &str) -> Result<()> {
        let chat = Chat {
            seqid: 1,
            chan_uri: room.to_owned(),
            author: self.user.clone(),
            ts: "2026-01-01T00:00:00Z".to_owned(),
            text: text.to_owned(),
            ..Chat::default()
        };
        let envid = 7_000 + u64::from(self.number);
        self.info(&Envelope::one(envid, Element::Chat(chat))).await
    }

    /// Waits for a message with this text.
    pub async fn receive(&mut self, text: &str) -> Result<()> {
        self.next(|e| matches!(e, Element::Chat(c) if c.text == text).then_some(())).await
    }

    /// Waits until the service says that `user` has left the room, or was put out of it.
    pub async fn parted(&mut self, room: &str, user: &str) -> Result<()> {
        let of = |c: &ChanIb| c.uri == room && c.uibs.iter().any(|u| u.uri.eq_ignore_ascii_case(user));
        self.next(|e| {
            matches!(e, Element::Notice { id, data } if id == "ntc:part" && data.rooms().any(of))
                .then_some(())
        })
        .await
    }
}
