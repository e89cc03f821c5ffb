//! A SIP client of our own making: signs on over plain TCP and invites an address.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::digest::{Challenge, ha1, respond};
use wire::sip::{Message, NameAddr, Request, Response};
use wire::stream::{Decoder, Event};
use wire::xccos::{self, Chat, Data, Element, Envelope};

use crate::support::{Sample, User};

/// A connection to the Front End in Redmond.
pub struct Sip {
    stream: TcpStream,
    decoder: Decoder,
    /// What came while something else was waited for.
    early: VecDeque<Message>,
}

/// A dialog that we began.
#[derive(Clone)]
pub struct Dialog {
    pub from: String,
    pub to: String,
    pub call: String,
    pub target: String,
    pub cseq: u32,
}

impl Dialog {
    /// The next request in it.
    pub fn request(&mut self, method: &str) -> Request {
        self.cseq += 1;
        let mut r = Request::new(method, self.target.clone());
        r.headers.push("Via", format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{}{}", self.call, self.cseq));
        r.headers.push("Max-Forwards", "70");
        r.headers.push("From", self.from.clone());
        r.headers.push("To", self.to.clone());
        r.headers.push("Call-ID", self.call.clone());
        r.headers.push("CSeq", format!("{} {method}", self.cseq));
        r
    }

    /// An INFO with this element.
    pub fn info(&mut self, element: Element) -> Request {
        let mut r = self.request("INFO");
        r.set_body(xccos::CONTENT_TYPE, Envelope::one(u64::from(self.cseq), element).to_xml());
        r
    }
}

impl Sip {
    pub async fn connect(s: &Sample) -> Result<Self> {
        let (_, o) = s.client.get("/api/v1/overview").await?;
        let fe = o["front_ends"]
            .as_array()
            .context("no Front Ends")?
            .iter()
            .find(|f| f["fqdn"] == "atl-fes-001.litwareinc.com")
            .context("no Front End")?;
        let at: SocketAddr = fe["listens"][1].as_str().context("no TCP listener")?.parse()?;
        let stream = TcpStream::connect(at).await?;
        Ok(Self { stream, decoder: Decoder::default(), early: VecDeque::new() })
    }

    /// Sends a message.
    pub async fn send(&mut self, m: &Message) -> Result<()> {
        Ok(self.stream.write_all(&m.to_bytes()).await?)
    }

    async fn read(&mut self) -> Result<Message> {
        loop {
            if let Some(Event::Message(m)) = self.decoder.next()? {
                return Ok(m);
            }
            let mut buffer = [0; 16 * 1024];
            let n = tokio::time::timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await??;
            ensure!(n > 0, "the Front End closed the connection");
            self.decoder.push(&buffer[..n]);
        }
    }

    /// The next message that `pick` takes; others stay for later.
    pub async fn wait<T>(&mut self, pick: impl Fn(&Message) -> Option<T>) -> Result<T> {
        for i in 0..self.early.len() {
            if let Some(t) = pick(&self.early[i]) {
                self.early.remove(i);
                return Ok(t);
            }
        }
        loop {
            let m = self.read().await?;
            if let Some(t) = pick(&m) {
                return Ok(t);
            }
            self.early.push_back(m);
        }
    }

    /// The next request of the server of this method.
    pub async fn request(&mut self, method: &str) -> Result<Request> {
        self.wait(|m| match m {
            Message::Request(r) if r.method == method => Some(r.clone()),
            _ => None,
        })
        .await
    }

    /// Sends a request; its final answer.
    pub async fn exchange(&mut self, r: &Request) -> Result<Response> {
        self.send(&Message::Request(r.clone())).await?;
        let (call, cseq) = (r.call_id().map(str::to_owned), r.cseq());
        self.wait(|m| match m {
            Message::Response(r) if r.call_id() == call.as_deref() && r.cseq() == cseq => Some(r.clone()),
            _ => None,
        })
        .await
    }

    /// Signs a user on.
    pub async fn sign_on(&mut self, user: &User) -> Result<()> {
        let first =
            self.exchange(&request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 1)).await?;
        ensure!(first.status == 401, "challenged first: {} {}", first.status, first.reason);
        let again = self.credentials(user, &first)?;
        let answer = self.exchange(&again).await?;
        ensure!(answer.status == 200, "signed on: {} {}", answer.status, answer.reason);
        Ok(())
    }

