//! The connection over a pipe.

use std::time::Duration;

use super::*;

const PING: &[u8] = b"\r\n\r\n";

fn pair(capacity: usize) -> (Connection, tokio::io::DuplexStream) {
    let (here, there) = tokio::io::duplex(capacity);
    let at = "127.0.0.1:5060".parse().unwrap();
    (Connection::new(here, at, at), there)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn info(call: &str, body: &str) -> Vec<u8> {
    let mut r = Request::new("INFO", "sip:a@b");
    r.headers.push("Call-ID", call);
    r.headers.push("CSeq", "1 INFO");
    r.set_body(xccos::CONTENT_TYPE, body);
    r.to_bytes()
}

const CHAT: &str = "<xccos envid=\"1\"><grpchat author=\"a\"><chat>x</chat></grpchat></xccos>";

/// Reads until `n` messages came.
async fn heard(there: &mut tokio::io::DuplexStream, n: usize) -> Vec<Message> {
    let (mut d, mut out) = (Decoder::default(), Vec::new());
    while out.len() < n {
        while let Some(e) = d.next().unwrap() {
            if let Event::Message(m) = e {
                out.push(m);
            }
        }
        if out.len() < n {
            let mut buffer = [0; 64];
            let got = there.read(&mut buffer).await.unwrap();
            assert!(got > 0, "the stream ended after {} messages", out.len());
            d.push(&buffer[..got]);
        }
    }
    out
}

#[tokio::test]
async fn a_write_that_was_cut_off_goes_on_where_it_stopped() {
    // A small pipe: the first flush cannot finish, and is dropped in the middle of a message.
    let (mut c, mut there) = pair(16);
    c.queue(&Request::new("OPTIONS", "sip:first@b"));
    assert!(!c.flush(Instant::now()).await.unwrap());
    c.queue(&Request::new("OPTIONS", "sip:second@b"));
    let (flushed, heard) = tokio::join!(c.flush(soon()), heard(&mut there, 2));
    assert!(flushed.unwrap());
    let uris: Vec<String> = heard
        .into_iter()
        .map(|m| if let Message::Request(r) = m { r.uri } else { panic!("{m:?}") })
        .collect();
    assert_eq!(uris, ["sip:first@b", "sip:second@b"]);
}

#[tokio::test]
async fn requests_of_foreign_dialogs_are_refused_and_ours_are_kept_apart() {
    let (mut c, mut there) = pair(65536);
    c.open("one");
    c.open("two");
    for bytes in [PING, &info("other", CHAT), &info("two", CHAT), &info("one", CHAT)] {
        there.write_all(bytes).await.unwrap();
    }
    let pick = |e: &xccos::Element| matches!(e, xccos::Element::Chat(_)).then_some(());
    assert!(matches!(c.element("one", pick, soon()).await, Ok(Awaited::Found(()))));
    assert!(matches!(c.element("two", pick, Instant::now()).await, Ok(Awaited::Found(()))));
    assert!(matches!(c.element("two", pick, Instant::now()).await, Ok(Awaited::TimeUp)));
    let statuses: Vec<u16> = heard(&mut there, 3)
        .await
        .into_iter()
        .map(|m| if let Message::Response(r) = m { r.status } else { panic!("{m:?}") })
        .collect();
    assert_eq!(statuses, [481, 200, 200]);
}

#[tokio::test]
async fn a_bye_ends_its_own_dialog_only_and_says_why() {
    let (mut c, mut there) = pair(65536);
    c.open("one");
    c.open("two");
    let mut bye = Request::new("BYE", "sip:a@b");
    bye.headers.push("Call-ID", "one");
    bye.headers.push("Reason", "SIP;text=\"pool switched\"");
    there.write_all(&bye.to_bytes()).await.unwrap();
    let pick = |_: &xccos::Element| None::<()>;
    let Ok(Awaited::Ended(why)) = c.element("one", pick, soon()).await else { panic!("not ended") };
    assert_eq!(why, "SIP;text=\"pool switched\"");
    assert_eq!(c.ended("two"), None);
    drop(there);
    assert!(c.element("two", pick, soon()).await.is_err() && c.is_dead());
}
