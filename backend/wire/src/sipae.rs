//! MS-SIPAE: how NTLM goes in SIP headers, and which parts of a message are signed.

use crate::ntlm::Keys;
use crate::sip::{Headers, Request, Response};
use crate::uri::split_values;

/// The parameters of an authentication header after its scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `SCHEME name="value", …` when it is of this scheme.
    pub fn parse(value: &str, scheme: &str) -> Option<Self> {
        let (name, rest) = value.trim().split_once(char::is_whitespace)?;
        if !name.eq_ignore_ascii_case(scheme) {
            return None;
        }
        let one = |p: String| {
            let (n, v) = p.split_once('=')?;
            Some((n.trim().to_ascii_lowercase(), v.trim().trim_matches('"').to_owned()))
        };
        Some(Self(split_values(rest).into_iter().filter_map(one).collect()))
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// The NTLM offer among the challenges of an answer.
pub fn ntlm_offer(h: &Headers) -> Option<Parameters> {
    h.get_all("WWW-Authenticate").find_map(|v| Parameters::parse(v, "NTLM"))
}

/// The schemes that an answer offers, as it spells them.
pub fn schemes(h: &Headers) -> Vec<String> {
    let first = |v: &str| v.split_whitespace().next().unwrap_or_default().to_owned();
    h.get_all("WWW-Authenticate").map(first).collect()
}

/// What both sides know of a security association.
#[derive(Clone)]
pub struct Association {
    /// Its name.
    pub opaque: String,
    /// Realm, as the challenge spelt it.
    pub realm: String,
    /// The server's name, as the challenge spelt it.
    pub target: String,
    /// 2, 3 or 4.
    pub version: u32,
    /// For what the client sends.
    pub client: Keys,
    /// For what the server sends.
    pub server: Keys,
}

/// The text between < and > of an address, or the address itself without its parameters.
fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => value.split(';').next().unwrap_or(value).trim(),
    }
}

fn tag_of(value: &str) -> &str {
    let after = value.rsplit_once('>').map_or(value, |(_, a)| a);
    after.split(';').find_map(|p| p.trim().strip_prefix("tag=")).unwrap_or_default().trim()
}

impl Association {
    /// The text that is signed (MS-SIPAE 3.1.4, `reference/protocol/auth.md` §3).
    fn text(&self, h: &Headers, rand: &str, number: u32, status: Option<u16>) -> String {
        let get = |n: &str| h.get(n).unwrap_or_default().trim();
        let cseq = get("CSeq");
        let (seq, method) = cseq.split_once(char::is_whitespace).unwrap_or((cseq, ""));
        let (from, to) = (get("From"), get("To"));
        let number = number.to_string();
        let mut parts =
            vec!["NTLM", rand, &number, &self.realm, &self.target, get("Call-ID"), seq, method.trim()];
        parts.extend([uri_of(from), tag_of(from)]);
        let identities: Vec<String> = ["P-Asserted-Identity", "P-Preferred-Identity"]
            .iter()
            .flat_map(|n| h.values(n))
            .map(|v| uri_of(&v).to_owned())
            .collect();
        let of = |scheme: &str| identities.iter().find(|u| u.starts_with(scheme)).map_or("", String::as_str);
        if self.version >= 3 {
            parts.push(uri_of(to));
        }
        parts.push(tag_of(to));
        if self.version >= 3 {
            parts.extend([of("sip:"), of("tel:")]);
        }
        parts.push(get("Expires"));
        let status = status.map(|s| s.to_string());
        parts.extend(status.as_deref());
        parts.iter().map(|p| format!("<{p}>")).collect()
    }

    fn header(&self, rand: &str, number: u32, signature: &str) -> String {
        format!(
            "NTLM qop=\"auth\", opaque=\"{}\", realm=\"{}\", targetname=\"{}\", crand=\"{rand}\", cnum=\"{number}\", response=\"{signature}\"",
            self.opaque, self.realm, self.target
        )
    }

    /// The `Authorization` of a request of the client.
    pub fn sign_request(&self, r: &Request, rand: &str, number: u32) -> String {
        let signature = self.client.signature(&self.text(&r.headers, rand, number, None));
        self.header(rand, number, &signature)
    }

    /// The `Authorization` of a response of the client.
    pub fn sign_response(&self, r: &Response, rand: &str, number: u32) -> String {
        let text = self.text(&r.headers, rand, number, Some(r.status));
        self.header(rand, number, &self.client.signature(&text))
    }

