//! One user: sign-in, provisioning, lookup, channel, room, messages, and leaving in any case.

use shared::synthetic::{CauseCode, Hop, Phase};
use tokio::time::Instant;
use wire::digest::{Algorithm, Challenge, ha1, respond};
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::roomuri::RoomUri;
use wire::sip::{NameAddr, Request, Response};
use wire::xccos::{self, ChanIb, Chat, Data, Element, Envelope, Item};

use crate::cause::Failure;
use crate::connection::Connection;
use crate::{Account, TestPlan, Transport};

/// An INVITE dialog.
#[derive(Debug, Clone)]
struct Dialog {
    call: String,
    local_tag: String,
    remote: String,
    target: String,
    route: Vec<String>,
    cseq: u32,
}

/// One signed-on user.
pub struct Client<'a> {
    plan: &'a TestPlan,
    account: &'a Account,
    label: &'static str,
    conn: Connection,
    counter: u32,
    register_call: String,
    register_cseq: u32,
    registered: bool,
    contact: String,
    channel: Option<Dialog>,
    room: Option<String>,
    /// Path of the channel dialog.
    pub hops: Vec<Hop>,
}

type Done<T> = Result<T, Failure>;

impl<'a> Client<'a> {
    /// On an open connection.
    pub fn new(plan: &'a TestPlan, account: &'a Account, label: &'static str, conn: Connection) -> Self {
        let user = account.sip_uri.trim_start_matches("sip:").split('@').next().unwrap_or("user").to_owned();
        let via = if plan.transport == Transport::Tls { "tls" } else { "tcp" };
        let contact = format!("<sip:{user}@{};transport={via}>", conn.local);
        Self {
            register_call: format!("reg-{}-{label}", plan.seed),
            plan,
            account,
            label,
            conn,
            counter: 0,
            register_cseq: 0,
            registered: false,
            contact,
            channel: None,
            room: None,
            hops: Vec::new(),
        }
    }

    fn who(&self) -> &str {
        &self.account.sip_uri
    }

    fn until(&self) -> Instant {
        Instant::now() + self.plan.phase_timeout
    }

    fn unique(&mut self) -> String {
        self.counter += 1;
        format!("{}{}{}", self.plan.seed, self.label, self.counter)
    }

    fn domain(&self) -> &str {
        self.account.sip_uri.split('@').nth(1).unwrap_or_default()
    }

    fn request(&mut self, method: &str, uri: &str, to: &str, tag: &str, call: &str, cseq: u32) -> Request {
        let mut r = Request::new(method, uri);
        let transport = if self.plan.transport == Transport::Tls { "TLS" } else { "TCP" };
        let branch = self.unique();
        r.headers.push("Via", format!("SIP/2.0/{transport} {};branch=z9hG4bK{branch}", self.conn.local));
        r.headers.push("Max-Forwards", "70");
        r.headers.push("From", format!("<{}>;tag={tag};epid={}", self.account.sip_uri, self.label));
        r.headers.push("To", to);
        r.headers.push("Call-ID", call);
        r.headers.push("CSeq", format!("{cseq} {method}"));
        r.headers.push("User-Agent", "Lifeguard test");
        r
    }

    fn register(&mut self, expires: u32) -> Request {
        self.register_cseq += 1;
        let (call, cseq, domain) = (self.register_call.clone(), self.register_cseq, self.domain().to_owned());
        let to = format!("<{}>", self.account.sip_uri);
        let mut r = self.request("REGISTER", &format!("sip:{domain}"), &to, "reg", &call, cseq);
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Event", "registration");
        r.headers.push("Expires", expires.to_string());
        r
    }

    fn authorize(&self, r: &mut Request, challenge: &Challenge) {
        // Log-on names do not tell case apart; registrars keep the lower-case form.
        let user = self.account.logon.to_lowercase();
        let secret = ha1(challenge.algorithm, &user, &challenge.realm, &self.account.password);
        let uri = r.uri.clone();
        let cnonce = format!("{}{}", self.plan.seed, self.label);
        r.headers.set(
            "Authorization",
            respond(challenge, &user, &secret, "REGISTER", &uri, &cnonce, 1).to_string(),
        );
    }

