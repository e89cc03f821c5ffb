//! SIP messages with raw header values in their order.

use std::fmt::Write;

pub use crate::uri::{NameAddr, Uri, Via, split_values};

/// Compact forms of RFC 3261 §7.3.3.
const COMPACT: [(&str, &str); 11] = [
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("e", "Content-Encoding"),
    ("k", "Supported"),
    ("s", "Subject"),
    ("o", "Event"),
];

/// What surrounds a value without belonging to it. Other blanks of Unicode are part of the value.
const BLANKS: [char; 2] = [' ', '\t'];

/// Header lines in order; names compare without case, values stay as they stood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

fn full(name: &str) -> &str {
    COMPACT.iter().find(|(c, _)| c.eq_ignore_ascii_case(name)).map_or(name, |(_, f)| f)
}

fn one_line(value: String) -> String {
    if value.contains(['\r', '\n']) {
        value.replace(['\r', '\n'], " ").trim_matches(BLANKS).to_owned()
    } else {
        value
    }
}

impl Headers {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All values of `name`, a line each.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All values of `name`, comma-joined lines taken apart.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.get_all(name).flat_map(split_values).collect()
    }

    /// Adds a line at the end. Line ends in the value become blanks: nobody adds a header through a value.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((full(name).to_owned(), one_line(value.into())));
    }

    /// Adds a line before all others.
    pub fn push_front(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(0, (full(name).to_owned(), one_line(value.into())));
    }

    /// Replaces all lines of `name` by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes all lines of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Removes the first value of `name`, also from within a comma-joined line.
    pub fn remove_first(&mut self, name: &str) -> Option<String> {
        let i = self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name))?;
        let mut parts = split_values(&self.0[i].1);
        if parts.is_empty() {
            self.0.remove(i);
            return None;
        }
        let first = parts.remove(0);
        if parts.is_empty() {
            self.0.remove(i);
        } else {
            self.0[i].1 = parts.join(", ");
        }
        Some(first)
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// What requests and responses share.
macro_rules! common {
    ($ty:ident) => {
        impl $ty {
            /// Call-ID.
            pub fn call_id(&self) -> Option<&str> {
                self.headers.get("Call-ID").map(str::trim)
            }

            /// CSeq number and method.
            pub fn cseq(&self) -> Option<(u32, String)> {
                let (n, method) = self.headers.get("CSeq")?.trim().split_once(char::is_whitespace)?;
                Some((n.parse().ok()?, method.trim().to_owned()))
            }

            /// From with its parameters.
            pub fn from(&self) -> Option<NameAddr> {
                self.headers.get("From").and_then(NameAddr::parse)
            }

            /// To with its parameters.
            pub fn to(&self) -> Option<NameAddr> {
                self.headers.get("To").and_then(NameAddr::parse)
            }

            /// Tag of From.
            pub fn from_tag(&self) -> Option<String> {
                self.from()?.param("tag").map(str::to_owned)
            }

            /// Tag of To.
            pub fn to_tag(&self) -> Option<String> {
                self.to()?.param("tag").map(str::to_owned)
            }

            /// Branch of the topmost Via.
            pub fn top_via_branch(&self) -> Option<String> {
                let top = self.headers.get_all("Via").flat_map(split_values).next()?;
                Via::parse(&top)?.param("branch").map(str::to_owned)
            }

            /// Expires header in seconds.
            pub fn expires(&self) -> Option<u32> {
                self.headers.get("Expires")?.trim().parse().ok()
            }

            /// Bytes of the head on the wire, without its Content-Length line.
            pub fn head_len(&self) -> usize {
                self.start_line().len()
                    + 2
                    + self.headers.iter().map(|(n, v)| n.len() + v.len() + 4).sum::<usize>()
            }

            /// The bytes on the wire; Content-Length is always written from the body.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut head = self.start_line();
                head.push_str("\r\n");
                for (n, v) in self.headers.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("Content-Length")) {
                    let _ = write!(head, "{n}: {v}\r\n");
                }
                let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
                let mut out = head.into_bytes();
                out.extend_from_slice(&self.body);
                out
            }

            /// Sets body and its type.
            pub fn set_body(&mut self, kind: &str, body: impl Into<Vec<u8>>) {
                self.headers.set("Content-Type", kind);
                self.body = body.into();
            }
        }
    };
}

/// A request. The method is the raw token: any method is readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method token.
    pub method: String,
    /// Request-URI as it stood.
    pub uri: String,
    /// Headers.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Headers.
    pub headers: Headers,
    /// Body.
    pub body: Vec<u8>,
}

common!(Request);
common!(Response);

impl Request {
    /// An empty request.
    pub fn new(method: &str, uri: impl Into<String>) -> Self {
        Self { method: method.to_owned(), uri: uri.into(), headers: Headers::default(), body: Vec::new() }
    }

    fn start_line(&self) -> String {
        format!("{} {} SIP/2.0", self.method, self.uri)
    }
}

impl Response {
    /// A response to `req`: Via, From, To, Call-ID, CSeq are copied; Record-Route too when it forms a dialog.
    pub fn reply_to(req: &Request, status: u16, reason: &str) -> Self {
        let mut headers = Headers::default();
        for name in ["Via", "Record-Route", "From", "To", "Call-ID", "CSeq"] {
            let dialog = status < 300 && matches!(req.method.as_str(), "INVITE" | "SUBSCRIBE");
            if name == "Record-Route" && !dialog {
                continue;
            }
            for v in req.headers.get_all(name) {
                headers.push(name, v);
            }
        }
        Self { status, reason: reason.to_owned(), headers, body: Vec::new() }
    }

    /// Adds a tag to To unless it has one.
    #[must_use]
    pub fn with_to_tag(mut self, tag: &str) -> Self {
        if self.to_tag().is_none()
            && let Some(to) = self.headers.get("To").map(str::to_owned)
        {
            self.headers.set("To", format!("{to};tag={tag}"));
        }
        self
    }

    fn start_line(&self) -> String {
        format!("SIP/2.0 {} {}", self.status, self.reason)
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Request(r) => r.to_bytes(),
            Self::Response(r) => r.to_bytes(),
        }
    }

    /// Parses a head (start line and headers, without the empty line) and takes the body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(head: &str, body: Vec<u8>) -> Result<Self, String> {
        let mut lines = unfold(head).into_iter();
        let start = lines.next().ok_or("no start line")?;
        let mut headers = Headers::default();
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                return Err(format!("a header without colon: {line}"));
            };
            let name = name.trim_matches(BLANKS);
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(format!("a header name with blanks: {line}"));
            }
            headers.push(name, value.trim_matches(BLANKS));
        }
        if let Some(rest) = start.strip_prefix("SIP/2.0 ") {
            let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = status.parse().map_err(|_| format!("not a status: {status}"))?;
            if !(100..700).contains(&status) {
                return Err(format!("status {status} does not exist"));
            }
            return Ok(Self::Response(Response { status, reason: reason.to_owned(), headers, body }));
        }
        let mut parts = start.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(uri), Some("SIP/2.0")) if !method.is_empty() && !uri.is_empty() => {
                Ok(Self::Request(Request { method: method.to_owned(), uri: uri.to_owned(), headers, body }))
            }
            _ => Err(format!("not a SIP start line: {}", start.chars().take(80).collect::<String>())),
        }
    }
}

/// Lines, with folded ones joined (RFC 3261 §7.3.1).
fn unfold(head: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in head.split("\r\n").flat_map(|l| l.split('\n')) {
        match out.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim_matches(BLANKS));
            }
            _ if line.is_empty() => {}
            _ => out.push(line.to_owned()),
        }
    }
    out
}
