//! Writing.

use std::fmt::Write;

use super::NAMESPACE;
use super::open_points;
use super::types::{ChanIb, Chat, Data, Element, Envelope, Item, Uib};
use crate::xml::escape;

/// Writes `<name a="b" …` with the attributes that are there.
fn tag(out: &mut String, name: &str, attrs: &[(&str, Option<&str>)]) {
    let _ = write!(out, "<{name}");
    for (k, v) in attrs {
        if let Some(v) = v {
            let _ = write!(out, " {k}=\"{}\"", escape(v));
        }
    }
}

fn write_chat(out: &mut String, c: &Chat, name: &str) {
    let (seqid, id) = (c.seqid.to_string(), c.chat_id.map(|i| i.to_string()));
    let [authdisp, alert, chat_id] = open_points::chat_attrs(c, id.as_deref());
    let attrs = [
        ("id", Some("grpchat")),
        ("seqid", Some(seqid.as_str())),
        ("chanUri", Some(c.chan_uri.as_str())),
        ("author", Some(c.author.as_str())),
        authdisp,
        alert,
        chat_id,
        ("ts", Some(c.ts.as_str())),
    ];
    tag(out, name, &attrs);
    let _ = write!(out, "><chat>{}</chat>", escape(&c.text));
    if let Some(rtf) = &c.rtf {
        let _ = write!(out, "<rtf>{}</rtf>", escape(rtf));
    }
    let _ = write!(out, "</{name}>");
}

fn write_uib(out: &mut String, u: &Uib) {
    let id = u.id.map(|i| i.to_string());
    tag(out, "uib", &[("id", id.as_deref()), ("uri", Some(&u.uri)), ("disp", u.disp.as_deref())]);
    if u.aibs.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for (key, domain, value) in &u.aibs {
        tag(out, "aib", &[("key", Some(key)), ("domain", Some(domain)), ("value", Some(value))]);
        out.push_str("/>");
    }
    out.push_str("</uib>");
}

/// `inside` puts the count of wanted messages into the room's element.
fn write_room(out: &mut String, c: &ChanIb, inside: bool) {
    let [parent, behavior] = open_points::room_attrs(c);
    let attrs = [
        ("name", c.name.as_deref()),
        ("description", c.description.as_deref()),
        ("uri", Some(c.uri.as_str())),
        ("topic", c.topic.as_deref()),
        parent,
        behavior,
    ];
    tag(out, "chanib", &attrs);
    let start = out.len();
    out.push('>');
    for (key, value) in &c.aibs {
        tag(out, "aib", &[("key", Some(key)), ("value", Some(value))]);
        out.push_str("/>");
    }
    for (name, list) in [("info", &c.infos), ("prop", &c.props)] {
        for (id, text) in list {
            tag(out, name, &[("id", Some(id))]);
            let _ = write!(out, ">{}</{name}>", escape(text));
        }
    }
    for m in &c.msgs {
        write_chat(out, m, "msg");
    }
    for u in &c.uibs {
        write_uib(out, u);
    }
    if let Some(n) = c.last.filter(|_| inside) {
        write_last(out, n);
    }
    if out.len() == start + 1 {
        out.truncate(start);
        out.push_str("/>");
    } else {
        out.push_str("</chanib>");
    }
}

fn write_last(out: &mut String, count: u32) {
    let _ = write!(out, "<bcq><last cnt=\"{count}\"/></bcq>");
}

fn write_data(out: &mut String, d: &Data) {
    if d.0.is_empty() {
        out.push_str("<data/>");
        return;
    }
    out.push_str("<data>");
    // Beside the room is the form that real servers were seen to take; with several rooms it could not
    // be told whose it is.
    let beside = if d.rooms().count() == 1 { d.rooms().next().and_then(|c| c.last) } else { None };
    for i in &d.0 {
        match i {
            Item::ChanId { key, domain, value } => {
                tag(
                    out,
                    "chanid",
                    &[("key", Some(&key.to_string())), ("domain", Some(domain)), ("value", Some(value))],
                );
                out.push_str("/>");
            }
            Item::ChanIb(c) => write_room(out, c, beside.is_none()),
            Item::Uib(u) => write_uib(out, u),
            Item::Fib { key, value, domain } => {
                tag(out, "fib", &[("key", Some(key)), ("value", Some(value)), ("domain", Some(domain))]);
                out.push_str("/>");
            }
            Item::Qib { qtype, criteria } => {
                tag(
                    out,
                    "qib",
                    &[("qtype", Some(qtype)), ("criteria", Some(criteria)), ("extended", Some("false"))],
                );
                out.push_str("/>");
            }
            Item::Other { name, attrs } => {
                let list: Vec<(&str, Option<&str>)> =
                    attrs.iter().map(|(k, v)| (k.as_str(), Some(v.as_str()))).collect();
                tag(out, name, &list);
                out.push_str("/>");
            }
        }
    }
    if let Some(count) = beside {
        write_last(out, count);
    }
    out.push_str("</data>");
}

impl Envelope {
    /// An envelope with one command.
    pub fn command(envid: u64, id: &str, data: Data) -> Self {
        Self { envid, elements: vec![Element::Command { id: id.to_owned(), seqid: 1, data }] }
    }

    /// An envelope with one element.
    pub fn one(envid: u64, element: Element) -> Self {
        Self { envid, elements: vec![element] }
    }

    /// The document.
    pub fn to_xml(&self) -> String {
        let mut out = format!("<xccos ver=\"1\" envid=\"{}\" xmlns=\"{NAMESPACE}\">", self.envid);
        for e in &self.elements {
            match e {
                Element::Command { id, seqid, data } => {
                    let _ = write!(out, "<cmd id=\"{}\" seqid=\"{seqid}\">", escape(id));
                    write_data(&mut out, data);
                    out.push_str("</cmd>");
                }
                Element::Reply { id, seqid, command, code, text, data } => {
                    let _ = write!(out, "<rpl id=\"{}\" seqid=\"{seqid}\">", escape(id));
                    if let Some((s, e)) = command {
                        let _ = write!(out, "<commandid seqid=\"{s}\" envid=\"{e}\"/>");
                    }
                    let _ = write!(out, "<resp code=\"{code}\">{}</resp>", escape(text));
                    write_data(&mut out, data);
                    out.push_str("</rpl>");
                }
                Element::Notice { id, data } => {
                    let _ = write!(out, "<ntc id=\"{}\" seqid=\"1\">", escape(id));
                    write_data(&mut out, data);
                    out.push_str("</ntc>");
                }
                Element::Chat(c) => write_chat(&mut out, c, "grpchat"),
            }
        }
        out.push_str("</xccos>");
        out
    }
}
