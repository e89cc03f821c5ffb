//! SIP message → bytes → message, for messages of any shape and streams cut anywhere.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

use proptest::prelude::*;
use wire::sip::{Headers, Message, Request, Response};
use wire::stream::{Decoder, Event};

/// Headers with names as peers write them, also in their compact forms, and values in any letters.
/// Content-Length is left out: it is written from the body.
fn headers() -> impl Strategy<Value = Headers> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "Via",
            "v",
            "From",
            "f",
            "To",
            "t",
            "Call-ID",
            "i",
            "CSeq",
            "Contact",
            "m",
            "Record-Route",
            "Content-Type",
            "c",
            "s",
            "k",
            "o",
            "e",
            "ms-diagnostics",
            "Max-Forwards",
        ])
        .prop_map(str::to_owned),
        "[A-Za-z][A-Za-z0-9.!%*_+`'~-]{1,20}",
    ];
    let value = "([!-~\u{a1}-\u{2fff}]([ -~\t\u{a1}-\u{2fff}]{0,60}[!-~\u{a1}-\u{2fff}])?)?";
    prop::collection::vec((name, value), 0..12).prop_map(|list| {
        let mut h = Headers::default();
        for (name, value) in list.into_iter().filter(|(n, _)| !n.eq_ignore_ascii_case("content-length")) {
            h.push(&name, value);
        }
        h
    })
}

fn message() -> impl Strategy<Value = Message> {
    let body = || prop::collection::vec(any::<u8>(), 0..200);
    let request = ("[A-Z]{1,12}", "[!-~]{1,60}", headers(), body())
        .prop_map(|(method, uri, headers, body)| Message::Request(Request { method, uri, headers, body }));
    let response = (100u16..700, "([!-~]([ -~]{0,30}[!-~])?)?", headers(), body()).prop_map(
        |(status, reason, headers, body)| Message::Response(Response { status, reason, headers, body }),
    );
    prop_oneof![request, response]
}

fn without_length(mut m: Message) -> Message {
    match &mut m {
        Message::Request(r) => r.headers.remove("Content-Length"),
        Message::Response(r) => r.headers.remove("Content-Length"),
    }
    m
}

/// All messages of a stream, pushed in pieces of these sizes over and over.
fn decode(stream: &[u8], cuts: &[usize]) -> Vec<Message> {
    let (mut d, mut out, mut rest, mut cuts) = (Decoder::default(), Vec::new(), stream, cuts.iter().cycle());
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        d.push(piece);
        rest = tail;
        while let Some(e) = d.next().unwrap() {
            if let Event::Message(m) = e {
                out.push(without_length(m));
            }
        }
    }
    out
}

proptest! {
    // An integration test has no lib.rs beside which proptest could keep its failures.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_and_read_again_it_is_the_same(m in message()) {
        let bytes = m.to_bytes();
        let again = decode(&bytes, &[bytes.len()]);
        // Twice gives the same bytes: nothing is normalised on the way.
        prop_assert_eq!(again.iter().flat_map(Message::to_bytes).collect::<Vec<u8>>(), bytes);
        prop_assert_eq!(again, vec![m]);
    }

    #[test]
    fn any_chunking_gives_the_same_messages(
        list in prop::collection::vec(message(), 1..5),
        gaps in prop::collection::vec(0usize..3, 5),
        cuts in prop::collection::vec(1usize..300, 1..20),
    ) {
        let mut stream = Vec::new();
        for (m, gap) in list.iter().zip(&gaps) {
            stream.extend(b"\r\n".repeat(*gap));
            stream.extend(m.to_bytes());
        }
        prop_assert_eq!(decode(&stream, &cuts), list);
    }
}

/// Found by the property above: a blank of Unicode at a value's end is the value's own.
#[test]
fn blanks_of_unicode_belong_to_the_value() {
    let mut r = Request::new("OPTIONS", "sip:a");
    r.headers.push("Subject", "\u{2000}x\u{a0}");
    let m = Message::Request(r);
    assert_eq!(decode(&m.to_bytes(), &[1]), vec![m]);
}
