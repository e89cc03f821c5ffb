//! A time as a person reads it: relative, with the exact time one look away.

use leptos::prelude::*;
use shared::Timestamp;

use crate::time;

/// `5 min ago`, with the exact time in the viewer's zone as title and for screen readers.
#[component]
pub fn TimeAgo(
    /// The instant.
    at: Timestamp,
) -> impl IntoView {
    let now = time::use_now();
    let exact = time::exact(at);
    view! {
        <time datetime=at.rfc3339() title=exact>
            {move || time::relative(at, now.get())}
            <span class="visually-hidden">" ("{exact.clone()}")"</span>
        </time>
    }
}
