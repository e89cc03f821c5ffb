//! The commands of `xccos.md` §5 through the wire, each with what it answers when it is refused.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wire::roomuri::RoomUri;
use wire::sip::Message;
use wire::xccos::{self, ChanIb, Chat, Data, Element, Item, code};

use crate::sip_client::{Dialog, Sip};
use crate::support::{Sample, User, run};

const POOL: &str = "atl-cs-001.litwareinc.com";
const CHANNEL: &str = "sip:gc-channel-atl-cs-001.litwareinc.com@litwareinc.com";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// A session of a user's with the channel service.
struct Client {
    sip: Sip,
    dialog: Dialog,
}

fn chan_id(room: &str, key: u32) -> Result<Item> {
    let id = RoomUri::parse(room).context("not a room")?;
    Ok(Item::ChanId { key, domain: id.domain, value: id.id })
}

fn chan(room: &str, last: Option<u32>) -> Data {
    Data::one(Item::ChanIb(ChanIb { uri: room.to_owned(), last, ..ChanIb::default() }))
}

fn search(criteria: &str) -> Data {
    Data::one(Item::Qib { qtype: "BYNAME".to_owned(), criteria: criteria.to_owned() })
}

impl Client {
    async fn open(s: &Sample, user: &User) -> Result<Self> {
        let mut sip = Sip::connect(s).await?;
        sip.sign_on(user).await?;
        let dialog = sip.invite(user, CHANNEL).await?;
        Ok(Self { sip, dialog })
    }

    async fn ask(&mut self, id: &str, data: Data) -> Result<(u16, Data)> {
        self.sip.command(&mut self.dialog, id, data).await
    }

    async fn join(&mut self, room: &str) -> Result<u16> {
        Ok(self.ask("cmd:join", Data::one(chan_id(room, 0)?)).await?.0)
    }

    async fn post(&mut self, room: &str, text: &str) -> Result<u16> {
        Ok(self.sip.post(&mut self.dialog, room, text, None).await?.status)
    }

    async fn history(&mut self, room: &str, last: Option<u32>) -> Result<Vec<String>> {
        let (code, data) = self.ask("cmd:bccontext", chan(room, last)).await?;
        ensure!(code == code::OK, "bccontext: {code}");
        Ok(data.rooms().flat_map(|r| r.msgs.iter().map(|m| m.text.clone())).collect())
    }

    /// The next notice of this kind.
    async fn notice(&mut self, wanted: &str) -> Result<Data> {
        self.sip
            .wait(|m| {
                let Message::Request(r) = m else { return None };
                xccos::parse(&r.body).ok()?.elements.into_iter().find_map(|e| match e {
                    Element::Notice { id, data } if id == wanted => Some(data),
                    _ => None,
                })
            })
            .await
    }

    /// The next message told, or `None` for a notice.
    async fn next(&mut self) -> Result<Option<String>> {
        self.sip
            .wait(|m| {
                let Message::Request(r) = m else { return None };
                xccos::parse(&r.body).ok()?.elements.into_iter().find_map(|e| match e {
                    Element::Chat(c) => Some(Some(c.text)),
                    Element::Notice { .. } => Some(None),
                    _ => None,
                })
            })
            .await
    }
}

