//! Clients that mean harm: nobody else may notice them.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wire::roomuri::RoomUri;
use wire::sip::{Message, NameAddr, Response};
use wire::xccos::{ChanIb, Data, Item};

use crate::sip_client::{Dialog, Sip, request};
use crate::support::{Sample, User, run};

pub const ENDPOINT: &str = "sip:persistentchat@contoso.com";

/// A sample whose pool in Redmond is reached at [`ENDPOINT`].
pub async fn sample() -> Result<Sample> {
    let s = Sample::start().await?;
    let args = json!({ "SipAddress": ENDPOINT, "PersistentChatPoolFqdn": "atl-cs-001.litwareinc.com" });
    run(&s.client, "New-CsPersistentChatEndpoint", args).await?;
    Ok(s)
}

/// A user in a room: his connection, his channel dialog, and the room's address.
pub struct Present {
    pub sip: Sip,
    pub dialog: Dialog,
    pub room: String,
}

impl Present {
    pub async fn enter(s: &Sample, user: &User) -> Result<Self> {
        let mut sip = Sip::connect(s).await?;
        sip.sign_on(user).await?;
        let mut lookup = sip.invite(user, ENDPOINT).await?;
        let (code, data) = sip.command(&mut lookup, "cmd:requri", Data::default()).await?;
        ensure!(code == 200, "requri: {code}");
        let channel = data.users().next().context("no channel service")?.uri.clone();
        let mut dialog = sip.invite(user, &channel).await?;
        let all = Data::one(Item::Qib { qtype: "BYNAME".into(), criteria: String::new() });
        let (code, data) = sip.command(&mut dialog, "cmd:chansrch", all).await?;
        let room = data.rooms().next().with_context(|| format!("no room: {code}"))?.uri.clone();
        let mut present = Self { sip, dialog, room };
        let (code, _) = present.join().await?;
        ensure!(code == 200, "join: {code}");
        Ok(present)
    }

    pub async fn join(&mut self) -> Result<(u16, Data)> {
        let id = RoomUri::parse(&self.room).context("not a room")?;
        let one = Item::ChanId { key: 0, domain: id.domain, value: id.id };
        self.sip.command(&mut self.dialog, "cmd:join", Data::one(one)).await
    }

