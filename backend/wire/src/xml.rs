//! A small element tree, read with limits and without entities of its own.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deepest nesting.
const MAX_DEPTH: usize = 16;
/// Most elements in a document.
const MAX_NODES: usize = 20_000;

/// An element: local name, attributes, text, children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub attrs: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn owned(&self, name: &str) -> String {
        self.attr(name).unwrap_or_default().to_owned()
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name.eq_ignore_ascii_case(name))
    }
}

/// A name as XML has it, without a prefix; the reader below takes almost anything for one.
fn name(local: &str) -> Result<String, String> {
    let begins = local.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if begins && local.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
        Ok(local.to_owned())
    } else {
        Err("a name that is none".to_owned())
    }
}

fn open(e: &BytesStart<'_>) -> Result<Node, String> {
    let mut node = Node { name: name(e.local_name().as_ref())?, ..Node::default() };
    for a in e.attributes() {
        let a = a.map_err(|e| e.to_string())?;
        let key = name(a.key.local_name().as_ref())?;
        node.attrs.push((key, unescape(&a.value)?));
    }
    Ok(node)
}

/// Whether XML can carry it.
fn carried(c: char) -> bool {
    (c as u32) >= 0x20 && !matches!(c, '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
}

fn unescape(raw: &str) -> Result<String, String> {
    let text = quick_xml::escape::unescape(raw).map_err(|e| e.to_string())?;
    Ok(text.chars().filter(|c| carried(*c)).collect())
}

/// Reads a document's root element.
pub fn parse(bytes: &[u8]) -> Result<Node, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let (mut stack, mut nodes): (Vec<Node>, usize) = (Vec::new(), 0);
    loop {
        let done = match reader.read_event().map_err(|e| e.to_string())? {
            Event::Start(e) => {
                stack.push(open(&e)?);
                nodes += 1;
                None
            }
            Event::Empty(e) => {
                nodes += 1;
                Some(open(&e)?)
            }
            Event::End(_) => stack.pop(),
            Event::Text(t) => {
                add(&mut stack, &t);
                None
            }
            Event::CData(t) => {
                add(&mut stack, &t);
                None
            }
            Event::GeneralRef(r) => {
                add(&mut stack, &unescape(&format!("&{};", &*r))?);
                None
            }
            Event::DocType(_) => return Err("a document type is not accepted".to_owned()),
            Event::Eof => return Err("the document ends early".to_owned()),
            _ => None,
        };
        if nodes > MAX_NODES || stack.len() > MAX_DEPTH {
            return Err("the document is too large".to_owned());
        }
        if let Some(node) = done {
            match stack.last_mut() {
                Some(parent) => parent.children.push(node),
                None => return Ok(node),
            }
        }
    }
}

fn add(stack: &mut [Node], text: &str) {
    if let Some(n) = stack.last_mut() {
        n.text.extend(text.chars().filter(|c| carried(*c)));
    }
}

/// Escapes text and attribute values; control characters that XML cannot carry are dropped.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if carried(c) => out.push(c),
            _ => {}
        }
    }
    out
}