async fn room(s: &Sample, name: &str, more: serde_json::Value) -> Result<String> {
    let mut args = json!({ "Name": name, "Category": format!("{POOL}\\General") });
    if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
        args.extend(more.clone());
    }
    run(&s.client, "New-CsPersistentChatRoom", args).await?;
    let found =
        run(&s.client, "Get-CsPersistentChatRoom", json!({ "Identity": format!("{POOL}\\{name}") })).await?;
    Ok(found["output"][0]["ChatRoomUri"].as_str().context("no room")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_joined_together_left_and_their_people_told() -> Result<()> {
    let s = Sample::start().await?;
    let (one, two) = (
        room(&s, "One", json!({ "Privacy": "Open" })).await?,
        room(&s, "Two", json!({ "Privacy": "Open" })).await?,
    );
    let (mut a, mut b) = (Client::open(&s, &s.users[0]).await?, Client::open(&s, &s.users[1]).await?);
    let (code, info) = a.ask("cmd:getserverinfo", Data::default()).await?;
    let limit = |d: &Data| {
        d.0.iter().any(|i| matches!(i, Item::Other { name, attrs } if name == "sib" && attrs.iter().any(|(k, v)| k == "searchLimit" && v == "999")))
    };
    ensure!(code == code::OK && limit(&info), "{code} {info:?}");
    ensure!(a.join(&one).await? == code::OK);
    // Several rooms with one command; what does not exist is a failure of its own.
    let missing = Item::ChanId { key: 2, domain: "litwareinc.com".to_owned(), value: NOBODY.to_owned() };
    let (code, data) = b.ask("cmd:bjoin", Data(vec![chan_id(&one, 0)?, chan_id(&two, 1)?, missing])).await?;
    let failed: Vec<&str> = data
        .0
        .iter()
        .filter_map(|i| match i {
            Item::Fib { key, value, .. } if key == "OPERATION_FAILED" => Some(value.as_str()),
            _ => None,
        })
        .collect();
    ensure!(code == code::OK && data.rooms().count() == 2 && failed == [NOBODY], "{code} {data:?}");
    ensure!(data.users().count() == 2, "both are in the first room: {data:?}");
    let came = a.notice("ntc:join").await?;
    let id = RoomUri::parse(&one).context("not a room")?.id;
    let who = came.users().next().context("nobody came")?;
    ensure!(who.uri == s.users[1].sip && who.aibs.iter().any(|(_, _, v)| *v == id), "{came:?}");
    // Left: the others are told, and nothing is told to him any more.
    let (code, left) = b.ask("cmd:part", chan(&one, None)).await?;
    ensure!(code == code::OK && left.rooms().next().is_some_and(|r| r.uri == one), "{left:?}");
    let gone = a.notice("ntc:part").await?;
    ensure!(gone.rooms().any(|r| r.uri == one && r.uibs.iter().any(|u| u.uri == s.users[1].sip)), "{gone:?}");
    ensure!(a.post(&one, "he has left").await? == 200);
    a.join(&two).await?;
    ensure!(a.post(&two, "he is here").await? == 200);
    loop {
        match b.next().await? {
            None => {}
            Some(text) => {
                ensure!(text == "he is here", "{text}");
                break;
            }
        }
    }
    ensure!(b.post(&one, "from outside").await? == 403, "who has left does not post");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn histories_searches_and_refusals_are_as_the_protocol_has_them() -> Result<()> {
    let s = Sample::start().await?;
    let open = room(&s, "Open Space", json!({ "Privacy": "Open" })).await?;
    let closed = room(&s, "Board only", json!({ "Privacy": "Closed" })).await?;
    let members =
        json!({ "Identity": format!("{POOL}\\Board only"), "Members": { "Add": [s.users[1].sip] } });
    run(&s.client, "Set-CsPersistentChatRoom", members).await?;
    let off = room(&s, "Switched off", json!({ "Privacy": "Open", "Disabled": true })).await?;
    let mut a = Client::open(&s, &s.users[0]).await?;
    // Refusals, each with its number.
    for (target, wanted) in [(&closed, code::FORBIDDEN), (&off, code::NODE_DISABLED)] {
        let got = a.join(target).await?;
        ensure!(got == wanted, "{target}: {got} instead of {wanted}");
    }
    let got = a.join(&format!("ma-chan://litwareinc.com/{NOBODY}")).await?;
    ensure!(got == code::NO_SUCH_NODE, "a room that is none: {got}");
    let (got, _) = a.ask("cmd:nothing", Data::default()).await?;
    ensure!(got == code::NOT_SUPPORTED, "an unknown command: {got}");
    let (got, _) = a.ask("cmd:bccontext", chan(&open, None)).await?;
    ensure!(got == code::FORBIDDEN, "history without having joined: {got}");
    ensure!(a.post(&open, "too early").await? == 403);
    for quiet in ["cmd:getinv", "cmd:nodespermcreatechild", "cmd:getpref", "cmd:setpref"] {
        ensure!(a.ask(quiet, Data::default()).await?.0 == code::OK, "{quiet}");
    }
    // The history has the newest ones, oldest first, as many as were asked for.
    ensure!(a.join(&open).await? == code::OK);
    for n in 0..40 {
        ensure!(a.post(&open, &format!("text {n}")).await? == 200);
    }
    ensure!(a.history(&open, Some(3)).await? == ["text 37", "text 38", "text 39"]);
    let usual = a.history(&open, None).await?;
    ensure!(usual.len() == 30 && usual[0] == "text 10", "{usual:?}");
    ensure!(a.history(&open, Some(9_999)).await?.len() == 40);
    // The same post again, as a client sends it that missed the answer: stored once, told once.
    let chat = Chat {
        seqid: 1,
        chan_uri: open.clone(),
        ts: "2026-01-01T00:00:00Z".to_owned(),
        text: "only once".to_owned(),
        ..Chat::default()
    };
    let r = a.dialog.info(Element::Chat(chat));
    for _ in 0..3 {
        ensure!(a.sip.exchange(&r).await?.status == 200);
    }
    let last = a.history(&open, Some(2)).await?;
    ensure!(last == ["text 39", "only once"], "{last:?}");
    // Names are found whatever their case; what is secret or off is not.
    for (criteria, wanted) in [("SPACE", 1), ("board", 1), ("switched", 0), ("no such name", 0)] {
        let (code, data) = a.ask("cmd:chansrch", search(criteria)).await?;
        ensure!(code == code::OK && data.rooms().count() == wanted, "{criteria}: {code} {data:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_limit_nobody_is_told_who_comes() -> Result<()> {
    let s = Sample::start().await?;
    let open = room(&s, "Crowded", json!({ "Privacy": "Open" })).await?;
    let (mut a, mut b) = (Client::open(&s, &s.users[0]).await?, Client::open(&s, &s.users[1]).await?);
    // The length of a history tells that the settings have reached the servers.
    let marker = room(&s, "Marker", json!({ "Privacy": "Open" })).await?;
    ensure!(a.join(&marker).await? == code::OK);
    for n in 0..3 {
        ensure!(a.post(&marker, &format!("{n}")).await? == 200);
        ensure!(a.next().await? == Some(format!("{n}")));
    }
    let set = json!({ "Identity": "global", "ParticipantUpdateLimit": 1, "DefaultChatHistory": 2 });
    run(&s.client, "Set-CsPersistentChatConfiguration", set).await?;
    lifeguard_tests::wait::until("the settings at the servers", async || {
        let n = a.history(&marker, None).await?.len();
        ensure!(n == 2, "{n} messages");
        Ok(())
    })
    .await?;
    ensure!(a.join(&open).await? == code::OK);
    ensure!(b.join(&open).await? == code::OK && b.post(&open, "I am here").await? == 200);
    ensure!(a.next().await? == Some("I am here".to_owned()), "a notice came above the limit");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_at_the_same_time_stand_in_one_order_for_everyone() -> Result<()> {
    let s = Sample::start().await?;
    let open = room(&s, "Order", json!({ "Privacy": "Open" })).await?;
    let (people, each) = (4, 20);
    let mut talking = tokio::task::JoinSet::new();
    let mut ready = Vec::new();
    for n in 0..people {
        let mut c = Client::open(&s, &s.users[n % 2]).await?;
        ensure!(c.join(&open).await? == code::OK);
        ready.push(c);
    }
    for (n, mut c) in ready.into_iter().enumerate() {
        let open = open.clone();
        talking.spawn(async move {
            for i in 0..each {
                ensure!(c.post(&open, &format!("{n}.{i}")).await? == 200);
            }
            let mut told = Vec::new();
            while told.len() < people * each {
                told.extend(c.next().await?);
            }
            anyhow::Ok((c, told))
        });
    }
    let mut all = Vec::new();
    let mut kept = Vec::new();
    while let Some(done) = talking.join_next().await {
        let (c, told) = done??;
        kept.push(c);
        all.push(told);
    }
    ensure!(all.iter().all(|t| *t == all[0]), "{all:?}");
    let mut sorted = all[0].clone();
    sorted.sort();
    sorted.dedup();
    ensure!(sorted.len() == people * each, "one was told twice");
    ensure!(kept[0].history(&open, Some(500)).await? == all[0], "the history has the same order");
    Ok(())
}
