//! The targets.

use shared::shell::{Session, complete, line_for, parse_args};
use shared::topology::Topology;
use shared::topology::diff::{apply, diff};
use shared::topology::validate::validate;
use wire::check;
use wire::digest::{Challenge, Credentials};
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::roomuri::RoomUri;
use wire::sip::{Message, NameAddr, Uri, Via, split_values};
use wire::stream::{Decoder, Event};
use wire::xccos;

/// A target: its name, what it does with bytes, and whether the SIP corpus is where it begins.
pub struct Target {
    /// Name.
    pub name: &'static str,
    /// Panics when a promise does not hold.
    pub run: fn(&[u8]),
    /// What of the corpus it begins with.
    pub seeds: Seeds,
}

/// Where a target begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeds {
    /// Whole SIP messages.
    Messages,
    /// Their bodies.
    Bodies,
    /// Lines of the Management Shell.
    Lines,
    /// Topology documents.
    Documents,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "sip", run: sip, seeds: Seeds::Messages },
    Target { name: "stream", run: stream, seeds: Seeds::Messages },
    Target { name: "xccos", run: chat, seeds: Seeds::Bodies },
    Target { name: "provisioning", run: policy, seeds: Seeds::Bodies },
    Target { name: "shell", run: shell, seeds: Seeds::Lines },
    Target { name: "topology", run: topology, seeds: Seeds::Documents },
];

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|t| t.name == name)
}

/// A message without its Content-Length, which is always written from the body.
fn bare(mut m: Message) -> Message {
    match &mut m {
        Message::Request(r) => r.headers.remove("Content-Length"),
        Message::Response(r) => r.headers.remove("Content-Length"),
    }
    m
}

/// What is read can be written and read again; every header is taken apart without harm.
fn sip(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let _ = check::unreadable(head, "why");
    let Ok(m) = Message::parse(head, body.as_bytes().to_vec()) else { return };
    let (headers, written) = match &m {
        Message::Request(r) => {
            let _ = (check::fault(r), r.cseq(), r.from_tag(), r.to_tag(), r.top_via_branch(), r.expires());
            let _ = Uri::parse(&r.uri).map(|u| u.aor());
            (&r.headers, r.to_bytes())
        }
        Message::Response(r) => (&r.headers, r.to_bytes()),
    };
    for (_, value) in headers.iter() {
        let _ = (Challenge::parse(value), Credentials::parse(value), RoomUri::parse(value));
        for v in split_values(value) {
            if let Some(n) = NameAddr::parse(&v) {
                assert_eq!(NameAddr::parse(&n.to_string()).as_ref(), Some(&n), "an address changes: {v:?}");
            }
            if let Some(via) = Via::parse(&v) {
                assert_eq!(Via::parse(&via.to_string()).as_ref(), Some(&via), "a Via changes: {v:?}");
            }
        }
    }
    let mut d = Decoder::default();
    d.push(&written);
    match d.next() {
        Ok(Some(Event::Message(again))) => assert_eq!(bare(again), bare(m), "a message changes"),
        other => panic!("what was written is not read: {other:?}"),
    }
}

/// Everything that a decoder gives for these bytes in pieces of this size.
fn events(bytes: &[u8], piece: usize) -> Vec<Result<Event, String>> {
    let (mut d, mut out) = (Decoder::default(), Vec::new());
    for part in bytes.chunks(piece) {
        d.push(part);
        loop {
            match d.next() {
                Ok(Some(e)) => out.push(Ok(e)),
                Ok(None) => break,
                Err(e) => {
                    out.push(Err(e.to_string()));
                    // The connection goes on only after a request that was refused and can be passed over.
                    if !d.take_refusal().is_some_and(|(_, goes_on)| goes_on) {
                        return out;
                    }
                }
            }
        }
    }
    out
}

/// A stream means the same in whatever pieces it comes.
fn stream(bytes: &[u8]) {
    let whole = events(bytes, bytes.len().max(1));
    for piece in [1, 7] {
        assert_eq!(events(bytes, piece), whole, "in pieces of {piece}");
    }
}

/// A chat document that is read can be written and read again.
fn chat(bytes: &[u8]) {
    let Ok(e) = xccos::parse(bytes) else { return };
    let written = e.to_xml();
    assert_eq!(xccos::parse(written.as_bytes()).as_ref(), Ok(&e), "{written}");
}

/// The same for what a user is told of his policy.
fn policy(bytes: &[u8]) {
    let _ = provisioning::asks_for_persistent_chat(bytes);
    let Some(p) = PersistentChatProvisioning::parse(bytes) else { return };
    let written = p.to_xml();
    assert_eq!(PersistentChatProvisioning::parse(written.as_bytes()).as_ref(), Some(&p), "{written}");
}

/// A line that is read as a cmdlet can be written and read again; any line can be completed anywhere.
fn shell(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let session = Session::new();
    for (at, _) in text.char_indices().take(200) {
        let c = complete(&session, &text, at);
        assert!(c.start <= c.end && text.get(c.start..c.end).is_some(), "{:?}", (c.start, c.end));
    }
    let Ok((spec, args)) = parse_args(&text) else { return };
    let secret = spec.params.iter().any(|p| {
        matches!(p.kind, shared::cmdlet::Kind::Secret | shared::cmdlet::Kind::Credential)
            && args.contains_key(p.name)
    });
    if secret {
        return; // written as what asks for it
    }
    let line = line_for(spec, &args);
    match parse_args(&line) {
        Ok((again, same)) => assert!(
            again.name == spec.name && line_for(again, &same) == line,
            "{text:?} is written as {line:?}"
        ),
        Err(e) => panic!("{text:?} is written as {line:?}, which is not read: {}", e.message),
    }
}

/// A document that is read is judged without harm, and is what its difference from nothing makes.
fn topology(bytes: &[u8]) {
    let Ok(t) = serde_json::from_slice::<Topology>(bytes) else { return };
    let blocked = validate(&t).iter().any(|p| p.blocks());
    let empty = Topology::default();
    let changes = diff(&empty, &t);
    if !blocked {
        let made =
            apply(&empty, &changes).unwrap_or_else(|e| panic!("a sound document cannot be made: {e:?}"));
        assert!(diff(&made, &t).is_empty(), "the difference does not make the document");
    }
}
