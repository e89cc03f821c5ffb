//! A SIP client of our own making: signs on over plain TCP and invites an address.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::digest::{Challenge, ha1, respond};
use wire::sip::{Message, Request, Response};
use wire::stream::{Decoder, Event};

use crate::support::Sample;

struct Sip {
    stream: TcpStream,
    decoder: Decoder,
}

impl Sip {
    async fn exchange(&mut self, r: &Request) -> Result<Response> {
        self.stream.write_all(&r.to_bytes()).await?;
        loop {
            if let Some(Event::Message(Message::Response(r))) = self.decoder.next()? {
                return Ok(r);
            }
            let mut buffer = [0; 4096];
            let n = tokio::time::timeout(Duration::from_secs(10), self.stream.read(&mut buffer)).await??;
            ensure!(n > 0, "the Front End closed the connection");
            self.decoder.push(&buffer[..n]);
        }
    }
}

fn request(method: &str, uri: &str, from: &str, to: &str, cseq: u32) -> Request {
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
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let fe = o["front_ends"]
        .as_array()
        .context("no Front Ends")?
        .iter()
        .find(|f| f["fqdn"] == "atl-fes-001.litwareinc.com")
        .context("no Front End")?;
    let at: SocketAddr = fe["listens"][1].as_str().context("no TCP listener")?.parse()?;
    let mut sip = Sip { stream: TcpStream::connect(at).await?, decoder: Decoder::default() };
    let user = &s.users[0];
    let unknown = sip.exchange(&request("SERVICE", &user.sip, &user.sip, &user.sip, 1)).await?;
    ensure!(unknown.status == 501, "an unknown method is answered");
    let first = sip.exchange(&request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 1)).await?;
    ensure!(first.status == 401, "challenged first");
    let challenge =
        first.headers.get("WWW-Authenticate").and_then(Challenge::parse).context("no challenge")?;
    let secret = ha1(challenge.algorithm, "pilar", &challenge.realm, &user.password);
    let mut again = request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 2);
    let credentials = respond(&challenge, "pilar", &secret, "REGISTER", "sip:litwareinc.com", "abc", 1);
    again.headers.push("Authorization", credentials.to_string());
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
