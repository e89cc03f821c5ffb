//! Reading, leniently.

use super::open_points;
use super::types::{ChanIb, Chat, Data, Element, Envelope, Item, Uib, XccosError};
use crate::xml::{self, Node};

fn optional(n: &Node, name: &str) -> Option<String> {
    n.attr(name).map(str::to_owned)
}

fn chat(n: &Node) -> Chat {
    let mut c = Chat {
        seqid: n.attr("seqid").and_then(|v| v.parse().ok()).unwrap_or(1),
        chan_uri: n.owned("chanUri"),
        author: n.owned("author"),
        ts: n.owned("ts"),
        text: n.child("chat").map(|c| c.text.clone()).unwrap_or_default(),
        ..Chat::default()
    };
    open_points::read_chat(n, &mut c);
    c
}

/// How many messages `bcq` below `n` asks for.
fn last(n: &Node) -> Option<u32> {
    n.child("bcq")?.child("last")?.attr("cnt")?.parse().ok()
}

fn pairs(n: &Node, name: &str) -> Vec<(String, String)> {
    n.named(name).map(|i| (i.owned("id"), i.text.clone())).collect()
}

fn uib(n: &Node) -> Uib {
    Uib {
        id: n.attr("id").and_then(|v| v.parse().ok()),
        uri: n.owned("uri"),
        disp: optional(n, "disp"),
        aibs: n.named("aib").map(|a| (a.owned("key"), a.owned("domain"), a.owned("value"))).collect(),
    }
}

fn chanib(n: &Node) -> ChanIb {
    let mut c = ChanIb {
        uri: n.owned("uri"),
        name: optional(n, "name"),
        description: optional(n, "description"),
        topic: optional(n, "topic"),
        aibs: n.named("aib").map(|a| (a.owned("key"), a.owned("value"))).collect(),
        infos: pairs(n, "info"),
        props: pairs(n, "prop"),
        msgs: open_points::history(n).map(chat).collect(),
        uibs: n.named("uib").map(uib).collect(),
        last: last(n),
        ..ChanIb::default()
    };
    open_points::read_room(n, &mut c);
    c
}

fn item(n: &Node) -> Item {
    match n.name.to_ascii_lowercase().as_str() {
        "chanid" => Item::ChanId {
            key: n.attr("key").and_then(|k| k.parse().ok()).unwrap_or(0),
            domain: n.owned("domain"),
            value: n.owned("value"),
        },
        "chanib" => {
            let mut c = chanib(n);
            if c.uri.is_empty() {
                c.uri = n.owned("chanUri");
            }
            Item::ChanIb(c)
        }
        "uib" => Item::Uib(uib(n)),
        "fib" => Item::Fib { key: n.owned("key"), value: n.owned("value"), domain: n.owned("domain") },
        "qib" => Item::Qib { qtype: n.owned("qtype"), criteria: n.owned("criteria") },
        _ => Item::Other { name: n.name.clone(), attrs: n.attrs.clone() },
    }
}

/// The items of `data`. `bcq` stands beside `chanib` on the wire (SIPE) or inside it (the text of the
/// reference); both mean the room, and the one inside is the closer one.
fn data(n: &Node) -> Data {
    let Some(d) = n.child("data") else { return Data::default() };
    let mut items: Vec<Item> =
        d.children.iter().filter(|c| !c.name.eq_ignore_ascii_case("bcq")).map(item).collect();
    if let Some(count) = last(d) {
        for i in &mut items {
            if let Item::ChanIb(c) = i {
                c.last.get_or_insert(count);
            }
        }
    }
    Data(items)
}

fn element(n: &Node) -> Option<Element> {
    let id = n.attr("id").unwrap_or_default().to_ascii_lowercase();
    let seqid = n.attr("seqid").and_then(|v| v.parse().ok()).unwrap_or(1);
    Some(match n.name.to_ascii_lowercase().as_str() {
        "cmd" => Element::Command { id, seqid, data: data(n) },
        "rpl" => {
            let number = |node: &Node, a: &str| node.attr(a).and_then(|v| v.parse::<u64>().ok());
            let command = n
                .child("commandid")
                .and_then(|c| Some((u32::try_from(number(c, "seqid")?).ok()?, number(c, "envid")?)));
            let resp = n.child("resp");
            Element::Reply {
                id,
                seqid,
                command,
                code: resp.and_then(|r| r.attr("code")).and_then(|c| c.parse().ok()).unwrap_or(0),
                text: resp.map(|r| r.text.trim().to_owned()).unwrap_or_default(),
                data: data(n),
            }
        }
        "ntc" => Element::Notice { id, data: data(n) },
        "grpchat" => Element::Chat(chat(n)),
        _ => return None,
    })
}

/// Reads an INFO body.
///
/// # Errors
/// When it is not an XCCOS document.
pub fn parse(body: &[u8]) -> Result<Envelope, XccosError> {
    let root = xml::parse(body).map_err(XccosError)?;
    if !root.name.eq_ignore_ascii_case("xccos") {
        return Err(XccosError(format!("the root element is {}", root.name)));
    }
    let envid =
        root.attr("envid").and_then(|v| v.parse().ok()).ok_or_else(|| XccosError("no envid".to_owned()))?;
    Ok(Envelope { envid, elements: root.children.iter().filter_map(element).collect() })
}
