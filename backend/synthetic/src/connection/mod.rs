//! One user's connection: reads messages, answers requests of the dialogs by itself, matches responses.
//!
//! Every method may be cut off at any await – the run's time may end – and the connection stays usable
//! for the clean-up: what is to be written waits in a buffer, and what was read is noted before the next
//! await.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;

use shared::synthetic::{CauseCode, Phase};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use wire::sip::{Message, Request, Response};
use wire::stream::{Decoder, Event};
use wire::xccos;

use crate::cause::Failure;
use crate::client::ntlm::Signer;
use crate::trace::Tap;

/// How long the answer to a request is waited for when its dialog was ended meanwhile.
const AFTER_BYE: std::time::Duration = std::time::Duration::from_secs(1);
/// How many responses out of turn are kept; a run has no more than a few requests under way.
const STRAYS: usize = 16;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What waiting for an element gave.
pub enum Awaited<T> {
    /// It came.
    Found(T),
    /// It did not come in time.
    TimeUp,
    /// The service ended the dialog; its reason, may be empty.
    Ended(String),
}

/// The open connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    /// For reading; here and not on the stack, because futures within futures carry it along.
    buffer: Vec<u8>,
    /// Bytes still to be written.
    out: Vec<u8>,
    /// Where it goes.
    pub peer: SocketAddr,
    /// Our side.
    pub local: SocketAddr,
    /// Call-IDs of our dialogs; requests in others are refused.
    calls: Vec<String>,
    /// Chat messages, replies and notices that came with their Call-ID, not yet taken.
    inbox: VecDeque<(String, xccos::Element)>,
    /// Final responses that came while another one was waited for.
    strays: VecDeque<Response>,
    /// Dialogs that the service ended, with its reason.
    ended: Vec<(String, String)>,
    /// The server has said something.
    heard: bool,
    /// Nothing more comes or goes.
    dead: bool,
    /// Where messages are noted.
    tap: Option<Tap>,
    /// Signs what goes out, once a registrar wants it.
    signer: Option<Box<Signer>>,
}

impl Connection {
    /// On an open stream.
    pub fn new(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Self {
        Self {
            stream: Box::new(stream),
            decoder: Decoder::default(),
            buffer: vec![0; 8192],
            out: Vec::new(),
            peer,
            local,
            calls: Vec::new(),
            inbox: VecDeque::new(),
            strays: VecDeque::new(),
            ended: Vec::new(),
            heard: false,
            dead: false,
            tap: None,
            signer: None,
        }
    }

    /// From here on messages are noted.
    pub fn note_with(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    fn put(&mut self, bytes: &[u8]) {
        if let Some(t) = &self.tap {
            t.sent(bytes);
        }
        self.out.extend_from_slice(bytes);
    }

    fn lost(&mut self, why: &str) -> Failure {
        self.dead = true;
        Failure::new(
            CauseCode::ConnectionLost,
            format!("The connection to {} was closed: {why}", self.peer),
            "The server closed the connection.",
        )
    }

    /// A read or write failed. With TLS 1.3 a server may refuse the handshake after the client has taken it
    /// for finished: then this is where its alert comes.
    fn broken(&mut self, e: &std::io::Error) -> Failure {
        let alert = match e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(a)) if !self.heard => Some(*a),
            _ => None,
        };
        match alert {
            None => self.lost(&e.to_string()),
            Some(a) => {
                self.dead = true;
                crate::connect::refused_by_alert(self.peer, a, e)
            }
        }
    }

    /// Whether the connection has ended.
    pub fn is_dead(&self) -> bool {
        self.dead
    }

    /// A dialog of ours begins.
    pub fn open(&mut self, call: &str) {
        self.calls.push(call.to_owned());
    }

    /// A dialog of ours is over.
    pub fn close(&mut self, call: &str) {
        self.calls.retain(|c| c != call);
    }

    /// The reason with which the service ended a dialog, empty when it gave none.
    pub fn ended(&self, call: &str) -> Option<&str> {
        self.ended.iter().find(|(c, _)| c == call).map(|(_, why)| why.as_str())
    }

