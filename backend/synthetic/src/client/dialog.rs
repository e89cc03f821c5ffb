//! INVITE dialogs: beginning, requests in them, ending.

use shared::synthetic::{CauseCode, Hop, Phase};
use tokio::time::Instant;
use wire::sip::{NameAddr, Request, Response};
use wire::xccos::{self, Data, Element, Envelope};

use super::{Client, Done};
use crate::cause::Failure;
use crate::connection::Awaited;

/// An INVITE dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    pub call: String,
    local_tag: String,
    remote: String,
    target: String,
    route: Vec<String>,
    cseq: u32,
    /// The INVITE as long as it has no final response.
    pub invite: Option<Request>,
}

/// The reply to a command.
pub struct Reply {
    pub code: u16,
    pub text: String,
    pub data: Data,
}

impl Client<'_> {
    pub(super) fn dialog(&mut self, call: &str) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|d| d.call == call)
    }

    pub(super) fn forget(&mut self, call: &str) {
        self.dialogs.retain(|d| d.call != call);
        self.conn.close(call);
    }

    /// The next request of a dialog; none when the dialog is over.
    fn in_dialog(&mut self, call: &str, method: &str) -> Option<Request> {
        let d = self.dialog(call)?;
        // ACK carries the number of its INVITE.
        if method != "ACK" {
            d.cseq += 1;
        }
        let d = d.clone();
        let mut r = self.request(method, &d.target, &d.remote, &d.local_tag, &d.call, d.cseq);
        for hop in &d.route {
            r.headers.push("Route", hop.clone());
        }
        Some(r)
    }

    /// Invites; the dialog's Call-ID.
    pub(super) async fn invite(&mut self, uri: &str, phase: Phase, until: Instant) -> Done<String> {
        let call = format!("inv-{}", self.unique());
        let tag = self.unique();
        let mut r = self.request("INVITE", uri, &format!("<{uri}>"), &tag, &call, 1);
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Supported", "timer");
        r.set_body(wire::sdp::CONTENT_TYPE, wire::sdp::message_session(&self.conn.local.ip().to_string()));
        self.dialogs.push(Dialog {
            call: call.clone(),
            local_tag: tag,
            remote: format!("<{uri}>"),
            target: uri.to_owned(),
            route: Vec::new(),
            cseq: 1,
            invite: Some(r.clone()),
        });
        self.conn.open(&call);
        let answer = self.exchange(&r, phase, until).await?;
        let stands = self.answered(&call, &answer);
        self.conn.flush(until).await?;
        if !stands {
            let (cause, seen) = if super::service::no_service(answer.status) {
                (CauseCode::NoChatService, format!("Nobody answers as Persistent Chat service at {uri}."))
            } else {
                let who = self.who();
                let text = format!("The Persistent Chat service at {uri} does not take {who}'s session.");
                (CauseCode::PoolUnavailable, text)
            };
            return Err(Failure::by_service(cause, &answer, seen));
        }
        let contact = answer.headers.get("Contact").and_then(NameAddr::parse);
        self.trace(&answer, contact.as_ref());
        Ok(call)
    }

    /// Takes the final response of an INVITE and queues its ACK; whether the dialog stands.
    pub(super) fn answered(&mut self, call: &str, answer: &Response) -> bool {
        let Some(d) = self.dialog(call) else { return false };
        let Some(invite) = d.invite.take() else { return true };
        d.remote = answer.headers.get("To").unwrap_or(&d.remote).to_owned();
        if answer.status < 300 {
            if let Some(c) = answer.headers.get("Contact").and_then(NameAddr::parse) {
                d.target = c.uri.to_string();
            }
            d.route = answer.headers.values("Record-Route");
            d.route.reverse();
            if let Some(ack) = self.in_dialog(call, "ACK") {
                self.conn.queue(&ack);
            }
            return true;
        }
        // RFC 3261 §17.1.1.3: a refusal is acknowledged hop by hop, with the Via of its INVITE.
        let mut ack = hop_by_hop(&invite, "ACK");
        ack.headers.set("To", d.remote.clone());
        self.conn.queue(&ack);
        self.forget(call);
        false
    }

    /// Queues the CANCEL of an INVITE that has no final response.
    pub(super) fn cancel(&mut self, call: &str) {
        if let Some(invite) = self.dialog(call).and_then(|d| d.invite.clone()) {
            self.conn.queue(&hop_by_hop(&invite, "CANCEL"));
        }
    }

    /// Queues the BYE of a dialog and forgets it; the request whose response is to be waited for.
    pub(super) fn bye(&mut self, call: &str) -> Option<Request> {
        let r = self.in_dialog(call, "BYE")?;
        self.conn.queue(&r);
        self.forget(call);
        Some(r)
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

    /// The service has ended this dialog.
    pub(super) fn over(&mut self, call: &str, phase: Phase, why: &str) -> Failure {
        self.forget(call);
        Failure::session_ended(phase, self.who(), why)
    }

    /// Sends an XCCOS document in a dialog; the INFO's own answer is returned.
    pub(super) async fn info(
        &mut self,
        call: &str,
        e: &Envelope,
        phase: Phase,
        until: Instant,
    ) -> Done<Response> {
        if let Some(why) = self.conn.ended(call).map(str::to_owned) {
            return Err(self.over(call, phase, &why));
        }
        let Some(mut r) = self.in_dialog(call, "INFO") else {
            return Err(Failure::new(CauseCode::ProtocolError, "no session", "No session is open."));
        };
        r.set_body(xccos::CONTENT_TYPE, e.to_xml());
        let answer = match self.exchange(&r, phase, until).await {
            Ok(answer) => answer,
            // No answer came because the session is over.
            Err(f) => match self.conn.ended(call).map(str::to_owned) {
                Some(why) if f.cause == CauseCode::Timeout => return Err(self.over(call, phase, &why)),
                _ => return Err(f),
            },
        };
        if answer.status == 481 {
            // A BYE that came with it may say more than the 481.
            let said = answer.headers.get("ms-diagnostics").unwrap_or_default().to_owned();
            let bye = self.conn.ended(call).unwrap_or_default().to_owned();
            let why = if said.is_empty() { bye } else { said };
            return Err(self.over(call, phase, &why));
        }
        Ok(answer)
    }

    /// Sends a command and waits for its reply.
    pub(super) async fn command(
        &mut self,
        call: &str,
        id: &str,
        data: Data,
        phase: Phase,
        until: Instant,
    ) -> Done<Reply> {
        let envelope = self.envelope();
        let answer = self.info(call, &Envelope::command(envelope, id, data), phase, until).await?;
        if answer.status != 200 {
            let text = format!("The service refused {id} of {}.", self.who());
            return Err(Failure::by_service(CauseCode::PoolUnavailable, &answer, text));
        }
        let pick = |e: &Element| match e {
            Element::Reply { command: Some((_, c)), code, text, data, .. } if *c == envelope => {
                Some(Reply { code: *code, text: text.clone(), data: data.clone() })
            }
            _ => None,
        };
        match self.conn.element(call, pick, until).await? {
            Awaited::Found(reply) => Ok(reply),
            Awaited::TimeUp => Err(Failure::timeout(phase, self.who())),
            Awaited::Ended(why) => Err(self.over(call, phase, &why)),
        }
    }
}

/// A request that goes with an INVITE: its Via, From, To, Call-ID and number (RFC 3261 §9.1, §17.1.1.3).
fn hop_by_hop(invite: &Request, method: &str) -> Request {
    let mut r = Request::new(method, invite.uri.clone());
    for name in ["Via", "Max-Forwards", "From", "To", "Call-ID", "Route"] {
        for v in invite.headers.get_all(name) {
            r.headers.push(name, v);
        }
    }
    let number = invite.cseq().map_or(1, |c| c.0);
    r.headers.push("CSeq", format!("{number} {method}"));
    r
}