    async fn exchange(&mut self, r: &Request, phase: Phase) -> Done<Response> {
        let call = r.call_id().unwrap_or_default().to_owned();
        let cseq = r.cseq().map_or(0, |c| c.0);
        self.conn.send(r).await?;
        let (until, who) = (self.until(), self.account.sip_uri.clone());
        self.conn.expect(&call, cseq, until, phase, &who).await
    }

    /// REGISTER, answering challenges; a second refusal of the same password ends it.
    async fn registration(&mut self, expires: u32, phase: Phase) -> Done<Response> {
        let first = self.register(expires);
        let mut answer = self.exchange(&first, phase).await?;
        let mut tried = 0;
        while answer.status == 401 {
            let offers: Vec<Challenge> =
                answer.headers.get_all("WWW-Authenticate").filter_map(Challenge::parse).collect();
            let best = offers.iter().find(|c| c.algorithm == Algorithm::Sha256).or(offers.first());
            let Some(challenge) = best.filter(|c| tried == 0 || c.stale && tried <= 2) else { break };
            tried += 1;
            let mut again = self.register(expires);
            self.authorize(&mut again, challenge);
            answer = self.exchange(&again, phase).await?;
        }
        Ok(answer)
    }

    /// Signs on.
    pub async fn sign_in(&mut self) -> Done<String> {
        let answer = self.registration(600, Phase::SignIn).await?;
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        self.registered = true;
        Ok(format!("signed in as {}", self.account.logon))
    }

    fn refused(&self, r: &Response) -> Failure {
        let diagnostics = r.headers.get("ms-diagnostics");
        let number = diagnostics.and_then(|d| d.split(';').next()).unwrap_or_default();
        let who = self.who();
        let digest = r.headers.get_all("WWW-Authenticate").any(|v| Challenge::parse(v).is_some());
        let (cause, seen) = match (r.status, number) {
            (401, _) if !digest => (
                CauseCode::ProtocolError,
                format!(
                    "{} offers no Digest authentication, only schemes that this test does not speak.",
                    self.plan.registrar_host
                ),
            ),
            (403, "4004") => (
                CauseCode::CredentialOfAnotherAccount,
                format!("The credential {} belongs to another account than {who}.", self.account.logon),
            ),
            (403, "4003") => (CauseCode::UserDisabled, format!("{who} is disabled.")),
            (404, _) => (CauseCode::UnknownUser, format!("The registrar does not know {who}.")),
            (401 | 403, _) => (
                CauseCode::WrongPassword,
                format!("The password of {who} was refused by {}.", self.plan.registrar_host),
            ),
            _ => (CauseCode::ProtocolError, format!("The sign-in of {who} was refused.")),
        };
        Failure::sip(cause, r.status, &r.reason, diagnostics, seen)
    }

    /// SUBSCRIBE for the policy; the lookup address to use.
    pub async fn policy(&mut self) -> Done<(String, String)> {
        let call = format!("prov-{}", self.unique());
        let own = self.account.sip_uri.clone();
        let mut r = self.request("SUBSCRIBE", &own, &format!("<{own}>"), "prov", &call, 1);
        r.headers.push("Event", provisioning::EVENT);
        r.headers.push("Accept", provisioning::CONTENT_TYPE);
        r.headers.push("Supported", "ms-piggyback-first-notify");
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Expires", "0");
        r.set_body(provisioning::CONTENT_TYPE, provisioning::request());
        let answer = self.exchange(&r, Phase::Policy).await?;
        if answer.status != 200 {
            let seen = format!("{} could not read the Persistent Chat policy.", self.who());
            return Err(Failure::sip(
                CauseCode::ProtocolError,
                answer.status,
                &answer.reason,
                answer.headers.get("ms-diagnostics"),
                seen,
            ));
        }
        let p = PersistentChatProvisioning::parse(&answer.body);
        if p.as_ref().is_some_and(|p| !p.enabled) {
            let text = format!("No Persistent Chat policy enables {}.", self.who());
            return Err(Failure::new(
                CauseCode::NoPolicy,
                format!("{text} (EnablePersistentChat is false)"),
                text,
            ));
        }
        // Without provisioning an old service is at its fixed address (xccos.md §1).
        let fallback = format!("sip:ocschat@{}", self.domain());
        let uri = self.plan.pool_uri_hint.clone().or(p.and_then(|p| p.default_pool_uri)).unwrap_or(fallback);
        Ok((uri.clone(), format!("Persistent Chat is enabled; pool contact {uri}")))
    }

