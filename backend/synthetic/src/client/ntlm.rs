//! Signing on with NTLM, and signing every message afterwards (MS-SIPAE).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::Timestamp;
use shared::synthetic::CauseCode;
use wire::ntlm::{self, Keys};
use wire::sip::{Request, Response};
use wire::sipae::{Association, Parameters};

use super::{Client, Done};
use crate::cause::Failure;

/// Milliseconds from 1601 to 1970: Windows counts from there.
const SINCE_1601: i64 = 11_644_473_600_000;

/// Signs what the test sends, and checks what the server signed.
pub struct Signer {
    association: Association,
    /// Key of the random numbers; secret only as far as nobody can foretell them.
    seed: [u8; 16],
    number: u32,
}

impl Signer {
    fn next(&mut self) -> (String, u32) {
        self.number += 1;
        let r = ntlm::hmac_md5(&self.seed, &[&self.number.to_le_bytes()]);
        (r[..4].iter().map(|b| format!("{b:02x}")).collect(), self.number)
    }

    /// The `Authorization` of a request.
    pub fn request(&mut self, r: &Request) -> String {
        let (rand, number) = self.next();
        self.association.sign_request(r, &rand, number)
    }

    /// The `Authorization` of a response.
    pub fn response(&mut self, r: &Response) -> String {
        let (rand, number) = self.next();
        self.association.sign_response(r, &rand, number)
    }

    /// Whether the server's signature is wrong; one that is not there is not.
    pub fn refutes(&self, m: &wire::sip::Message) -> bool {
        let (headers, status) = match m {
            wire::sip::Message::Request(r) => (&r.headers, None),
            wire::sip::Message::Response(r) => (&r.headers, Some(r.status)),
        };
        self.association.holds(headers, status) == Some(false)
    }
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was sent.
    Begin,
    /// The server was asked for its challenge.
    Asked,
    /// The proof was sent.
    Proved,
}

fn broken(host: &str, what: &str) -> Failure {
    Failure::new(
        CauseCode::ProtocolError,
        format!("NTLM: {what}"),
        format!("{host} offers NTLM, but {what}."),
    )
}

impl Client<'_> {
    /// Bytes that nobody can foretell, other ones for each use.
    fn random(&mut self, use_: &str) -> [u8; 16] {
        let n = self.unique();
        ntlm::hmac_md5(&self.plan.secret, &[use_.as_bytes(), n.as_bytes()])
    }

    /// Puts the answer to an NTLM challenge into the next REGISTER; none when the server wants another
    /// proof of the same password.
    pub(super) fn negotiate(
        &mut self,
        r: &mut Request,
        offer: &Parameters,
        stage: Stage,
    ) -> Done<Option<Stage>> {
        let text = |n: &str| offer.get(n).unwrap_or_default().to_owned();
        let (realm, target) = (text("realm"), text("targetname"));
        let version: u32 = offer.get("version").and_then(|v| v.parse().ok()).unwrap_or(2).min(4);
        let given = text("gssapi-data");
        if stage == Stage::Proved {
            return Ok(None);
        }
        if given.is_empty() {
            if stage == Stage::Asked {
                return Err(broken(&self.plan.registrar_host, "sends no challenge"));
            }
            let ask = format!(
                "NTLM qop=\"auth\", realm=\"{realm}\", targetname=\"{target}\", gssapi-data=\"\", version={version}"
            );
            r.headers.set("Authorization", ask);
            return Ok(Some(Stage::Asked));
        }
        let host = self.plan.registrar_host.clone();
        let challenge = STANDARD.decode(given).ok().and_then(|b| ntlm::Challenge::parse(&b));
        let Some(challenge) = challenge else { return Err(broken(&host, "its challenge cannot be read")) };
        let logon = self.account.logon.clone();
        let (domain, user) = logon.split_once('\\').unwrap_or(("", &logon));
        let now = Timestamp::parse(&self.plan.started_at).unwrap_or_default().millis() + SINCE_1601;
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&self.random("nonce")[..8]);
        let me = ntlm::Client {
            user,
            domain,
            workstation: "",
            password: &self.account.password,
            nonce,
            session_key: self.random("session"),
            time: now.unsigned_abs() * 10_000,
        };
        let Some((token, exported)) = ntlm::authenticate(&challenge, &me) else {
            return Err(broken(
                &host,
                "without what SIP needs of it (Unicode, datagrams, extended security)",
            ));
        };
        let association = Association {
            opaque: text("opaque"),
            realm,
            target,
            version,
            client: Keys::of_client(&exported),
            server: Keys::of_server(&exported),
        };
        let mut signer = Signer { association, seed: self.random("numbers"), number: 0 };
        let token = STANDARD.encode(token);
        let a = &signer.association;
        let header = if version >= 4 {
            let signed = signer.request(r);
            format!("{signed}, gssapi-data=\"{token}\", version={version}")
        } else {
            format!(
                "NTLM qop=\"auth\", opaque=\"{}\", realm=\"{}\", targetname=\"{}\", gssapi-data=\"{token}\", version={version}",
                a.opaque, a.realm, a.target
            )
        };
        r.headers.set("Authorization", header);
        self.conn.sign_with(Some(signer));
        Ok(Some(Stage::Proved))
    }
}
