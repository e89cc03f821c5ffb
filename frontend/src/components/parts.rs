//! Lists that the server searches and gives in parts.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use super::data_table::PART;
use crate::api;
use crate::app::app;
use crate::routes::segment;

/// Reads a list from its beginning, so many rows at most, and hands them over.
pub type Every<T> = Callback<(usize, Callback<Vec<T>>)>;

/// Rows that are read at once.
const READ: usize = 1000;

/// The question for one part: these words, from this row on, as they stand in the address of the page.
pub fn part(resource: &str, words: Option<String>, from: Option<String>) -> String {
    let from = from.and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    format!("{resource}?{}&skip={from}&limit={PART}", asking(words))
}

/// `q=` with the words of the search.
pub fn asking(words: Option<String>) -> String {
    format!("q={}", segment(&words.unwrap_or_default()))
}

/// Reads all parts of a list. `path` is its address with the question; `rows` takes them out of an answer.
pub fn every<P: DeserializeOwned + 'static, T: 'static>(
    path: impl Fn() -> String + Send + Sync + 'static,
    rows: fn(P) -> Vec<T>,
) -> Every<T> {
    let toasts = app().toasts;
    Callback::new(move |(most, sink): (usize, Callback<Vec<T>>)| {
        let path = path();
        spawn_local(async move {
            let mut all = Vec::new();
            while all.len() < most {
                let asked = format!("{path}&skip={}&limit={READ}", all.len());
                match api::get::<P>(&asked).await.map(rows) {
                    Ok(part) if part.is_empty() => break,
                    Ok(part) => all.extend(part),
                    Err(e) => return toasts.warn(e.message),
                }
            }
            sink.run(all);
        });
    })
}
