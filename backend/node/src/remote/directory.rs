//! The directory as a node has it: a replica in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use shared::SipUri;
use tokio::sync::watch;

use super::UserRow;
use crate::traits::{ChatUser, Directory, DirectoryError};

#[derive(Default)]
struct Users {
    /// By address.
    known: HashMap<String, UserRow>,
    /// Addresses by `DOMAIN\user` in lower case.
    by_logon: HashMap<String, String>,
    /// A whole list that is not complete yet.
    coming: Option<Vec<UserRow>>,
    /// Whether there ever was a list.
    filled: bool,
}

/// The replica.
pub struct ReplicaDirectory {
    users: RwLock<Users>,
    changes: watch::Sender<u64>,
}

impl Default for ReplicaDirectory {
    fn default() -> Self {
        Self { users: RwLock::default(), changes: watch::channel(0).0 }
    }
}

impl Users {
    fn put(&mut self, row: UserRow) {
        self.remove(&row.uri);
        self.by_logon.insert(row.logon.to_lowercase(), row.uri.as_str().to_owned());
        self.known.insert(row.uri.as_str().to_owned(), row);
    }

    fn remove(&mut self, uri: &SipUri) {
        if let Some(old) = self.known.remove(uri.as_str()) {
            self.by_logon.remove(&old.logon.to_lowercase());
        }
    }
}

impl ReplicaDirectory {
    /// Takes a part of a list; true when what is known has changed and is whole.
    pub fn take(&self, first: bool, last: bool, changed: Vec<UserRow>, removed: &[SipUri]) -> bool {
        let mut users = self.users.write().unwrap_or_else(PoisonError::into_inner);
        if first {
            users.coming = Some(Vec::new());
        }
        if let Some(coming) = &mut users.coming {
            coming.extend(changed);
            if !last {
                return false;
            }
            let all = users.coming.take().unwrap_or_default();
            users.known.clear();
            users.by_logon.clear();
            all.into_iter().for_each(|u| users.put(u));
        } else {
            removed.iter().for_each(|u| users.remove(u));
            changed.into_iter().for_each(|u| users.put(u));
        }
        users.filled = true;
        drop(users);
        self.changes.send_modify(|n| *n += 1);
        true
    }

    /// Everyone, for keeping.
    pub fn all(&self) -> Vec<UserRow> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        users.known.values().cloned().collect()
    }

    fn find<'a>(
        &self,
        pick: impl Fn(&'a Users) -> Option<&'a UserRow>,
        users: &'a Users,
    ) -> Result<Option<ChatUser>, DirectoryError> {
        if !users.filled {
            return Err(DirectoryError("the portal has not sent the directory yet".to_owned()));
        }
        Ok(pick(users).map(UserRow::user))
    }
}

#[async_trait]
impl Directory for ReplicaDirectory {
    async fn user_by_aor(&self, uri: &SipUri) -> Result<Option<ChatUser>, DirectoryError> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        self.find(|u| u.known.get(uri.as_str()), &users)
    }

    /// As `DOMAIN\user`, as an address without its scheme, or as the user part of an address.
    async fn user_by_login(&self, name: &str) -> Result<Option<ChatUser>, DirectoryError> {
        let users = self.users.read().unwrap_or_else(PoisonError::into_inner);
        let name = name.to_lowercase();
        self.find(
            |u| {
                let by_logon = u.by_logon.get(&name).and_then(|a| u.known.get(a));
                let by_address = || u.known.get(&format!("sip:{name}"));
                let part = format!("sip:{name}@");
                by_logon.or_else(by_address).or_else(|| {
                    u.known
                        .iter()
                        .filter(|(a, _)| a.starts_with(&part))
                        .min_by_key(|(a, _)| *a)
                        .map(|(_, r)| r)
                })
            },
            &users,
        )
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        Some(self.changes.subscribe())
    }
}