    pub async fn post(&mut self, text: &str, rtf: Option<&str>) -> Result<Response> {
        self.sip.post(&mut self.dialog, &self.room, text, rtf).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_posts_and_long_histories_harm_nobody() -> Result<()> {
    let s = sample().await?;
    let mut bystander = Present::enter(&s, &s.users[1]).await?;
    let mut attacker = Present::enter(&s, &s.users[0]).await?;
    let large = "<".repeat(60_000);
    for _ in 0..17 {
        let answer = attacker.post(&large, None).await?;
        ensure!(answer.status == 200, "a large post: {} {}", answer.status, answer.reason);
    }
    let ask = ChanIb { uri: attacker.room.clone(), last: Some(500), ..ChanIb::default() };
    let (code, data) =
        attacker.sip.command(&mut attacker.dialog, "cmd:bccontext", Data::one(Item::ChanIb(ask))).await?;
    let told = data.rooms().next().context("no room in the history")?.msgs.len();
    ensure!(code == 200 && (1..17).contains(&told), "{told} messages, code {code}");
    // The formatted alternative counts too.
    let rtf = "&".repeat(200_000);
    ensure!(attacker.post("small", Some(&rtf)).await?.status == 403, "a huge alternative was taken");
    ensure!(attacker.post("after all that", None).await?.status == 200);
    bystander.sip.told("after all that").await?;
    // A head that would not fit behind the Front End is refused before it gets there.
    let mut long = attacker.dialog.request("INFO");
    long.headers.push("X-Long", "x".repeat(60_000));
    ensure!(attacker.sip.exchange(&long).await?.status == 513);
    ensure!(bystander.post("still here", None).await?.status == 200);
    attacker.sip.told("still here").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_can_neither_take_over_nor_end_a_dialog() -> Result<()> {
    let s = sample().await?;
    let mut victim = Present::enter(&s, &s.users[1]).await?;
    let mut attacker = Present::enter(&s, &s.users[0]).await?;
    // An INVITE, a BYE and an INFO with the victim's Call-ID.
    let mut stolen = victim.dialog.clone();
    for (method, expected) in [("BYE", 481), ("INFO", 481), ("INVITE", 482)] {
        let answer = attacker.sip.exchange(&stolen.request(method)).await?;
        ensure!(answer.status == expected, "{method}: {}", answer.status);
    }
    // Responses to requests that were never sent, with guessed numbers.
    let invite = victim.dialog.request("INFO");
    for n in 1..50 {
        for status in [481, 487, 200] {
            let mut forged = Response::reply_to(&invite, status, "Gone");
            forged.headers.push_front("Via", format!("SIP/2.0/TLS atl-fes-001;branch=z9hG4bKfe{n}x{n}"));
            attacker.sip.send(&Message::Response(forged)).await?;
        }
    }
    ensure!(attacker.post("after the forgeries", None).await?.status == 200);
    victim.sip.told("after the forgeries").await?;
    let before = victim.dialog.clone();
    // An INVITE within the dialog refreshes it: the same tag, and the room is still joined.
    let again = victim.dialog.request("INVITE");
    let answer = victim.sip.exchange(&again).await?;
    ensure!(
        answer.status == 200 && answer.headers.get("To") == Some(&before.to),
        "re-INVITE: {}",
        answer.status
    );
    ensure!(victim.post("refreshed", None).await?.status == 200);
    attacker.sip.told("refreshed").await?;
    // A wrong tag, a number that was passed, and no number at all.
    let mut wrong = victim.dialog.clone();
    wrong.to = wrong.to.replace(";tag=s", ";tag=t");
    ensure!(victim.sip.exchange(&wrong.request("INFO")).await?.status == 481);
    let mut late = before.clone();
    late.cseq = 1;
    ensure!(victim.sip.exchange(&late.request("INFO")).await?.status == 500);
    ensure!(victim.post("the end", None).await?.status == 200);
    attacker.sip.told("the end").await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_and_leaves_in_one_breath_is_no_ghost() -> Result<()> {
    let s = sample().await?;
    let mut bystander = Present::enter(&s, &s.users[1]).await?;
    for _ in 0..5 {
        let mut attacker = Present::enter(&s, &s.users[0]).await?;
        let id = RoomUri::parse(&attacker.room).context("not a room")?;
        let mut pipelined = Vec::new();
        for command in ["cmd:part", "cmd:join"] {
            let data = match command {
                "cmd:part" => {
                    Data::one(Item::ChanIb(ChanIb { uri: attacker.room.clone(), ..ChanIb::default() }))
                }
                _ => Data::one(Item::ChanId { key: 0, domain: id.domain.clone(), value: id.id.clone() }),
            };
            let element = wire::xccos::Element::Command { id: command.to_owned(), seqid: 1, data };
            pipelined.push(attacker.dialog.info(element));
        }
        pipelined.push(attacker.dialog.request("BYE"));
        for r in pipelined {
            attacker.sip.send(&Message::Request(r)).await?;
        }
        let bye = (attacker.dialog.cseq, "BYE".to_owned());
        attacker
            .sip
            .wait(|m| matches!(m, Message::Response(r) if r.cseq() == Some(bye.clone())).then_some(()))
            .await?;
    }
    let part = Data::one(Item::ChanIb(ChanIb { uri: bystander.room.clone(), ..ChanIb::default() }));
    bystander.sip.command(&mut bystander.dialog, "cmd:part", part).await?;
    let (_, data) = bystander.join().await?;
    ensure!(data.users().count() == 1, "only the bystander is there: {:?}", data.users().collect::<Vec<_>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_or_being_disabled_ends_what_was_open() -> Result<()> {
    let s = sample().await?;
    let mut leaver = Present::enter(&s, &s.users[0]).await?;
    let user = &s.users[0];
    // Another user on the same connection: the first one's dialogs are not his.
    leaver.sip.sign_on(&s.users[1]).await?;
    leaver.sip.request("BYE").await?;
    let answer = leaver.post("as whom?", None).await?;
    ensure!(matches!(answer.status, 403 | 481), "{}", answer.status);
    // Signing out ends the dialogs as well.
    let mut leaver = Present::enter(&s, user).await?;
    let first =
        leaver.sip.exchange(&request("REGISTER", "sip:litwareinc.com", &user.sip, &user.sip, 1)).await?;
    let mut out = leaver.sip.credentials(user, &first)?;
    out.headers.push("Expires", "0");
    ensure!(leaver.sip.exchange(&out).await?.status == 200);
    leaver.sip.request("BYE").await?;
    // A user who is disabled is put out, even if he only listens.
    let mut listener = Present::enter(&s, user).await?;
    run(&s.client, "Set-LgUser", json!({ "Identity": user.sip, "Enabled": false })).await?;
    let bye = listener.sip.wait(|m| matches!(m, Message::Request(r) if r.method == "BYE").then_some(()));
    tokio::time::timeout(std::time::Duration::from_secs(60), bye).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn names_cannot_be_tried_out_and_passwords_not_for_long() -> Result<()> {
    let s = sample().await?;
    let mut sip = Sip::connect(&s).await?;
    let nobody = "sip:nobody@litwareinc.com";
    let answer = sip.exchange(&request("REGISTER", "sip:litwareinc.com", nobody, nobody, 1)).await?;
    ensure!(answer.status == 401, "an unknown name is challenged like a known one: {}", answer.status);
    let mut wrong = s.users[0].clone();
    wrong.password = "guess".to_owned();
    for n in 0..11 {
        let first =
            sip.exchange(&request("REGISTER", "sip:litwareinc.com", &wrong.sip, &wrong.sip, 1)).await?;
        let r = sip.credentials(&wrong, &first)?;
        let answer = sip.exchange(&r).await?;
        ensure!(answer.status == if n < 10 { 401 } else { 403 }, "guess {n}: {}", answer.status);
    }
    // Without a count nothing tells a repetition from a replay.
    let ken = &s.users[1];
    let first = sip.exchange(&request("REGISTER", "sip:litwareinc.com", &ken.sip, &ken.sip, 1)).await?;
    let mut r = sip.credentials(ken, &first)?;
    let bare = r
        .headers
        .get("Authorization")
        .unwrap_or_default()
        .split(", qop=")
        .next()
        .unwrap_or_default()
        .to_owned();
    r.headers.set("Authorization", bare);
    ensure!(sip.exchange(&r).await?.status == 401);
    let contact = first.headers.get("To").and_then(NameAddr::parse).context("no To")?;
    ensure!(contact.uri.aor() == ken.sip);
    Ok(())
}
