//! A registrar that wants NTLM: it stands before the scripted peer, does the sign-in itself, checks the
//! signature of every message that comes and signs every one that goes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::synthetic::{CauseCode, Outcome, Phase, Role};
use synthetic::{Authentication, run, run_traced};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::ntlm::{self, Keys};
use wire::sip::{Message, Request, Response};
use wire::sipae::{Association, Parameters};
use wire::stream::{Decoder, Event};

use crate::peer::{PASSWORD, Peer, RECEIVER, SENDER};
use crate::support::{cause, failed, plan, usual};

const NONCE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const TARGET: &str = "fe.litware.test";

/// What the front does.
#[derive(Clone)]
struct Front {
    version: u32,
    /// Signs what it sends with the wrong key.
    forges: bool,
    /// What it offers instead of NTLM.
    offers: &'static [&'static str],
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    signed: usize,
    wrong: Vec<String>,
    off: usize,
    connections: usize,
    numbers: Vec<(usize, u32)>,
}

impl Front {
    fn new(version: u32) -> Self {
        Self { version, forges: false, offers: &[], seen: Arc::default() }
    }

    async fn start(&self, inner: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let front = self.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let n = {
                    let mut s = front.seen.lock().unwrap();
                    s.connections += 1;
                    s.connections
                };
                tokio::spawn(front.clone().serve(n, tcp, inner));
            }
        });
        at
    }

    async fn serve(self, n: usize, mut tcp: TcpStream, inner: SocketAddr) {
        let mut behind = TcpStream::connect(inner).await.unwrap();
        let (mut here, mut there) = (Decoder::default(), Decoder::default());
        let (mut a, mut b) = ([0; 8192], [0; 8192]);
        let mut sa: Option<Association> = None;
        let mut number = 0;
        loop {
            tokio::select! {
                read = tcp.read(&mut a) => match read {
                    Ok(len) if len > 0 => here.push(&a[..len]),
                    _ => return,
                },
                read = behind.read(&mut b) => match read {
                    Ok(len) if len > 0 => there.push(&b[..len]),
                    _ => return,
                },
            }
            while let Some(e) = here.next().unwrap() {
                let Event::Message(m) = e else { continue };
                let out = match &m {
                    Message::Request(r) if r.method == "REGISTER" => {
                        let mut answer = self.register(r, &mut sa);
                        if answer.status == 200 {
                            self.check(n, &m, sa.as_ref());
                            self.sign(&mut answer, sa.as_ref(), &mut number);
                        }
                        answer.to_bytes()
                    }
                    _ => {
                        self.check(n, &m, sa.as_ref());
                        if behind.write_all(&m.to_bytes()).await.is_err() {
                            return;
                        }
                        continue;
                    }
                };
                if tcp.write_all(&out).await.is_err() {
                    return;
                }
            }
            while let Some(e) = there.next().unwrap() {
                let bytes = match e {
                    Event::Message(Message::Response(mut r)) => {
                        self.sign(&mut r, sa.as_ref(), &mut number);
                        r.to_bytes()
                    }
                    Event::Message(Message::Request(mut r)) => {
                        let a = sa.as_ref().unwrap();
                        number += 1;
                        let info = a.sign_as_server(&r.headers, None, "20be7823", number);
                        r.headers.push("Authentication-Info", info);
                        r.to_bytes()
                    }
                    _ => continue,
                };
                if tcp.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    }

    fn check(&self, n: usize, m: &Message, sa: Option<&Association>) {
        let (headers, status, name) = match m {
            Message::Request(r) => (&r.headers, None, r.method.clone()),
            Message::Response(r) => (&r.headers, Some(r.status), r.status.to_string()),
        };
        // Before version 4 the message that proves the password is not signed.
        let proof = headers.get("Authorization").is_some_and(|v| v.contains("gssapi-data"));
        let mut s = self.seen.lock().unwrap();
        if proof && self.version < 4 {
            return;
        }
        match sa.and_then(|a| a.client_holds(headers, status)) {
            Some(true) => s.signed += 1,
            other => s.wrong.push(format!("{name}: {other:?}")),
        }
        let number = headers.get("Authorization").and_then(|v| Parameters::parse(v, "NTLM"));
        s.numbers.extend(number.and_then(|p| Some((n, p.get("cnum")?.parse().ok()?))));
    }

    fn sign(&self, r: &mut Response, sa: Option<&Association>, number: &mut u32) {
        let Some(a) = sa else { return };
        *number += 1;
        let mut a = a.clone();
        if self.forges && *number > 3 {
            a.server = Keys::of_server(&[0; 16]);
        }
        let info = a.sign_as_server(&r.headers, Some(r.status), "20be7823", *number);
        r.headers.push("Authentication-Info", info);
    }

    fn register(&self, r: &Request, sa: &mut Option<Association>) -> Response {
        let unauthorized = |offers: Vec<String>| {
            let mut a = Response::reply_to(r, 401, "Unauthorized").with_to_tag("front");
            for o in offers {
                a.headers.push("WWW-Authenticate", o);
            }
            a
        };
        if !self.offers.is_empty() {
            return unauthorized(self.offers.iter().map(|o| (*o).to_owned()).collect());
        }
        let version = self.version;
        let fresh =
            format!("NTLM realm=\"SIP Communications Service\", targetname=\"{TARGET}\", version={version}");
        // Lync offers several; NTLM is to be picked.
        let begin =
            || unauthorized(vec!["Kerberos realm=\"SIP Communications Service\"".to_owned(), fresh.clone()]);
        let Some(p) = r.headers.get_all("Authorization").find_map(|v| Parameters::parse(v, "NTLM")) else {
            return begin();
        };
        let ok = || Response::reply_to(r, 200, "OK").with_to_tag("front");
        match p.get("gssapi-data") {
            Some("") => {
                let challenge = ntlm::Challenge {
                    flags: 0xE299_8255,
                    nonce: NONCE,
                    target_info: vec![2, 0, 2, 0, 65, 0, 0, 0, 0, 0],
                };
                let token = STANDARD.encode(challenge.to_bytes());
                unauthorized(vec![format!("{fresh}, opaque=\"6E43A4DB\", gssapi-data=\"{token}\"")])
            }
            Some(token) => {
                let key = ntlm::accept(&STANDARD.decode(token).unwrap(), NONCE, PASSWORD);
                let Some(x) = key else { return begin() };
                *sa = Some(Association {
                    opaque: "6E43A4DB".to_owned(),
                    realm: "SIP Communications Service".to_owned(),
                    target: TARGET.to_owned(),
                    version,
                    client: Keys::of_client(&x),
                    server: Keys::of_server(&x),
                });
                ok()
            }
            None => {
                self.seen.lock().unwrap().off += usize::from(r.expires() == Some(0));
                ok()
            }
        }
    }
}

#[tokio::test]
async fn every_message_is_signed_in_each_version() {
    for version in [2, 3, 4] {
        let peer = Peer::start(usual).await;
        let front = Front::new(version);
        let mut p = plan(front.start(peer.at).await);
        // A name without a domain goes as it is.
        p.receiver.logon = "kenmyer@litware.test".to_owned();
        let (report, trace) = run_traced(p, |_| {}, std::future::pending()).await;
        assert_eq!(report.result, Outcome::Success, "{version}: {}", report.print());
        assert_eq!(report.warnings, Vec::<String>::new());
        let seen = front.seen.lock().unwrap();
        assert_eq!(seen.wrong, Vec::<String>::new(), "{version}");
        assert!(
            seen.signed > 30 && seen.off == 2,
            "{version}: {} signed, {} signed off",
            seen.signed,
            seen.off
        );
        // Numbers begin at 1 and are never used twice.
        for n in 1..=2 {
            let mine: Vec<u32> = seen.numbers.iter().filter(|(c, _)| *c == n).map(|(_, k)| *k).collect();
            assert_eq!(mine, (1..=u32::try_from(mine.len()).unwrap()).collect::<Vec<_>>(), "{version}");
        }
        assert_eq!(peer.left_open(), Vec::<String>::new());
        let text = trace.print();
        let shown = |l: &&str| l.starts_with("Authorization: NTLM") && l.contains("gssapi-data=\"T");
        assert!(text.contains("Authorization: NTLM") && text.lines().find(shown).is_none(), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_tried_again() {
    let peer = Peer::start(usual).await;
    let front = Front::new(4);
    let mut p = plan(front.start(peer.at).await);
    p.sender.password = "wrong".to_owned();
    let (report, trace) = run_traced(p, |_| {}, std::future::pending()).await;
    assert_eq!(cause(&report), Some(CauseCode::WrongPassword), "{}", report.print());
    assert_eq!(failed(&report), [(Role::Sender, Phase::SignIn)]);
    let sent = trace.messages.iter().filter(|m| m.sent && m.role == Role::Sender).count();
    assert_eq!(sent, 3, "asked, asked for the challenge, proved once");
}

#[tokio::test]
async fn a_forged_answer_is_noticed() {
    let peer = Peer::start(usual).await;
    let front = Front { forges: true, ..Front::new(4) };
    let report = run(plan(front.start(peer.at).await), |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::ProtocolError), "{}", report.print());
    assert!(report.diagnosis.unwrap().text.contains("signed wrongly"));
}

#[tokio::test]
async fn schemes_that_are_not_spoken_have_a_cause_of_their_own() {
    let peer = Peer::start(usual).await;
    for (offers, words) in [
        (
            &["TLS-DSK realm=\"r\", sts-uri=\"https://fe/cert\"", "Kerberos realm=\"r\""][..],
            "offers TLS-DSK, Kerberos, and neither",
        ),
        (&["Basic realm=\"r\""], "offers Basic, and neither"),
    ] {
        let front = Front { offers, ..Front::new(4) };
        let report = run(plan(front.start(peer.at).await), |_| {}).await;
        assert_eq!(cause(&report), Some(CauseCode::SchemeNotSpoken), "{}", report.print());
        let d = report.diagnosis.unwrap();
        assert!(d.text.contains(words) && d.check_next.contains("NTLM"), "{}", d.text);
    }
}

#[tokio::test]
async fn a_trusted_server_proves_nothing_else() {
    let peer = Peer::start(usual).await;
    let mut p = plan(peer.at);
    p.authentication = Authentication::TrustedServer;
    let report = run(p, |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::NotATrustedServer), "{}", report.print());
    assert_eq!(peer.names(), Vec::<String>::new(), "no password was used");
    assert_eq!(peer.heard(SENDER), ["REGISTER"]);
    assert_eq!(peer.heard(RECEIVER), ["REGISTER"]);
}
