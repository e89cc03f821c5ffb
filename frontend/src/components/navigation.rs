//! The navigation at the left: every page of the portal.

use leptos::prelude::*;

use super::icon::Icon;
use crate::app::app;
use crate::nav;
use crate::pages::settings::readable;
use crate::routes::{Route, SettingsTab};
use crate::session;

/// The groups of the navigation: words of the group, pages with icons.
fn groups() -> [(&'static str, Vec<(Route, Icon)>); 4] {
    [
        (
            "",
            vec![(Route::Overview, Icon::Overview), (Route::Pools, Icon::Pools), (Route::Tests, Icon::Test)],
        ),
        ("Build", vec![(Route::Topology, Icon::Topology), (Route::Endpoints, Icon::Endpoints)]),
        (
            "People and rooms",
            vec![
                (Route::Rooms, Icon::Rooms),
                (Route::Users, Icon::Users),
                (Route::Groups, Icon::Person),
                (Route::Policies, Icon::Policies),
            ],
        ),
        (
            "Portal",
            vec![
                (Route::Shell, Icon::Shell),
                (Route::Audit, Icon::Audit),
                (Route::Sharing, Icon::Sharing),
                (Route::Settings(SettingsTab::Accounts), Icon::Settings),
            ],
        ),
    ]
}

/// Every page of the navigation.
pub fn pages() -> Vec<(Route, Icon)> {
    groups().into_iter().flat_map(|(_, pages)| pages).collect()
}

/// The navigation.
#[component]
pub fn Navigation() -> impl IntoView {
    let route = nav::use_route();
    let trail = nav::use_trail();
    let top = Memo::new(move |_| trail.with(|t| t.first().map(Route::screen).unwrap_or_default()));
    let account = session::use_account();
    let item = move |(page, icon): (Route, Icon)| {
        let title = page.title();
        let (plain, topology) = (page.href(), page == Route::Topology);
        let settings = matches!(page, Route::Settings(_));
        let href = move || {
            // Each time one goes somewhere it may have become another.
            app().place.track();
            if topology {
                nav::topology_again()
            } else if settings {
                let first = SettingsTab::ALL.into_iter().find(|t| readable(*t));
                Route::Settings(first.unwrap_or(SettingsTab::About)).href()
            } else {
                plain.clone()
            }
        };
        let reads = match page {
            Route::Audit => "Get-LgAudit",
            Route::Sharing => "Get-LgShare",
            _ => "Get-CsPersistentChatState",
        };
        // Signed out, every page leads to the sign-in.
        let hidden = move || account.with(Option::is_some) && session::allowed(reads).is_err();
        let current = move || {
            let here = top.with(|t| *t == page);
            here.then(|| if route.with(|r| r.screen() == page) { "page" } else { "true" })
        };
        view! {
            <li hidden=hidden>
                <a class="nav-link" href=href aria-current=current title=title>
                    {icon.draw()}
                    <span class="nav-word">{title.clone()}</span>
                </a>
            </li>
        }
    };
    view! {
        <nav class="nav" aria-label="Main">
            {groups()
                .into_iter()
                .map(|(title, pages)| view! {
                    <div class="nav-group">
                        {(!title.is_empty()).then(|| view! { <div class="nav-heading">{title}</div> })}
                        <ul role="list">{pages.into_iter().map(item).collect_view()}</ul>
                    </div>
                })
                .collect_view()}
        </nav>
    }
}
