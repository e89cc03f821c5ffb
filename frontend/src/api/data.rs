//! A resource that a page shows: read at first, again after live events, and again on *Retry*.

use leptos::prelude::*;
use serde::de::DeserializeOwned;
use shared::error::ApiError;
use shared::events::Topic;

use super::client;
use super::live::use_live;
use super::value::{Held, Latest};

/// A resource of the API as the page holds it.
pub struct Data<T> {
    /// What was read last; kept while it is read again and when that fails.
    pub value: Latest<T>,
    /// Why the last read failed.
    pub error: Memo<Option<ApiError>>,
    again: RwSignal<u32>,
}

impl<T> Clone for Data<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Data<T> {}

impl<T: Send + Sync + 'static> Data<T> {
    /// Reads it again.
    pub fn refetch(self) {
        self.again.update(|n| *n += 1);
    }

    /// Itself without its type.
    pub fn any(self) -> AnyData {
        AnyData { there: self.value.is_there(), error: self.error, again: self.again }
    }
}

/// A resource without its type: whether it is there, and why it is not.
#[derive(Clone, Copy)]
pub struct AnyData {
    /// Whether something was read; never becomes false again.
    pub there: Memo<bool>,
    /// Why the last read failed.
    pub error: Memo<Option<ApiError>>,
    again: RwSignal<u32>,
}

impl AnyData {
    /// Reads it again.
    pub fn refetch(self) {
        self.again.update(|n| *n += 1);
    }
}

/// Reads `path` (relative to `/api/v1/`; reactive) and again whenever something of `topics` changed.
pub fn use_data<T>(path: impl Fn() -> String + Send + Sync + 'static, topics: &'static [Topic]) -> Data<T>
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    let (held, error, again) = use_held(Box::new(path), topics, held::<T>);
    Data { value: Latest::new(held), error, again }
}

fn held<T: DeserializeOwned + Send + Sync + 'static>(text: &str) -> Result<Held, ApiError> {
    client::read::<T>(text).map(|value| Held::new(text, value))
}

type Path = Box<dyn Fn() -> String + Send + Sync>;
type Read = fn(&str) -> Result<Held, ApiError>;

/// What is the same for every type of resource.
fn use_held(
    path: Path,
    topics: &'static [Topic],
    read: Read,
) -> (Memo<Option<Held>>, Memo<Option<ApiError>>, RwSignal<u32>) {
    let live = use_live(topics);
    let again = RwSignal::new(0_u32);
    let resource = LocalResource::new(move || {
        live.track();
        again.track();
        let path = path();
        async move { client::get_text(&path).await.and_then(|text| read(&text)) }
    });
    let held = Memo::new(move |old: Option<&Option<Held>>| match resource.get() {
        Some(Ok(held)) => Some(held),
        _ => old.cloned().flatten(),
    });
    let error = Memo::new(move |_| resource.with(|r| r.as_ref().and_then(|r| r.as_ref().err().cloned())));
    (held, error, again)
}