    /// Puts a request where the next write takes it.
    pub fn queue(&mut self, r: &Request) {
        match &mut self.signer {
            // One that proves the password carries its signature already.
            Some(s) if r.headers.get("Authorization").is_none() => {
                let mut signed = r.clone();
                signed.headers.push("Authorization", s.request(r));
                self.put(&signed.to_bytes());
            }
            _ => self.put(&r.to_bytes()),
        }
    }

    /// From here on messages are signed, or not any more.
    pub fn sign_with(&mut self, signer: Option<Signer>) {
        self.signer = signer.map(Box::new);
    }

    /// Writes what is queued; false when the peer takes nothing until `until`.
    pub async fn flush(&mut self, until: Instant) -> Result<bool, Failure> {
        match timeout_at(until, self.write_out()).await {
            Err(_) => Ok(false),
            Ok(done) => done.map(|()| true),
        }
    }

    async fn write_out(&mut self) -> Result<(), Failure> {
        while !self.out.is_empty() {
            // What `write` took is gone from the buffer before the next await: nothing is sent twice.
            match self.stream.write(&self.out).await {
                Ok(0) => return Err(self.lost("nothing can be written")),
                Ok(n) => drop(self.out.drain(..n)),
                Err(e) => return Err(self.broken(&e)),
            }
        }
        match self.stream.flush().await {
            Ok(()) => Ok(()),
            Err(e) => Err(self.broken(&e)),
        }
    }

    /// Ends the stream in order; with TLS the server is told.
    pub async fn shut_down(&mut self, until: Instant) {
        // Nothing follows that could fail for it.
        let _ = timeout_at(until, self.stream.shutdown()).await;
        self.dead = true;
    }

    /// The next message of any kind, none when time is up; requests are answered before they are returned.
    async fn next(&mut self, until: Instant) -> Result<Option<Message>, Failure> {
        loop {
            let event = self.decoder.next();
            if let (Some(t), Ok(Some(Event::Message(m)))) = (&self.tap, &event) {
                t.received(&m.to_bytes());
            }
            if let (Some(s), Ok(Some(Event::Message(m)))) = (&self.signer, &event)
                && s.refutes(m)
            {
                return Err(Failure::new(
                    CauseCode::ProtocolError,
                    "NTLM: the signature is wrong",
                    format!(
                        "A message of {} is signed wrongly; somebody between may have changed it.",
                        self.peer
                    ),
                ));
            }
            match event {
                Ok(Some(Event::Message(Message::Request(r)))) => {
                    self.answer(&r);
                    if !self.flush(until).await? {
                        return Ok(None);
                    }
                    return Ok(Some(Message::Request(r)));
                }
                Ok(Some(Event::Message(m))) => return Ok(Some(m)),
                Ok(Some(Event::KeepAlivePing)) => {
                    self.out.extend_from_slice(b"\r\n");
                    if !self.flush(until).await? {
                        return Ok(None);
                    }
                }
                Ok(Some(Event::KeepAlivePong)) => {}
                Ok(None) => match timeout_at(until, self.stream.read(&mut self.buffer)).await {
                    Err(_) => return Ok(None),
                    Ok(Ok(0)) => return Err(self.lost("end of stream")),
                    Ok(Ok(n)) => {
                        self.heard = true;
                        self.decoder.push(&self.buffer[..n]);
                    }
                    Ok(Err(e)) => return Err(self.broken(&e)),
                },
                Err(e) => {
                    // What follows cannot be told apart any more.
                    self.dead = true;
                    return Err(Failure::new(
                        CauseCode::ProtocolError,
                        e.to_string(),
                        "The server does not speak SIP.",
                    ));
                }
            }
        }
    }

