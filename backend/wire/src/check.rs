//! What a request must have before anything is done with it (RFC 3261 §§8.1.1, 8.2, 16.3; RFC 4475 says what
//! the answer is). Lenient where the RFC allows it: blanks in an address and display names without quotes are
//! read as they are meant.

use crate::sip::{Request, Response, Via, split_values};
use crate::uri::outside_quotes;

/// Headers that stand once.
const ONCE: [&str; 7] = ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires"];

/// The answer to a request that cannot be worked with; none when it can.
pub fn fault(r: &Request) -> Option<Response> {
    let bad = |text: &str| Some(refuse(r, 400, text));
    if let Some(no) = request_uri(r) {
        return Some(no);
    }
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        if r.headers.get(name).is_none_or(|v| v.trim().is_empty()) {
            return bad(&format!("{name} is missing"));
        }
    }
    if let Some(name) = ONCE.into_iter().find(|n| r.headers.get_all(n).nth(1).is_some()) {
        return bad(&format!("{name} stands there more than once"));
    }
    match r.cseq() {
        None => return bad("CSeq is no number and method"),
        Some((n, _)) if n >= 1 << 31 => return bad("The number of CSeq is too large"),
        Some((_, m)) if m != r.method => return bad("CSeq names another method"),
        Some(_) => {}
    }
    let number = |name: &str, most: u64| {
        r.headers.get(name).is_some_and(|v| !v.trim().parse::<u64>().is_ok_and(|n| n <= most))
    };
    if number("Max-Forwards", 255) {
        return bad("Max-Forwards is no number up to 255");
    }
    if number("Expires", u64::from(u32::MAX)) {
        return bad("Expires is no number of seconds");
    }
    if let Some(name) = ["From", "To"].into_iter().find(|n| !address(r.headers.get(n).unwrap_or_default())) {
        return bad(&format!("{name} is no address"));
    }
    if r.headers.values("Contact").iter().any(|c| !contact(c)) {
        return bad("Contact is no address");
    }
    let top = r.headers.get_all("Via").flat_map(split_values).next();
    if top.and_then(|v| Via::parse(&v)).is_none() {
        return bad("Via cannot be read");
    }
    extensions(r)
}

/// An answer that says what is wrong in a Warning, for people.
fn refuse(r: &Request, status: u16, text: &str) -> Response {
    let reason = match status {
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        505 => "Version Not Supported",
        _ => "Bad Request",
    };
    let mut no = Response::reply_to(r, status, reason).with_to_tag("check");
    no.headers.push("Warning", format!("399 lifeguard \"{}\"", text.replace(['"', '\\'], "'")));
    no
}

fn request_uri(r: &Request) -> Option<Response> {
    let scheme = r.uri.split_once(':').map_or("", |(s, _)| s);
    let token = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(token) || r.uri.contains(['<', '>', '"']) {
        return Some(refuse(r, 400, "The Request-URI is no URI"));
    }
    if !["sip", "sips", "tel"].iter().any(|s| s.eq_ignore_ascii_case(scheme)) {
        return Some(refuse(r, 416, "Only sip, sips and tel are known"));
    }
    // Headers in a Request-URI are for building a request, not for sending one (RFC 3261 §19.1.1).
    let host = r.uri.rsplit_once('@').map_or(r.uri.as_str(), |(_, h)| h);
    host.contains('?').then(|| refuse(r, 400, "The Request-URI has headers"))
}

/// Whether From or To can be an address: quotes and brackets are closed, and it has a scheme.
fn address(text: &str) -> bool {
    let Some(plain) = outside_quotes(text) else { return false };
    let uri = match plain.split_once('<') {
        Some((_, rest)) => match rest.split_once('>') {
            Some((uri, _)) => uri,
            None => return false,
        },
        None => plain.as_str(),
    };
    uri.trim().split_once(':').is_some_and(|(s, rest)| !s.is_empty() && !rest.trim().is_empty())
}

/// Whether a Contact can be read. Without brackets its parameters and headers would be those of the header.
fn contact(text: &str) -> bool {
    text.trim() == "*" || (address(text) && (text.contains('<') || !text.contains('?')))
}

/// Extensions that must be understood and are not.
fn extensions(r: &Request) -> Option<Response> {
    let mut asked = r.headers.values("Proxy-Require");
    // What is meant for the far end is its affair, unless this is the far end.
    if ["REGISTER", "OPTIONS", "SUBSCRIBE"].contains(&r.method.as_str()) {
        asked.extend(r.headers.values("Require"));
    }
    // Those of Microsoft's clients ask for what the service does anyway.
    asked.retain(|t| !t.to_ascii_lowercase().starts_with("ms-"));
    if asked.is_empty() {
        return None;
    }
    let mut no = refuse(r, 420, "This extension is not supported");
    no.headers.push("Unsupported", asked.join(", "));
    Some(no)
}

