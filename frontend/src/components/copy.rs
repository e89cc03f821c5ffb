//! Names in monospace, and copying them.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::icon::Icon;
use crate::app::app;
use crate::dom;

/// Copies a text; says so.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What it is, in words, for the button's name: "Copy the command line".
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let label = format!("Copy {what}");
    let press = move |_| {
        let text = text.get_untracked();
        let what = what.clone();
        let toasts = app().toasts;
        spawn_local(async move {
            match dom::copy(text).await {
                Ok(()) => toasts.say(format!("Copied {what}.")),
                Err(_) => {
                    toasts.warn("The browser did not allow copying. Select the text and copy it by hand.");
                }
            }
        });
    };
    view! {
        <button type="button" class="copy" aria-label=label.clone() title=label on:click=press>
            {Icon::Copy.draw()}
        </button>
    }
}

/// A name of the field (FQDN, SIP address, instance) in monospace; long ones break at dots.
#[component]
pub fn Mono(
    /// The name.
    #[prop(into)]
    text: String,
    /// Offers a copy button.
    #[prop(optional)]
    copy: bool,
) -> impl IntoView {
    let parts = breakable(&text);
    view! {
        <span class="mono">
            {parts}
            {copy.then(|| view! { <CopyButton what=text.clone() text=text.clone() /> })}
        </span>
    }
}

/// The text with a break opportunity after each dot, at sign, comma, slash and backslash.
pub fn breakable(text: &str) -> AnyView {
    text.split_inclusive(['.', '@', ',', '\\', '/'])
        .map(|part| view! { {part.to_owned()}<wbr /> })
        .collect_view()
        .into_any()
}
