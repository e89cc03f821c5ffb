//! Who alerts are sent to in tests: a little HTTP server and a little SMTP server, plain or over TLS.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A stream, plain or over TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A certificate for `localhost` in a file that the server under test is told to trust.
pub struct Trusted {
    folder: tempfile::TempDir,
    acceptor: TlsAcceptor,
}

impl Trusted {
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        std::fs::write(folder.path().join("roots.pem"), made.cert.pem())?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        Ok(Self { folder, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The environment of the server under test.
    pub fn env(&self) -> Vec<(String, String)> {
        let file = self.folder.path().join("roots.pem").to_string_lossy().into_owned();
        vec![("SSL_CERT_FILE".to_owned(), file)]
    }

    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        Some(self.acceptor.clone())
    }
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub delivery: String,
    pub signature: String,
    pub raw: Vec<u8>,
    pub body: Value,
    pub answered: u16,
}

impl Call {
    /// Checks the signature as a receiver would.
    pub fn verify(&self, secret: &str) -> Result<()> {
        let given = self.signature.strip_prefix("sha256=").context("another kind of signature")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(&self.raw);
        mac.verify_slice(&hex::decode(given)?).context("the signature is wrong")
    }

    /// State and subject.
    pub fn is(&self, state: &str, subject: &str) -> bool {
        self.body["state"] == state && self.body["subject"] == subject
    }
}

/// An HTTP server that keeps what is posted to it.
#[derive(Clone)]
pub struct Hook {
    pub port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Hook {
    /// `answer` decides the status of each call from those before it and its body.
    pub async fn start(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&[Call], &Value) -> u16 + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let hook = Self { port: listener.local_addr()?.port(), calls: Arc::default() };
        let (mine, answer) = (hook.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (hook, answer, tls) = (mine.clone(), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    let mut stream = secured(tcp, tls.as_ref()).await?;
                    hook.serve(&mut stream, &*answer).await
                });
            }
        });
        Ok(hook)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn serve(
        &self,
        stream: &mut Box<dyn Stream>,
        answer: &(dyn Fn(&[Call], &Value) -> u16 + Send + Sync),
    ) -> Result<()> {
        let mut read = Vec::new();
        let (head, mut raw) = loop {
            if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                break (String::from_utf8_lossy(&read[..end]).into_owned(), read.split_off(end + 4));
            }
            ensure!(stream.read_buf(&mut read).await? > 0, "the request ended early");
        };
        let header = |name: &str| {
            let line = |l: &str| {
                l.split_once(':')
                    .filter(|(k, _)| k.eq_ignore_ascii_case(name))
                    .map(|(_, v)| v.trim().to_owned())
            };
            head.lines().find_map(line).unwrap_or_default()
        };
        let length: usize = header("content-length").parse()?;
        while raw.len() < length {
            ensure!(stream.read_buf(&mut raw).await? > 0, "the body ended early");
        }
        let body: Value = serde_json::from_slice(&raw)?;
        let status = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            let answered = answer(&calls, &body);
            let (delivery, signature) = (header("x-lifeguard-delivery"), header("x-lifeguard-signature"));
            calls.push(Call { delivery, signature, raw, body, answered });
            answered
        };
        let text = format!(
            "HTTP/1.1 {status} Status\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).await?;
        Ok(stream.shutdown().await?)
    }
}

async fn secured(tcp: TcpStream, tls: Option<&TlsAcceptor>) -> Result<Box<dyn Stream>> {
    Ok(match tls {
        Some(a) => Box::new(a.accept(tcp).await?),
        None => Box::new(tcp),
    })
}

/// How an SMTP server secures its connections.
#[derive(Clone)]
pub enum Smtp {
    Plain,
    StartTls(TlsAcceptor),
    Tls(TlsAcceptor),
}

/// A mail that arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: Vec<String>,
    pub text: String,
    pub log_on: Option<String>,
    pub secured: bool,
}

/// An SMTP server that keeps what is sent to it.
#[derive(Clone)]
pub struct Post {
    pub port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Post {
    pub async fn start(kind: Smtp) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let post = Self { port: listener.local_addr()?.port(), mails: Arc::default() };
        let mine = post.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(mine.clone().serve(tcp, kind.clone()));
            }
        });
        Ok(post)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn serve(self, tcp: TcpStream, kind: Smtp) -> Result<()> {
        match kind {
            Smtp::Plain => self.converse(&mut Box::new(tcp), false, false).await.map(drop),
            Smtp::Tls(a) => self.converse(&mut Box::new(a.accept(tcp).await?), true, false).await.map(drop),
            Smtp::StartTls(a) => {
                let mut tcp = tcp;
                if self.converse(&mut tcp, false, true).await? {
                    self.session(&mut a.accept(tcp).await?, true, false).await?;
                }
                Ok(())
            }
        }
    }

    /// A conversation from its greeting; whether TLS was asked for.
    async fn converse(&self, s: &mut (impl Stream + ?Sized), secured: bool, offer: bool) -> Result<bool> {
        s.write_all(b"220 localhost ESMTP\r\n").await?;
        self.session(s, secured, offer).await
    }

    async fn session(&self, s: &mut (impl Stream + ?Sized), secured: bool, offer: bool) -> Result<bool> {
        let mut mail = Mail { to: Vec::new(), text: String::new(), log_on: None, secured };
        loop {
            let line = line(s).await?;
            let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let answer = match word.as_str() {
                "EHLO" if offer => "250-localhost\r\n250 STARTTLS",
                "EHLO" => "250-localhost\r\n250 AUTH PLAIN",
                "STARTTLS" if offer => {
                    s.write_all(b"220 go ahead\r\n").await?;
                    return Ok(true);
                }
                "AUTH" => {
                    mail.log_on = Some(line);
                    "235 welcome"
                }
                // Mail may not go before the connection is secured.
                "MAIL" if offer => "530 STARTTLS first",
                "RCPT" => {
                    mail.to.push(line);
                    "250 fine"
                }
                "DATA" => {
                    s.write_all(b"354 go on\r\n").await?;
                    mail.text = text(s).await?;
                    self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
                    "250 taken"
                }
                "QUIT" => "221 bye",
                "" => bail!("the client went away"),
                _ => "250 fine",
            };
            s.write_all(format!("{answer}\r\n").as_bytes()).await?;
            if word == "QUIT" {
                return Ok(false);
            }
        }
    }
}

/// A line without its end; empty when the other side has closed.
async fn line(s: &mut (impl Stream + ?Sized)) -> Result<String> {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n") {
        let mut byte = [0];
        if s.read(&mut byte).await? == 0 {
            return Ok(String::new());
        }
        out.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&out).trim_end().to_owned())
}

/// A mail's text, up to the line that is a dot.
async fn text(s: &mut (impl Stream + ?Sized)) -> Result<String> {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n.\r\n") {
        let mut byte = [0];
        ensure!(s.read(&mut byte).await? == 1, "the mail ended early");
        out.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}
