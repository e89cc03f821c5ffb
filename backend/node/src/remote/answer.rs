//! Answers a node's questions from the database of this process.

use super::wire::Recorded;
use super::{Call, Reply};
use crate::traits::{ChatStore, ComplianceEvent, StoreError};

/// The kinds of compliance events there are; a node cannot invent one.
const KINDS: [&str; 4] = ["JOIN", "PART", "CHAT", "BACKCHAT"];

fn event(Recorded(kind, room, user, text, message): Recorded) -> Result<ComplianceEvent, StoreError> {
    let kind = KINDS.into_iter().find(|k| *k == kind);
    let kind = kind.ok_or_else(|| StoreError::invalid("kind", "no such compliance event"))?;
    Ok(ComplianceEvent { kind, room, user, text, message })
}

/// Asks `store`.
///
/// # Errors
/// What it says.
pub async fn answer(store: &dyn ChatStore, call: Call) -> Result<Reply, StoreError> {
    Ok(match call {
        Call::Post(p) => Reply::Message(store.post(p).await?),
        Call::History(room, count) => Reply::Messages(store.history(&room, count).await?),
        Call::After(room, id) => Reply::Messages(store.after(&room, id).await?),
        Call::Room(id) => Reply::Room(store.room(&id).await?.map(Box::new)),
        Call::FindRooms(user, criteria, limit) => {
            Reply::Found(store.find_rooms(&user, &criteria, limit).await?)
        }
        Call::Rooms => Reply::Rooms(store.rooms().await?),
        Call::Categories => Reply::Categories(store.categories().await?),
        Call::Applied(op) => Reply::Truth(store.applied(&op).await?),
        Call::Record(events) => {
            let events = events.into_iter().map(event).collect::<Result<_, _>>()?;
            store.record_events(events).await?;
            Reply::Done
        }
    })
}
