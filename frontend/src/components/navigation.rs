//! The navigation at the left: every page of the portal.

use leptos::prelude::*;

use super::icon::Icon;
use crate::app::app;
use crate::nav;
use crate::routes::{Route, SettingsTab};

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
    let item = move |(page, icon): (Route, Icon)| {
        let title = page.title();
        let (plain, topology) = (page.href(), page == Route::Topology);
        let href = move || {
            // Each time one goes somewhere it may have become another.
            app().place.track();
            if topology { nav::topology_again() } else { plain.clone() }
        };
        let current = move || {
            let here = top.with(|t| *t == page);
            here.then(|| if route.with(|r| r.screen() == page) { "page" } else { "true" })
        };
        view! {
            <li>
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
