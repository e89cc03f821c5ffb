//! XCCOS: the chat protocol inside INFO bodies (xccos.md §§4–9). Lenient in what it reads: ids without
//! case, unknown elements and attributes ignored, any prefix.

use std::fmt::Write;

use crate::xml::{self, Node, escape};

/// Namespace of the envelope.
pub const NAMESPACE: &str = "urn:parlano:xml:ns:xccos";
/// Type of an INFO body.
pub const CONTENT_TYPE: &str = "text/plain";

/// Codes of a reply. Beyond 200 the numbers are ours: the reference knows the classes, not the codes.
pub mod code {
    /// Done.
    pub const OK: u16 = 200;
    /// Not understood.
    pub const BAD_REQUEST: u16 = 400;
    /// Not allowed.
    pub const FORBIDDEN: u16 = 403;
    /// No such room.
    pub const NO_SUCH_NODE: u16 = 404;
    /// The room is disabled.
    pub const NODE_DISABLED: u16 = 423;
    /// The database does not answer.
    pub const DATABASE: u16 = 500;
    /// Unknown command.
    pub const NOT_SUPPORTED: u16 = 501;
}

/// Why a body is not XCCOS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not XCCOS: {0}")]
pub struct XccosError(pub String);

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Unique per sender; real servers use 63 bits.
    pub envid: u64,
    /// What it carries.
    pub elements: Vec<Element>,
}

/// One element of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A command.
    Command {
        /// `cmd:join`, lower case.
        id: String,
        /// Number within the envelope.
        seqid: u32,
        /// Arguments.
        data: Data,
    },
    /// A reply.
    Reply {
        /// `rpl:join`, lower case.
        id: String,
        /// Number within the envelope.
        seqid: u32,
        /// seqid and envid of the command it answers: the correlation key.
        command: Option<(u32, u64)>,
        /// 200 or an error.
        code: u16,
        /// Text of the code.
        text: String,
        /// Results.
        data: Data,
    },
    /// A notice.
    Notice {
        /// `ntc:join`, lower case.
        id: String,
        /// Content.
        data: Data,
    },
    /// A chat message.
    Chat(Chat),
}

/// A chat message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chat {
    /// Number within the envelope.
    pub seqid: u32,
    /// Room URI.
    pub chan_uri: String,
    /// Author's SIP address.
    pub author: String,
    /// Author's display name (from the server).
    pub authdisp: Option<String>,
    /// Whether it is an alert.
    pub alert: bool,
    /// Number of the message in the room (from the server).
    pub chat_id: Option<u64>,
    /// ISO 8601 UTC; mandatory from a client.
    pub ts: String,
    /// Plain text.
    pub text: String,
    /// RTF alternative.
    pub rtf: Option<String>,
}

/// A room as replies describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChanIb {
    /// `ma-chan://…`.
    pub uri: String,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Topic.
    pub topic: Option<String>,
    /// `ma-cat://…`.
    pub parent: Option<String>,
    /// `NORMAL` or `AUDITORIUM`.
    pub behavior: Option<String>,
    /// Roles: key and comma list of `uib` ids.
    pub aibs: Vec<(String, String)>,
    /// `info` children: id and text.
    pub infos: Vec<(String, String)>,
    /// `prop` children: id and text.
    pub props: Vec<(String, String)>,
    /// History (`rpl:bccontext`).
    pub msgs: Vec<Chat>,
    /// Users (`ntc:part`).
    pub uibs: Vec<Uib>,
    /// `bcq/last cnt`.
    pub last: Option<u32>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uib {
    /// Number within the document.
    pub id: Option<u32>,
    /// SIP address.
    pub uri: String,
    /// Display name.
    pub disp: Option<String>,
    /// Rooms entered (`ntc:join`): key, domain, room id.
    pub aibs: Vec<(String, String, String)>,
}

/// What stands in `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Reference to a room by key, domain and id.
    ChanId {
        /// Number in the list.
        key: u32,
        /// SIP domain.
        domain: String,
        /// Room id.
        value: String,
    },
    /// A room.
    ChanIb(ChanIb),
    /// A user.
    Uib(Uib),
    /// A room that failed.
    Fib {
        /// `OPERATION_FAILED`.
        key: String,
        /// Room id.
        value: String,
        /// SIP domain.
        domain: String,
    },
    /// A room search.
    Qib {
        /// `BYNAME`.
        qtype: String,
        /// What to look for.
        criteria: String,
    },
    /// Anything else, by name and attributes.
    Other {
        /// Element name.
        name: String,
        /// Attributes.
        attrs: Vec<(String, String)>,
    },
}

