//! A resource that a page shows: read at first, again after live events, and again on *Retry*.

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use shared::error::ApiError;
use shared::events::Topic;

use super::client;
use super::live::use_live;

/// A resource of the API as the page holds it.
pub struct Data<T: Send + Sync + 'static> {
    /// What was read last; kept while it is read again and when that fails.
    pub value: Signal<Option<T>>,
    /// Why the last read failed.
    pub error: Signal<Option<ApiError>>,
    again: RwSignal<u32>,
}

impl<T: Send + Sync + 'static> Clone for Data<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Data<T> {}

impl<T: Send + Sync + 'static> Data<T> {
    /// Reads it again.
    pub fn refetch(self) {
        self.again.update(|n| *n += 1);
    }

    /// Whether nothing has been read yet and nothing failed.
    pub fn is_loading(self) -> bool {
        self.value.with(Option::is_none) && self.error.with(Option::is_none)
    }
}

/// Reads `path` (relative to `/api/v1/`; reactive) and again whenever something of `topics` changed.
pub fn use_data<T>(path: impl Fn() -> String + Send + Sync + 'static, topics: &'static [Topic]) -> Data<T>
where
    T: DeserializeOwned + Clone + PartialEq + Send + Sync + 'static,
{
    let live = use_live(topics);
    let again = RwSignal::new(0_u32);
    let resource = LocalResource::new(move || {
        live.track();
        again.track();
        let path = path();
        async move { client::get::<T>(&path).await }
    });
    let value = Memo::new(move |old: Option<&Option<T>>| match resource.get() {
        Some(Ok(value)) => Some(value),
        _ => old.cloned().flatten(),
    });
    let error = Memo::new(move |_| resource.with(|r| r.as_ref().and_then(|r| r.as_ref().err().cloned())));
    Data { value: value.into(), error: error.into(), again }
}
