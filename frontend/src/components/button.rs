//! Buttons. One that cannot be used says why, also to the keyboard and to screen readers.

use leptos::prelude::*;

use super::icon::Icon;
use crate::{dom, session};

/// How much weight a button has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// The one main act of a page or form.
    Primary,
    /// Everything else.
    #[default]
    Plain,
    /// Takes something away.
    Danger,
    /// Without a frame, inside rows and texts.
    Quiet,
}

impl ButtonKind {
    /// The CSS classes.
    pub fn class(self) -> &'static str {
        match self {
            Self::Primary => "button button-primary",
            Self::Plain => "button",
            Self::Danger => "button button-danger",
            Self::Quiet => "button button-quiet",
        }
    }
}

/// A button.
#[component]
pub fn Button(
    /// Verb and object.
    #[prop(into)]
    label: Signal<String>,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
    /// Its weight.
    #[prop(optional)]
    kind: ButtonKind,
    /// An icon before the words.
    #[prop(optional_no_strip)]
    icon: Option<Icon>,
    /// Why it cannot be used now; none when it can.
    #[prop(optional, into)]
    blocked: Signal<Option<String>>,
    /// Something runs; it takes no second press.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// What a screen reader says instead of the label, when the words around tell the rest; begins with it.
    #[prop(optional, into)]
    spoken: Signal<Option<String>>,
    /// Sends the form it stands in instead of calling `on_press`.
    #[prop(optional)]
    submit: bool,
) -> impl IntoView {
    let reason_id = dom::uid("reason");
    let described = {
        let id = reason_id.clone();
        move || blocked.with(Option::is_some).then(|| id.clone())
    };
    view! {
        <span class="button-box">
            <button
                type=if submit { "submit" } else { "button" }
                class=kind.class()
                aria-disabled=move || (blocked.with(Option::is_some) || busy.get()).then_some("true")
                aria-busy=move || busy.get().then_some("true")
                aria-describedby=described
                aria-label=spoken
                on:click=move |e| {
                    if busy.get_untracked() {
                        e.prevent_default();
                    } else if !submit {
                        e.prevent_default();
                        if blocked.with_untracked(Option::is_none) {
                            on_press.run(());
                        }
                    }
                }
            >
                {icon.map(Icon::draw)}
                <span>{label}</span>
            </button>
            {move || blocked.get().map(|why| view! { <span class="reason" role="tooltip" id=reason_id.clone()>{why}</span> })}
        </span>
    }
}

/// A link that looks like a button: it leads somewhere and changes nothing.
#[component]
pub fn LinkButton(
    /// Where it leads, in words.
    #[prop(into)]
    label: Signal<String>,
    /// Address.
    #[prop(into)]
    href: Signal<String>,
    /// Its weight.
    #[prop(optional)]
    kind: ButtonKind,
    /// An icon before the words.
    #[prop(optional_no_strip)]
    icon: Option<Icon>,
    /// What the page behind it is for: who may not run that sees why, and is not led there.
    #[prop(optional)]
    cmdlet: &'static str,
) -> impl IntoView {
    let refused = move || (!cmdlet.is_empty()).then(|| session::allowed(cmdlet).err()).flatten();
    move || match refused() {
        Some(why) => view! { <Button label kind icon blocked=Some(why) on_press=|()| () /> }.into_any(),
        None => view! {
            <a class=kind.class() href=href>
                {icon.map(Icon::draw)}
                <span>{label}</span>
            </a>
        }
        .into_any(),
    }
}
