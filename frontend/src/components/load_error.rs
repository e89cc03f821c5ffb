//! What is shown when a request failed.

use leptos::prelude::*;
use shared::error::ApiError;

use super::button::Button;
use super::copy::CopyButton;
use super::icon::Icon;
use super::notice::{Notice, NoticeKind, ProblemList};

/// An error with its request id, and a way to try again.
#[component]
pub fn LoadError(
    /// The error.
    error: ApiError,
    /// Tries again; without it no button is shown.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let problems = error.problems.clone();
    let several = problems.len() > 1;
    view! {
        <Notice kind=NoticeKind::Danger alert=true>
            <p>{error.message}</p>
            {several.then(|| view! { <ProblemList problems=problems /> })}
            {error.request_id.map(request_id)}
            {on_retry.map(|retry| view! { <Button label="Try again" icon=Some(Icon::Retry) on_press=retry /> })}
        </Notice>
    }
}

fn request_id(id: String) -> AnyView {
    view! {
        <p class="request-id">
            "Request "<span class="mono">{id.clone()}</span>
            <CopyButton what="the request id" text=id />
        </p>
    }
    .into_any()
}
