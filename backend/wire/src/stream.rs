//! Messages out of a byte stream.

use crate::check;
use crate::sip::{Message, Response};

/// Largest head, bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Largest body, bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// An empty buffer larger than this is given back.
const KEPT: usize = 2 * 1024;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message.
    Message(Message),
    /// CRLF CRLF between messages: answer with one CRLF (RFC 5626 §3.5.1).
    KeepAlivePing,
    /// One CRLF between messages.
    KeepAlivePong,
}

/// Why the stream cannot be read on; the connection is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The head passes [`MAX_HEAD`].
    #[error("a SIP head of more than {MAX_HEAD} bytes")]
    HeadTooLarge,
    /// The body passes [`MAX_BODY`].
    #[error("a SIP body of {0} bytes, more than {MAX_BODY}")]
    BodyTooLarge(u64),
    /// Not SIP.
    #[error("not SIP: {0}")]
    Malformed(String),
}

/// Collects bytes, gives messages.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes in which the end of the head was already looked for.
    searched: usize,
    /// Where the head ends and how long the body is, once that was read: the head is not read again for each part of a body.
    awaited: Option<(usize, usize)>,
    /// How often a head was read.
    #[cfg(test)]
    heads: usize,
    /// The answer to the request that could not be read last, and whether the stream can be read on.
    refusal: Option<(Response, bool)>,
}

impl Decoder {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event, when it is complete.
    ///
    /// # Errors
    /// When the stream cannot be read on.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would end at the first incomplete message"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, DecodeError> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.drain(..4);
            return Ok(Some(Event::KeepAlivePing));
        }
        // A lone CRLF may be the first half of a ping: it counts when something else follows.
        if self.buffer.starts_with(b"\r\n") {
            let half = matches!(&self.buffer[2..], [] | [b'\r']);
            if half {
                return Ok(None);
            }
            self.buffer.drain(..2);
            return Ok(Some(Event::KeepAlivePong));
        }
        let Some((end, length)) = self.frame()? else { return Ok(None) };
        if self.buffer.len() < end + 4 + length {
            return Ok(None);
        }
        self.awaited = None;
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let body = self.buffer[end + 4..end + 4 + length].to_vec();
        self.buffer.drain(..end + 4 + length);
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            // Most connections are silent most of the time, and there are many of them.
            self.buffer = Vec::new();
        }
        self.searched = 0;
        match Message::parse(&head, body) {
            Ok(m) => Ok(Some(Event::Message(m))),
            Err(text) => {
                self.refusal = check::unreadable(&head, &text).map(|r| (r, true));
                Err(DecodeError::Malformed(text))
            }
        }
    }

    /// Where the head ends and how long the body is, when the head is there.
    fn frame(&mut self) -> Result<Option<(usize, usize)>, DecodeError> {
        if self.awaited.is_some() {
            return Ok(self.awaited);
        }
        let Some(end) = find(&self.buffer, b"\r\n\r\n", self.searched.saturating_sub(3)) else {
            self.searched = self.buffer.len();
            return if self.buffer.len() > MAX_HEAD { Err(DecodeError::HeadTooLarge) } else { Ok(None) };
        };
        if end > MAX_HEAD {
            return Err(DecodeError::HeadTooLarge);
        }
        #[cfg(test)]
        {
            self.heads += 1;
        }
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let length = content_length(&head).inspect_err(|e| {
            self.refusal = check::unreadable(&head, &e.to_string()).map(|r| (r, false));
        })?;
        self.awaited = Some((end, length));
        Ok(self.awaited)
    }

    /// After an error: the answer to a request that could not be read, and whether what follows it can be.
    pub fn take_refusal(&mut self) -> Option<(Response, bool)> {
        self.refusal.take()
    }

    /// Takes a pending lone CRLF as a pong; called when the peer is known to be idle.
    pub fn flush_keep_alive(&mut self) -> bool {
        let lone = self.buffer == b"\r\n";
        if lone {
            self.buffer.clear();
        }
        lone
    }
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    haystack[from..].windows(needle.len()).position(|w| w == needle).map(|i| i + from)
}