/// The items of a `data` element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data(pub Vec<Item>);

impl Data {
    /// One item.
    pub fn one(item: Item) -> Self {
        Self(vec![item])
    }

    /// Rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &ChanIb> {
        self.0.iter().filter_map(|i| if let Item::ChanIb(c) = i { Some(c) } else { None })
    }

    /// Users.
    pub fn users(&self) -> impl Iterator<Item = &Uib> {
        self.0.iter().filter_map(|i| if let Item::Uib(u) = i { Some(u) } else { None })
    }

    /// Whether a room failed.
    pub fn failed(&self) -> bool {
        self.0.iter().any(|i| matches!(i, Item::Fib { .. }))
    }
}

fn optional(n: &Node, name: &str) -> Option<String> {
    n.attr(name).map(str::to_owned)
}

fn chat(n: &Node) -> Chat {
    Chat {
        seqid: n.attr("seqid").and_then(|v| v.parse().ok()).unwrap_or(1),
        chan_uri: n.owned("chanUri"),
        author: n.owned("author"),
        authdisp: optional(n, "authdisp"),
        alert: n.attr("alert").is_some_and(|v| v.eq_ignore_ascii_case("true")),
        chat_id: n.attr("chatId").and_then(|v| v.parse().ok()),
        ts: n.owned("ts"),
        text: n.child("chat").map(|c| c.text.clone()).unwrap_or_default(),
        rtf: n.child("rtf").map(|c| c.text.clone()),
    }
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
    ChanIb {
        uri: n.owned("uri"),
        name: optional(n, "name"),
        description: optional(n, "description"),
        topic: optional(n, "topic"),
        parent: optional(n, "parent"),
        behavior: optional(n, "behavior"),
        aibs: n.named("aib").map(|a| (a.owned("key"), a.owned("value"))).collect(),
        infos: pairs(n, "info"),
        props: pairs(n, "prop"),
        msgs: n.named("msg").chain(n.named("grpchat")).map(chat).collect(),
        uibs: n.named("uib").map(uib).collect(),
        last: n
            .child("bcq")
            .and_then(|b| b.child("last"))
            .and_then(|l| l.attr("cnt"))
            .and_then(|c| c.parse().ok()),
    }
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

fn data(n: &Node) -> Data {
    let mut items: Vec<Item> =
        n.child("data").map(|d| d.children.iter().map(item).collect()).unwrap_or_default();
    // SIPE writes `bcq` beside `chanib`, not inside it.
    let last = n
        .child("data")
        .and_then(|d| d.child("bcq"))
        .and_then(|b| b.child("last"))
        .and_then(|l| l.attr("cnt"));
    if let Some(cnt) = last.and_then(|c| c.parse().ok()) {
        for i in &mut items {
            if let Item::ChanIb(c) = i {
                c.last.get_or_insert(cnt);
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
    let from_server = c.chat_id.is_some();
    let attrs = [
        ("id", Some("grpchat")),
        ("seqid", Some(seqid.as_str())),
        ("chanUri", Some(c.chan_uri.as_str())),
        ("author", Some(c.author.as_str())),
        ("authdisp", c.authdisp.as_deref()),
        ("alert", (from_server || c.alert).then_some(if c.alert { "true" } else { "false" })),
        ("chatId", id.as_deref()),
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

fn write_room(out: &mut String, c: &ChanIb) {
    let attrs = [
        ("name", c.name.as_deref()),
        ("description", c.description.as_deref()),
        ("uri", Some(c.uri.as_str())),
        ("topic", c.topic.as_deref()),
        ("parent", c.parent.as_deref()),
        ("behavior", c.behavior.as_deref()),
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
    if let Some(n) = c.last {
        let _ = write!(out, "<bcq><last cnt=\"{n}\"/></bcq>");
    }
    if out.len() == start + 1 {
        out.truncate(start);
        out.push_str("/>");
    } else {
        out.push_str("</chanib>");
    }
}

fn write_data(out: &mut String, d: &Data) {
    if d.0.is_empty() {
        out.push_str("<data/>");
        return;
    }
    out.push_str("<data>");
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
            Item::ChanIb(c) => write_room(out, c),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bodies of xccos.md §13: read, and written again letter by letter.
    #[test]
    fn the_reference_conversation() {
        for body in [
            r#"<xccos ver="1" envid="4101" xmlns="urn:parlano:xml:ns:xccos"><cmd id="cmd:requri" seqid="1"><data/></cmd></xccos>"#,
            r#"<xccos ver="1" envid="9000000000000001" xmlns="urn:parlano:xml:ns:xccos"><rpl id="rpl:requri" seqid="1"><commandid seqid="1" envid="4101"/><resp code="200">SUCCESS_OK</resp><data><uib uri="sip:pcpool-channel@litware.test"/></data></rpl></xccos>"#,
            r#"<xccos ver="1" envid="4103" xmlns="urn:parlano:xml:ns:xccos"><cmd id="cmd:join" seqid="1"><data><chanid key="0" domain="litware.test" value="6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"/></data></cmd></xccos>"#,
            r#"<xccos ver="1" envid="9000000000000003" xmlns="urn:parlano:xml:ns:xccos"><rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="4103"/><resp code="200">SUCCESS_OK</resp><data><chanib name="Synthetic test" description="daily check" uri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" topic="health" parent="ma-cat://litware.test/ops" behavior="NORMAL"><aib key="3984" value="0"/><info id="urn:parlano:ma:info:ucnt">1</info><prop id="urn:parlano:ma:prop:logged">True</prop></chanib><uib id="0" uri="sip:pilar@litware.test" disp="Pilar Ackerman"/></data></rpl></xccos>"#,
            r#"<xccos ver="1" envid="9000000000000004" xmlns="urn:parlano:xml:ns:xccos"><ntc id="ntc:join" seqid="1"><data><uib uri="sip:kenmyer@litware.test" disp="Ken Myer"><aib key="3984" domain="litware.test" value="6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"/></uib></data></ntc></xccos>"#,
            r#"<xccos ver="1" envid="4104" xmlns="urn:parlano:xml:ns:xccos"><grpchat id="grpchat" seqid="1" chanUri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" author="sip:pilar@litware.test" ts="2026-11-21T09:00:01Z"><chat>synthetic 7c1e 1/2</chat></grpchat></xccos>"#,
            r#"<xccos ver="1" envid="9000000000000005" xmlns="urn:parlano:xml:ns:xccos"><grpchat id="grpchat" seqid="1" chanUri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa" author="sip:pilar@litware.test" authdisp="Pilar Ackerman" alert="false" chatId="501" ts="2026-11-21T09:00:01.1042310Z"><chat>synthetic 7c1e 1/2</chat></grpchat></xccos>"#,
            r#"<xccos ver="1" envid="9000000000000008" xmlns="urn:parlano:xml:ns:xccos"><ntc id="ntc:part" seqid="1"><data><chanib uri="ma-chan://litware.test/6b1f0c3e-52a7-4f0d-9c4b-0d9b7a51c2aa"><uib uri="sip:pilar@litware.test"/></chanib></data></ntc></xccos>"#,
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap().to_xml(), body);
        }
    }

    #[test]
    fn prefixes_case_and_unknown_things_do_not_matter() {
        let e = parse(br#"<?xml version="1.0"?><x:XCCOS xmlns:x="urn:parlano:xml:ns:xccos" envid="1" new="1"><x:cmd id="CMD:Join" seqid="1"><x:data><x:zib/><x:chanid key="0" domain="d" value="v"/></x:data></x:cmd><x:sys/></x:XCCOS>"#).unwrap();
        let Element::Command { id, data, .. } = &e.elements[0] else { panic!("no command") };
        assert_eq!((id.as_str(), data.0.len(), e.elements.len()), ("cmd:join", 2, 1));
    }

    #[test]
    fn document_types_and_depth_are_refused() {
        assert!(parse(b"<!DOCTYPE x [<!ENTITY a \"b\">]><xccos envid=\"1\"/>").is_err());
        assert!(parse("<xccos envid=\"1\">".repeat(40).as_bytes()).is_err());
        assert!(parse(b"<xccos/>").is_err());
    }

    proptest! {
        #[test]
        fn text_survives(text in "[ -~\u{a0}-\u{d7ff}\r\n\t]{0,120}") {
            let chat = Chat { seqid: 1, chan_uri: "ma-chan://d/1".to_owned(), author: "sip:a@b".to_owned(), ts: "t".to_owned(), text, ..Chat::default() };
            let e = Envelope::one(7, Element::Chat(chat));
            prop_assert_eq!(parse(e.to_xml().as_bytes()).unwrap(), e);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
