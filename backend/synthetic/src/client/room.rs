//! In the channel: finding and joining the room, posting, receiving.

use shared::synthetic::{CauseCode, Phase};
use tokio::time::Instant;
use wire::roomuri::RoomUri;
use wire::xccos::open_points::{self, join_refusal};
use wire::xccos::{ChanIb, Chat, Data, Element, Envelope, Item};

use super::dialog::Reply;
use super::{Client, Done};
use crate::cause::{Failure, database};
use crate::connection::Awaited;

impl Client<'_> {
    fn channel(&self) -> Done<String> {
        self.channel
            .clone()
            .ok_or_else(|| Failure::new(CauseCode::ProtocolError, "no channel", "No channel is open."))
    }

    pub(super) async fn channel_command(
        &mut self,
        id: &str,
        data: Data,
        phase: Phase,
        until: Instant,
    ) -> Done<Reply> {
        let call = self.channel()?;
        self.command(&call, id, data, phase, until).await
    }

    /// Finds the room of the plan and joins it; its URI and what was seen. Both in the time of one phase.
    pub async fn find_and_join(&mut self) -> Done<(String, String)> {
        let until = self.until();
        let room = self.find_room(until).await?;
        let text = self.join_until(&room, until).await?;
        Ok((room, text))
    }

    async fn find_room(&mut self, until: Instant) -> Done<String> {
        let wanted = self.plan.room.as_deref().map(|r| r.rsplit('\\').next().unwrap_or(r).trim().to_owned());
        if let Some(uri) = wanted.as_deref().and_then(RoomUri::parse) {
            return Ok(uri.to_string());
        }
        let criteria = wanted.clone().unwrap_or_default();
        let q = Data::one(Item::Qib { qtype: "BYNAME".to_owned(), criteria });
        let Reply { code, text, data } = self.channel_command("cmd:chansrch", q, Phase::Join, until).await?;
        // A search that could not be made says nothing about rooms.
        if code != 200 && open_points::refusal(code, &text) == open_points::Refusal::Database {
            let room = wanted.as_deref().unwrap_or_default();
            return Err(Failure::room(open_points::Refusal::Database, code, &text, self.who(), room));
        }
        let same = |c: &&ChanIb| {
            wanted.as_ref().is_none_or(|w| c.name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(w)))
        };
        data.rooms().find(same).map(|c| c.uri.clone()).ok_or_else(|| {
            let what =
                wanted.as_ref().map_or_else(|| "any chat room".to_owned(), |w| format!("the chat room {w}"));
            let error =
                if code == 200 { "404, no chat room found".to_owned() } else { format!("{code}, {text}") };
            Failure::new(
                CauseCode::NoRoom,
                error,
                format!("{} does not see {what} on this pool.", self.who()),
            )
        })
    }

    /// Joins the room.
    pub async fn join(&mut self, room: &str) -> Done<String> {
        let until = self.until();
        self.join_until(room, until).await
    }

    async fn join_until(&mut self, room: &str, until: Instant) -> Done<String> {
        let Some(uri) = RoomUri::parse(room) else {
            return Err(Failure::new(
                CauseCode::RoomUnknown,
                format!("{room} is not a room URI"),
                format!("{room} does not name a room."),
            ));
        };
        let id = Item::ChanId { key: 0, domain: uri.domain, value: uri.id };
        // From here on the room may be entered, also when the answer does not come any more.
        self.room = Some(room.to_owned());
        let reply = self.channel_command("cmd:join", Data::one(id), Phase::Join, until).await?;
        if let Some(why) = join_refusal(reply.code, &reply.text, &reply.data) {
            self.room = None;
            return Err(Failure::room(why, reply.code, &reply.text, self.who(), room));
        }
        let joined = reply.data.rooms().next();
        // The service's own spelling of the address, when it gives one.
        if let Some(uri) = joined.map(|r| &r.uri).filter(|u| !u.is_empty()) {
            self.room = Some(uri.clone());
        }
        Ok(format!("joined {}", joined.and_then(|r| r.name.as_deref()).unwrap_or(room)))
    }

    /// Posts a text to the joined room; `ts` is RFC 3339 in UTC.
    pub async fn post(&mut self, text: &str, ts: &str) -> Done<String> {
        let chat = Chat {
            seqid: 1,
            chan_uri: self.room.clone().unwrap_or_default(),
            author: self.account.sip_uri.clone(),
            ts: ts.to_owned(),
            text: text.to_owned(),
            ..Chat::default()
        };
        let envelope = self.envelope();
        let (call, until) = (self.channel()?, self.until());
        self.posted = Some(envelope);
        let e = Envelope::one(envelope, Element::Chat(chat));
        let answer = self.info(&call, &e, Phase::Send, until).await?;
        if answer.status != 200 {
            // The reason's number and name are those of an XCCOS reply.
            let said = answer.headers.get("ms-diagnostics").unwrap_or_default();
            let number = said.split(';').next().and_then(|n| n.trim().parse().ok()).unwrap_or(answer.status);
            let cause = post_cause(number, said, answer.status);
            let seen = format!("The post of {} was refused.", self.who());
            return Err(Failure::by_service(cause, &answer, seen));
        }
        Ok(format!("posted '{text}'"))
    }

    /// Reads and answers what comes while the other user is waited for. Comes back only with a reason why
    /// waiting is in vain: the session ended, or the accepted post was refused after all.
    pub async fn watch(&mut self) -> Failure {
        let call = match self.channel() {
            Ok(call) => call,
            Err(f) => return f,
        };
        let posted = self.posted;
        let pick = |e: &Element| match e {
            Element::Reply { command: Some((_, c)), code, text, .. }
                if Some(*c) == posted && *code != 200 =>
            {
                Some((*code, text.clone()))
            }
            _ => None,
        };
        // Whoever waits for the other user has the time limit.
        let forever = Instant::now() + self.plan.total_timeout + self.plan.phase_timeout;
        match self.conn.element(&call, pick, forever).await {
            Ok(Awaited::Found((code, text))) => {
                let seen = format!("The post of {} was refused after it had been taken.", self.who());
                Failure::new(post_cause(code, &text, code), format!("{code}, {text}"), seen)
            }
            Ok(Awaited::Ended(why)) => self.over(&call, Phase::Receive, &why),
            Ok(Awaited::TimeUp) => Failure::timeout(Phase::Receive, self.who()),
            Err(f) => f,
        }
    }

    /// Waits for the other's message, which has the run's `nonce` in it, and compares it byte for byte.
    pub async fn receive(&mut self, author: &str, text: &str, nonce: &str) -> Done<String> {
        let (call, until) = (self.channel()?, self.until());
        let who = self.account.sip_uri.clone();
        let pick = |e: &Element| match e {
            Element::Chat(c) if c.author.eq_ignore_ascii_case(author) && c.text.contains(nonce) => {
                Some(c.text.clone())
            }
            _ => None,
        };
        match self.conn.element(&call, pick, until).await? {
            Awaited::Found(t) if t == text => Ok(format!("received '{t}'")),
            Awaited::Found(t) => {
                let seen = format!("{who} received '{t}' instead of '{text}'.");
                Err(Failure::new(
                    CauseCode::ContentMismatch,
                    "The received text differs from the sent one.",
                    seen,
                ))
            }
            Awaited::Ended(why) => Err(self.over(&call, Phase::Receive, &why)),
            Awaited::TimeUp => Err(Failure::new(
                CauseCode::MessageLost,
                format!("The message did not arrive at {who} in time."),
                format!("{who} did not receive the message of {author}."),
            )),
        }
    }
}

/// The cause of a refused post; `number` and `text` are the service's reason, `status` the SIP status.
fn post_cause(number: u16, text: &str, status: u16) -> CauseCode {
    use open_points::Refusal;
    match open_points::refusal(number, text) {
        Refusal::RoomUnknown => CauseCode::RoomUnknown,
        Refusal::RoomDisabled => CauseCode::RoomDisabled,
        Refusal::NotAMember => CauseCode::NotAMember,
        Refusal::Other if status == 403 => CauseCode::NotAMember,
        Refusal::Database | Refusal::Other => database(CauseCode::PoolUnavailable, text),
    }
}
