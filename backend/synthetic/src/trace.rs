//! The messages of a run, kept with a bound, secrets blanked. What other people say in the room is not
//! kept at all: it has no place in a test's log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use shared::synthetic::Role;
use shared::trace::TraceMessage;

use crate::record::micros;

/// Bytes that the messages of a run may take together.
const SPACE: usize = 256 * 1024;
/// Bytes of one message; what is longer is cut.
const LONGEST: usize = 16 * 1024;
/// What stands in place of a secret.
const BLANK: &str = "(blanked)";
/// Parameters of authentication headers that are made from a password.
const PARAMETERS: [&str; 3] = ["response", "rspauth", "gssapi-data"];

/// The messages of a run.
pub struct Trace {
    zero: Instant,
    /// Texts that never stand in it: the passwords.
    secrets: Vec<String>,
    /// Stands in the run's own chat messages.
    nonce: String,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    messages: Vec<TraceMessage>,
    bytes: usize,
    left_out: u32,
}

impl Trace {
    /// Begins now.
    pub fn new(secrets: Vec<String>, nonce: &str) -> Arc<Self> {
        let secrets = secrets.into_iter().filter(|s| s.len() > 2).collect();
        Arc::new(Self { zero: Instant::now(), secrets, nonce: nonce.to_owned(), log: Mutex::default() })
    }

    /// What one user's connection notes with.
    pub fn tap(self: &Arc<Self>, role: Role) -> Tap {
        Tap { trace: self.clone(), role }
    }

    fn note(&self, role: Role, sent: bool, bytes: &[u8]) {
        let at_us = micros(self.zero.elapsed());
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.bytes >= SPACE {
            log.left_out = log.left_out.saturating_add(1);
            return;
        }
        let text = self.readable(bytes);
        log.bytes += text.len();
        log.messages.push(TraceMessage { role, at_us, sent, text });
    }

    fn readable(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let head: Vec<String> = head.split("\r\n").map(header).collect();
        let others = body.contains("<chat") && !body.contains(&self.nonce);
        let body = if others { "(messages of other people, not kept)".to_owned() } else { blank_body(body) };
        let mut out = format!("{}\r\n\r\n{body}", head.join("\r\n"));
        for s in &self.secrets {
            if out.contains(s.as_str()) {
                out = out.replace(s.as_str(), BLANK);
            }
        }
        if out.len() > LONGEST {
            let rest = out.len() - LONGEST;
            out.truncate(out.floor_char_boundary(LONGEST));
            out.push_str(&format!("\n… {rest} more bytes"));
        }
        out
    }

    /// The messages so far, and how many had no space.
    pub fn take(&self) -> (Vec<TraceMessage>, u32) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut log.messages), log.left_out)
    }
}

/// One user's way into the trace.
pub struct Tap {
    trace: Arc<Trace>,
    role: Role,
}

impl Tap {
    /// A message that the test sends.
    pub fn sent(&self, bytes: &[u8]) {
        self.trace.note(self.role, true, bytes);
    }

    /// A message that came.
    pub fn received(&self, bytes: &[u8]) {
        self.trace.note(self.role, false, bytes);
    }
}

/// A header line, without what is made from a password.
fn header(line: &str) -> String {
    let (name, _) = line.split_once(':').unwrap_or((line, ""));
    let name = name.trim().to_ascii_lowercase();
    if !(name.ends_with("authorization") || name.ends_with("authentication-info")) {
        return line.to_owned();
    }
    let mut out = line.to_owned();
    if name.ends_with("authorization") && out.to_ascii_lowercase().contains(": basic ") {
        return format!("{}: Basic {BLANK}", line.split(':').next().unwrap_or_default());
    }
    for p in PARAMETERS {
        out = blank_parameter(&out, p);
    }
    out
}

/// `name="…"` or `name=…` of a list of parameters, its value blanked.
fn blank_parameter(line: &str, name: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut from = 0;
    while let Some(i) = lower[from..].find(name).map(|i| i + from) {
        let after = i + name.len();
        let begins = lower[..i].ends_with([' ', ',', '\t']);
        if let Some(value) = lower[after..].strip_prefix('=').filter(|_| begins) {
            let start = after + 1;
            let end = match value.strip_prefix('"') {
                Some(quoted) => start + 1 + quoted.find('"').map_or(quoted.len(), |n| n + 1),
                None => start + value.find(',').unwrap_or(value.len()),
            };
            return format!("{}\"{BLANK}\"{}", &line[..start], &line[end..]);
        }
        from = after;
    }
    line.to_owned()
}

fn is_secret(name: &str) -> bool {
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "pin"].iter().any(|s| name.ends_with(s))
        || (name.ends_with("key") && name != "key")
}

