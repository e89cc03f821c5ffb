//! How rooms, messages and people stand in replies, and what keeps a reply within one SIP message.

use std::collections::HashMap;

use shared::deployment::ChatPoolHost;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wire::roomuri::category_uri;
use wire::stream::MAX_BODY;
use wire::xccos::{ChanIb, Chat, Data, Element, Envelope, Item, Uib, code};

use super::commands::MESSAGE_LIMIT;
use super::session::LIMIT_EXCEEDED;
use crate::rules;
use crate::traits::{Category, Room, RoomKind, StoreError, StoredMessage};

/// Key of the role list of ordinary participants (xccos.md §5).
pub const PARTICIPANTS: &str = "3984";
/// Key of the role list of managers (xccos.md §5).
const MANAGERS: &str = "12276";
/// Most bytes of the data of a reply; the envelope around it takes the rest.
const BUDGET: usize = MAX_BODY - 64 * 1024;
/// Most rooms in an answer to a search.
pub const SEARCH_LIMIT: usize = 999;

/// Result of a command: code, text, data.
pub type Answer = (u16, String, Data);

/// A good answer.
pub fn ok(data: Data) -> Answer {
    (code::OK, "SUCCESS_OK".to_owned(), data)
}

/// Code and word of a failure.
pub fn fault(e: &StoreError) -> (u16, &'static str) {
    match e {
        StoreError::Forbidden(_) => (code::FORBIDDEN, "ERROR_PERMISSION"),
        StoreError::NotFound(_) => (code::NO_SUCH_NODE, "ERROR_NO_SUCH_NODE"),
        StoreError::Disabled => (code::NODE_DISABLED, "ERROR_NODE_DISABLED"),
        StoreError::Invalid { .. } | StoreError::Conflict(_) => (code::BAD_REQUEST, "ERROR_INVALID_ARGUMENT"),
        StoreError::Closed | StoreError::Database(_) => (code::DATABASE, "ERROR_DATABASE_CONNECTION"),
    }
}

/// A bad answer.
pub fn failed(e: &StoreError) -> Answer {
    let (number, text) = fault(e);
    (number, text.to_owned(), Data::default())
}

/// The answer to what asks for more than one message carries.
pub fn too_much() -> Answer {
    (LIMIT_EXCEEDED, "ERROR_LIMIT_EXCEEDED".to_owned(), Data::default())
}

/// Bytes of an item on the wire, escaped.
fn size(item: Item) -> usize {
    Envelope::one(1, Element::Notice { id: String::new(), data: Data::one(item) }).to_xml().len()
}

/// Bytes of a message on the wire, escaped.
pub fn chat_size(c: &Chat) -> usize {
    Envelope::one(1, Element::Chat(c.clone())).to_xml().len()
}

/// The longest run at the end of `list` that fits into a reply: the newest messages.
pub fn newest_that_fit(list: Vec<Chat>) -> Vec<Chat> {
    let mut left = BUDGET;
    let kept = list.iter().rev().take_while(|c| {
        let n = chat_size(c);
        let fits = n <= left;
        left = left.saturating_sub(n);
        fits
    });
    let skip = list.len() - kept.count();
    list.into_iter().skip(skip).collect()
}

/// Address of a room on the wire.
pub fn room_uri(pool: &ChatPoolHost, id: &str) -> String {
    format!("ma-chan://{}/{id}", pool.channel_uri.domain())
}

/// A stored message as it is told.
pub fn chat_of(pool: &ChatPoolHost, m: &StoredMessage) -> Chat {
    // Seven fraction digits, as real servers write them.
    let text = m.at.rfc3339();
    let (whole, fraction) =
        text.trim_end_matches('Z').split_once('.').map_or((text.trim_end_matches('Z'), ""), |p| p);
    Chat {
        seqid: 1,
        chan_uri: room_uri(pool, &m.room),
        author: m.author.clone(),
        authdisp: Some(m.author_display.clone()),
        alert: false,
        chat_id: Some(m.chat_id),
        ts: format!("{whole}.{fraction:0<7}Z"),
        text: m.text.clone(),
        rtf: m.rtf.clone(),
    }
}

fn describe(host: &ChatPoolHost, r: &Room, c: &Category) -> ChanIb {
    let domain = host.channel_uri.domain();
    ChanIb {
        uri: room_uri(host, &r.id),
        name: Some(r.name.clone()),
        description: Some(r.description.clone()),
        parent: Some(category_uri(domain, &c.id)),
        behavior: Some(if r.kind == RoomKind::Auditorium { "AUDITORIUM" } else { "NORMAL" }.to_owned()),
        props: [
            ("logged", c.chat_history),
            ("invite", c.invitations && r.invitations),
            ("filepost", c.file_upload),
        ]
        .map(|(what, on)| {
            (format!("urn:parlano:ma:prop:{what}"), if on { "True" } else { "False" }.to_owned())
        })
        .to_vec(),
        ..ChanIb::default()
    }
}

/// Rooms that a search found, as many as fit.
pub fn found(host: &ChatPoolHost, list: &[(Room, Category)]) -> Data {
    let mut left = BUDGET;
    let items = list.iter().map(|(r, c)| Item::ChanIb(describe(host, r, c)));
    let fitting = items.take_while(|i| {
        let n = size(i.clone());
        let fits = n <= left;
        left = left.saturating_sub(n);
        fits
    });
    Data(fitting.collect())
}

/// A room that was entered, with who is there: address and display name.
pub type Entry = (Room, Category, Vec<(String, String)>);

