//! People of our service: SIP over TCP, a session with the pool's channel service.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use wire::digest::{Challenge, ha1, respond};
use wire::roomuri::RoomUri;
use wire::sip::{Message, NameAddr, Request, Response};
use wire::xccos::{self, Chat, Data, Element, Envelope, Item};

use super::{Line, Mark, Service, Speech, position};

/// Our service.
#[derive(Debug, Clone)]
pub struct Ours {
    /// A Front End's TCP port.
    pub at: SocketAddr,
    /// Address of the pool's channel service.
    pub channel: String,
    /// The SIP domain; person `n` is `userN`, his log-on name `DOMAIN\userN`.
    pub domain: String,
    /// Their password.
    pub password: String,
}

/// One session.
pub struct SipPerson {
    from: String,
    to: String,
    call: String,
    target: String,
    route: Vec<String>,
    room: String,
    cseq: u32,
}

fn request(method: &str, uri: &str, from: &str, to: &str, call: &str, cseq: u32) -> Request {
    let mut r = Request::new(method, uri);
    r.headers.push("Via", format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{call}{cseq}"));
    r.headers.push("Max-Forwards", "70");
    r.headers.push("From", from);
    r.headers.push("To", to);
    r.headers.push("Call-ID", call);
    r.headers.push("CSeq", format!("{cseq} {method}"));
    r
}

/// The answer to a request; what the service asks meanwhile is answered and left.
async fn exchange(line: &mut Line, r: &Request) -> Result<Response> {
    line.send(&r.to_bytes()).await?;
    let wanted = r.cseq();
    next(line, |m| match m {
        Message::Response(a) if a.status >= 200 && a.cseq() == wanted => Some(a.clone()),
        _ => None,
    })
    .await
}

/// Head and body of the first message in `bytes`, with its whole length, when it is complete.
fn frame(bytes: &[u8]) -> Result<Option<(&str, &[u8], usize)>> {
    let Some(end) = position(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end])?;
    let length: usize = header(head, "Content-Length").context("no length")?.parse()?;
    let whole = end + 4 + length;
    Ok(bytes.get(end + 4..whole).map(|body| (head, body, whole)))
}

/// Reads until `pick` takes a message; every request is answered.
async fn next<T>(line: &mut Line, pick: impl Fn(&Message) -> Option<T>) -> Result<T> {
    loop {
        while let Some((head, body, whole)) = frame(&line.input)? {
            let m = Message::parse(head, body.to_vec()).map_err(anyhow::Error::msg)?;
            line.input.drain(..whole);
            if let Message::Request(r) = &m
                && r.method != "ACK"
            {
                line.send(&Response::reply_to(r, 200, "OK").to_bytes()).await?;
            }
            if let Some(t) = pick(&m) {
                return Ok(t);
            }
        }
        line.more().await?;
    }
}

impl SipPerson {
    fn request(&mut self, method: &str) -> Request {
        self.cseq += 1;
        let mut r = request(method, &self.target, &self.from, &self.to, &self.call, self.cseq);
        for hop in &self.route {
            r.headers.push("Route", hop.clone());
        }
        r
    }

    fn info(&mut self, element: Element) -> Request {
        let mut r = self.request("INFO");
        r.set_body(xccos::CONTENT_TYPE, Envelope::one(u64::from(self.cseq), element).to_xml());
        r
    }

    /// Runs a command; code and data of its reply.
    ///
    /// # Errors
    /// It is refused.
    pub async fn command(&mut self, line: &mut Line, id: &str, data: Data) -> Result<(u16, Data)> {
        let r = self.info(Element::Command { id: id.to_owned(), seqid: 1, data });
        let envid = u64::from(self.cseq);
        let answer = exchange(line, &r).await?;
        ensure!(answer.status == 200, "{id}: {} {}", answer.status, answer.reason);
        next(line, |m| {
            let Message::Request(r) = m else { return None };
            xccos::parse(&r.body).ok()?.elements.into_iter().find_map(|e| match e {
                Element::Reply { command: Some((_, e)), code, data, .. } if e == envid => Some((code, data)),
                _ => None,
            })
        })
        .await
    }
}

impl Service for Ours {
    type Person = SipPerson;

