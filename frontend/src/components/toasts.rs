//! Short messages that come and go; read out by screen readers.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use super::icon::Icon;

/// How long a message stays, in milliseconds; a warning stays until it is closed.
const STAY_MS: u32 = 7_000;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    id: u32,
    warning: bool,
    text: String,
    link: Option<(String, String)>,
}

/// How many messages of things done stand at once.
const MOST: usize = 2;

/// The messages that are seen now.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: RwSignal<u32>,
}

impl Default for Toasts {
    fn default() -> Self {
        Self { list: RwSignal::new(Vec::new()), next: RwSignal::new(0) }
    }
}

impl Toasts {
    /// Something was done.
    pub fn say(self, text: impl Into<String>) {
        self.add(text.into(), false, None);
    }

    /// Something was done, with where to look (words, address).
    pub fn say_with_link(self, text: impl Into<String>, words: impl Into<String>, href: impl Into<String>) {
        self.add(text.into(), false, Some((words.into(), href.into())));
    }

    /// Something to look at; stays until it is closed.
    pub fn warn(self, text: impl Into<String>) {
        self.add(text.into(), true, None);
    }

    fn add(self, text: String, warning: bool, link: Option<(String, String)>) {
        let id = self.next.get_untracked();
        self.next.set(id + 1);
        self.list.update(|l| {
            l.push(Toast { id, warning, text, link });
            // What is done quickly one after the other does not cover the page.
            while l.iter().filter(|t| !t.warning).count() > MOST
                && let Some(oldest) = l.iter().position(|t| !t.warning)
            {
                l.remove(oldest);
            }
        });
        if !warning {
            Timeout::new(STAY_MS, move || self.close(id)).forget();
        }
    }

    fn close(self, id: u32) {
        self.list.update(|l| l.retain(|t| t.id != id));
    }
}

/// The place where messages appear.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = crate::app::app().toasts;
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.list.get() key=|t| t.id let:t>
                <div class=if t.warning { "toast toast-warning" } else { "toast" }>
                    {if t.warning { Icon::Warning.draw() } else { Icon::Tick.draw() }}
                    <span class="toast-text">
                        {t.text}
                        {t.link.map(|(words, href)| view! { " "<a href=href>{words}</a> })}
                    </span>
                    <button type="button" class="copy" aria-label="Close this message" on:click=move |_| toasts.close(t.id)>
                        {Icon::Close.draw()}
                    </button>
                </div>
            </For>
        </div>
    }
}
