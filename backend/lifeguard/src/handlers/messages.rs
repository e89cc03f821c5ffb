//! Clearing a room, and removing or replacing messages. Running clients keep what they have shown; from
//! then on history has what is left. Source: model §14, C:Clear-CsPersistentChatRoom,
//! C:Remove-CsPersistentChatMessage.

use async_trait::async_trait;
use node::administration::{Fate, Matching, Selection};
use shared::cmdlets::{ClearCsPersistentChatRoom, RemoveCsPersistentChatMessage};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::time::parse_day;
use shared::{SipUri, Timestamp};

use super::chat_place::{Place, chat_error, named, room};
use crate::door::{Cx, Handler, Outcome, plan};

/// What stands in place of a message when no text is given. Source: C:Remove-CsPersistentChatMessage.
pub const REPLACEMENT: &str = "This message was replaced by the Persistent Chat administrator.";
/// Longest text of a message in bytes, as the chat service takes it.
const LONGEST: usize = 65_536;

fn day(text: &str, end: bool, field: &str) -> Result<Timestamp, ApiError> {
    parse_day(text, end).ok_or_else(|| {
        let text = format!(
            "'{text}' is no date. Write month/day/year (3/1/2012) or year-month-day (2012-03-01), with a time if wanted."
        );
        ApiError::invalid(field, text)
    })
}

fn counted(n: u64) -> String {
    if n == 1 { "1 message".to_owned() } else { format!("{n} messages") }
}

/// The plan of a purge: how many messages it hits now.
async fn planned(p: &Place, name: &str, s: Selection, fate: &Fate, which: &str) -> Result<Plan, ApiError> {
    let n = p.store.count(s).await.map_err(chat_error)?;
    let id = p.identity(name);
    if n == 0 {
        return Ok(plan([format!("The room {id} has no messages{which}; nothing changes.")]));
    }
    let (sentence, after) = match fate {
        Fate::Removed => {
            (format!("Delete {} of the room {id}{which}. This cannot be undone.", counted(n)), "0".to_owned())
        }
        Fate::Replaced(text) => {
            let what = counted(n);
            (
                format!("Replace {what} of the room {id}{which} by '{text}'. This cannot be undone."),
                text.clone(),
            )
        }
    };
    let mut out = plan([sentence]);
    out.changes.push(PlannedChange::new(&id, "Messages", counted(n), after));
    out.confirm = Confirm::Ask;
    Ok(out)
}

async fn done(cx: &Cx, p: &Place, s: Selection, fate: Fate) -> Result<Outcome, ApiError> {
    p.open(cx)?;
    p.store.purge(&cx.op_id, s, fate).await.map_err(chat_error)?;
    let mut out = Outcome::changed(Topic::Rooms, "");
    // The count of messages stands on the pool's page.
    out.events.push((Topic::Pool, p.pool.fqdn.to_string()));
    Ok(out)
}

async fn cleared(
    a: &ClearCsPersistentChatRoom,
    cx: &Cx,
) -> Result<(Place, String, Selection, String), ApiError> {
    let until = day(&a.end_date, true, "EndDate")?;
    let identity = named(a.identity.as_deref(), a.instance.as_ref())?;
    let (p, r) = room(cx, &identity, None, "Identity").await?;
    let which = format!(" up to {}", until.rfc3339());
    Ok((p, r.name, Selection { room: r.id, until: Some(until), ..Selection::default() }, which))
}

#[async_trait]
impl Handler for ClearCsPersistentChatRoom {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (p, name, s, which) = cleared(self, cx).await?;
        planned(&p, &name, s, &Fate::Removed, &which).await
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (p, _, s, _) = cleared(self, cx).await?;
        done(cx, &p, s, Fate::Removed).await
    }
}

