//! What the protocol text leaves open (xccos.md §12, tag M): our choices, in one place. When a capture
//! of a real server or the text of MS-XCCOSIP turns up, this is the file to correct, with its tests.
//!
//! - the numbers of `resp code` beyond 200, and how a refusal is told from them;
//! - the attributes that a server adds to `grpchat` (`authdisp`, `alert`, `chatId`) and the `rtf` child;
//! - `parent` and `behavior` of a `chanib`;
//! - the element that carries history: `msg` is known, `grpchat` is taken as well;
//! - why a room stands as `fib` in a reply with code 200.

use super::types::{ChanIb, Chat, Data};
use crate::xml::Node;

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

/// Why a command on a room was refused, as far as the reply tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The room does not exist.
    RoomUnknown,
    /// The user is not a member, or not allowed otherwise.
    NotAMember,
    /// The room is disabled.
    RoomDisabled,
    /// The service's database does not answer.
    Database,
    /// Anything else, also a code that nobody here knows.
    Other,
}

/// Words that name a class whatever the number is: the names of the SDK's `PersistentChatErrorCode`, with
/// blanks, underscores and case left out.
const WORDS: [(&str, Refusal); 5] = [
    ("nosuchnode", Refusal::RoomUnknown),
    ("nodedisabled", Refusal::RoomDisabled),
    ("errorpermission", Refusal::NotAMember),
    ("permissiondenied", Refusal::NotAMember),
    ("databaseconnection", Refusal::Database),
];

/// What a code and its text mean. The text goes first: a foreign server's numbers are not known, the
/// names of the classes are.
pub fn refusal(number: u16, text: &str) -> Refusal {
    let plain: String =
        text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    if let Some((_, r)) = WORDS.iter().find(|(w, _)| plain.contains(w)) {
        return *r;
    }
    match number {
        code::NO_SUCH_NODE => Refusal::RoomUnknown,
        code::FORBIDDEN => Refusal::NotAMember,
        code::NODE_DISABLED => Refusal::RoomDisabled,
        code::DATABASE => Refusal::Database,
        _ => Refusal::Other,
    }
}

/// What the reply to a join says: none when the room was entered. A `fib` does not say why.
pub fn join_refusal(number: u16, text: &str, data: &Data) -> Option<Refusal> {
    match number {
        code::OK if !data.failed() && data.rooms().next().is_some() => None,
        code::OK => Some(Refusal::Other),
        _ => Some(refusal(number, text)),
    }
}

fn optional(n: &Node, name: &str) -> Option<String> {
    n.attr(name).map(str::to_owned)
}

/// Reads what a server adds to a chat message.
pub(super) fn read_chat(n: &Node, c: &mut Chat) {
    c.authdisp = optional(n, "authdisp");
    c.alert = n.attr("alert").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    c.chat_id = n.attr("chatId").and_then(|v| v.parse().ok());
    c.rtf = n.child("rtf").map(|r| r.text.clone());
}

/// The attributes that a server adds to a chat message; `id` is its `chat_id` in digits.
pub(super) fn chat_attrs<'a>(c: &'a Chat, id: Option<&'a str>) -> [(&'static str, Option<&'a str>); 3] {
    let alert = (id.is_some() || c.alert).then_some(if c.alert { "true" } else { "false" });
    [("authdisp", c.authdisp.as_deref()), ("alert", alert), ("chatId", id)]
}

/// Reads the attributes of a room that nobody has seen SIPE use.
pub(super) fn read_room(n: &Node, c: &mut ChanIb) {
    c.parent = optional(n, "parent");
    c.behavior = optional(n, "behavior");
}

