//! The directory as registrars see it.

use async_trait::async_trait;
use node::members::Membership as _;
use node::traits::{ChatUser, Directory, DirectoryError};
use shared::SipUri;
use store::management::directory::{self, User};
use store::management::{Management, StoreError, topology};

use crate::keys::Keys;

/// The directory over the management store.
pub struct StoreDirectory {
    store: Management,
    keys: std::sync::Arc<Keys>,
}

impl StoreDirectory {
    /// Over `store`, opening secrets with `keys`.
    pub fn new(store: Management, keys: std::sync::Arc<Keys>) -> Self {
        Self { store, keys }
    }

    fn find(
        &self,
        pick: impl FnOnce(&rusqlite::Connection) -> store::management::Result<Option<User>>,
    ) -> Result<Option<ChatUser>, DirectoryError> {
        let found = self.store.read(|c| {
            let Some(u) = pick(c)? else { return Ok(None) };
            let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
            let site =
                t.front_end_pool(&u.front_end).and_then(|f| t.site(&f.site)).map(|s| s.site_id.clone());
            let (chat, _) =
                directory::effective(&directory::policies(c)?, u.policy.as_deref(), site.as_deref());
            Ok::<_, StoreError>(Some((u, chat)))
        });
        let found = found.map_err(|e| DirectoryError(e.to_string()))?;
        Ok(found.map(|(u, chat_enabled)| ChatUser {
            principals: self.store.current().principals(u.sip_address.as_str()),
            secrets: self.keys.open_secrets(&u.secrets),
            uri: u.sip_address,
            display_name: u.display_name,
            enabled: u.enabled,
            chat_enabled,
            home_front_end: u.front_end,
        }))
    }
}

#[async_trait]
impl Directory for StoreDirectory {
    async fn user_by_aor(&self, uri: &SipUri) -> Result<Option<ChatUser>, DirectoryError> {
        self.find(|c| directory::user(c, uri))
    }

    async fn user_by_login(&self, name: &str) -> Result<Option<ChatUser>, DirectoryError> {
        self.find(|c| directory::user_by_login(c, name))
    }

    fn changes(&self) -> Option<tokio::sync::watch::Receiver<u64>> {
        Some(self.store.changes())
    }
}