/// The answer to bytes that are a request but cannot be read as one; none when there is nobody to answer.
pub fn unreadable(head: &str, text: &str) -> Option<Response> {
    let mut lines = head.split("\r\n").flat_map(|l| l.split('\n'));
    let start = lines.next()?.trim_end();
    let version = start.rsplit(' ').next().filter(|v| v.starts_with("SIP/"))?;
    let method =
        start.split(' ').next().filter(|m| !m.is_empty() && !m.starts_with("SIP/") && *m != "ACK")?;
    let mut r = Request::new(method, "sip:unreadable.invalid");
    for (name, value) in lines.filter(|l| !l.starts_with([' ', '\t'])).filter_map(|l| l.split_once(':')) {
        r.headers.push(name.trim(), value.trim());
    }
    r.headers.get("Via")?;
    let other = version != "SIP/2.0" && version[4..].split('.').all(|n| n.parse::<u32>().is_ok());
    Some(if other { refuse(&r, 505, "Only SIP/2.0 is spoken") } else { refuse(&r, 400, text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Request {
        let mut r = Request::new("OPTIONS", "sip:a@contoso.com");
        for (n, v) in [
            ("Via", "SIP/2.0/TCP h;branch=z9hG4bK1"),
            ("From", "\"A, <B\" <sip:a@contoso.com>;tag=1"),
            ("To", "sip:b@contoso.com"),
            ("Call-ID", "1"),
            ("CSeq", "1 OPTIONS"),
        ] {
            r.headers.push(n, v);
        }
        r
    }

    #[test]
    fn each_fault_has_its_answer_and_what_is_sound_has_none() {
        let status = |r: &Request| fault(r).map(|a| a.status);
        assert_eq!(status(&good()), None);
        let with = |name: &str, value: &str| {
            let mut r = good();
            r.headers.set(name, value);
            status(&r)
        };
        for (name, value, expected) in [
            ("From", "\"A <sip:a@contoso.com>;tag=1", Some(400)),
            ("From", "<sip:a@contoso.com;tag=1", Some(400)),
            ("To", "tel:+12025550100", None),
            ("CSeq", "1 INVITE", Some(400)),
            ("CSeq", "4294967295 OPTIONS", Some(400)),
            ("Max-Forwards", "300", Some(400)),
            ("Max-Forwards", "70", None),
            ("Expires", "10000000000000000000000", Some(400)),
            ("Contact", "sip:user@example.com?Route=%3Csip:sip.example.com%3E", Some(400)),
            ("Contact", "*", None),
            ("Via", "nothing", Some(400)),
            ("Require", "nothingSupportsThis", Some(420)),
            ("Proxy-Require", "ms-benotify", None),
        ] {
            assert_eq!(with(name, value), expected, "{name}: {value}");
        }
        let uri = |u: &str| status(&Request { uri: u.to_owned(), ..good() });
        for (u, expected) in [
            ("<sip:a@contoso.com>", Some(400)),
            ("soap.beep://192.0.2.103:3002", Some(416)),
            ("sip:a@contoso.com?Route=%3Csip:b%3E", Some(400)),
            ("sip:a?b@contoso.com", None),
            ("tel:+12025550100", None),
            ("contoso.com", Some(400)),
        ] {
            assert_eq!(uri(u), expected, "{u}");
        }
        let twice = {
            let mut r = good();
            r.headers.push("Call-ID", "2");
            r
        };
        assert_eq!(status(&twice), Some(400));
        let lost = {
            let mut r = good();
            r.headers.remove("To");
            r
        };
        assert_eq!(status(&lost), Some(400));
    }

    #[test]
    fn the_sender_of_what_cannot_be_read_is_told() {
        let of = |start: &str| {
            unreadable(&format!("{start}\r\nVia: SIP/2.0/TCP h\r\nCall-ID: x"), "no").map(|r| r.status)
        };
        assert_eq!(of("OPTIONS sip:a@b SIP/7.0"), Some(505));
        assert_eq!(of("OPTIONS  sip:a@b SIP/2.0"), Some(400));
        assert_eq!(of("ACK  sip:a@b SIP/2.0"), None);
        assert_eq!(of("GET / HTTP/1.1"), None);
        assert_eq!(of("SIP/2.0 4294967301 better not"), None);
    }
}
