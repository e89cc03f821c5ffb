//! The seam of what only administrators do in a pool's chat database: clearing, replacing, add-ins.
//! Source: model §§14, 15; C:Clear-CsPersistentChatRoom, C:Remove-CsPersistentChatMessage.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shared::Timestamp;

use crate::traits::{Room, StoreError};

/// How the words of a selection are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Matching {
    /// All words.
    #[default]
    All,
    /// One of the words.
    Any,
    /// The text as it stands, blanks and all.
    Exact,
}

/// Messages of a room that an act is about. What is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Room id.
    pub room: String,
    /// Stored at this instant or later.
    pub from: Option<Timestamp>,
    /// Stored at this instant or earlier.
    pub until: Option<Timestamp>,
    /// Author, any case.
    pub author: Option<String>,
    /// What to look for in the text.
    pub words: String,
    /// How.
    pub matching: Matching,
    /// Whether capital and small letters differ.
    pub case_sensitive: bool,
}

impl Selection {
    /// Whether a text has what is looked for.
    pub fn matches(&self, text: &str) -> bool {
        let fold = |t: &str| if self.case_sensitive { t.to_owned() } else { t.to_lowercase() };
        let (text, wanted) = (fold(text), fold(&self.words));
        let mut words = wanted.split_whitespace().peekable();
        if words.peek().is_none() {
            return true;
        }
        match self.matching {
            Matching::All => words.all(|w| text.contains(w)),
            Matching::Any => words.any(|w| text.contains(w)),
            Matching::Exact => text.contains(&wanted),
        }
    }
}

/// What comes of the selected messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Nothing stays.
    Removed,
    /// The text stands in their place; author, time and number stay.
    Replaced(String),
}

/// A registered add-in of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addin {
    /// Id.
    pub id: String,
    /// Name, unique among the pool's add-ins.
    pub name: String,
    /// Address.
    pub url: String,
}

/// Longest name of an add-in. Source: T:tblsiopwhitelist.
pub const ADDIN_NAME: usize = 50;
/// Longest address of an add-in. Source: T:tblsiopwhitelist.
pub const ADDIN_URL: usize = 255;

impl Addin {
    /// Name and address (V24).
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), StoreError> {
        let n = self.name.chars().count();
        if self.name.trim().is_empty()
            || n > ADDIN_NAME
            || self.name.contains(|c: char| c == '\\' || c.is_control())
        {
            return Err(StoreError::invalid(
                "Name",
                format!(
                    "An add-in's name has 1 to {ADDIN_NAME} characters, without \\ and control characters."
                ),
            ));
        }
        shared::configuration::check_url(&self.url, ADDIN_URL).map_err(|e| StoreError::invalid("Url", e))
    }
}

/// What a list of rooms is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomQuery {
    /// Each stands in the room's name or its category's, whatever the case.
    pub words: Vec<String>,
    /// Id of the category.
    pub category: Option<String>,
    /// The whole name, whatever the case of ASCII letters.
    pub name: Option<String>,
    /// Hits to leave out.
    pub skip: usize,
    /// Most rooms to return.
    pub limit: usize,
}

/// The name of a room or category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A category.
    pub category: bool,
}

/// A room that was deleted and can still be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The room as it was.
    pub room: Room,
    /// When it was deleted.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Messages in it.
    pub messages: u64,
}

/// How much a room is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Room id.
    pub room: String,
    /// Messages in it.
    pub messages: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// The last one.
    pub last: Option<Timestamp>,
    /// People who posted in the time that was asked for.
    pub people: u64,
}

/// Acts of administrators. One call is one transaction; a change records `op_id` with it.
#[async_trait]
pub trait Administration: Send + Sync {
    /// How many messages the selection hits now.
    async fn count(&self, selection: Selection) -> Result<u64, StoreError>;
    /// Removes or replaces the selected messages; how many.
    async fn purge(&self, op_id: &str, selection: Selection, fate: Fate) -> Result<u64, StoreError>;
    /// Bytes that a room's messages take.
    async fn content_bytes(&self, room: &str) -> Result<u64, StoreError>;
    /// Rooms by name: how many match, and those of the part that was asked for.
    async fn search(&self, query: RoomQuery) -> Result<(u64, Vec<Room>), StoreError>;
    /// Names of all rooms and categories, without what else they have.
    async fn names(&self) -> Result<Vec<Named>, StoreError>;
    /// Deletes a room so that it can be restored.
    async fn retire(&self, op_id: &str, id: &str, by: &str) -> Result<(), StoreError>;
    /// Rooms that can be restored, the newest first.
    async fn retired(&self) -> Result<Vec<Retired>, StoreError>;
    /// Restores a deleted room under a name that is free.
    async fn restore(&self, op_id: &str, id: &str, name: &str) -> Result<(), StoreError>;
    /// How much rooms with messages are used; people are counted since the instant.
    async fn usage(&self, since: Timestamp) -> Result<Vec<Usage>, StoreError>;
    /// Add-ins by name.
    async fn addins(&self) -> Result<Vec<Addin>, StoreError>;
    /// Registers an add-in, or changes the one with its id.
    async fn save_addin(&self, op_id: &str, addin: Addin) -> Result<(), StoreError>;
    /// Unregisters an add-in; rooms that have it lose it.
    async fn delete_addin(&self, op_id: &str, id: &str) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_all_any_or_exact() {
        let look = |words: &str, matching, case_sensitive| Selection {
            words: words.into(),
            matching,
            case_sensitive,
            ..Selection::default()
        };
        let text = "The Merger is on Friday";
        assert!(look("", Matching::All, true).matches(text), "nothing asked, everything hit");
        assert!(look("friday merger", Matching::All, false).matches(text));
        assert!(!look("friday monday", Matching::All, false).matches(text));
        assert!(look("friday monday", Matching::Any, false).matches(text));
        assert!(look("on friday", Matching::Exact, false).matches(text));
        assert!(!look("friday on", Matching::Exact, false).matches(text));
        assert!(!look("friday", Matching::All, true).matches(text));
    }

    #[test]
    fn addins_have_bounded_names_and_web_addresses() {
        let addin = |name: &str, url: &str| Addin { id: "1".into(), name: name.into(), url: url.into() };
        assert!(addin("ITPersistentChatAddin", "http://atl-cs-001.litwareinc.com/itchat").check().is_ok());
        let field = |a: Addin| match a.check() {
            Err(StoreError::Invalid { field, .. }) => field,
            other => format!("{other:?}"),
        };
        assert_eq!(field(addin(&"x".repeat(51), "http://a")), "Name");
        assert_eq!(field(addin("a\\b", "http://a")), "Name");
        assert_eq!(field(addin("a", "ftp://a")), "Url");
        assert_eq!(field(addin("a", &format!("http://{}", "x".repeat(255)))), "Url");
    }
}