    /// Notes what a request says and queues its answer; without an await, so that nothing is lost between.
    fn answer(&mut self, r: &Request) {
        let call = r.call_id().unwrap_or_default().to_owned();
        let ours = self.calls.contains(&call);
        let (status, reason) = match r.method.as_str() {
            "ACK" => return,
            "INFO" | "BYE" | "UPDATE" if !ours => (481, "Call/Transaction Does Not Exist"),
            "INFO" => {
                if let Ok(e) = xccos::parse(&r.body) {
                    self.inbox.extend(e.elements.into_iter().map(|e| (call.clone(), e)));
                }
                (200, "OK")
            }
            "BYE" => {
                let why = r.headers.get("Reason").or_else(|| r.headers.get("ms-diagnostics"));
                self.ended.push((call.clone(), why.unwrap_or_default().to_owned()));
                self.close(&call);
                (200, "OK")
            }
            "UPDATE" | "OPTIONS" | "NOTIFY" | "BENOTIFY" => (200, "OK"),
            _ => (501, "Not Implemented"),
        };
        // A BENOTIFY is never answered: that is what sets it apart from NOTIFY.
        if r.method != "BENOTIFY" {
            let mut answer = Response::reply_to(r, status, reason);
            if let Some(s) = &mut self.signer {
                let signed = s.response(&answer);
                answer.headers.push("Authorization", signed);
            }
            self.put(&answer.to_bytes());
        }
    }

    /// The final response to this request; none when time is up.
    pub async fn response(
        &mut self,
        call: &str,
        cseq: u32,
        method: &str,
        mut until: Instant,
    ) -> Result<Option<Response>, Failure> {
        let wanted = |r: &Response| {
            r.call_id() == Some(call) && r.cseq().is_some_and(|(n, m)| n == cseq && m == method)
        };
        if let Some(r) = self.strays.iter().position(wanted).and_then(|i| self.strays.remove(i)) {
            return Ok(Some(r));
        }
        while let Some(m) = self.next(until).await? {
            let Message::Response(r) = m else {
                // A server that has ended the dialog hardly answers what is left in it.
                if method == "INFO" && self.ended(call).is_some() {
                    until = until.min(Instant::now() + AFTER_BYE);
                }
                continue;
            };
            if r.status < 200 {
                continue;
            }
            if wanted(&r) {
                return Ok(Some(r));
            }
            if self.strays.len() == STRAYS {
                self.strays.pop_front();
            }
            self.strays.push_back(r);
        }
        Ok(None)
    }

    fn take<T>(&mut self, call: &str, pick: &mut impl FnMut(&xccos::Element) -> Option<T>) -> Option<T> {
        let found = |(i, (c, e)): (usize, &(String, xccos::Element))| {
            if c == call { pick(e).map(|t| (i, t)) } else { None }
        };
        let (i, taken) = self.inbox.iter().enumerate().find_map(found)?;
        self.inbox.remove(i);
        Some(taken)
    }

    /// The first element of a dialog that `pick` takes; waits for it.
    pub async fn element<T>(
        &mut self,
        call: &str,
        mut pick: impl FnMut(&xccos::Element) -> Option<T>,
        until: Instant,
    ) -> Result<Awaited<T>, Failure> {
        loop {
            if let Some(found) = self.take(call, &mut pick) {
                return Ok(Awaited::Found(found));
            }
            if let Some(why) = self.ended(call) {
                return Ok(Awaited::Ended(why.to_owned()));
            }
            if self.next(until).await?.is_none() {
                return Ok(Awaited::TimeUp);
            }
        }
    }

    /// Waits for a phase's response or fails as a time-out.
    pub async fn expect(
        &mut self,
        r: &Request,
        until: Instant,
        phase: Phase,
        who: &str,
    ) -> Result<Response, Failure> {
        let call = r.call_id().unwrap_or_default();
        let (cseq, method) = r.cseq().unwrap_or_default();
        let answer =
            if self.flush(until).await? { self.response(call, cseq, &method, until).await? } else { None };
        match answer {
            Some(r) => Ok(r),
            None if phase == Phase::SignIn => Err(Failure::no_answer(
                self.peer,
                format!("{} accepts connections and does not answer the sign-in of {who}.", self.peer),
            )),
            None => Err(Failure::timeout(phase, who)),
        }
    }
}