/// What is selected besides the room, what comes of it, and the selection in words.
fn chosen(a: &RemoveCsPersistentChatMessage) -> Result<(Selection, Fate, String), ApiError> {
    if a.remove && a.replace_message.is_some() {
        return Err(ApiError::invalid("Remove", "Use either -Remove or -ReplaceMessage (V25)."));
    }
    if a.replace_message.as_ref().is_some_and(|t| t.len() > LONGEST) {
        return Err(ApiError::invalid("ReplaceMessage", format!("A message has {LONGEST} bytes at most.")));
    }
    let from = a.start_date.as_deref().map(|d| day(d, false, "StartDate")).transpose()?;
    let until = a.end_date.as_deref().map(|d| day(d, true, "EndDate")).transpose()?;
    if from.zip(until).is_some_and(|(f, u)| f > u) {
        return Err(ApiError::invalid("EndDate", "EndDate is before StartDate."));
    }
    if let Some(Err(e)) = a.user_uri.as_deref().map(SipUri::try_from) {
        return Err(ApiError::invalid("UserUri", e.0));
    }
    let words = a.filter.clone().unwrap_or_default();
    let matching = match a.match_clause.as_deref() {
        Some("Or") => Matching::Any,
        Some("Exact") => Matching::Exact,
        _ => Matching::All,
    };
    let mut which = String::new();
    if let Some(u) = &a.user_uri {
        which.push_str(&format!(" by {u}"));
    }
    if let Some(f) = from {
        which.push_str(&format!(" from {}", f.rfc3339()));
    }
    if let Some(u) = until {
        which.push_str(&format!(" up to {}", u.rfc3339()));
    }
    if !words.trim().is_empty() {
        let how = match matching {
            Matching::All => "all words of",
            Matching::Any => "one of the words of",
            Matching::Exact => "the text",
        };
        which.push_str(&format!(" with {how} '{words}'"));
    }
    let fate = match (a.remove, &a.replace_message) {
        (true, _) => Fate::Removed,
        (false, text) => Fate::Replaced(text.clone().unwrap_or_else(|| REPLACEMENT.to_owned())),
    };
    let selection = Selection {
        room: String::new(),
        from,
        until,
        author: a.user_uri.clone(),
        words,
        matching,
        case_sensitive: a.case_sensitive.unwrap_or(false),
    };
    Ok((selection, fate, which))
}

#[async_trait]
impl Handler for RemoveCsPersistentChatMessage {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (s, fate, which) = chosen(self)?;
        let (p, r) = room(cx, &self.identity, None, "Identity").await?;
        planned(&p, &r.name, Selection { room: r.id, ..s }, &fate, &which).await
    }

    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (s, fate, _) = chosen(self)?;
        let (p, r) = room(cx, &self.identity, None, "Identity").await?;
        done(cx, &p, Selection { room: r.id, ..s }, fate).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(a: &RemoveCsPersistentChatMessage) -> String {
        chosen(a).err().and_then(|e| e.field).unwrap_or_default()
    }

    #[test]
    fn the_default_is_the_documents_text() {
        let (s, fate, which) = chosen(&RemoveCsPersistentChatMessage {
            end_date: Some("4/1/2012".into()),
            ..RemoveCsPersistentChatMessage::default()
        })
        .unwrap();
        assert_eq!(fate, Fate::Replaced(REPLACEMENT.to_owned()));
        assert_eq!((s.matching, s.case_sensitive), (Matching::All, false));
        assert_eq!(which, " up to 2012-04-01T23:59:59.999Z");
    }

    #[test]
    fn what_is_wrong_is_said_at_its_parameter() {
        let a = RemoveCsPersistentChatMessage::default;
        assert_eq!(
            field(&RemoveCsPersistentChatMessage { remove: true, replace_message: Some("x".into()), ..a() }),
            "Remove"
        );
        assert_eq!(
            field(&RemoveCsPersistentChatMessage { start_date: Some("soon".into()), ..a() }),
            "StartDate"
        );
        assert_eq!(field(&RemoveCsPersistentChatMessage { user_uri: Some("ken".into()), ..a() }), "UserUri");
        let turned = RemoveCsPersistentChatMessage {
            start_date: Some("4/2/2012".into()),
            end_date: Some("4/1/2012".into()),
            ..a()
        };
        assert_eq!(field(&turned), "EndDate");
        let same_day = RemoveCsPersistentChatMessage {
            start_date: Some("4/1/2012".into()),
            end_date: Some("4/1/2012".into()),
            ..a()
        };
        assert!(chosen(&same_day).is_ok());
    }
}
