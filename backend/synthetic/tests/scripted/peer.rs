//! A scripted SIP peer on loopback: registrar, provisioning, lookup and channel service in one, which does
//! everything right except for what its script says, and notes every request it hears.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use wire::digest::{Algorithm, Challenge, Credentials, ha1, verify};
use wire::provisioning::PersistentChatProvisioning;
use wire::sip::{Message, NameAddr, Request, Response};
use wire::stream::{Decoder, Event};
use wire::xccos::{self, ChanIb, Chat, Data, Element, Envelope, Item, Uib};

pub const SENDER: &str = "sip:pilar@litware.test";
pub const RECEIVER: &str = "sip:kenmyer@litware.test";
pub const ROOM: &str = "ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa";
const LOOKUP: &str = "sip:pool-lookup@litware.test";
const CHANNEL: &str = "sip:pool-channel@litware.test";
pub const PASSWORD: &str = "pw";

/// A request as the script sees it.
pub struct Heard<'a> {
    /// From, an address of record.
    pub user: &'a str,
    /// What it is: a method, `REGISTER off`, `INVITE lookup`, `INVITE channel`, `grpchat`, `cmd:…`.
    pub what: &'a str,
}

/// What the peer does with it.
pub enum Answer {
    /// What is right.
    Usual,
    /// Nothing.
    Silence,
    /// A SIP response with this status, reason and ms-diagnostics.
    Status(u16, &'static str, &'static str),
    /// To a command: 200, then a reply with this code and text.
    Reply(u16, &'static str, Data),
    /// To a post: 200, and this text is delivered instead of the one posted; none: nothing is.
    Deliver(Option<&'static str>),
    /// 200, then BYE with this Reason.
    Bye(&'static str),
    /// 481, then BYE.
    Gone,
    /// The connection is closed.
    Close,
    /// To SUBSCRIBE: the policy does not enable Persistent Chat.
    NoPolicy,
    /// To REGISTER: the password's hash is kept with the name in lower case.
    LowerCase,
    /// To CANCEL: 200, and the INVITE gets this status.
    Invite(u16),
}

type Script = Arc<dyn Fn(&Heard<'_>) -> Answer + Send + Sync>;

/// A channel dialog as the service needs it to speak in it.
#[derive(Clone)]
struct Session {
    call: String,
    from: String,
    to: String,
    target: String,
    out: UnboundedSender<Vec<u8>>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<String, Session>,
    log: Vec<(String, String, Option<String>)>,
    numbers: u32,
    names: Vec<String>,
}

/// The peer.
pub struct Peer {
    pub at: SocketAddr,
    state: Arc<Mutex<State>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    /// Listens no more.
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Peer {
    /// Listens; `script` is asked for every request.
    pub async fn start(script: impl Fn(&Heard<'_>) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(None, script).await
    }

    /// Listens with TLS when there is a configuration.
    pub async fn start_with(
        tls: Option<Arc<rustls::ServerConfig>>,
        script: impl Fn(&Heard<'_>) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let script: Script = Arc::new(script);
        let shared = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tcp.set_nodelay(true).unwrap();
                let (tls, script, shared) = (tls.clone(), script.clone(), shared.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, script, shared).await,
                        Some(c) => {
                            // A client that does not like the certificate goes away.
                            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(c).accept(tcp).await {
                                serve(stream, script, shared).await;
                            }
                        }
                    }
                });
            }
        });
        Self { at, state, listening }
    }

    /// What was heard of a user, in order.
    pub fn heard(&self, user: &str) -> Vec<String> {
        let s = self.state.lock().unwrap();
        s.log.iter().filter(|(u, _, _)| u == user).map(|(_, w, _)| w.clone()).collect()
    }

    /// Names of the credentials, as they were sent.
    pub fn names(&self) -> Vec<String> {
        self.state.lock().unwrap().names.clone()
    }

    /// Call-IDs of the dialogs that stood and have not been ended.
    pub fn left_open(&self) -> Vec<String> {
        let s = self.state.lock().unwrap();
        let calls = |what: &str| -> Vec<String> {
            s.log.iter().filter(|(_, w, _)| w == what).filter_map(|(_, _, c)| c.clone()).collect()
        };
        let over = [calls("BYE"), calls("ended")].concat();
        calls("stands").into_iter().filter(|c| !over.contains(c)).collect()
    }

    /// Whether the last that was heard of the user is that he signs off.
    pub fn signed_off(&self, user: &str) -> bool {
        self.heard(user).last().is_some_and(|w| w == "REGISTER off")
    }
}

fn describe(r: &Request) -> String {
    let target = r.to().map(|t| t.uri.aor()).unwrap_or_default();
    match r.method.as_str() {
        "REGISTER" if r.expires() == Some(0) => "REGISTER off".to_owned(),
        "INVITE" if target == CHANNEL => "INVITE channel".to_owned(),
        "INVITE" => "INVITE lookup".to_owned(),
        "INFO" => match xccos::parse(&r.body).ok().and_then(|mut e| e.elements.pop()) {
            Some(Element::Command { id, .. }) => id,
            Some(Element::Chat(_)) => "grpchat".to_owned(),
            _ => "INFO".to_owned(),
        },
        other => other.to_owned(),
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite, script: Script, state: Arc<Mutex<State>>) {
    let (mut reader, mut writer) = tokio::io::split(Box::pin(stream));
    let (out, mut queue) = unbounded_channel::<Vec<u8>>();
    // An empty text closes.
    let writing = async {
        while let Some(bytes) = queue.recv().await.filter(|b| !b.is_empty()) {
            if writer.write_all(&bytes).await.is_err() {
                break;
            }
        }
    };
    let reading = async {
        let mut decoder = Decoder::default();
        let mut buffer = [0; 4096];
        loop {
            while let Some(e) = decoder.next().unwrap() {
                if let Event::Message(Message::Request(r)) = e {
                    hear(&r, &script, &state, &out);
                }
            }
            match reader.read(&mut buffer).await {
                Ok(n) if n > 0 => decoder.push(&buffer[..n]),
                _ => return,
            }
        }
    };
    tokio::select! { () = writing => (), () = reading => () }
}

fn hear(r: &Request, script: &Script, state: &Arc<Mutex<State>>, out: &UnboundedSender<Vec<u8>>) {
    let user = r.from().map(|f| f.uri.aor()).unwrap_or_default();
    let what = describe(r);
    let call = r.call_id().map(str::to_owned);
    let mut s = state.lock().unwrap();
    s.log.push((user.clone(), what.clone(), call.clone()));
    let send = |bytes: Vec<u8>| drop(out.send(bytes));
    let ok = || Response::reply_to(r, 200, "OK").with_to_tag("peer").to_bytes();
    match script(&Heard { user: &user, what: &what }) {
        Answer::Usual => right(r, &user, &what, &mut s, out),
        Answer::Silence => {}
        Answer::Status(status, reason, diagnostics) => {
            let mut a = Response::reply_to(r, status, reason).with_to_tag("peer");
            if !diagnostics.is_empty() {
                a.headers.push("ms-diagnostics", diagnostics);
            }
            send(a.to_bytes());
            if status == 481 {
                s.log.push((user, "ended".to_owned(), call));
            }
        }
        Answer::NoPolicy => {
            let mut a = Response::reply_to(r, 200, "OK").with_to_tag("peer");
            let p = PersistentChatProvisioning::default();
            a.set_body(wire::provisioning::CONTENT_TYPE, p.to_xml());
            send(a.to_bytes());
        }
        Answer::LowerCase => send(register(r, &mut s, |name| name.to_lowercase()).to_bytes()),
        Answer::Invite(status) => {
            send(ok());
            let mut late = Response::reply_to(r, status, "Late").with_to_tag("peer");
            late.headers.set("CSeq", "1 INVITE");
            if status == 200 {
                s.log.push((user, "stands".to_owned(), call));
            }
            send(late.to_bytes());
        }
        Answer::Reply(code, text, data) => {
            send(ok());
            let session = answering(r, out);
            send(reply(&mut s, &session, r, code, text, data));
        }
        Answer::Deliver(text) => {
            send(ok());
            if let Some(text) = text {
                deliver(&mut s, r, Some(text));
            }
        }
        Answer::Bye(reason) => {
            send(ok());
            s.log.push((user, "ended".to_owned(), call));
            send(bye(&mut s, r, out, reason));
        }
        Answer::Gone => {
            send(Response::reply_to(r, 481, "Call/Transaction Does Not Exist").to_bytes());
            s.log.push((user, "ended".to_owned(), call));
            send(bye(&mut s, r, out, ""));
        }
        Answer::Close => send(Vec::new()),
    }
}

/// The dialog of an in-dialog request, seen from the service.
fn answering(r: &Request, out: &UnboundedSender<Vec<u8>>) -> Session {
    let text = |name: &str| r.headers.get(name).unwrap_or_default().to_owned();
    Session {
        call: text("Call-ID"),
        from: text("To"),
        to: text("From"),
        target: r.from().map(|f| f.uri.aor()).unwrap_or_default(),
        out: out.clone(),
    }
}

fn request(s: &mut State, to: &Session, method: &str) -> Request {
    s.numbers += 1;
    let mut r = Request::new(method, to.target.clone());
    r.headers.push("Via", format!("SIP/2.0/TCP peer.test;branch=z9hG4bKp{}", s.numbers));
    r.headers.push("From", to.from.clone());
    r.headers.push("To", to.to.clone());
    r.headers.push("Call-ID", to.call.clone());
    r.headers.push("CSeq", format!("{} {method}", s.numbers));
    r
}

fn bye(s: &mut State, r: &Request, out: &UnboundedSender<Vec<u8>>, reason: &str) -> Vec<u8> {
    let mut bye = request(s, &answering(r, out), "BYE");
    if !reason.is_empty() {
        bye.headers.push("Reason", reason);
    }
    bye.to_bytes()
}

fn info(s: &mut State, to: &Session, e: Element) -> Vec<u8> {
    let mut r = request(s, to, "INFO");
    r.set_body(xccos::CONTENT_TYPE, Envelope::one(9_000_000_000_000_000 + u64::from(s.numbers), e).to_xml());
    r.to_bytes()
}

fn reply(s: &mut State, to: &Session, r: &Request, code: u16, text: &str, data: Data) -> Vec<u8> {
    let envelope = xccos::parse(&r.body).unwrap();
    let id = describe(r).replacen("cmd:", "rpl:", 1);
    let command = Some((1, envelope.envid));
    info(s, to, Element::Reply { id, seqid: 1, command, code, text: text.to_owned(), data })
}

/// Delivers a post to everybody, its author too.
fn deliver(s: &mut State, r: &Request, instead: Option<&str>) {
    let Some(Element::Chat(mut chat)) = xccos::parse(&r.body).unwrap().elements.pop() else { return };
    chat.chat_id = Some(501);
    if let Some(text) = instead {
        chat.text = text.to_owned();
    }
    let sessions: Vec<Session> = s.sessions.values().cloned().collect();
    for to in sessions {
        let bytes = info(s, &to, Element::Chat(Chat { ..chat.clone() }));
        let _ = to.out.send(bytes);
    }
}

fn right(r: &Request, user: &str, what: &str, s: &mut State, out: &UnboundedSender<Vec<u8>>) {
    let send = |bytes: Vec<u8>| drop(out.send(bytes));
    let mut ok = Response::reply_to(r, 200, "OK").with_to_tag(&format!("peer{}", s.numbers));
    let session = answering(r, out);
    let room = ChanIb { uri: ROOM.to_owned(), name: Some("Synthetic test".to_owned()), ..ChanIb::default() };
    match what {
        "ACK" => {}
        "REGISTER" | "REGISTER off" => send(register(r, s, str::to_owned).to_bytes()),
        "SUBSCRIBE" => {
            let p = PersistentChatProvisioning {
                enabled: true,
                default_pool_uri: Some(LOOKUP.to_owned()),
                web_manager_uri: None,
                pool_uris: vec![LOOKUP.to_owned()],
            };
            ok.set_body(wire::provisioning::CONTENT_TYPE, p.to_xml());
            send(ok.to_bytes());
        }
        "INVITE lookup" | "INVITE channel" => {
            ok.headers.push("Record-Route", "<sip:fe.litware.test:5061;transport=tls;lr>");
            ok.headers.push("Contact", "<sip:pc.litware.test:5041;transport=tls>");
            s.log.push((user.to_owned(), "stands".to_owned(), Some(session.call.clone())));
            if what == "INVITE channel" {
                let from = ok.headers.get("To").unwrap_or_default().to_owned();
                let target = r
                    .headers
                    .get("Contact")
                    .and_then(NameAddr::parse)
                    .map_or_else(String::new, |c| c.uri.to_string());
                s.sessions.insert(user.to_owned(), Session { from, target, ..session });
            }
            send(ok.to_bytes());
        }
        "cmd:requri" => {
            send(ok.to_bytes());
            let data = Data::one(Item::Uib(Uib { uri: CHANNEL.to_owned(), ..Uib::default() }));
            send(reply(s, &session, r, 200, "SUCCESS_OK", data));
        }
        "cmd:chansrch" | "cmd:join" | "cmd:part" => {
            send(ok.to_bytes());
            send(reply(s, &session, r, 200, "SUCCESS_OK", Data::one(Item::ChanIb(room))));
        }
        "grpchat" => {
            send(ok.to_bytes());
            deliver(s, r, None);
        }
        // No INVITE of a peer in order is still open when a CANCEL comes.
        "CANCEL" => send(Response::reply_to(r, 481, "Call/Transaction Does Not Exist").to_bytes()),
        "BYE" => {
            s.sessions.retain(|_, x| Some(x.call.as_str()) != r.call_id());
            send(ok.to_bytes());
        }
        _ => send(Response::reply_to(r, 501, "Not Implemented").to_bytes()),
    }
}

/// A Digest registrar; `spelling` makes the name that it hashes of the one that was sent.
fn register(r: &Request, s: &mut State, spelling: impl Fn(&str) -> String) -> Response {
    let given = r.headers.get("Authorization").and_then(Credentials::parse);
    s.names.extend(given.iter().map(|c| c.username.clone()));
    let right = given.is_some_and(|c| {
        verify(&c, &ha1(c.algorithm, &spelling(&c.username), &c.realm, PASSWORD), "REGISTER")
            && c.opaque.as_deref() == Some("kept as it is")
    });
    if right {
        return Response::reply_to(r, 200, "OK").with_to_tag("peer");
    }
    let mut a = Response::reply_to(r, 401, "Unauthorized").with_to_tag("peer");
    for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
        let c = Challenge {
            realm: "litware.test".to_owned(),
            nonce: format!("n{}", r.cseq().map_or(0, |c| c.0)),
            algorithm,
            stale: false,
            auth: true,
            opaque: Some("kept as it is".to_owned()),
        };
        a.headers.push("WWW-Authenticate", c.to_string());
    }
    a
}