    /// A REGISTER with the answer to this challenge.
    pub fn credentials(&self, user: &User, first: &Response) -> Result<Request> {
        let challenge =
            first.headers.get("WWW-Authenticate").and_then(Challenge::parse).context("no challenge")?;
        let secret = ha1(challenge.algorithm, &user.logon, &challenge.realm, &user.password);
        let mut again = request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 2);
        let credentials =
            respond(&challenge, &user.logon, &secret, "REGISTER", "sip:litwareinc.com", "abc", 1);
        again.headers.push("Authorization", credentials.to_string());
        Ok(again)
    }

    /// Begins a dialog.
    pub async fn invite(&mut self, user: &User, address: &str) -> Result<Dialog> {
        let r = request("INVITE", address, &user.sip, address, 1);
        let ok = self.exchange(&r).await?;
        ensure!(ok.status == 200, "{} {}", ok.status, ok.headers.get("ms-diagnostics").unwrap_or_default());
        let get = |n: &str| ok.headers.get(n).unwrap_or_default().to_owned();
        let target =
            ok.headers.get("Contact").and_then(NameAddr::parse).context("no Contact")?.uri.to_string();
        let mut d = Dialog { from: get("From"), to: get("To"), call: get("Call-ID"), target, cseq: 1 };
        let mut ack = d.request("ACK");
        d.cseq = 1;
        ack.headers.set("CSeq", "1 ACK");
        self.send(&Message::Request(ack)).await?;
        Ok(d)
    }

    /// Runs a command in a dialog: code and data of its reply.
    pub async fn command(&mut self, d: &mut Dialog, id: &str, data: Data) -> Result<(u16, Data)> {
        let r = d.info(Element::Command { id: id.to_owned(), seqid: 1, data });
        let envid = u64::from(d.cseq);
        let answer = self.exchange(&r).await?;
        ensure!(answer.status == 200, "{id}: {} {}", answer.status, answer.reason);
        let call = d.call.clone();
        self.wait(|m| {
            let Message::Request(r) = m else { return None };
            let envelope = xccos::parse(&r.body).ok().filter(|_| r.call_id() == Some(&call))?;
            envelope.elements.into_iter().find_map(|e| match e {
                Element::Reply { command: Some((_, e)), code, data, .. } if e == envid => Some((code, data)),
                _ => None,
            })
        })
        .await
    }

    /// Posts a text in a room: the answer.
    pub async fn post(
        &mut self,
        d: &mut Dialog,
        room: &str,
        text: &str,
        rtf: Option<&str>,
    ) -> Result<Response> {
        let chat = Chat {
            seqid: 1,
            chan_uri: room.to_owned(),
            ts: "2026-01-01T00:00:00Z".to_owned(),
            text: text.to_owned(),
            rtf: rtf.map(str::to_owned),
            ..Chat::default()
        };
        let r = d.info(Element::Chat(chat));
        self.exchange(&r).await
    }

    /// The next message told in a room whose text `pick` takes.
    pub async fn told(&mut self, text: &str) -> Result<()> {
        self.wait(|m| {
            let Message::Request(r) = m else { return None };
            let envelope = xccos::parse(&r.body).ok()?;
            envelope.elements.iter().any(|e| matches!(e, Element::Chat(c) if c.text == text)).then_some(())
        })
        .await
    }
}

pub fn request(method: &str, uri: &str, from: &str, to: &str, cseq: u32) -> Request {
    let mut r = Request::new(method, uri);
    r.headers.push("Via", format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{method}{cseq}"));
    r.headers.push("Max-Forwards", "70");
    r.headers.push("From", format!("<{from}>;tag=t{method}"));
    r.headers.push("To", format!("<{to}>"));
    // A new call each time; the clock's own reading is unique enough within a test.
    let call = format!("{:?}", std::time::Instant::now()).replace([' ', '{', '}', ':', ','], "");
    r.headers.push("Call-ID", format!("legacy-{method}-{call}"));
    r.headers.push("CSeq", format!("{cseq} {method}"));
    r.headers.push("Contact", format!("<{from}>"));
    r
}

/// Signs pilar on at the Front End in Redmond and invites `address`; the Contact of the answer.
pub async fn invite(s: &Sample, address: &str) -> Result<String> {
    let mut sip = Sip::connect(s).await?;
    let user = &s.users[0];
    let unknown = sip.exchange(&request("SERVICE", &user.sip, &user.sip, &user.sip, 1)).await?;
    ensure!(unknown.status == 501, "an unknown method is answered");
    let first = sip.exchange(&request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 1)).await?;
    ensure!(first.status == 401, "challenged first");
    let mut again = sip.credentials(user, &first)?;
    let answer = sip.exchange(&again).await?;
    ensure!(answer.status == 200, "signed on: {} {}", answer.status, answer.reason);
    again.headers.set("CSeq", "3 REGISTER");
    ensure!(sip.exchange(&again).await?.status == 401, "the same credentials again are a replay");
    let answer = sip.exchange(&request("INVITE", address, &user.sip, address, 1)).await?;
    if answer.status != 200 {
        bail!(
            "{} {} {}",
            answer.status,
            answer.reason,
            answer.headers.get("ms-diagnostics").unwrap_or_default()
        );
    }
    Ok(answer.headers.get("Contact").unwrap_or_default().to_owned())
}
