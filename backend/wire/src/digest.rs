//! Digest authentication, RFC 3261 §22, 7616, 8760. MD5 for old peers, SHA-256 first.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::uri::split_values;

/// Hash of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// The token on the wire.
    pub fn token(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|a| a.token().eq_ignore_ascii_case(text))
    }

    fn hex(self, text: &str) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(text.as_bytes())),
            Self::Sha256 => hex::encode(Sha256::digest(text.as_bytes())),
        }
    }
}

/// H(user:realm:password); what a server keeps instead of the password.
pub fn ha1(a: Algorithm, user: &str, realm: &str, password: &str) -> String {
    a.hex(&format!("{user}:{realm}:{password}"))
}

/// A challenge (`WWW-Authenticate`, `Proxy-Authenticate`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Realm.
    pub realm: String,
    /// Nonce.
    pub nonce: String,
    /// Hash.
    pub algorithm: Algorithm,
    /// The nonce ended; the password was not wrong.
    pub stale: bool,
}

fn fields(text: &str) -> Option<Vec<(String, String)>> {
    let rest = text.trim();
    let rest = rest.get(..6).filter(|s| s.eq_ignore_ascii_case("digest")).map(|_| &rest[6..])?;
    Some(
        split_values(rest)
            .into_iter()
            .filter_map(|p| p.split_once('=').map(|(k, v)| (k.trim().to_lowercase(), unquote(v.trim()))))
            .collect(),
    )
}

fn unquote(v: &str) -> String {
    v.strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .unwrap_or(v)
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
}

fn quote(v: &str) -> String {
    format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))
}

fn get(list: &[(String, String)], k: &str) -> Option<String> {
    list.iter().find(|(n, _)| n == k).map(|(_, v)| v.clone())
}

impl Challenge {
    /// Reads a header value; none when it is another scheme or an unknown algorithm.
    pub fn parse(text: &str) -> Option<Self> {
        let f = fields(text)?;
        let algorithm = get(&f, "algorithm").map_or(Some(Algorithm::Md5), |a| Algorithm::parse(&a))?;
        let stale = get(&f, "stale").is_some_and(|s| s.eq_ignore_ascii_case("true"));
        Some(Self { realm: get(&f, "realm")?, nonce: get(&f, "nonce")?, algorithm, stale })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest realm={}, nonce={}, qop=\"auth\", algorithm={}",
            quote(&self.realm),
            quote(&self.nonce),
            self.algorithm.token()
        )?;
        if self.stale { f.write_str(", stale=true") } else { Ok(()) }
    }
}

/// Credentials (`Authorization`, `Proxy-Authorization`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name as sent.
    pub username: String,
    /// Realm.
    pub realm: String,
    /// Nonce.
    pub nonce: String,
    /// Digest URI, as sent: it is hashed as it stands.
    pub uri: String,
    /// Hash.
    pub algorithm: Algorithm,
    /// Client nonce.
    pub cnonce: String,
    /// Nonce count.
    pub nc: u32,
    /// The nonce count as sent.
    nc_text: String,
    /// `auth`, or none for RFC 2069 peers.
    pub qop: Option<String>,
    /// Response.
    pub response: String,
}

impl Credentials {
    /// Reads a header value; none when it is another scheme or a field is missing.
    pub fn parse(text: &str) -> Option<Self> {
        let f = fields(text)?;
        let nc_text = get(&f, "nc").unwrap_or_default();
        Some(Self {
            username: get(&f, "username")?,
            realm: get(&f, "realm")?,
            nonce: get(&f, "nonce")?,
            uri: get(&f, "uri")?,
            algorithm: get(&f, "algorithm").map_or(Some(Algorithm::Md5), |a| Algorithm::parse(&a))?,
            cnonce: get(&f, "cnonce").unwrap_or_default(),
            nc: u32::from_str_radix(&nc_text, 16).unwrap_or(0),
            nc_text,
            qop: get(&f, "qop"),
            response: get(&f, "response")?,
        })
    }

    fn expected(&self, ha1: &str, method: &str) -> String {
        let a = self.algorithm;
        let ha2 = a.hex(&format!("{method}:{}", self.uri));
        match &self.qop {
            Some(qop) => a.hex(&format!("{ha1}:{}:{}:{}:{qop}:{ha2}", self.nonce, self.nc_text, self.cnonce)),
            None => a.hex(&format!("{ha1}:{}:{ha2}", self.nonce)),
        }
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest username={}, realm={}, nonce={}, uri={}, response={}, algorithm={}",
            quote(&self.username),
            quote(&self.realm),
            quote(&self.nonce),
            quote(&self.uri),
            quote(&self.response),
            self.algorithm.token()
        )?;
        match &self.qop {
            Some(q) => write!(f, ", qop={q}, nc={}, cnonce={}", self.nc_text, quote(&self.cnonce)),
            None => Ok(()),
        }
    }
}

/// The answer to a challenge.
pub fn respond(
    c: &Challenge,
    user: &str,
    ha1: &str,
    method: &str,
    uri: &str,
    cnonce: &str,
    nc: u32,
) -> Credentials {
    let mut out = Credentials {
        username: user.to_owned(),
        realm: c.realm.clone(),
        nonce: c.nonce.clone(),
        uri: uri.to_owned(),
        algorithm: c.algorithm,
        cnonce: cnonce.to_owned(),
        nc,
        nc_text: format!("{nc:08x}"),
        qop: Some("auth".to_owned()),
        response: String::new(),
    };
    out.response = out.expected(ha1, method);
    out
}

/// Whether the credentials belong to `ha1`; takes the same time whatever differs.
pub fn verify(c: &Credentials, ha1: &str, method: &str) -> bool {
    c.expected(ha1, method).as_bytes().ct_eq(c.response.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1.
    #[test]
    fn vectors_of_rfc_7616() {
        for (a, wanted) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let c = Challenge {
                realm: "http-auth@example.org".to_owned(),
                nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".to_owned(),
                algorithm: a,
                stale: false,
            };
            let secret = ha1(a, "Mufasa", &c.realm, "Circle of Life");
            let r = respond(
                &c,
                "Mufasa",
                &secret,
                "GET",
                "/dir/index.html",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                1,
            );
            assert_eq!(r.response, wanted);
            let again = Credentials::parse(&r.to_string()).unwrap();
            assert_eq!(again, r);
            assert!(verify(&again, &secret, "GET") && !verify(&again, &secret, "POST"));
        }
    }

    #[test]
    fn a_backslash_in_the_user_name_survives() {
        let c = Challenge::parse("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256").unwrap();
        let secret = ha1(c.algorithm, "litwareinc\\pilar", "r", "pw");
        let r = respond(&c, "litwareinc\\pilar", &secret, "REGISTER", "sip:r", "x", 10);
        let again = Credentials::parse(&r.to_string()).unwrap();
        assert_eq!((again.username.as_str(), again.nc), ("litwareinc\\pilar", 10));
        assert!(verify(&again, &secret, "REGISTER"));
    }
}
