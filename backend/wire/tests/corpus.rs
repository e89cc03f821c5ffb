//! Every captured message of `tests/corpus` parses, and written and read again it is the same.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

use std::fs;
use std::path::PathBuf;

use wire::digest::Challenge;
use wire::provisioning::{self, PersistentChatProvisioning};
use wire::sip::{Message, NameAddr, Uri, Via, split_values};
use wire::stream::{Decoder, Event};
use wire::xccos::{self, Element};

/// How many messages the corpus has; a folder that was not checked out whole would prove nothing.
const MESSAGES: usize = 184;

/// Name and bytes of each message, in order of the conversation.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut out: Vec<(String, Vec<u8>)> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "sip"))
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(p).unwrap()))
        .collect();
    out.sort_by(|a, b| a.0[1..].cmp(&b.0[1..]));
    assert_eq!(out.len(), MESSAGES);
    out
}

/// The messages in a stream that arrives in pieces of `chunk` bytes.
fn decode(bytes: &[u8], chunk: usize) -> Vec<Message> {
    let (mut d, mut out) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(chunk) {
        d.push(piece);
        while let Some(e) = d.next().unwrap() {
            if let Event::Message(m) = e {
                out.push(m);
            }
        }
    }
    out
}

fn one(name: &str, bytes: &[u8]) -> Message {
    let mut all = decode(bytes, bytes.len());
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

fn body(m: &Message) -> (&[u8], Option<&str>) {
    match m {
        Message::Request(r) => (&r.body, r.headers.get("Content-Type")),
        Message::Response(r) => (&r.body, r.headers.get("Content-Type")),
    }
}

/// Parse and check of each address-like header.
fn addresses_are_readable(name: &str, m: &Message) {
    let (headers, cseq, branchless) = match m {
        Message::Request(r) => (&r.headers, r.cseq(), r.top_via_branch().is_none()),
        Message::Response(r) => (&r.headers, r.cseq(), r.top_via_branch().is_none()),
    };
    assert!(cseq.is_some_and(|(n, method)| n > 0 && !method.is_empty()), "{name}: CSeq");
    for header in ["From", "To", "Contact", "Record-Route"] {
        for v in headers.get_all(header) {
            let n = NameAddr::parse(v).unwrap_or_else(|| panic!("{name}: {header}: {v}"));
            assert_eq!(NameAddr::parse(&n.to_string()), Some(n), "{name}: {header}: {v}");
        }
    }
    for v in headers.get_all("Via").flat_map(split_values) {
        let via = Via::parse(&v).unwrap_or_else(|| panic!("{name}: Via: {v}"));
        assert_eq!(via.to_string().to_lowercase(), v.to_lowercase(), "{name}");
    }
    if let Message::Request(r) = m {
        assert!(Uri::parse(&r.uri).is_some(), "{name}: {}", r.uri);
        // SIPE leaves the branch out of INVITE and of what follows in its dialog only.
        assert!(!branchless || r.method == "INVITE" || r.to_tag().is_some(), "{name}: no branch");
    }
}

#[test]
fn each_message_parses_and_survives_writing() {
    for (name, bytes) in corpus() {
        let m = one(&name, &bytes);
        addresses_are_readable(&name, &m);
        let again = one(&name, &m.to_bytes());
        let (a, b) = (body(&m), body(&again));
        assert_eq!(a, b, "{name}");
        // Content-Length moves to the end when it is written; everything else stays as it stood.
        let (mut first, mut second) = (m, again);
        for m in [&mut first, &mut second] {
            match m {
                Message::Request(r) => r.headers.remove("Content-Length"),
                Message::Response(r) => r.headers.remove("Content-Length"),
            }
        }
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn the_conversation_as_one_stream_gives_the_same_for_any_chunking() {
    let all = corpus();
    let single: Vec<Message> = all.iter().map(|(name, bytes)| one(name, bytes)).collect();
    // Keep-alives between the messages, as SIPE sends them.
    let stream = all.into_iter().map(|(_, b)| b).collect::<Vec<_>>().join(b"\r\n\r\n".as_slice());
    for chunk in [1, 2, 3, 7, 64, 1460, stream.len()] {
        assert!(decode(&stream, chunk) == single, "in pieces of {chunk}");
    }
}

#[test]
fn each_chat_body_is_read_whole_and_survives_writing() {
    let (mut documents, mut kinds) = (0, std::collections::BTreeSet::new());
    for (name, bytes) in corpus() {
        let m = one(&name, &bytes);
        let (body, kind) = body(&m);
        if !matches!(&m, Message::Request(r) if r.method == "INFO") || kind != Some(xccos::CONTENT_TYPE) {
            continue;
        }
        documents += 1;
        let e = xccos::parse(body).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!e.elements.is_empty(), "{name}: nothing was understood");
        for element in &e.elements {
            kinds.insert(match element {
                Element::Command { id, .. } | Element::Reply { id, .. } | Element::Notice { id, .. } => {
                    id.clone()
                }
                Element::Chat(_) => "grpchat".to_owned(),
            });
        }
        assert_eq!(xccos::parse(e.to_xml().as_bytes()).unwrap(), e, "{name}");
        let asks = String::from_utf8_lossy(body).contains("<last cnt=\"25\"");
        let read = e
            .elements
            .iter()
            .any(|e| matches!(e, Element::Command { data, .. } if data.rooms().any(|r| r.last == Some(25))));
        assert_eq!(asks, read, "{name}: the count of wanted messages");
    }
    assert_eq!(documents, 56);
    for kind in
        ["cmd:requri", "rpl:requri", "cmd:bjoin", "rpl:bjoin", "cmd:bccontext", "rpl:bccontext", "grpchat"]
    {
        assert!(kinds.contains(kind), "{kind} does not occur: {kinds:?}");
    }
}

#[test]
fn each_policy_question_and_answer_is_understood() {
    let (mut asked, mut answered) = (0, 0);
    for (name, bytes) in corpus() {
        let m = one(&name, &bytes);
        let (body, kind) = body(&m);
        if !kind.is_some_and(|k| k.starts_with(provisioning::CONTENT_TYPE)) {
            continue;
        }
        match &m {
            Message::Request(_) => {
                asked += 1;
                assert!(provisioning::asks_for_persistent_chat(body), "{name}");
            }
            Message::Response(_) => {
                answered += 1;
                let p = PersistentChatProvisioning::parse(body).unwrap_or_else(|| panic!("{name}"));
                assert!(p.enabled && p.default_pool_uri.is_some(), "{name}: {p:?}");
            }
        }
    }
    assert!(asked > 0 && answered > 0, "{asked} {answered}");
}

/// The corpus was signed on with NTLM: such an offer is no Digest, and is passed over, not misread.
#[test]
fn offers_of_other_schemes_are_no_digest() {
    let mut offers = 0;
    for (name, bytes) in corpus() {
        let Message::Response(r) = one(&name, &bytes) else { continue };
        for v in r.headers.get_all("WWW-Authenticate") {
            offers += 1;
            assert_eq!(Challenge::parse(v), None, "{name}: {v}");
        }
    }
    assert_eq!(offers, 4);
}

/// Real clients ask for nothing that would be refused before it is looked at.
#[test]
fn no_captured_request_is_at_fault() {
    for (name, bytes) in corpus() {
        if let Message::Request(r) = one(&name, &bytes) {
            assert_eq!(wire::check::fault(&r), None, "{name}");
        }
    }
}
