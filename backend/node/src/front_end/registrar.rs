//! REGISTER with digest; a connection is bound to its user afterwards.

use std::time::{Duration, Instant};

use shared::SipUri;
use wire::digest::{Algorithm, Challenge, Credentials, verify};
use wire::sip::{NameAddr, Request, Response};

use super::ends::Told;
use super::{Bound, FrontEnd, STRANGER, refuse};
use crate::connection::Peer;
use crate::nonce::Verdict;
use crate::traits::ChatUser;

/// Longest registration, seconds.
const MAX_EXPIRES: u32 = 3600;

/// A registration is believed this much longer than it was asked for: the refresh may be on its way.
const GRACE: Duration = Duration::from_secs(5);

/// What a client is known to need that is not the standard's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quirk {
    None,
    /// Knows MD5 alone and fails at the first challenge that is not MD5 (SIPp).
    Md5,
    /// As that, and takes digest only as a proxy's challenge: SIPE answers a 401 by NTLM, Kerberos or TLS-DSK
    /// and nothing else. Source: `reference/protocol/auth.md`.
    ProxyMd5,
}

fn quirk(r: &Request) -> Quirk {
    let agent = r.headers.get("User-Agent").unwrap_or_default();
    if agent.split_whitespace().any(|word| word.starts_with("Sipe/")) {
        Quirk::ProxyMd5
    } else if agent.starts_with("SIPp") {
        Quirk::Md5
    } else {
        Quirk::None
    }
}

enum Login {
    Ok(Box<ChatUser>),
    Challenge { stale: bool, wrong: bool },
    Refused(Response),
}

impl FrontEnd {
    /// Answers a REGISTER.
    pub(super) async fn register(&self, peer: &Peer, r: &Request) -> Response {
        let Some(aor) = r.to().map(|t| t.uri.aor()) else {
            return refuse(r, 400, "Bad Request", "1001", "To is not a SIP address");
        };
        let Ok(sip) = SipUri::try_from(aor.as_str()) else {
            return refuse(r, 404, "Not Found", "1003", "User does not exist");
        };
        if !self.deployment().sip_domains.iter().any(|d| d.as_str().eq_ignore_ascii_case(sip.domain())) {
            return refuse(r, 404, "Not Found", "1003", "User does not exist");
        }
        // Who does not exist is challenged like everyone: names cannot be tried out.
        let known = match self.directory.user_by_aor(&sip).await {
            Ok(known) => known,
            Err(e) => return refuse(r, 503, "Service Unavailable", "1019", &e.to_string()),
        };
        match self.login(peer, r, &sip, known.as_ref()).await {
            Login::Ok(user) => self.bind(peer, r, &aor, &user),
            Login::Challenge { stale, wrong } => self.challenge(r, sip.domain(), stale, wrong),
            Login::Refused(response) => response,
        }
    }

    async fn login(&self, peer: &Peer, r: &Request, aor: &SipUri, wanted: Option<&ChatUser>) -> Login {
        let Some(c) = ["Authorization", "Proxy-Authorization"]
            .iter()
            .find_map(|name| r.headers.get(name).and_then(Credentials::parse))
        else {
            return Login::Challenge { stale: false, wrong: false };
        };
        match self.nonces.look(&c.nonce) {
            Verdict::Fresh => {}
            Verdict::Stale => return Login::Challenge { stale: true, wrong: false },
            Verdict::Replayed => return Login::Challenge { stale: false, wrong: true },
        }
        // Without a count nothing tells a repetition from a replay.
        if !c.qop.as_deref().is_some_and(|q| q.eq_ignore_ascii_case("auth"))
            || c.nc == 0
            || c.cnonce.is_empty()
        {
            return Login::Challenge { stale: false, wrong: true };
        }
        if self.guesses.locked(peer.remote.ip(), &c.username) {
            return Login::Refused(refuse(
                r,
                403,
                "Forbidden",
                "4002",
                "Too many wrong passwords; wait a minute",
            ));
        }
        let wrong = || {
            self.guesses.wrong(peer.remote.ip(), &c.username);
            Login::Challenge { stale: false, wrong: true }
        };
        let user = match self.directory.user_by_login(&c.username).await {
            Ok(Some(u)) => u,
            Ok(None) => return wrong(),
            Err(e) => return Login::Refused(refuse(r, 503, "Service Unavailable", "1019", &e.to_string())),
        };
        let same = |h: &&crate::traits::Ha1| {
            h.algorithm == c.algorithm && h.username.eq_ignore_ascii_case(&c.username)
        };
        // The spelling counts in the hash: every stored one that equals without case is tried.
        let right = c.realm.eq_ignore_ascii_case(user.uri.domain())
            && user.secrets.iter().filter(same).any(|h| verify(&c, &h.ha1, &r.method));
        if !right {
            return wrong();
        }
        match self.nonces.judge(&c.nonce, c.nc, &c.cnonce, user.uri.as_str()) {
            Verdict::Fresh => {}
            Verdict::Stale => return Login::Challenge { stale: true, wrong: false },
            Verdict::Replayed => return Login::Challenge { stale: false, wrong: true },
        }
        // Who has proved to be somebody here may learn that another does not exist.
        if wanted.is_none() {
            return Login::Refused(refuse(r, 404, "Not Found", "1003", "User does not exist"));
        }
        if wanted.is_some_and(|w| w.uri != user.uri) {
            let text =
                format!("Credentials provided are not authorized to act as specified from URI {}", aor);
            return Login::Refused(refuse(r, 403, "Forbidden", "4004", &text));
        }
        if !user.enabled {
            return Login::Refused(refuse(r, 403, "Forbidden", "4003", "The user is not enabled for SIP"));
        }
        Login::Ok(Box::new(user))
    }

