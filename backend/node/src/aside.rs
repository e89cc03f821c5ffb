//! The directory off the event loop.

use std::sync::Arc;

use async_trait::async_trait;
use shared::SipUri;

use crate::traits::{ChatUser, Directory, DirectoryError};

/// The directory, asked on threads that may block: it reads a database.
pub struct Aside(pub Arc<dyn Directory>);

impl Aside {
    async fn ask<F>(&self, question: F) -> Result<Option<ChatUser>, DirectoryError>
    where
        F: AsyncFnOnce(&dyn Directory) -> Result<Option<ChatUser>, DirectoryError> + Send + 'static,
    {
        let directory = self.0.clone();
        let runtime = tokio::runtime::Handle::current();
        let work = move || runtime.block_on(question(&*directory));
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(DirectoryError(e.to_string())))
    }
}

#[async_trait]
impl Directory for Aside {
    async fn user_by_aor(&self, uri: &SipUri) -> Result<Option<ChatUser>, DirectoryError> {
        let uri = uri.clone();
        self.ask(async move |d: &dyn Directory| d.user_by_aor(&uri).await).await
    }

    async fn user_by_login(&self, name: &str) -> Result<Option<ChatUser>, DirectoryError> {
        let name = name.to_owned();
        self.ask(async move |d: &dyn Directory| d.user_by_login(&name).await).await
    }

    fn changes(&self) -> Option<tokio::sync::watch::Receiver<u64>> {
        self.0.changes()
    }
}