    async fn invite(&mut self, uri: &str, phase: Phase) -> Done<Dialog> {
        let call = format!("inv-{}", self.unique());
        let tag = self.unique();
        let mut r = self.request("INVITE", uri, &format!("<{uri}>"), &tag, &call, 1);
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Supported", "timer");
        r.set_body(wire::sdp::CONTENT_TYPE, wire::sdp::message_session(&self.conn.local.ip().to_string()));
        let answer = self.exchange(&r, phase).await?;
        if answer.status != 200 {
            let seen =
                format!("The Persistent Chat service at {uri} does not take {}'s session.", self.who());
            return Err(Failure::sip(
                CauseCode::PoolUnavailable,
                answer.status,
                &answer.reason,
                answer.headers.get("ms-diagnostics"),
                seen,
            ));
        }
        let mut route = answer.headers.values("Record-Route");
        let contact = answer.headers.get("Contact").and_then(NameAddr::parse);
        self.trace(&answer, contact.as_ref());
        route.reverse();
        let d = Dialog {
            call,
            local_tag: tag,
            remote: answer.headers.get("To").unwrap_or_default().to_owned(),
            target: contact.map_or_else(|| uri.to_owned(), |c| c.uri.to_string()),
            route,
            cseq: 1,
        };
        let ack = self.in_dialog(&d, "ACK", 1);
        self.conn.send(&ack).await?;
        Ok(d)
    }

    /// The path that the answer tells: Record-Route from the far end to here, then the Contact.
    fn trace(&mut self, answer: &Response, contact: Option<&NameAddr>) {
        let mut hops = Vec::new();
        let mut from = "client".to_owned();
        let mut stations: Vec<_> =
            answer.headers.values("Record-Route").iter().filter_map(|v| NameAddr::parse(v)).collect();
        stations.reverse();
        stations.extend(contact.cloned());
        for s in stations {
            // What the answer does not say is not made up.
            let (Some(port), Some(transport)) = (s.uri.port, s.uri.param("transport")) else { continue };
            let transport = transport.to_owned();
            hops.push(Hop {
                from: std::mem::replace(&mut from, s.uri.host.clone()),
                to: s.uri.host.clone(),
                port,
                transport,
            });
        }
        self.hops = hops;
    }

    fn in_dialog(&mut self, d: &Dialog, method: &str, cseq: u32) -> Request {
        let mut r = self.request(method, &d.target, &d.remote, &d.local_tag, &d.call, cseq);
        for hop in &d.route {
            r.headers.push("Route", hop.clone());
        }
        r
    }

    /// Sends an XCCOS document in a dialog; the INFO's own answer is returned.
    async fn info(&mut self, d: &mut Dialog, e: &Envelope, phase: Phase) -> Done<Response> {
        d.cseq += 1;
        let mut r = self.in_dialog(d, "INFO", d.cseq);
        r.set_body(xccos::CONTENT_TYPE, e.to_xml());
        self.exchange(&r, phase).await
    }

