//! The bar at the top: where one is, whether the page is live, who is signed in.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use super::palette::PaletteButton;
use super::time_ago::TimeAgo;
use crate::api::live::{self, Connection};
use crate::app::app;
use crate::{api, nav, session};

/// The bar.
#[component]
pub fn TopBar(
    /// Whether the navigation's drawer is open (narrow screens).
    drawer: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <header class="top">
            <button type="button" class="top-menu" aria-label="Navigation" aria-controls="navigation"
                aria-expanded=move || if drawer.get() { "true" } else { "false" }
                on:click=move |_| drawer.update(|d| *d = !*d)>
                {Icon::Menu.draw()}
            </button>
            <Breadcrumbs />
            <PaletteButton />
            <LiveIndicator />
            <UserMenu />
        </header>
    }
}

#[component]
fn Breadcrumbs() -> impl IntoView {
    let trail = nav::use_trail();
    view! {
        <nav class="crumbs" aria-label="Breadcrumbs">
            <ol role="list">
                {move || {
                    let trail = trail.get();
                    let last = trail.len() - 1;
                    trail
                        .into_iter()
                        .enumerate()
                        .map(|(i, r)| {
                            if i == last {
                                view! { <li aria-current="page">{r.title()}</li> }.into_any()
                            } else {
                                view! { <li><a href=r.href()>{r.title()}</a></li> }.into_any()
                            }
                        })
                        .collect_view()
                }}
            </ol>
        </nav>
    }
}

#[component]
fn LiveIndicator() -> impl IntoView {
    let connection = app().live.connection;
    view! {
        <div class="live" role="status">
            {move || match connection.get() {
                Connection::Connected => view! {
                    <span class="live-on" title="This page hears of changes as they happen.">{Icon::Live.draw()}<span class="live-word">"Live"</span></span>
                }.into_any(),
                Connection::Idle => view! { <span class="live-idle"><span class="live-word">"Connecting"</span></span> }.into_any(),
                Connection::Reconnecting(since) => view! {
                    <span class="live-off">{Icon::Broken.draw()}<span>"Reconnecting, lost "<TimeAgo at=since /></span></span>
                }.into_any(),
            }}
        </div>
    }
}

#[component]
fn UserMenu() -> impl IntoView {
    let account = session::use_account();
    let sign_out = move |()| {
        spawn_local(async {
            if let Err(e) = api::post::<serde::de::IgnoredAny>("logout", &()).await {
                app().toasts.warn(e.message);
                return;
            }
            live::close();
            if let Err(e) = session::reload().await {
                app().toasts.warn(e.message);
            }
        });
    };
    view! {
        <details class="user">
            <summary aria-label=move || account.with(|a| format!("Account {}", a.as_ref().map(|a| a.name.as_str()).unwrap_or_default()))>
                {Icon::Person.draw()}
                <span class="user-name">{move || account.with(|a| a.as_ref().map(|a| a.name.clone()))}</span>
                {Icon::Down.draw()}
            </summary>
            <div class="user-menu">
                <p class="user-roles">{move || account.with(|a| a.as_ref().map(|a| a.roles.join(", ")))}</p>
                <a href="/account">"My account"</a>
                <a href="/settings/roles">"Who can do what"</a>
                <Button label="Sign out" kind=ButtonKind::Quiet on_press=sign_out />
            </div>
        </details>
    }
}
