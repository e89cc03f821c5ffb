//! A SIP client of our own making: signs on over plain TCP and invites an address.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::digest::{Challenge, ha1, respond};
use wire::sip::{Message, Request, Response};
use wire::stream::{Decoder, Event};

use crate::support::{Sample, User};

/// A connection to a Front End.
pub struct Sip {
    stream: TcpStream,
    decoder: Decoder,
    requests: VecDeque<Request>,
}

impl Sip {
    /// Sends a request and does not wait.
    pub async fn send(&mut self, r: &Request) -> Result<()> {
        Ok(self.stream.write_all(&r.to_bytes()).await?)
    }

    /// Sends a request and waits for its final response.
    pub async fn exchange(&mut self, r: &Request) -> Result<Response> {
        self.send(r).await?;
        loop {
            if let Some(answer) = self.read().await?
                && answer.status >= 200
            {
                return Ok(answer);
            }
        }
    }

    /// The next request of the other side; it has been answered.
    pub async fn incoming(&mut self) -> Result<Request> {
        loop {
            if let Some(r) = self.requests.pop_front() {
                return Ok(r);
            }
            self.read().await?;
        }
    }

    /// Reads one message: a response, or a request, which is answered and kept.
    async fn read(&mut self) -> Result<Option<Response>> {
        loop {
            match self.decoder.next()? {
                Some(Event::Message(Message::Response(r))) => return Ok(Some(r)),
                Some(Event::Message(Message::Request(r))) => {
                    if r.method != "ACK" {
                        self.stream.write_all(&Response::reply_to(&r, 200, "OK").to_bytes()).await?;
                    }
                    self.requests.push_back(r);
                    return Ok(None);
                }
                Some(_) => {}
                None => {
                    let mut buffer = [0; 4096];
                    let read = self.stream.read(&mut buffer);
                    let n = tokio::time::timeout(Duration::from_secs(20), read)
                        .await
                        .context("nothing came")??;
                    ensure!(n > 0, "the Front End closed the connection");
                    self.decoder.push(&buffer[..n]);
                }
            }
        }
    }
}

/// A request of a dialog of its own.
pub fn request(method: &str, uri: &str, from: &str, to: &str, cseq: u32) -> Request {
    let mut r = Request::new(method, uri);
    // A new call each time; the clock's own reading is unique enough within a test.
    let call = format!("{:?}", std::time::Instant::now()).replace([' ', '{', '}', ':', ','], "");
    r.headers.push("Via", format!("SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{method}{cseq}{call}"));
    r.headers.push("Max-Forwards", "70");
    r.headers.push("From", format!("<{from}>;tag=t{method}"));
    r.headers.push("To", format!("<{to}>"));
    r.headers.push("Call-ID", format!("legacy-{method}-{call}"));
    r.headers.push("CSeq", format!("{cseq} {method}"));
    r.headers.push("Contact", format!("<{from}>"));
    r
}

/// Signs a user on at the Front End in Redmond.
pub async fn sign_on(s: &Sample, user: &User) -> Result<Sip> {
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let fe = o["front_ends"]
        .as_array()
        .context("no Front Ends")?
        .iter()
        .find(|f| f["fqdn"] == "atl-fes-001.litwareinc.com")
        .context("no Front End")?;
    let at: SocketAddr = fe["listens"][1].as_str().context("no TCP listener")?.parse()?;
    sign_on_at(at, user).await
}

/// Signs a user on at the Front End that listens there.
pub async fn sign_on_at(at: SocketAddr, user: &User) -> Result<Sip> {
    let stream = TcpStream::connect(at).await?;
    let mut sip = Sip { stream, decoder: Decoder::default(), requests: VecDeque::new() };
    let unknown = sip.exchange(&request("SERVICE", &user.sip, &user.sip, &user.sip, 1)).await?;
    ensure!(unknown.status == 501, "an unknown method is answered");
    let first = sip.exchange(&request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 1)).await?;
    ensure!(first.status == 401, "challenged first");
    let challenge =
        first.headers.get("WWW-Authenticate").and_then(Challenge::parse).context("no challenge")?;
    let name = user.logon.rsplit('\\').next().unwrap_or_default();
    let secret = ha1(challenge.algorithm, name, &challenge.realm, &user.password);
    let mut again = request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 2);
    let credentials = respond(&challenge, name, &secret, "REGISTER", "sip:litwareinc.com", "abc", 1);
    again.headers.push("Authorization", credentials.to_string());
    let answer = sip.exchange(&again).await?;
    ensure!(answer.status == 200, "signed on: {} {}", answer.status, answer.reason);
    again.headers.set("CSeq", "3 REGISTER");
    // Another transaction: a proxy on the way would take it for a repetition.
    again.headers.set("Via", "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKagain");
    ensure!(sip.exchange(&again).await?.status == 401, "the same credentials again are a replay");
    Ok(sip)
}
