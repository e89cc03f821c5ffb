//! URIs, name-addrs and Via, read tolerantly.

use std::fmt;

/// Parameters `;name[=value]`.
pub type Params = Vec<(String, Option<String>)>;

fn params(text: &str) -> Params {
    split_outside(text, ';')
        .into_iter()
        .map(|p| p.trim().to_owned())
        .filter(|p| !p.is_empty())
        .map(|p| match p.split_once('=') {
            Some((k, v)) => (k.trim().to_owned(), Some(v.trim().to_owned())),
            None => (p, None),
        })
        .collect()
}

fn find<'a>(list: &'a Params, name: &str) -> Option<&'a str> {
    list.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_deref())
}

fn write_params(f: &mut fmt::Formatter<'_>, list: &Params) -> fmt::Result {
    for (k, v) in list {
        match v {
            Some(v) => write!(f, ";{k}={v}")?,
            None => write!(f, ";{k}")?,
        }
    }
    Ok(())
}

/// Splits at `sep` outside of quotes and angle brackets.
fn split_outside(text: &str, sep: char) -> Vec<&str> {
    let (mut out, mut start, mut quoted, mut angle, mut escaped) = (Vec::new(), 0, false, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            c if c == sep && !quoted && !angle => {
                out.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

/// Where the first `<` outside of quotes stands.
fn angle(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

/// The text with quoted parts taken out; none when a quote is not closed.
pub(crate) fn outside_quotes(text: &str) -> Option<String> {
    let (mut quoted, mut escaped, mut out) = (false, false, String::new());
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => out.push(c),
        }
    }
    (!quoted).then_some(out)
}

/// A display name without its quotes, what was escaped in them as it was meant.
fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let (mut out, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

/// The values of a comma-joined header line.
pub fn split_values(line: &str) -> Vec<String> {
    split_outside(line, ',').into_iter().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

/// A SIP URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// `sip` or `sips`.
    pub scheme: String,
    /// User part.
    pub user: Option<String>,
    /// Host.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params,
}

impl Uri {
    /// Reads a URI; none when it is not one of SIP.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        if !matches!(scheme.to_ascii_lowercase().as_str(), "sip" | "sips") {
            return None;
        }
        // Brackets end an address: one inside of it would be somebody else's when it is written again.
        if rest.contains(['<', '>']) {
            return None;
        }
        let rest = rest.split('?').next().unwrap_or(rest);
        // A user part may carry parameters of its own (`user;opaque=…@host` does not occur on this wire).
        let (user, rest) = match rest.split_once('@') {
            Some((u, r)) => (Some(u.to_owned()), r),
            None => (None, rest),
        };
        let (hostport, tail) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_port(hostport)?;
        Some(Self { scheme: scheme.to_ascii_lowercase(), user, host, port, params: params(tail) })
    }

    /// Address of record: `sip:user@host` in lower case, without port and parameters.
    pub fn aor(&self) -> String {
        let user = self.user.as_ref().map(|u| format!("{}@", u.to_ascii_lowercase())).unwrap_or_default();
        format!("sip:{user}{}", self.host.to_ascii_lowercase())
    }

    /// A parameter's value.
    pub fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }

    /// Whether a parameter stands there.
    pub fn has_param(&self, name: &str) -> bool {
        self.params.iter().any(|(k, _)| k.eq_ignore_ascii_case(name))
    }
}

fn host_port(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('[') {
        let (host, tail) = rest.split_once(']')?;
        let port = tail.strip_prefix(':').and_then(|p| p.parse().ok());
        return Some((format!("[{host}]"), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((h, p)) => (h, Some(p.trim().parse().ok()?)),
        None => (text, None),
    };
    (!host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '"'))
        .then(|| (host.to_owned(), port))
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(u) = &self.user {
            write!(f, "{u}@")?;
        }
        f.write_str(&self.host)?;
        if let Some(p) = self.port {
            write!(f, ":{p}")?;
        }
        write_params(f, &self.params)
    }
}

/// `"Display" <uri>;params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Display name without quotes.
    pub display: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// Parameters after it.
    pub params: Params,
}

impl NameAddr {
    /// Reads the first value of a From, To, Contact, Route or identity header.
    pub fn parse(text: &str) -> Option<Self> {
        let first = split_values(text).into_iter().next()?;
        if let Some(open) = angle(&first) {
            let close = first[open..].find('>')? + open;
            let display = unquoted(first[..open].trim());
            return Some(Self {
                display: (!display.is_empty()).then_some(display),
                uri: Uri::parse(&first[open + 1..close])?,
                params: params(&first[close + 1..]),
            });
        }
        // Without brackets, parameters belong to the header, not to the URI (RFC 3261 §20.10).
        let (uri, tail) = first.split_once(';').unwrap_or((&first, ""));
        Some(Self { display: None, uri: Uri::parse(uri)?, params: params(tail) })
    }

    /// A parameter's value.
    pub fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(d) = &self.display {
            write!(f, "\"{}\" ", d.replace('\\', "\\\\").replace('"', "\\\""))?;
        }
        write!(f, "<{}>", self.uri)?;
        write_params(f, &self.params)
    }
}

/// A Via value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// `TCP`, `TLS`, as it stood.
    pub transport: String,
    /// Sent-by host.
    pub host: String,
    /// Sent-by port.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params,
}

impl Via {
    /// Reads one value.
    pub fn parse(text: &str) -> Option<Self> {
        // Blanks may stand around each slash: `SIP / 2.0 / TCP host`.
        let mut parts = text.trim().splitn(3, '/');
        let (protocol, version) = (parts.next()?.trim(), parts.next()?.trim());
        if !protocol.eq_ignore_ascii_case("SIP") || version != "2.0" {
            return None;
        }
        let (transport, rest) = parts.next()?.trim_start().split_once(char::is_whitespace)?;
        let transport = transport.to_owned();
        let (sent_by, tail) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_port(sent_by)?;
        Some(Self { transport, host, port, params: params(tail) })
    }

    /// A parameter's value.
    pub fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(p) = self.port {
            write!(f, ":{p}")?;
        }
        write_params(f, &self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_outside_of_quotes_and_brackets() {
        let v = split_values("\"a, b\" <sip:x@y;c=d,e>;tag=1, <sip:z@y>");
        assert_eq!(v.len(), 2);
        let n = NameAddr::parse(&v[0]).unwrap();
        assert_eq!(
            (n.display.as_deref(), n.uri.aor().as_str(), n.param("tag")),
            (Some("a, b"), "sip:x@y", Some("1"))
        );
    }

    #[test]
    fn signs_in_a_display_name() {
        let n = NameAddr::parse("\"a<b\" <sip:x@y>").unwrap();
        assert_eq!((n.display.as_deref(), n.uri.aor().as_str()), (Some("a<b"), "sip:x@y"));
    }

    #[test]
    fn via_without_branch_and_bare_address() {
        let v = Via::parse("SIP/2.0/tcp 127.0.0.1:5060").unwrap();
        assert_eq!((v.transport.as_str(), v.port, v.param("branch")), ("tcp", Some(5060), None));
        let n = NameAddr::parse("sip:a@b.c;tag=q").unwrap();
        assert_eq!((n.uri.params.len(), n.param("tag")), (0, Some("q")));
    }
}
