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
    /// Offers `qop=auth`; a peer of RFC 2069 does not, and wants the older response.
    pub auth: bool,
    /// To be sent back as it stands.
    pub opaque: Option<String>,
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
    /// Reads a header value; none when it is another scheme, an unknown algorithm or offers `auth-int` only.
    pub fn parse(text: &str) -> Option<Self> {
        let f = fields(text)?;
        let algorithm = get(&f, "algorithm").map_or(Some(Algorithm::Md5), |a| Algorithm::parse(&a))?;
        let stale = get(&f, "stale").is_some_and(|s| s.eq_ignore_ascii_case("true"));
        // `auth-int` alone would cover the body, which is not spoken here.
        let auth = match get(&f, "qop") {
            None => false,
            Some(q) if q.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        let (realm, nonce) = (get(&f, "realm")?, get(&f, "nonce")?);
        Some(Self { realm, nonce, algorithm, stale, auth, opaque: get(&f, "opaque") })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Digest realm={}, nonce={}{}, algorithm={}",
            quote(&self.realm),
            quote(&self.nonce),
            if self.auth { ", qop=\"auth\"" } else { "" },
            self.algorithm.token()
        )?;
        if let Some(o) = &self.opaque {
            write!(f, ", opaque={}", quote(o))?;
        }
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
    /// As the challenge had it.
    pub opaque: Option<String>,
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
            opaque: get(&f, "opaque"),
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
        if let Some(q) = &self.qop {
            write!(f, ", qop={q}, nc={}, cnonce={}", self.nc_text, quote(&self.cnonce))?;
        }
        match &self.opaque {
            Some(o) => write!(f, ", opaque={}", quote(o)),
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
        cnonce: if c.auth { cnonce.to_owned() } else { String::new() },
        nc: if c.auth { nc } else { 0 },
        nc_text: if c.auth { format!("{nc:08x}") } else { String::new() },
        qop: c.auth.then(|| "auth".to_owned()),
        opaque: c.opaque.clone(),
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
                auth: true,
                opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".to_owned()),
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

    /// RFC 2617 §3.5.
    #[test]
    fn vector_of_rfc_2617() {
        let c = Challenge::parse(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        )
        .unwrap();
        assert_eq!((c.algorithm, c.stale), (Algorithm::Md5, false));
        let secret = ha1(Algorithm::Md5, "Mufasa", &c.realm, "Circle Of Life");
        assert_eq!(secret, "939e7578ed9e3c518a452acee763bce9");
        let r = respond(&c, "Mufasa", &secret, "GET", "/dir/index.html", "0a4f113b", 1);
        assert_eq!(r.response, "6629fae49393a05397450978507c4ef1");
        assert!(r.to_string().ends_with(", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""), "{r}");
        // As the RFC prints the header, with its line breaks as blanks.
        let printed = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        assert!(verify(&Credentials::parse(printed).unwrap(), &secret, "GET"));
    }

    /// RFC 2617 §3.2.2.1: a peer of RFC 2069 sends no qop.
    #[test]
    fn credentials_without_qop() {
        let secret = ha1(Algorithm::Md5, "Mufasa", "testrealm@host.com", "CircleOfLife");
        // The corrected example of RFC 2069 §2.4 (erratum 749).
        let printed = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", response=\"1949323746fe6a43ef61f9606e7febea\"";
        assert!(verify(&Credentials::parse(printed).unwrap(), &secret, "GET"));
        // The answer to such a peer has no qop either.
        let c = Challenge::parse(
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
        )
        .unwrap();
        let r = respond(&c, "Mufasa", &secret, "GET", "/dir/index.html", "unused", 1);
        assert_eq!(r.response, "1949323746fe6a43ef61f9606e7febea");
        assert!(!r.to_string().contains("nc="), "{r}");
        assert_eq!(Credentials::parse(&r.to_string()), Some(r));
    }

    #[test]
    fn a_challenge_survives_writing() {
        for text in [
            "Digest realm=\"a \\\"b\\\" \\\\ c\", nonce=\"n,1\", qop=\"auth\", algorithm=SHA-256, opaque=\"o\", stale=true",
            "Digest realm=\"r\", nonce=\"n\", algorithm=MD5",
        ] {
            assert_eq!(Challenge::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Challenge::parse("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""), None);
    }

    /// RFC 7616 §3.9.2 uses SHA-512-256, which is not spoken here: the offer is passed over.
    #[test]
    fn an_unknown_algorithm_is_no_offer() {
        let text = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", charset=UTF-8, userhash=true";
        assert_eq!(Challenge::parse(text), None);
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