/// Writes them.
pub(super) fn room_attrs(c: &ChanIb) -> [(&'static str, Option<&str>); 2] {
    [("parent", c.parent.as_deref()), ("behavior", c.behavior.as_deref())]
}

/// The messages of a history.
pub(super) fn history(n: &Node) -> impl Iterator<Item = &Node> {
    n.named("msg").chain(n.named("grpchat"))
}

#[cfg(test)]
mod tests {
    use super::super::{Element, Envelope, Item, parse};
    use super::*;

    #[test]
    fn a_refusal_is_told_by_words_before_numbers() {
        for (number, text, wanted) in [
            (404, "ERROR_NO_SUCH_NODE", Refusal::RoomUnknown),
            (404, "", Refusal::RoomUnknown),
            (403, "ERROR_PERMISSION", Refusal::NotAMember),
            (423, "ERROR_NODE_DISABLED", Refusal::RoomDisabled),
            (500, "ERROR_DATABASE_CONNECTION", Refusal::Database),
            (501, "ERROR_MSG_NOT_SUPPORTED", Refusal::Other),
            // A foreign server with numbers of its own.
            (7, "NodeDisabled", Refusal::RoomDisabled),
            (999, "NoSuchNode: 300", Refusal::RoomUnknown),
            (418, "", Refusal::Other),
        ] {
            assert_eq!(refusal(number, text), wanted, "{number} {text}");
        }
    }

    #[test]
    fn a_join_is_refused_by_code_by_fib_and_by_an_empty_answer() {
        let room = Data::one(Item::ChanIb(ChanIb::default()));
        let fib =
            Item::Fib { key: "OPERATION_FAILED".to_owned(), value: "1".to_owned(), domain: "d".to_owned() };
        assert_eq!(join_refusal(200, "SUCCESS_OK", &room), None);
        assert_eq!(join_refusal(200, "SUCCESS_OK", &Data::one(fib)), Some(Refusal::Other));
        assert_eq!(join_refusal(200, "SUCCESS_OK", &Data::default()), Some(Refusal::Other));
        assert_eq!(join_refusal(403, "", &room), Some(Refusal::NotAMember));
    }

    #[test]
    fn a_servers_additions_are_read_and_may_be_missing() {
        let read = |xml: &str| match parse(xml.as_bytes()).unwrap().elements.remove(0) {
            Element::Chat(c) => c,
            other => panic!("{other:?}"),
        };
        let c = read(
            r#"<xccos envid="1"><grpchat chanUri="r" author="a" authdisp="A" alert="TRUE" chatId="7" ts="t"><chat>x</chat><rtf>{x}</rtf></grpchat></xccos>"#,
        );
        assert_eq!(
            (c.authdisp.as_deref(), c.alert, c.chat_id, c.rtf.as_deref()),
            (Some("A"), true, Some(7), Some("{x}"))
        );
        let c = read(
            r#"<xccos envid="1"><grpchat chanUri="r" author="a" chatId="not a number"><chat>x</chat></grpchat></xccos>"#,
        );
        assert_eq!((c.authdisp, c.alert, c.chat_id, c.rtf), (None, false, None, None));
    }

    #[test]
    fn history_stands_in_msg_or_grpchat() {
        for name in ["msg", "grpchat"] {
            let xml = format!(
                "<xccos envid=\"1\"><rpl id=\"rpl:bccontext\"><resp code=\"200\"/><data><chanib uri=\"r\"><{name} author=\"a\" ts=\"t\"><chat>old</chat></{name}></chanib></data></rpl></xccos>"
            );
            let e = parse(xml.as_bytes()).unwrap();
            let Element::Reply { data, .. } = &e.elements[0] else { panic!("no reply") };
            assert_eq!(data.rooms().next().unwrap().msgs[0].text, "old");
        }
    }

    #[test]
    fn parent_and_behavior_survive() {
        let room = ChanIb {
            uri: "r".to_owned(),
            parent: Some("ma-cat://d/1".to_owned()),
            behavior: Some("NORMAL".to_owned()),
            ..ChanIb::default()
        };
        let e = Envelope::command(1, "cmd:join", Data::one(Item::ChanIb(room)));
        assert_eq!(parse(e.to_xml().as_bytes()).unwrap(), e);
    }
}
