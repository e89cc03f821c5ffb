//! Showing a resource: skeleton, error with *Try again*, or the thing itself.

use leptos::prelude::*;

use super::load_error::LoadError;
use crate::api::Data;

/// Grey bars of the height that the content will have.
#[component]
pub fn Skeleton(
    /// How many lines.
    #[prop(default = 4)]
    lines: u8,
) -> impl IntoView {
    view! {
        <div class="bars" role="status">
            <span class="visually-hidden">"Loading …"</span>
            {(0..lines).map(|_| view! { <div class="bar"></div> }).collect_view()}
        </div>
    }
}

/// Shows a resource once it is there. The children are built once and read `data.value`; after a failed
/// re-read they stay, under the error.
#[component]
pub fn Shown<T, F, V>(
    /// The resource.
    data: Data<T>,
    /// Lines of the skeleton.
    #[prop(default = 4)]
    lines: u8,
    /// What shows it; gets the value as a signal that always has one.
    children: F,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
    F: Fn(Signal<T>) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let there = Memo::new(move |_| data.value.with(Option::is_some));
    view! {
        {move || data.error.get().map(|error| view! { <LoadError error on_retry=move |()| data.refetch() /> })}
        {move || {
            if there.get() {
                // `there` never becomes false again: Data keeps what was read last.
                data.value.get_untracked().map(|first| {
                    let value = Memo::new(move |_| data.value.get().unwrap_or_else(|| first.clone()));
                    children(value.into()).into_any()
                })
            } else {
                data.is_loading().then(|| view! { <Skeleton lines /> }.into_any())
            }
        }}
    }
}
