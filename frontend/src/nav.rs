//! Where the page is: the browser's address is the one truth, links are plain links.

use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent, UrlSearchParams};

use crate::app::app;
use crate::dom::window;
use crate::routes::Route;

/// Path and query of the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Path, starting with `/`.
    pub path: String,
    /// Query with its `?`, or empty.
    pub query: String,
}

impl Place {
    /// What the browser's address says now.
    pub fn current() -> Self {
        let l = window().location();
        Self { path: l.pathname().unwrap_or_else(|_| "/".to_owned()), query: l.search().unwrap_or_default() }
    }
}

/// The route of the address.
pub fn use_route() -> Memo<Route> {
    Memo::new(|_| app().place.with(|p| Route::parse(&p.path)))
}

/// The value of a query parameter.
pub fn use_query(name: &'static str) -> Memo<Option<String>> {
    Memo::new(move |_| app().place.with(|p| query_of(&p.query, name)))
}

fn query_of(query: &str, name: &str) -> Option<String> {
    UrlSearchParams::new_with_str(query).ok()?.get(name)
}

/// Writes a query parameter into the address without a new history entry; an empty value takes it out.
pub fn set_query(name: &str, value: &str) {
    let place = Place::current();
    let Ok(params) = UrlSearchParams::new_with_str(&place.query) else { return };
    if value.is_empty() {
        params.delete(name);
    } else {
        params.set(name, value);
    }
    let text = String::from(params.to_string());
    replace(&if text.is_empty() { place.path } else { format!("{}?{text}", place.path) });
}

/// Goes to an address of this page.
pub fn navigate(href: &str) {
    go(href, false);
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Goes to a route.
pub fn navigate_to(route: &Route) {
    navigate(&route.href());
}

/// Goes to an address in place of the present one.
pub fn replace(href: &str) {
    go(href, true);
}

/// The topology draft that the address names; none for the draft main.
pub fn draft() -> Option<String> {
    query_of(&Place::current().query, "draft").filter(|d| d != "main")
}

const LAST_DRAFT: &str = "lifeguard-last-draft";

fn tab_storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

/// Remembers for this tab which draft was looked at last; main and none are the same.
pub fn remember_draft(name: Option<&str>) {
    let Some(storage) = tab_storage() else { return };
    // A browser that keeps nothing leads to the draft main, as the address alone does.
    let _ = match name.filter(|n| *n != "main") {
        Some(name) => storage.set_item(LAST_DRAFT, name),
        None => storage.remove_item(LAST_DRAFT),
    };
}

/// Where the navigation leads to the topology: to the draft that was looked at last in this tab. Links elsewhere
/// mean the draft main, or what is published.
pub fn topology_again() -> String {
    let last = tab_storage().and_then(|s| s.get_item(LAST_DRAFT).ok().flatten());
    let plain = Route::Topology.href();
    match last {
        Some(name) => format!("{plain}?draft={}", crate::routes::segment(&name)),
        None => plain,
    }
}

/// The pages from the top down to the one that is shown.
pub fn use_trail() -> Memo<Vec<Route>> {
    let route = use_route();
    Memo::new(move |_| {
        let route = route.get();
        // Where a run stands, it says itself, once it is read.
        let above = app().above.get().filter(|(of, _)| *of == route);
        match above {
            Some((_, above)) => above.trail().into_iter().chain([route]).collect(),
            None => route.trail(),
        }
    })
}

/// An address of the topology's pages keeps the draft that one is in.
fn within_draft(href: &str) -> String {
    let topology = href.starts_with("/topology") || href.starts_with("/jobs/");
    match draft().filter(|_| topology && !href.contains("draft=")) {
        Some(d) => {
            let mark = if href.contains('?') { '&' } else { '?' };
            format!("{href}{mark}draft={}", crate::routes::segment(&d))
        }
        None => href.to_owned(),
    }
}

fn go(href: &str, in_place: bool) {
    let href = &within_draft(href);
    let Ok(history) = window().history() else { return };
    let moved = if in_place {
        history.replace_state_with_url(&JsValue::NULL, "", Some(href))
    } else {
        history.push_state_with_url(&JsValue::NULL, "", Some(href))
    };
    if moved.is_ok() {
        app().place.set(Place::current());
    }
}

/// Listens for Back and Forward and takes over clicks on links of this page; called once.
pub fn listen() {
    let popped = Closure::<dyn Fn()>::new(|| app().place.set(Place::current()));
    let clicked = Closure::<dyn Fn(MouseEvent)>::new(|e: MouseEvent| follow(&e));
    let w = window();
    let heard = w
        .add_event_listener_with_callback("popstate", popped.as_ref().unchecked_ref())
        .and_then(|()| w.add_event_listener_with_callback("click", clicked.as_ref().unchecked_ref()));
    if heard.is_err() {
        leptos::logging::warn!("links load the page anew: the browser took no listeners");
    }
    // They live as long as the page does.
    popped.forget();
    clicked.forget();
}

/// Follows a link inside the page, unless the person asked for a new tab or a download, or the link
/// leads to what the server renders.
fn follow(e: &MouseEvent) {
    if e.default_prevented()
        || e.button() != 0
        || e.meta_key()
        || e.ctrl_key()
        || e.shift_key()
        || e.alt_key()
    {
        return;
    }
    let target = e.target().and_then(|t| t.dyn_into::<Element>().ok());
    let Some(link) = target.and_then(|t| t.closest("a[href]").ok().flatten()) else { return };
    let Ok(link) = link.dyn_into::<HtmlAnchorElement>() else { return };
    let elsewhere = link.origin() != window().location().origin().unwrap_or_default();
    let same_page = link.pathname() == Place::current().path && !link.hash().is_empty();
    if elsewhere || same_page || link.has_attribute("download") || !link.target().is_empty() {
        return;
    }
    if ["/api/", "/status/"].iter().any(|p| link.pathname().starts_with(p)) {
        return;
    }
    e.prevent_default();
    navigate(&format!("{}{}", link.pathname(), link.search()));
}
