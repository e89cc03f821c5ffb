//! REGISTER with digest; a connection is bound to its user afterwards.

use shared::SipUri;
use wire::digest::{Algorithm, Challenge, Credentials, verify};
use wire::sip::{NameAddr, Request, Response};

use super::{Bound, FrontEnd, refuse};
use crate::connection::Peer;
use crate::nonce::Verdict;
use crate::traits::ChatUser;

/// Longest registration, seconds.
const MAX_EXPIRES: u32 = 3600;

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
        let known = match self.directory.user_by_aor(&sip).await {
            Ok(Some(u)) => u,
            Ok(None) => return refuse(r, 404, "Not Found", "1003", "User does not exist"),
            Err(e) => return refuse(r, 503, "Service Unavailable", "1019", &e.to_string()),
        };
        match self.login(r, &known).await {
            Login::Ok(user) => self.bind(peer, r, &aor, &user),
            Login::Challenge { stale, wrong } => self.challenge(r, sip.domain(), stale, wrong),
            Login::Refused(response) => response,
        }
    }

    async fn login(&self, r: &Request, wanted: &ChatUser) -> Login {
        let Some(c) = r.headers.get("Authorization").and_then(Credentials::parse) else {
            return Login::Challenge { stale: false, wrong: false };
        };
        match self.nonces.judge(&c.nonce, c.nc.max(1), &c.cnonce) {
            Verdict::Fresh => {}
            Verdict::Stale => return Login::Challenge { stale: true, wrong: false },
            Verdict::Replayed => return Login::Challenge { stale: false, wrong: true },
        }
        let user = match self.directory.user_by_login(&c.username).await {
            Ok(Some(u)) => u,
            Ok(None) => return Login::Challenge { stale: false, wrong: true },
            Err(e) => return Login::Refused(refuse(r, 503, "Service Unavailable", "1019", &e.to_string())),
        };
        let same = |h: &&crate::traits::Ha1| {
            h.algorithm == c.algorithm && h.username.eq_ignore_ascii_case(&c.username)
        };
        // The spelling counts in the hash: every stored one that equals without case is tried.
        let right = c.realm.eq_ignore_ascii_case(user.uri.domain())
            && user.secrets.iter().filter(same).any(|h| verify(&c, &h.ha1, &r.method));
        if !right {
            return Login::Challenge { stale: false, wrong: true };
        }
        if user.uri != wanted.uri {
            let text = format!(
                "Credentials provided are not authorized to act as specified from URI {}",
                wanted.uri
            );
            return Login::Refused(refuse(r, 403, "Forbidden", "4004", &text));
        }
        if !user.enabled {
            return Login::Refused(refuse(r, 403, "Forbidden", "4003", "The user is not enabled for SIP"));
        }
        Login::Ok(Box::new(user))
    }

    fn challenge(&self, r: &Request, realm: &str, stale: bool, wrong: bool) -> Response {
        let mut out = Response::reply_to(r, 401, "Unauthorized").with_to_tag("fe");
        let nonce = self.nonces.make();
        for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
            let (realm, nonce) = (realm.to_owned(), nonce.clone());
            let c = Challenge { realm, nonce, algorithm, stale, auth: true, opaque: None };
            out.headers.push("WWW-Authenticate", c.to_string());
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
            self.state().bound.remove(&peer.id);
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
        let bound = Bound { aor: user.uri.to_string() };
        self.state().bound.insert(peer.id, bound);
        self.changed.notify_one();
        out
    }
}
