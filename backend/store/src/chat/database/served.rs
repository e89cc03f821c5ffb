//! The database as servers use it: readers side by side, one writer.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use node::members::Members;
use node::traits::{
    Category, ChatStore, Committed, ComplianceEvent, NewPost, Room, StoreError, StoredMessage,
};
use rusqlite::Connection;
use tokio::sync::broadcast;

use super::Store;
use crate::chat::{now, queries};

impl Store {
    pub(in crate::chat) fn members(&self) -> Arc<Members> {
        self.membership.get().map(|m| m.current()).unwrap_or_default()
    }
}

impl Store {
    pub(in crate::chat) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let this = self.clone();
        let work = move || {
            let i = this.next.fetch_add(1, Ordering::Relaxed) % this.readers.len();
            f(&this.readers[i].lock().unwrap_or_else(PoisonError::into_inner))
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Database(e.to_string())))
    }

    pub(in crate::chat) async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<(T, Vec<Committed>), StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &*self.writer.read().await {
            Some(w) => w.call(f).await,
            None => Err(StoreError::Closed),
        }
    }
}

macro_rules! with_owned {
    ($self:ident . $how:ident ( $($arg:ident),* ) $f:expr) => {{
        let store = $self.0.clone();
        $( let $arg = $arg.to_owned(); )*
        store.$how($f).await
    }};
}

/// [`Store`] behind its `Arc`, as the trait object that servers hold.
pub(in crate::chat) struct Shared(pub(in crate::chat) Arc<Store>);

#[async_trait]
impl ChatStore for Shared {
    async fn post(&self, post: NewPost) -> Result<StoredMessage, StoreError> {
        let who = self.0.members().who(&post.author);
        self.0.write(move |c| queries::post(c, &post, &who, now())).await
    }
    async fn history(&self, room: &str, count: u32) -> Result<Vec<StoredMessage>, StoreError> {
        with_owned!(self.read(room) move |c| queries::history(c, &room, count))
    }
    async fn after(&self, room: &str, chat_id: u64) -> Result<Vec<StoredMessage>, StoreError> {
        with_owned!(self.read(room) move |c| queries::after(c, &room, chat_id))
    }
    async fn room(&self, id: &str) -> Result<Option<(Room, Category)>, StoreError> {
        with_owned!(self.read(id) move |c| queries::room(c, &id))
    }
    async fn find_rooms(
        &self,
        user: &str,
        criteria: &str,
        limit: usize,
    ) -> Result<Vec<(Room, Category)>, StoreError> {
        let who = self.0.members().who(user);
        with_owned!(self.read(criteria) move |c| queries::find_rooms(c, &who, &criteria, limit))
    }
    async fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        self.0.read(queries::rooms).await
    }
    async fn categories(&self) -> Result<Vec<Category>, StoreError> {
        self.0.read(queries::categories).await
    }
    async fn create_category(&self, op_id: &str, k: Category) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_category(c, &op_id, &k, true, &m, now()))
    }
    async fn update_category(&self, op_id: &str, k: Category) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_category(c, &op_id, &k, false, &m, now()))
    }
    async fn delete_category(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        with_owned!(self.write(op_id, id) move |c| queries::delete_category(c, &op_id, &id, now()))
    }
    async fn create_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_room(c, &op_id, &r, &m, now()))
    }
    async fn update_room(&self, op_id: &str, r: Room) -> Result<(), StoreError> {
        let m = self.0.members();
        with_owned!(self.write(op_id) move |c| queries::save_room(c, &op_id, &r, &m, now()))
    }
    async fn delete_room(&self, op_id: &str, id: &str) -> Result<(), StoreError> {
        with_owned!(self.write(op_id, id) move |c| queries::delete_room(c, &op_id, &id, now()))
    }
    async fn applied(&self, op_id: &str) -> Result<bool, StoreError> {
        with_owned!(self.read(op_id) move |c| queries::applied(c, &op_id))
    }
    async fn record_events(&self, events: Vec<ComplianceEvent>) -> Result<(), StoreError> {
        let store = self.0.clone();
        let work = move || match &store.compliance {
            None => Ok(()),
            Some(q) => q.push(&events),
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(StoreError::Database(e.to_string())))
    }
    fn generation(&self) -> u64 {
        self.0.generation
    }
    fn subscribe(&self) -> broadcast::Receiver<Committed> {
        self.0.events.subscribe()
    }
}