    async fn command(
        &mut self,
        d: &mut Dialog,
        id: &str,
        data: Data,
        phase: Phase,
    ) -> Done<(u16, String, Data)> {
        self.counter += 1;
        let envid = u64::from(self.counter) + 4000;
        let answer = self.info(d, &Envelope::command(envid, id, data), phase).await?;
        if self.conn.bye || answer.status == 481 {
            let text = format!("The service ended the session of {} at its first command.", self.who());
            return Err(Failure::sip(CauseCode::NoPolicy, answer.status, &answer.reason, None, text));
        }
        if answer.status != 200 {
            let text = format!("The service refused {id} of {}.", self.who());
            return Err(Failure::sip(
                CauseCode::PoolUnavailable,
                answer.status,
                &answer.reason,
                answer.headers.get("ms-diagnostics"),
                text,
            ));
        }
        let until = self.until();
        let pick = |e: &Element| match e {
            Element::Reply { command: Some((_, c)), code, text, data, .. } if *c == envid => {
                Some((*code, text.clone(), data.clone()))
            }
            _ => None,
        };
        let found = self.conn.element(pick, until).await?;
        found.ok_or_else(|| Failure::timeout(phase, &self.account.sip_uri))
    }

    /// Asks the lookup service for the channel service.
    pub async fn lookup(&mut self, uri: &str) -> Done<(String, String)> {
        let mut d = self.invite(uri, Phase::Lookup).await?;
        let (code, text, data) = self.command(&mut d, "cmd:requri", Data::default(), Phase::Lookup).await?;
        d.cseq += 1;
        let bye = self.in_dialog(&d, "BYE", d.cseq);
        self.exchange(&bye, Phase::Lookup).await?;
        match data.users().next() {
            Some(u) if code == 200 => Ok((u.uri.clone(), format!("channel service {}", u.uri))),
            _ => Err(Failure::new(
                CauseCode::PoolUnavailable,
                format!("{code}, {text}"),
                format!("The lookup service {uri} names no channel service."),
            )),
        }
    }

    /// Opens the channel dialog.
    pub async fn open_channel(&mut self, uri: &str) -> Done<String> {
        self.channel = Some(self.invite(uri, Phase::Channel).await?);
        let server = self.hops.last().map(|h| format!("{}:{}", h.to, h.port)).unwrap_or_default();
        Ok(format!("session with {server}"))
    }

    async fn channel_command(&mut self, id: &str, data: Data, phase: Phase) -> Done<(u16, String, Data)> {
        let mut d = self
            .channel
            .take()
            .ok_or_else(|| Failure::new(CauseCode::ProtocolError, "no channel", "No channel is open."))?;
        let result = self.command(&mut d, id, data, phase).await;
        self.channel = Some(d);
        result
    }

