//! Showing a resource: skeleton, error with *Try again*, or the thing itself.

use leptos::prelude::*;

use super::load_error::LoadError;
use crate::api::{AnyData, Current, Data};

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

/// Shows a resource once it is there. The children are built once and read the value; after a failed
/// re-read they stay, under the error.
#[component]
pub fn Shown<T, F, V>(
    /// The resource.
    data: Data<T>,
    /// Lines of the skeleton.
    #[prop(default = 4)]
    lines: u8,
    /// What shows it.
    children: F,
) -> impl IntoView
where
    T: Send + Sync + 'static,
    F: Fn(Current<T>) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    // Everything else is the same for every type, so that it is compiled once.
    let view = move || data.value.there().map(|v| children(v).into_any());
    shown(data.any(), lines, Box::new(view))
}

fn shown(data: AnyData, lines: u8, view: Box<dyn Fn() -> Option<AnyView> + Send + Sync>) -> AnyView {
    let there = data.there;
    view! {
        {move || data.error.get().map(|error| view! { <LoadError error on_retry=move |()| data.refetch() /> })}
        {move || {
            if there.get() {
                view()
            } else {
                data.error.with(Option::is_none).then(|| view! { <Skeleton lines /> }.into_any())
            }
        }}
    }
    .into_any()
}