    fn challenge(&self, r: &Request, realm: &str, stale: bool, wrong: bool) -> Response {
        let quirk = quirk(r);
        let (status, reason, header) = match quirk {
            Quirk::ProxyMd5 => (407, "Proxy Authentication Required", "Proxy-Authenticate"),
            Quirk::None | Quirk::Md5 => (401, "Unauthorized", "WWW-Authenticate"),
        };
        let algorithms: &[Algorithm] = match quirk {
            Quirk::None => &[Algorithm::Sha256, Algorithm::Md5],
            Quirk::Md5 | Quirk::ProxyMd5 => &[Algorithm::Md5],
        };
        let mut out = Response::reply_to(r, status, reason).with_to_tag("fe");
        let nonce = self.nonces.make();
        for algorithm in algorithms {
            let (realm, nonce, algorithm) = (realm.to_owned(), nonce.clone(), *algorithm);
            let c = Challenge { realm, nonce, algorithm, stale, auth: true, opaque: None };
            out.headers.push(header, c.to_string());
        }
        if wrong {
            out.headers.push(
                "ms-diagnostics",
                "4002;reason=\"The log-on was denied: check user name and password\"",
            );
        }
        out
    }

    fn bind(&self, peer: &Peer, r: &Request, aor: &str, user: &ChatUser) -> Response {
        let contact = r.headers.get("Contact").and_then(NameAddr::parse);
        let asked =
            contact.as_ref().and_then(|c| c.param("expires")).and_then(|e| e.parse().ok()).or(r.expires());
        let expires = asked.unwrap_or(600).min(MAX_EXPIRES);
        let mut out = Response::reply_to(r, 200, "OK").with_to_tag("fe");
        if expires == 0 {
            self.sign_out(peer);
            out.headers.push("Expires", "0");
            self.changed.notify_one();
            return out;
        }
        let contact = contact.map_or_else(|| aor.to_owned(), |c| c.uri.to_string());
        out.headers.push("Contact", format!("<{contact}>;expires={expires}"));
        out.headers.push("Expires", expires.to_string());
        out.headers.push("Allow-Events", wire::provisioning::EVENT);
        out.headers.push("Supported", "adhoclist");
        out.headers.push("Supported", "msrtc-event-categories");
        out.headers.push("ms-keep-alive", "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300");
        out.headers.push("Server", "RTC/5.0");
        let until = Instant::now() + Duration::from_secs(u64::from(expires)) + GRACE;
        let bound = Bound { aor: user.uri.to_string(), until };
        peer.set_patience(usize::MAX);
        let before = self.state().bound.insert(peer.id, bound.clone());
        if before.is_some_and(|b| b.aor != bound.aor) {
            // Another user has taken over the connection: the first one's dialogs are not his.
            self.end_dialogs(Some(peer), |d| d.client.id == peer.id, Told::Both);
        }
        self.changed.notify_one();
        out
    }

    /// Takes a connection's user away; his dialogs end with it.
    pub(super) fn sign_out(&self, peer: &Peer) {
        peer.set_patience(STRANGER);
        {
            let mut state = self.state();
            state.bound.remove(&peer.id);
            if let Some(c) = state.accepted.get_mut(&peer.id) {
                c.since = Instant::now();
            }
        }
        self.end_dialogs(Some(peer), |d| d.client.id == peer.id, Told::Both);
        self.changed.notify_one();
    }
}