/// A body without keys and passwords: of SDP the keys of media, of XML what elements and attributes say
/// whose names tell of a secret.
fn blank_body(body: &str) -> String {
    if !body.contains('<') {
        let line = |l: &str| match l.get(..2) {
            Some("k=") => format!("k={BLANK}"),
            Some("a=") if l.starts_with("a=crypto") => format!("a=crypto:{BLANK}"),
            _ => l.to_owned(),
        };
        return body.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n");
    }
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some(close) = rest.find('>') else { break };
        let tag = &rest[..=close];
        out.push_str(&blank_attributes(tag));
        rest = &rest[close + 1..];
        let name = tag.trim_start_matches('<').split([' ', '>', '/', '\r', '\n', '\t']).next().unwrap_or("");
        if !tag.ends_with("/>") && !name.is_empty() && is_secret(name) {
            let end = rest.find('<').unwrap_or(rest.len());
            if end > 0 {
                out.push_str(BLANK);
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

fn blank_attributes(tag: &str) -> String {
    let mut out = String::with_capacity(tag.len());
    let mut rest = tag;
    while let Some(eq) = rest.find('=') {
        let name = rest[..eq].trim_end().rsplit([' ', '\t', '\n']).next().unwrap_or("").to_owned();
        let value = rest[eq + 1..].trim_start();
        let lead = rest.len() - value.len();
        let Some(quote) = value.chars().next().filter(|c| ['"', '\''].contains(c)) else {
            out.push_str(&rest[..=eq]);
            rest = &rest[eq + 1..];
            continue;
        };
        let end = value[1..].find(quote).map_or(value.len(), |n| n + 2);
        out.push_str(&rest[..lead]);
        if is_secret(&name) {
            out.push_str(&format!("{quote}{BLANK}{quote}"));
        } else {
            out.push_str(&value[..end]);
        }
        rest = &value[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        let t = Trace::new(vec!["hunter22".to_owned()], "nonce 7");
        t.tap(Role::Sender).sent(text.as_bytes());
        t.take().0.remove(0).text
    }

    #[test]
    fn what_is_made_from_a_password_is_blanked() {
        let digest = kept(
            "REGISTER sip:x SIP/2.0\r\nauthorization: Digest username=\"a\",response=\"0f0f\", nc=00000001\r\n\r\n",
        );
        assert!(digest.contains("username=\"a\",response=\"(blanked)\", nc=00000001"), "{digest}");
        let plain =
            kept("REGISTER sip:x SIP/2.0\r\nProxy-Authorization: Digest response=0f0f,realm=\"r\"\r\n\r\n");
        assert!(plain.contains("response=\"(blanked)\",realm=\"r\""), "{plain}");
        let ntlm = kept(
            "REGISTER sip:x SIP/2.0\r\nAuthorization: NTLM gssapi-data=\"TlRM\", crand=\"1\", response=\"aa\"\r\n\r\n",
        );
        assert!(!ntlm.contains("TlRM") && !ntlm.contains("\"aa\"") && ntlm.contains("crand=\"1\""), "{ntlm}");
        let info = kept("SIP/2.0 200 OK\r\nAuthentication-Info: Digest rspauth=\"beef\"\r\n\r\n");
        assert!(!info.contains("beef"), "{info}");
        assert!(!kept("MESSAGE sip:x SIP/2.0\r\n\r\nmy hunter22 here").contains("hunter22"));
        // The nonce of a challenge is no secret, and the word may stand elsewhere.
        let challenge = "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest nonce=\"n\"\r\nX: response=\"stays\"\r\n\r\n";
        assert_eq!(kept(challenge), challenge);
    }

    #[test]
    fn keys_and_passwords_in_bodies_are_blanked() {
        let sdp =
            kept("INVITE sip:x SIP/2.0\r\n\r\nv=0\r\na=crypto:1 AES inline:abc\r\nk=clear:x\r\nm=x\r\n");
        assert!(sdp.ends_with("v=0\r\na=crypto:(blanked)\r\nk=(blanked)\r\nm=x\r\n"), "{sdp}");
        let xml = kept(
            "INFO sip:x SIP/2.0\r\n\r\n<a key=\"0\" userPassword='p' x = \"y\"><mrasToken>tt</mrasToken><n:password/>t<b>s</b></a>",
        );
        assert!(
            xml.ends_with("<a key=\"0\" userPassword='(blanked)' x = \"y\"><mrasToken>(blanked)</mrasToken><n:password/>t<b>s</b></a>"),
            "{xml}"
        );
        for odd in ["<", "<a b=", "<a b='", "a<password", "<secret>", "<a =\"x\">", "<é pin=\"ü", "=<="] {
            kept(&format!("INFO sip:x SIP/2.0\r\n\r\n{odd}"));
        }
    }

    #[test]
    fn what_other_people_say_is_not_kept() {
        let theirs =
            kept("INFO sip:x SIP/2.0\r\n\r\n<grpchat><chat author='sip:z@x'>private</chat></grpchat>");
        assert!(!theirs.contains("private"), "{theirs}");
        let ours = kept("INFO sip:x SIP/2.0\r\n\r\n<grpchat><chat>nonce 7 1/2</chat></grpchat>");
        assert!(ours.contains("nonce 7 1/2"), "{ours}");
    }

    #[test]
    fn the_space_has_a_bound() {
        let t = Trace::new(Vec::new(), "n");
        let tap = t.tap(Role::Receiver);
        let long = format!("INFO sip:x SIP/2.0\r\n\r\n{}", "é".repeat(LONGEST));
        for _ in 0..100 {
            tap.received(long.as_bytes());
        }
        let (messages, left_out) = t.take();
        assert!(messages[0].text.ends_with("more bytes") && messages[0].text.len() < LONGEST + 40);
        assert_eq!(messages.len() + left_out as usize, 100);
        assert!(messages.iter().map(|m| m.text.len()).sum::<usize>() < SPACE + LONGEST + 40);
    }
}