/// The answer to a join: rooms, failures, and of the people as many as fit; the count is of all.
pub fn joined(host: &ChatPoolHost, rooms: Vec<Entry>, failures: Vec<Item>) -> Answer {
    let described = |(r, c, people): Entry| {
        let mut info = describe(host, &r, &c);
        info.infos.push(("urn:parlano:ma:info:ucnt".to_owned(), people.len().to_string()));
        (info, r, people)
    };
    let rooms: Vec<_> = rooms.into_iter().map(described).collect();
    let fixed =
        rooms.iter().map(|(i, ..)| size(Item::ChanIb(i.clone()))).chain(failures.iter().cloned().map(size));
    let Some(mut left) = BUDGET.checked_sub(fixed.sum()) else { return too_much() };
    let mut numbers: HashMap<(String, String), usize> = HashMap::new();
    let mut people = Vec::new();
    let mut out = Vec::new();
    for (mut info, room, here) in rooms {
        let (mut ids, mut managers) = (Vec::new(), Vec::new());
        for p in here {
            // A number in both role lists has eight bytes at most each.
            let known = numbers.get(&p).copied();
            let new = |i: usize| Uib {
                id: u32::try_from(i).ok(),
                uri: p.0.clone(),
                disp: Some(p.1.clone()),
                aibs: Vec::new(),
            };
            let uib = known.is_none().then(|| Item::Uib(new(people.len())));
            let cost = 16 + uib.clone().map_or(0, size);
            if cost > left {
                break;
            }
            left -= cost;
            let i = known.unwrap_or(people.len());
            people.extend(uib);
            ids.push(i.to_string());
            if room.managers.iter().any(|m| rules::covers(m, p.0.as_str())) {
                managers.push(i.to_string());
            }
            numbers.insert(p, i);
        }
        info.aibs.push((PARTICIPANTS.to_owned(), ids.join(",")));
        if !managers.is_empty() {
            info.aibs.push((MANAGERS.to_owned(), managers.join(",")));
        }
        out.push(Item::ChanIb(info));
    }
    out.extend(failures);
    out.extend(people);
    ok(Data(out))
}

/// What the server is, for `cmd:getserverinfo`.
pub fn server_info(host: &ChatPoolHost) -> Item {
    let domain = host.channel_uri.domain();
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let pairs = [
        ("infoType", "123".to_owned()),
        ("serverTime", now.format(&Rfc3339).unwrap_or_default()),
        ("searchLimit", SEARCH_LIMIT.to_string()),
        ("messageSizeLimit", MESSAGE_LIMIT.to_string()),
        ("storySizeLimit", MESSAGE_LIMIT.to_string()),
        ("rootUri", category_uri(domain, "root")),
        ("dbVersion", "1".to_owned()),
    ];
    Item::Other { name: "sib".to_owned(), attrs: pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Fqdn, ObjectId, SipUri};

    fn host() -> ChatPoolHost {
        let uri = |u: &str| SipUri::try_from(u).unwrap();
        ChatPoolHost {
            id: ObjectId::try_from("p").unwrap(),
            fqdn: Fqdn::try_from("pool.litwareinc.com").unwrap(),
            display_name: String::new(),
            port: 5041,
            next_hop: ObjectId::try_from("f").unwrap(),
            servers: Vec::new(),
            lookup_uri: uri("sip:l@litwareinc.com"),
            channel_uri: uri("sip:c@litwareinc.com"),
            endpoints: Vec::new(),
            default_for: Vec::new(),
            default_for_front_ends: Vec::new(),
            compliance: false,
            settings: shared::deployment::ChatSettings::default(),
            database: None,
            pair: None,
        }
    }

    fn bytes(answer: &Answer) -> usize {
        answer.2.0.iter().cloned().map(size).sum()
    }

    #[test]
    fn history_keeps_the_newest_that_fit() {
        let one = |i| Chat { chat_id: Some(i), text: "&".repeat(65_536), ..Chat::default() };
        let kept = newest_that_fit((1..=17).map(one).collect());
        assert!(!kept.is_empty() && kept.len() < 17);
        assert_eq!(kept.last().and_then(|c| c.chat_id), Some(17));
        assert!(kept.iter().map(chat_size).sum::<usize>() <= BUDGET);
    }

    #[test]
    fn a_join_of_a_crowded_room_fits_into_one_message() {
        let people: Vec<_> =
            (0..30_000).map(|i| (format!("sip:user{i}@litwareinc.com"), format!("User <{i}>"))).collect();
        let room =
            Room { id: "r".into(), managers: vec!["sip:user1@litwareinc.com".into()], ..Room::default() };
        let answer = joined(&host(), vec![(room, Category::default(), people)], Vec::new());
        assert_eq!(answer.0, code::OK);
        assert!(bytes(&answer) < MAX_BODY && bytes(&answer) > MAX_BODY / 2);
        let info = answer.2.rooms().next().unwrap();
        assert_eq!(info.infos[0].1, "30000");
        assert_eq!(info.aibs[1], (MANAGERS.to_owned(), "1".to_owned()));
        let failures = (0..20_000).map(|_| Item::Fib {
            key: "OPERATION_FAILED".into(),
            value: "x".repeat(100),
            domain: String::new(),
        });
        assert_eq!(joined(&host(), Vec::new(), failures.collect()).0, LIMIT_EXCEEDED);
    }

    #[test]
    fn a_search_that_finds_much_fits_into_one_message() {
        let room = |i| Room {
            id: format!("{i}"),
            name: "\"".repeat(256),
            description: "\"".repeat(256),
            ..Room::default()
        };
        let list: Vec<_> = (0..999).map(|i| (room(i), Category::default())).collect();
        let data = found(&host(), &list);
        assert!(!data.0.is_empty() && data.0.into_iter().map(size).sum::<usize>() < MAX_BODY);
    }
}
