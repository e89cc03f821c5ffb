//! Search and commands (Ctrl+K): every page and every pool, by a few letters of its name.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use shared::api::PoolSummary;
use shared::events::Topic;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

use super::dialog::Dialog;
use super::icon::Icon;
use super::navigation::pages;
use super::table_model::matches;
use crate::api::use_data;
use crate::app::app;
use crate::routes::{PoolTab, Route};
use crate::{dom, nav};

/// Most places listed at once.
const SHOWN: usize = 12;

/// Somewhere to go.
#[derive(Clone, PartialEq)]
struct Place {
    words: String,
    kind: &'static str,
    href: String,
}

/// The button in the top bar; Ctrl+K presses it from anywhere.
#[component]
pub fn PaletteButton() -> impl IntoView {
    let open = app().palette;
    view! {
        <button type="button" class="palette-button" aria-keyshortcuts="Control+K" on:click=move |_| open.set(true)>
            {Icon::Search.draw()}
            <span class="palette-word">"Search"</span>
            <kbd class="palette-word">"Ctrl K"</kbd>
        </button>
        <Dialog open title="Go to" on_close=move |()| open.set(false)>
            <Palette />
        </Dialog>
    }
}

/// Hears Ctrl+K for as long as the page lives; called once.
pub fn listen() {
    let pressed = Closure::<dyn Fn(KeyboardEvent)>::new(|e: KeyboardEvent| {
        let signed_in = app().session.with_untracked(|s| s.as_ref().is_some_and(|s| s.account.is_some()));
        if signed_in && (e.ctrl_key() || e.meta_key()) && e.key().eq_ignore_ascii_case("k") {
            e.prevent_default();
            app().palette.set(true);
        }
    });
    if dom::window().add_event_listener_with_callback("keydown", pressed.as_ref().unchecked_ref()).is_ok() {
        pressed.forget();
    }
}

/// Every place: the pages of the navigation, a few acts, the tabs of each pool.
fn places(pools: &[PoolSummary]) -> Vec<Place> {
    let place = |words: String, kind, route: &Route| Place { words, kind, href: route.href() };
    let mut all: Vec<Place> = pages().into_iter().map(|(r, _)| place(r.title(), "Page", &r)).collect();
    for (words, route) in [
        ("New Persistent Chat Pool", Route::WizardStart),
        ("Publish the topology", Route::Publish),
        ("New user", Route::UserNew),
        ("New room", Route::RoomNew),
    ] {
        all.push(place(words.to_owned(), "Act", &route));
    }
    for p in pools {
        for tab in PoolTab::ALL {
            let words = format!("{} ({}): {}", p.fqdn, p.display_name, tab.label());
            all.push(place(words, "Pool", &Route::Pool(p.fqdn.to_string(), tab)));
        }
    }
    all
}

#[component]
fn Palette() -> impl IntoView {
    let pools = use_data::<Vec<PoolSummary>>(|| "pools".to_owned(), &[Topic::Topology]);
    let search = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let found = Memo::new(move |_| {
        let all = pools.value.with(|p| places(p.as_deref().unwrap_or_default()));
        let search = search.read();
        all.into_iter()
            .filter(|p| matches(std::slice::from_ref(&p.words), &search))
            .take(SHOWN)
            .collect::<Vec<_>>()
    });
    let go = move |href: &str| {
        app().palette.set(false);
        nav::navigate(href);
    };
    let press = move |e: KeyboardEvent| {
        let n = found.with_untracked(Vec::len).max(1);
        match e.key().as_str() {
            "ArrowDown" => chosen.update(|c| *c = (*c + 1) % n),
            "ArrowUp" => chosen.update(|c| *c = (*c + n - 1) % n),
            "Enter" => {
                if let Some(p) = found.with_untracked(|f| f.get(chosen.get_untracked()).cloned()) {
                    go(&p.href);
                }
            }
            _ => return,
        }
        e.prevent_default();
    };
    let option = move |(i, p): (usize, Place)| {
        let href = p.href;
        view! {
            <li role="option" id=format!("place-{i}") class="place" aria-selected=move || if chosen.get() == i { "true" } else { "false" }
                on:click=move |_| go(&href)>
                <span>{p.words}</span>
                <small class="muted">{p.kind}</small>
            </li>
        }
    };
    view! {
        <div class="palette">
            <label class="visually-hidden" for="palette-search">"Page or pool"</label>
            <input id="palette-search" class="input" type="text" role="combobox" aria-expanded="true" aria-controls="palette-list"
                aria-autocomplete="list" aria-activedescendant=move || format!("place-{}", chosen.get()) autocomplete="off" data-first=""
                prop:value=search on:keydown=press
                on:input=move |e| { search.set(event_target_value(&e)); chosen.set(0); } />
            <ul id="palette-list" class="palette-list" role="listbox" aria-label="Places">
                {move || found.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
            {move || found.with(Vec::is_empty).then(|| view! { <p class="muted">"Nothing has this in its name."</p> })}
        </div>
    }
}