fn content_length(head: &str) -> Result<usize, DecodeError> {
    let mut found: Option<u64> = None;
    // The start line is no header, and a folded line belongs to the one before it, whatever they look like.
    let lines = head.lines().skip(1).filter(|l| !l.starts_with([' ', '\t']));
    for (name, value) in lines.filter_map(|l| l.split_once(':')) {
        let name = name.trim();
        if !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("l") {
            continue;
        }
        let wrong = || DecodeError::Malformed(format!("Content-Length: {}", value.trim()));
        let n: u64 = value.trim().parse().map_err(|_| wrong())?;
        if found.is_some_and(|f| f != n) {
            return Err(wrong());
        }
        found = Some(n);
    }
    let n = found.unwrap_or(0);
    if n > MAX_BODY as u64 {
        return Err(DecodeError::BodyTooLarge(n));
    }
    usize::try_from(n).map_err(|_| DecodeError::BodyTooLarge(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INFO: &[u8] = b"INFO sip:a@b SIP/2.0\r\nv: SIP/2.0/TCP h\r\ni: c1\r\nCSeq: 2 INFO\r\nSubject: a\r\n b\r\nl: 4\r\n\r\nbody";

    #[test]
    fn message_keep_alive_and_pipelining() {
        let mut d = Decoder::default();
        d.push(b"\r\n\r\n");
        d.push(INFO);
        d.push(b"\r\n");
        d.push(INFO);
        assert_eq!(d.next(), Ok(Some(Event::KeepAlivePing)));
        let Ok(Some(Event::Message(Message::Request(r)))) = d.next() else { panic!("no message") };
        assert_eq!(
            (r.method.as_str(), r.call_id(), r.headers.get("subject")),
            ("INFO", Some("c1"), Some("a b"))
        );
        assert_eq!(r.body, b"body");
        assert_eq!(d.next(), Ok(Some(Event::KeepAlivePong)));
        assert!(matches!(d.next(), Ok(Some(Event::Message(_)))));
        assert_eq!(d.next(), Ok(None));
    }

    #[test]
    fn a_head_is_read_once_however_its_body_comes() {
        let mut whole = Decoder::default();
        let mut by_byte = Decoder::default();
        let bytes = [INFO, b"\r\n\r\n", INFO, INFO].concat();
        whole.push(&bytes);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        while let Some(e) = whole.next().unwrap() {
            a.push(e);
        }
        for byte in &bytes {
            by_byte.push(&[*byte]);
            while let Some(e) = by_byte.next().unwrap() {
                b.push(e);
            }
        }
        assert_eq!((a.len(), &a), (4, &b));
        assert_eq!((whole.heads, by_byte.heads), (3, 3));
    }

    #[test]
    fn limits_are_errors() {
        let mut d = Decoder::default();
        d.push(b"INFO sip:a SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n");
        assert_eq!(d.next(), Err(DecodeError::BodyTooLarge(99_999_999_999)));
        let mut d = Decoder::default();
        d.push(&vec![b'x'; MAX_HEAD + 1]);
        assert_eq!(d.next(), Err(DecodeError::HeadTooLarge));
    }

    #[test]
    fn a_folded_line_is_no_header_and_lengths_agree() {
        let mut d = Decoder::default();
        d.push(b"INFO sip:a SIP/2.0\r\nSubject: x\r\n l: 2\r\nl: 4\r\n\r\nbody\r\n\rX");
        assert!(matches!(d.next(), Ok(Some(Event::Message(Message::Request(r)))) if r.body == b"body"));
        assert_eq!(d.next(), Ok(Some(Event::KeepAlivePong)));
        let mut d = Decoder::default();
        d.push(b"L :9 SIP/2.0\r\nl: 4\r\n\r\nbody");
        assert!(matches!(d.next(), Ok(Some(Event::Message(Message::Request(r)))) if r.body == b"body"));
        let mut d = Decoder::default();
        d.push(b"INFO sip:a SIP/2.0\r\nl: 2\r\nContent-Length: 4\r\n\r\nbody");
        assert!(matches!(d.next(), Err(DecodeError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same(cuts in prop::collection::vec(1usize..40, 1..20)) {
            let stream = [INFO, INFO, INFO].concat();
            let (mut d, mut at, mut n, mut cuts) = (Decoder::default(), 0, 0, cuts.into_iter().cycle());
            while at < stream.len() {
                let to = (at + cuts.next().unwrap_or(1)).min(stream.len());
                d.push(&stream[at..to]);
                at = to;
                while let Some(Event::Message(m)) = d.next().unwrap() {
                    prop_assert_eq!(Decoder::default().buffer.len(), 0);
                    prop_assert!(matches!(m, Message::Request(ref r) if r.body == b"body"));
                    n += 1;
                }
            }
            prop_assert_eq!(n, 3);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut d = Decoder::default();
            d.push(&bytes);
            while let Ok(Some(_)) = d.next() {}
        }
    }
}
