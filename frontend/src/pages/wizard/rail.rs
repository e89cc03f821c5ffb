//! The rail with the wizard's pages: done, current, has a problem, not needed and why.

use leptos::prelude::*;
use shared::topology::wizard::Page;
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::fields::use_wizard;
use super::steps::{Progress, progress};
use crate::components::Icon;
use crate::dom;
use crate::routes::Route;

/// The rail.
#[component]
pub fn Rail(
    /// The page that is shown.
    current: Page,
) -> impl IntoView {
    let w = use_wizard();
    let pages = move || {
        let (draft, problems, left) = (w.draft.read(), w.problems.read(), w.left.read());
        let id = w.id.get_value();
        let mut items = Vec::new();
        for page in Page::ALL {
            let state = progress(page, &draft, &problems, left.contains(&page));
            items.push(item(&id, page, state, page == current));
        }
        items
    };
    // On a narrow screen the rail is a strip that scrolls; the current page is brought into sight.
    dom::after_frame(|| {
        let here = dom::document().query_selector(".rail [aria-current]").ok().flatten();
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        options.set_inline(ScrollLogicalPosition::Center);
        if let Some(item) = here {
            item.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    view! {
        <nav class="rail" aria-label="Pages of the wizard">
            <ol role="list">
                {pages}
            </ol>
        </nav>
    }
}

fn item(id: &str, page: Page, state: Progress, current: bool) -> AnyView {
    let (class, icon, word) = match &state {
        Progress::Open => ("rail-item", None, ""),
        Progress::Done => ("rail-item rail-done", Some(Icon::Tick), "done"),
        Progress::Wrong(_) => ("rail-item rail-wrong", Some(Icon::Warning), "has a problem"),
        Progress::NotNeeded(_) => ("rail-item rail-off", None, "not needed"),
    };
    let title = short_title(page);
    let mark = view! { <span class="rail-mark" aria-hidden="true">{icon.map(Icon::draw)}</span> };
    if let Progress::NotNeeded(why) = state {
        return view! {
            <li class=class>
                {mark}
                <span class="rail-text"><span>{title}</span><small>"Not needed: "{why}</small></span>
            </li>
        }
        .into_any();
    }
    view! {
        <li class=class>
            {mark}
            <span class="rail-text">
                <a href=Route::Wizard(id.to_owned(), page).href() aria-current=current.then_some("step")>{title}</a>
                {(!word.is_empty()).then(|| view! { <span class="visually-hidden">{format!(" ({word})")}</span> })}
            </span>
        </li>
    }
    .into_any()
}

/// The page in few words, for the rail.
pub fn short_title(page: Page) -> &'static str {
    match page {
        Page::Fqdn => "FQDN",
        Page::Computers => "Computers",
        Page::Properties => "Properties",
        Page::SqlStore => "SQL Server store",
        Page::BackupSqlStore => "Backup SQL Server store",
        Page::ComplianceSqlStore => "Compliance SQL Server store",
        Page::BackupComplianceSqlStore => "Backup compliance SQL Server store",
        Page::FileStore => "File store",
        Page::NextHop => "Next hop pool",
        Page::Summary => "Summary",
    }
}
