//! One user's connection: reads messages, answers requests of the dialog by itself, matches responses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use shared::synthetic::{CauseCode, Phase};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use wire::sip::{Message, Request, Response};
use wire::stream::{Decoder, Event};
use wire::xccos;

use crate::cause::Failure;
use crate::{TestPlan, Transport};

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The open connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    /// Where it goes.
    pub peer: SocketAddr,
    /// Our side.
    pub local: SocketAddr,
    /// Chat messages, replies and notices that came, not yet taken.
    pub inbox: VecDeque<xccos::Element>,
    /// The service ended the dialog.
    pub bye: bool,
}

/// Opens TCP to the first address that answers.
pub async fn connect(p: &TestPlan, limit: Duration) -> Result<TcpStream, Failure> {
    let Some(first) = p.addresses.first() else {
        return Err(Failure::new(
            CauseCode::NameNotResolved,
            format!("11001, No such host is known: {}", p.registrar_host),
            format!("The name {} has no address.", p.registrar_host),
        ));
    };
    let mut last = Failure::refused(*first);
    for a in &p.addresses {
        match tokio::time::timeout(limit, TcpStream::connect(a)).await {
            Ok(Ok(s)) => return s.set_nodelay(true).map(|()| s).map_err(|_| Failure::refused(*a)),
            Ok(Err(e)) if e.kind() == std::io::ErrorKind::ConnectionRefused => last = Failure::refused(*a),
            Ok(Err(e)) => {
                let code = e.raw_os_error().unwrap_or_default();
                last = Failure::new(
                    CauseCode::NothingListening,
                    format!("{code}, {e} {a}"),
                    format!("{a} cannot be reached: {e}."),
                );
            }
            Err(_) => {
                last = Failure::no_answer(*a, format!("{a} did not answer within {} s.", limit.as_secs()));
            }
        }
    }
    Err(last)
}

/// Puts TLS on it, when the plan says so.
pub async fn secure(p: &TestPlan, tcp: TcpStream, limit: Duration) -> Result<Connection, Failure> {
    let broken = |e: std::io::Error| {
        Failure::new(CauseCode::NothingListening, e.to_string(), "The connection broke at once.")
    };
    let peer = tcp.peer_addr().map_err(broken)?;
    let local = tcp.local_addr().map_err(broken)?;
    let stream: Box<dyn Stream> = match p.transport {
        Transport::Tcp => Box::new(tcp),
        Transport::Tls => {
            let name = rustls::pki_types::ServerName::try_from(p.registrar_host.clone()).map_err(|e| {
                Failure::new(
                    CauseCode::NameNotResolved,
                    e.to_string(),
                    format!("{} is not a host name.", p.registrar_host),
                )
            })?;
            let handshake = tokio_rustls::TlsConnector::from(p.tls.clone()).connect(name, tcp);
            match tokio::time::timeout(limit, handshake).await {
                Err(_) => {
                    return Err(Failure::no_answer(
                        peer,
                        format!("{peer} accepts connections and stays silent."),
                    ));
                }
                Ok(Err(e)) => {
                    let text = format!("The certificate or handshake of {peer} was refused: {e}.");
                    return Err(Failure::new(CauseCode::TlsUntrusted, format!("TLS: {e}"), text));
                }
                Ok(Ok(s)) => Box::new(s),
            }
        }
    };
    Ok(Connection { stream, decoder: Decoder::default(), peer, local, inbox: VecDeque::new(), bye: false })
}

impl Connection {
    fn lost(&self, why: &str) -> Failure {
        Failure::new(
            CauseCode::ProtocolError,
            format!("The connection to {} was closed: {why}", self.peer),
            "The server closed the connection.",
        )
    }

    /// Writes a request.
    pub async fn send(&mut self, r: &Request) -> Result<(), Failure> {
        self.write(&r.to_bytes()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let done = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        done.await.map_err(|e| self.lost(&e.to_string()))
    }

    /// The next message of any kind; requests are answered before they are returned.
    async fn next(&mut self, until: Instant) -> Result<Option<Message>, Failure> {
        loop {
            match self.decoder.next() {
                Ok(Some(Event::Message(Message::Request(r)))) => {
                    self.answer(&r).await?;
                    return Ok(Some(Message::Request(r)));
                }
                Ok(Some(Event::Message(m))) => return Ok(Some(m)),
                Ok(Some(Event::KeepAlivePing)) => self.write(b"\r\n").await?,
                Ok(Some(Event::KeepAlivePong)) => {}
                Ok(None) => {
                    let mut buffer = [0; 8192];
                    match timeout_at(until, self.stream.read(&mut buffer)).await {
                        Err(_) => return Ok(None),
                        Ok(Ok(0)) => return Err(self.lost("end of stream")),
                        Ok(Ok(n)) => self.decoder.push(&buffer[..n]),
                        Ok(Err(e)) => return Err(self.lost(&e.to_string())),
                    }
                }
                Err(e) => {
                    return Err(Failure::new(
                        CauseCode::ProtocolError,
                        e.to_string(),
                        "The server does not speak SIP.",
                    ));
                }
            }
        }
    }

    async fn answer(&mut self, r: &Request) -> Result<(), Failure> {
        match r.method.as_str() {
            "ACK" => return Ok(()),
            "BYE" => self.bye = true,
            "INFO" => {
                if let Ok(e) = xccos::parse(&r.body) {
                    self.inbox.extend(e.elements);
                }
            }
            _ => {}
        }
        let known =
            matches!(r.method.as_str(), "INFO" | "BYE" | "UPDATE" | "OPTIONS" | "NOTIFY" | "BENOTIFY");
        let reply = if known {
            Response::reply_to(r, 200, "OK")
        } else {
            Response::reply_to(r, 501, "Not Implemented")
        };
        self.write(&reply.to_bytes()).await
    }

    /// The final response to the request with this CSeq in this call; none when time is up.
    pub async fn response(
        &mut self,
        call: &str,
        cseq: u32,
        until: Instant,
    ) -> Result<Option<Response>, Failure> {
        while let Some(m) = self.next(until).await? {
            if let Message::Response(r) = m
                && r.status >= 200
                && r.call_id() == Some(call)
                && r.cseq().is_some_and(|(n, _)| n == cseq)
            {
                return Ok(Some(r));
            }
        }
        Ok(None)
    }

    /// The first element of the inbox that `pick` takes; waits for it.
    pub async fn element<T>(
        &mut self,
        mut pick: impl FnMut(&xccos::Element) -> Option<T>,
        until: Instant,
    ) -> Result<Option<T>, Failure> {
        loop {
            while let Some(e) = self.inbox.pop_front() {
                if let Some(found) = pick(&e) {
                    return Ok(Some(found));
                }
            }
            if self.bye || self.next(until).await?.is_none() {
                return Ok(None);
            }
        }
    }

    /// Waits for a phase's response or fails as a time-out.
    pub async fn expect(
        &mut self,
        call: &str,
        cseq: u32,
        until: Instant,
        phase: Phase,
        who: &str,
    ) -> Result<Response, Failure> {
        match self.response(call, cseq, until).await? {
            Some(r) => Ok(r),
            None if phase == Phase::SignIn => Err(Failure::no_answer(
                self.peer,
                format!("{} accepts connections and does not answer the sign-in of {who}.", self.peer),
            )),
            None => Err(Failure::timeout(phase, who)),
        }
    }
}