    fn at(&self) -> SocketAddr {
        self.at
    }

    async fn sign_on(&self, line: &mut Line, n: usize) -> Result<SipPerson> {
        let (domain, logon) = (&self.domain, format!("{}\\user{n}", self.domain));
        let (sip, server) = (format!("sip:user{n}@{domain}"), format!("sip:{domain}"));
        let (call, from) = (format!("crowd{n}"), format!("<{sip}>;tag=t{n}"));
        let register = |cseq| {
            let mut r = request("REGISTER", &server, &from, &format!("<{sip}>"), &format!("{call}r"), cseq);
            r.headers.push("Contact", format!("<{sip}>"));
            r.headers.push("Expires", "3600");
            r
        };
        let first = exchange(line, &register(1)).await?;
        let challenge = first.headers.get("WWW-Authenticate").and_then(Challenge::parse);
        let challenge =
            challenge.with_context(|| format!("no challenge: {} {}", first.status, first.reason))?;
        let secret = ha1(challenge.algorithm, &logon, &challenge.realm, &self.password);
        let mut again = register(2);
        let proof = respond(&challenge, &logon, &secret, "REGISTER", &server, "abc", 1);
        again.headers.push("Authorization", proof.to_string());
        let answer = exchange(line, &again).await?;
        ensure!(answer.status == 200, "sign-on: {} {}", answer.status, answer.reason);
        let to = format!("<{}>", self.channel);
        let mut invite = request("INVITE", &self.channel, &from, &to, &call, 1);
        invite.headers.push("Contact", format!("<{sip}>"));
        let ok = exchange(line, &invite).await?;
        let why = ok.headers.get("ms-diagnostics").unwrap_or_default();
        ensure!(ok.status == 200, "session: {} {} {why}", ok.status, ok.reason);
        let to = ok.headers.get("To").context("no To")?.to_owned();
        let target = ok.headers.get("Contact").and_then(NameAddr::parse).context("no Contact")?;
        let mut route = ok.headers.values("Record-Route");
        route.reverse();
        let target = target.uri.to_string();
        let mut person = SipPerson { from, to, call, target, route, room: String::new(), cseq: 0 };
        let ack = person.request("ACK");
        line.send(&ack.to_bytes()).await?;
        Ok(person)
    }

    async fn join(&self, line: &mut Line, who: &mut SipPerson, room: &str) -> Result<()> {
        let id = RoomUri::parse(room).context("not a room")?;
        let one = Item::ChanId { key: 0, domain: id.domain, value: id.id };
        let (code, _) = who.command(line, "cmd:join", Data::one(one)).await?;
        ensure!(code == 200, "join: {code}");
        room.clone_into(&mut who.room);
        Ok(())
    }
}

/// The value of a header of a head that our service wrote.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|l| l.strip_prefix(name)?.strip_prefix(": "))
}

impl Speech for SipPerson {
    fn post(&mut self, text: &str) -> Vec<u8> {
        let chat = Chat {
            seqid: 1,
            chan_uri: self.room.clone(),
            ts: "2026-01-01T00:00:00Z".to_owned(),
            text: text.to_owned(),
            ..Chat::default()
        };
        self.info(Element::Chat(chat)).to_bytes()
    }

    fn take(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>, told: &mut dyn FnMut(Mark)) -> Result<()> {
        let mut at = 0;
        while let Some((head, content, whole)) = frame(&input[at..])? {
            if let Some(status) = head.strip_prefix("SIP/2.0 ") {
                ensure!(status.starts_with("200"), "refused: {head}");
            } else if head.starts_with("INFO") {
                output.extend_from_slice(b"SIP/2.0 200 OK\r\n");
                let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
                for l in head.split("\r\n").filter(|l| kept.iter().any(|k| l.starts_with(k))) {
                    output.extend_from_slice(l.as_bytes());
                    output.extend_from_slice(b"\r\n");
                }
                output.extend_from_slice(b"Content-Length: 0\r\n\r\n");
                if let Some((m, _)) = Mark::find(content) {
                    told(m);
                }
            } else {
                bail!("the session has ended: {head}");
            }
            at += whole;
        }
        input.drain(..at);
        Ok(())
    }
}