    /// Finds the room of the plan.
    pub async fn find_room(&mut self) -> Done<String> {
        let wanted = self.plan.room.as_deref().map(|r| r.rsplit('\\').next().unwrap_or(r).trim().to_owned());
        if let Some(uri) = wanted.as_deref().and_then(RoomUri::parse) {
            return Ok(uri.to_string());
        }
        let criteria = wanted.clone().unwrap_or_default();
        let q = Data::one(Item::Qib { qtype: "BYNAME".to_owned(), criteria });
        let (code, text, data) = self.channel_command("cmd:chansrch", q, Phase::Join).await?;
        let same = |c: &&ChanIb| {
            wanted.as_ref().is_none_or(|w| c.name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(w)))
        };
        data.rooms().find(same).map(|c| c.uri.clone()).ok_or_else(|| {
            let what =
                wanted.as_ref().map_or_else(|| "any chat room".to_owned(), |w| format!("the chat room {w}"));
            let error =
                if code == 200 { "404, no chat room found".to_owned() } else { format!("{code}, {text}") };
            Failure::new(
                CauseCode::NoRoom,
                error,
                format!("{} does not see {what} on this pool.", self.who()),
            )
        })
    }

    /// Joins the room.
    pub async fn join(&mut self, room: &str) -> Done<String> {
        let Some(uri) = RoomUri::parse(room) else {
            return Err(Failure::new(
                CauseCode::NoRoom,
                format!("{room} is not a room URI"),
                format!("{room} does not name a room."),
            ));
        };
        let id = Item::ChanId { key: 0, domain: uri.domain, value: uri.id };
        let (code, text, data) = self.channel_command("cmd:join", Data::one(id), Phase::Join).await?;
        match data.rooms().next() {
            Some(r) if code == 200 && !data.failed() => {
                self.room = Some(r.uri.clone());
                Ok(format!("joined {}", r.name.as_deref().unwrap_or(room)))
            }
            _ => {
                let cause =
                    if code == xccos::code::NO_SUCH_NODE { CauseCode::NoRoom } else { CauseCode::NotAMember };
                let seen = if cause == CauseCode::NoRoom {
                    format!("The room {room} does not exist on this pool.")
                } else {
                    format!("{} may not join {room}.", self.who())
                };
                Err(Failure::new(cause, format!("{code}, {text}"), seen))
            }
        }
    }

    /// Posts a text to the joined room.
    pub async fn post(&mut self, text: &str, ts: &str) -> Done<String> {
        self.counter += 1;
        let chat = Chat {
            seqid: 1,
            chan_uri: self.room.clone().unwrap_or_default(),
            author: self.account.sip_uri.clone(),
            ts: ts.to_owned(),
            text: text.to_owned(),
            ..Chat::default()
        };
        let e = Envelope::one(u64::from(self.counter) + 4000, Element::Chat(chat));
        let mut d = self
            .channel
            .take()
            .ok_or_else(|| Failure::new(CauseCode::ProtocolError, "no channel", "No channel is open."))?;
        let answer = self.info(&mut d, &e, Phase::Send).await;
        self.channel = Some(d);
        let answer = answer?;
        if answer.status != 200 {
            let cause = if answer.status == 403 { CauseCode::NotAMember } else { CauseCode::PoolUnavailable };
            let seen = format!("The post of {} was refused.", self.who());
            return Err(Failure::sip(
                cause,
                answer.status,
                &answer.reason,
                answer.headers.get("ms-diagnostics"),
                seen,
            ));
        }
        Ok(format!("posted '{text}'"))
    }

    /// Waits for the other's message and compares it byte for byte.
    pub async fn receive(&mut self, author: &str, text: &str, nonce: &str) -> Done<String> {
        let until = self.until();
        let who = self.account.sip_uri.clone();
        let pick = |e: &Element| match e {
            Element::Chat(c) if c.author.eq_ignore_ascii_case(author) && c.text.contains(nonce) => {
                Some(c.text.clone())
            }
            _ => None,
        };
        match self.conn.element(pick, until).await? {
            Some(t) if t == text => Ok(format!("received '{t}'")),
            Some(t) => {
                let seen = format!("{who} received '{t}' instead of '{text}'.");
                Err(Failure::new(
                    CauseCode::ContentMismatch,
                    "The received text differs from the sent one.",
                    seen,
                ))
            }
            None => Err(Failure::new(
                CauseCode::MessageLost,
                format!("The message did not arrive at {who} in time."),
                format!("{who} did not receive the message of {author}."),
            )),
        }
    }

    /// Leaves the room and ends the channel; what failed.
    pub async fn leave(&mut self) -> Done<String> {
        if let Some(uri) = self.room.take() {
            let room = ChanIb { uri, ..ChanIb::default() };
            self.channel_command("cmd:part", Data::one(Item::ChanIb(room)), Phase::Leave).await?;
        }
        if let Some(mut d) = self.channel.take() {
            d.cseq += 1;
            let bye = self.in_dialog(&d, "BYE", d.cseq);
            self.exchange(&bye, Phase::Leave).await?;
        }
        Ok("left".to_owned())
    }

    /// REGISTER with Expires 0, when signed in.
    pub async fn sign_off(&mut self) -> Done<String> {
        if !std::mem::take(&mut self.registered) {
            return Ok("was not signed in".to_owned());
        }
        let answer = self.registration(0, Phase::SignOff).await?;
        if answer.status == 200 {
            return Ok("signed off".to_owned());
        }
        Err(Failure::sip(
            CauseCode::ProtocolError,
            answer.status,
            &answer.reason,
            None,
            "The sign-off was refused.",
        ))
    }

    /// Whether a channel or registration is left to clean up.
    pub fn has_session(&self) -> bool {
        self.channel.is_some()
    }

    /// Whether it is registered.
    pub fn is_registered(&self) -> bool {
        self.registered
    }
}
