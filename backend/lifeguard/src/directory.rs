//! The directory as registrars see it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use node::members::Membership as _;
use node::traits::{ChatUser, Directory, DirectoryError};
use shared::{ObjectId, SipUri};
use store::management::directory::{self, User};
use store::management::{Management, StoreError, topology};

use crate::keys::Keys;

/// The directory over the management store.
pub struct StoreDirectory {
    store: Management,
    keys: Arc<Keys>,
    /// Sites of the Front End pools as of a published version: everyone who signs on is looked up, and the
    /// document of a large topology is long.
    sites: Mutex<Option<(u64, Arc<Sites>)>>,
}

/// Site ids by Front End pool.
type Sites = HashMap<ObjectId, String>;

impl StoreDirectory {
    /// Over `store`, opening secrets with `keys`.
    pub fn new(store: Management, keys: Arc<Keys>) -> Self {
        Self { store, keys, sites: Mutex::default() }
    }

    fn sites(&self, c: &rusqlite::Connection) -> store::management::Result<Arc<Sites>> {
        let Some(version) = topology::newest(c)? else { return Ok(Arc::default()) };
        let kept = self.sites.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, sites)) = kept.filter(|(v, _)| *v == version) {
            return Ok(sites);
        }
        let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
        let of = |id: &ObjectId, site| t.site(site).map(|s| (id.clone(), s.site_id.clone()));
        let sites: Arc<Sites> =
            Arc::new(t.front_end_pools.iter().filter_map(|f| of(&f.id, &f.site)).collect());
        *self.sites.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, sites.clone()));
        Ok(sites)
    }

    fn find(
        &self,
        pick: impl FnOnce(&rusqlite::Connection) -> store::management::Result<Option<User>>,
    ) -> Result<Option<ChatUser>, DirectoryError> {
        let found = self.store.read(|c| {
            let Some(u) = pick(c)? else { return Ok(None) };
            let sites = self.sites(c)?;
            let site = sites.get(&u.front_end).map(String::as_str);
            let (chat, _) = directory::effective(&directory::policies(c)?, u.policy.as_deref(), site);
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
