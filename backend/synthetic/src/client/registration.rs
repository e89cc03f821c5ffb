//! Signing on and off.

use shared::synthetic::{CauseCode, Phase};
use tokio::time::Instant;
use wire::digest::{Algorithm, Challenge, ha1, respond};
use wire::sip::{Request, Response};
use wire::sipae::{ntlm_offer, schemes};

use super::ntlm::Stage;
use super::{Client, Done, Registered};
use crate::Authentication;
use crate::cause::Failure;

/// How often a nonce may be stale before it counts as a refusal.
const STALE: usize = 2;

impl Client<'_> {
    fn register(&mut self, expires: u32) -> Request {
        self.register_cseq += 1;
        let (call, cseq, domain) = (self.register_call.clone(), self.register_cseq, self.domain().to_owned());
        let to = format!("<{}>", self.account.sip_uri);
        let mut r = self.request("REGISTER", &format!("sip:{domain}"), &to, "reg", &call, cseq);
        r.headers.push("Contact", self.contact.clone());
        r.headers.push("Event", "registration");
        r.headers.push("Expires", expires.to_string());
        r
    }

    /// The spellings of the log-on name that the password may be hashed with: as typed, which is what the
    /// header says and what a plain Digest server computes with; then the lower-case form, which is the one
    /// that a registrar keeps that does not tell case apart. Trying both is safe: it is one more refusal at
    /// most, and only for a name with capitals.
    fn spellings(&self) -> Vec<String> {
        let typed = self.account.logon.clone();
        let lower = typed.to_lowercase();
        if lower == typed { vec![typed] } else { vec![typed, lower] }
    }

    fn authorize(&self, r: &mut Request, challenge: &Challenge, spelling: &str) {
        let secret = ha1(challenge.algorithm, spelling, &challenge.realm, &self.account.password);
        let (uri, user) = (r.uri.clone(), &self.account.logon);
        let cnonce = format!("{}{}", self.plan.seed, self.label);
        r.headers.set(
            "Authorization",
            respond(challenge, user, &secret, "REGISTER", &uri, &cnonce, 1).to_string(),
        );
    }

    /// REGISTER, answering challenges; a second refusal of the same password ends it.
    async fn registration(&mut self, expires: u32, phase: Phase, until: Instant) -> Done<Response> {
        let spellings = self.spellings();
        let (mut stale, mut tried, mut stage) = (0, false, Stage::Begin);
        let mut r = self.register(expires);
        loop {
            if expires > 0 {
                self.registered = Registered::Asked;
            }
            let answer = self.exchange(&r, phase, until).await?;
            if expires > 0 {
                self.registered = if answer.status == 200 { Registered::Yes } else { Registered::No };
            }
            if answer.status != 401 || self.plan.authentication == Authentication::TrustedServer {
                return Ok(answer);
            }
            if let Some(offer) = ntlm_offer(&answer.headers) {
                self.conn.sign_with(None);
                r = self.register(expires);
                match self.negotiate(&mut r, &offer, stage)? {
                    Some(next) => stage = next,
                    None => return Ok(answer),
                }
                continue;
            }
            let offers: Vec<Challenge> =
                answer.headers.get_all("WWW-Authenticate").filter_map(Challenge::parse).collect();
            let best = offers.iter().find(|c| c.algorithm == Algorithm::Sha256).or(offers.first());
            let Some(challenge) = best else { return Ok(answer) };
            if challenge.stale && stale < STALE {
                stale += 1;
            } else if tried && self.spelling + 1 < spellings.len() {
                self.spelling += 1;
            } else if tried {
                return Ok(answer);
            }
            tried = true;
            r = self.register(expires);
            self.authorize(&mut r, challenge, &spellings[self.spelling]);
        }
    }

    /// Signs on.
    pub async fn sign_in(&mut self) -> Done<String> {
        let until = self.until();
        let answer = self.registration(600, Phase::SignIn, until).await?;
        if answer.status != 200 {
            return Err(self.sign_in_refused(&answer));
        }
        Ok(format!("signed in as {}", self.account.logon))
    }

    fn sign_in_refused(&self, r: &Response) -> Failure {
        let diagnostics = r.headers.get("ms-diagnostics");
        let number = diagnostics.and_then(|d| d.split(';').next()).map(str::trim).unwrap_or_default();
        let (who, host) = (self.who(), &self.plan.registrar_host);
        let digest = r.headers.get_all("WWW-Authenticate").any(|v| Challenge::parse(v).is_some());
        let spoken = digest || ntlm_offer(&r.headers).is_some();
        let offered = schemes(&r.headers).join(", ");
        let (cause, seen) = match (r.status, number) {
            (401, _) if self.plan.authentication == Authentication::TrustedServer => (
                CauseCode::NotATrustedServer,
                format!(
                    "{host} does not take this portal's certificate for a trusted server's: it wants {who} to prove himself."
                ),
            ),
            (401, _) if !spoken => (
                CauseCode::SchemeNotSpoken,
                format!(
                    "{host} offers {}, and neither NTLM nor Digest.",
                    if offered.is_empty() { "no way to prove who one is" } else { &offered }
                ),
            ),
            (403, "4004") => (
                CauseCode::CredentialOfAnotherAccount,
                format!("The credential {} belongs to another account than {who}.", self.account.logon),
            ),
            (403, "4003") => (CauseCode::UserDisabled, format!("{who} is disabled.")),
            (401, _) | (403, "4002") => {
                (CauseCode::WrongPassword, format!("The password of {who} was refused by {host}."))
            }
            (404, _) => (CauseCode::UnknownUser, format!("The registrar does not know {who}.")),
            (500..600, _) => {
                (CauseCode::RegistrarUnavailable, format!("{host} cannot sign in {who} at the moment."))
            }
            _ => (CauseCode::SignInRefused, format!("The sign-in of {who} was refused by {host}.")),
        };
        Failure::sip(cause, r, seen)
    }

    /// Whether the registrar has the user, or may have.
    pub fn may_be_registered(&self) -> bool {
        self.registered != Registered::No
    }

    /// REGISTER with Expires 0.
    pub async fn sign_off(&mut self, until: Instant) -> Done<String> {
        let was = std::mem::replace(&mut self.registered, Registered::No);
        let answer = self.registration(0, Phase::SignOff, until).await?;
        match (answer.status, was) {
            (200, _) => Ok("signed off".to_owned()),
            // The sign-in had no answer: it may well have been none.
            (_, Registered::Asked | Registered::No) => Ok("was not signed in".to_owned()),
            (_, Registered::Yes) => {
                Err(Failure::sip(CauseCode::ProtocolError, &answer, "The sign-off was refused."))
            }
        }
    }
}