    /// Whether what the server signed is what came; none when it is not signed for this association.
    pub fn holds(&self, h: &Headers, status: Option<u16>) -> Option<bool> {
        let p = ["Authentication-Info", "Proxy-Authentication-Info"]
            .iter()
            .flat_map(|n| h.get_all(n))
            .find_map(|v| Parameters::parse(v, "NTLM"))?;
        let number = p.get("snum")?.parse().ok()?;
        let text = self.text(h, p.get("srand")?, number, status);
        Some(self.server.signature(&text).eq_ignore_ascii_case(p.get("rspauth")?))
    }

    /// The `Authentication-Info` of a server; for peers in tests.
    pub fn sign_as_server(&self, h: &Headers, status: Option<u16>, rand: &str, number: u32) -> String {
        let signature = self.server.signature(&self.text(h, rand, number, status));
        format!(
            "NTLM rspauth=\"{signature}\", srand=\"{rand}\", snum=\"{number}\", opaque=\"{}\", qop=\"auth\", targetname=\"{}\", realm=\"{}\"",
            self.opaque, self.target, self.realm
        )
    }

    /// Whether a client's signature is right; for peers in tests.
    pub fn client_holds(&self, h: &Headers, status: Option<u16>) -> Option<bool> {
        let p = h.get_all("Authorization").find_map(|v| Parameters::parse(v, "NTLM"))?;
        let text = self.text(h, p.get("crand")?, p.get("cnum")?.parse().ok()?, status);
        Some(self.client.signature(&text).eq_ignore_ascii_case(p.get("response")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn association() -> Association {
        let x: [u8; 16] = hex::decode("af3686833ad7fe5f8cb4d0eafdb073cf").unwrap().try_into().unwrap();
        Association {
            opaque: "6E43A4DB".to_owned(),
            realm: "SIP Communications Service".to_owned(),
            target: "fe01.example.test".to_owned(),
            version: 4,
            client: Keys::of_client(&x),
            server: Keys::of_server(&x),
        }
    }

    fn headers(to: &str, expires: Option<&str>) -> Headers {
        let mut h = Headers::default();
        h.push("From", "<sip:alice@example.test>;tag=3876445675;epid=02");
        h.push("To", to);
        h.push("Call-ID", "5B49gF489a3D2Bi276FmAB93tDBA9b434Cx2D3Ax");
        h.push("CSeq", "3 REGISTER");
        if let Some(e) = expires {
            h.push("Expires", e);
        }
        h
    }

    /// A capture, `reference/protocol/auth.md` §5.
    #[test]
    fn the_signatures_of_a_real_session() {
        let a = association();
        let mut r = Request::new("REGISTER", "sip:example.test");
        r.headers = headers("<sip:alice@example.test>", None);
        assert_eq!(
            a.text(&r.headers, "8f35b92e", 1, None),
            "<NTLM><8f35b92e><1><SIP Communications Service><fe01.example.test><5B49gF489a3D2Bi276FmAB93tDBA9b434Cx2D3Ax><3><REGISTER><sip:alice@example.test><3876445675><sip:alice@example.test><><><><>"
        );
        let signed = a.sign_request(&r, "8f35b92e", 1);
        assert!(signed.contains("response=\"01000000b70dbd64e41fd4e764000000\""), "{signed}");
        r.headers.push("Authorization", signed);
        assert_eq!(a.client_holds(&r.headers, None), Some(true));
        r.headers.set("CSeq", "4 REGISTER");
        assert_eq!(a.client_holds(&r.headers, None), Some(false));

        let mut h = headers("<sip:alice@example.test>;tag=reg", Some("600"));
        let info = "NTLM rspauth=\"0100000074CF2a76e274bb4764000000\", srand=\"20be7823\", snum=\"1\", opaque=\"6E43A4DB\"";
        h.push("Authentication-Info", info);
        assert_eq!(a.holds(&h, Some(200)), Some(true));
        assert_eq!(a.holds(&h, Some(202)), Some(false));
        assert_eq!(a.holds(&headers("<sip:a@b>", None), Some(200)), None);
    }

    #[test]
    fn version_2_signs_fewer_parts() {
        let a = Association { version: 2, ..association() };
        assert_eq!(
            a.text(&headers("<sip:alice@example.test>;tag=x", None), "1", 1, None).matches('<').count(),
            12
        );
        assert_eq!(
            schemes(&{
                let mut h = Headers::default();
                h.push("WWW-Authenticate", "TLS-DSK realm=\"r\"");
                h.push("WWW-Authenticate", "Kerberos realm=\"r\"");
                h
            }),
            ["TLS-DSK", "Kerberos"]
        );
    }
}
