//! Settings that stand at scopes (global, site, pool). Source: model §§10, 11.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Result;

/// What the settings are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The chat service.
    PersistentChat,
    /// The compliance adapter.
    PersistentChatCompliance,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::PersistentChat => "PersistentChat",
            Self::PersistentChatCompliance => "PersistentChatCompliance",
        }
    }
}

/// All collections of a kind with their identities: global first, then sites, then pools.
///
/// # Errors
/// SQLite's, or a document that does not parse.
pub fn all<T: DeserializeOwned>(c: &Connection, kind: Kind) -> Result<Vec<(String, T)>> {
    let mut s = c.prepare_cached(
        "SELECT identity, document FROM configuration WHERE kind = ?1
         ORDER BY identity <> 'Global', identity NOT LIKE 'Site:%', identity",
    )?;
    let rows = s.query_map([kind.word()], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(|(id, text)| Ok((id, serde_json::from_str(&text)?))).collect()
}

/// Creates or overwrites a collection.
///
/// # Errors
/// SQLite's.
pub fn save<T: Serialize>(c: &Connection, kind: Kind, identity: &str, value: &T) -> Result<()> {
    c.execute(
        "INSERT INTO configuration VALUES (?1, ?2, ?3) ON CONFLICT (kind, identity) DO UPDATE SET document = ?3",
        params![kind.word(), identity, serde_json::to_string(value)?],
    )?;
    Ok(())
}

/// Deletes a collection.
///
/// # Errors
/// SQLite's.
pub fn remove(c: &Connection, kind: Kind, identity: &str) -> Result<()> {
    c.execute("DELETE FROM configuration WHERE kind = ?1 AND identity = ?2", [kind.word(), identity])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::management::{Management, StoreError};
    use shared::configuration::ChatConfiguration;

    #[test]
    fn global_is_there_from_the_start_and_identities_ignore_case() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let store = Management::open(&dir.path().join("m.db"))?;
        store.write(|tx| {
            let list = all::<ChatConfiguration>(tx, Kind::PersistentChat)?;
            assert_eq!(list, [("Global".to_owned(), ChatConfiguration::default())]);
            let ten = ChatConfiguration { default_chat_history: 10, ..ChatConfiguration::default() };
            save(tx, Kind::PersistentChat, "Service:PersistentChatServer:a.contoso.com", &ten)?;
            save(tx, Kind::PersistentChat, "Site:Redmond", &ten)?;
            save(tx, Kind::PersistentChat, "site:REDMOND", &ChatConfiguration::default())?;
            let list = all::<ChatConfiguration>(tx, Kind::PersistentChat)?;
            let ids: Vec<&str> = list.iter().map(|(id, _)| id.as_str()).collect();
            assert_eq!(ids, ["Global", "Site:Redmond", "Service:PersistentChatServer:a.contoso.com"]);
            assert_eq!(list[1].1, ChatConfiguration::default());
            remove(tx, Kind::PersistentChat, "SITE:redmond")?;
            assert_eq!(all::<ChatConfiguration>(tx, Kind::PersistentChat)?.len(), 2);
            Ok::<_, StoreError>(())
        })
    }
}
