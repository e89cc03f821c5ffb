//! Rooms.

use leptos::prelude::*;

use crate::components::Page;

/// The page.
#[component]
pub fn RoomsPage() -> impl IntoView {
    view! { <Page title="RoomsPage">"…"</Page> }
}

/// The page.
#[component]
pub fn NewRoomPage() -> impl IntoView {
    view! { <Page title="NewRoomPage">"…"</Page> }
}

/// The page.
#[component]
pub fn NewCategoryPage() -> impl IntoView {
    view! { <Page title="NewCategoryPage">"…"</Page> }
}

/// The page.
#[component]
pub fn RoomPage( /// Name.
    pool: String, /// Name.
    name: String,) -> impl IntoView {
    view! { <Page title="RoomPage">{pool}{name}</Page> }
}

/// The page.
#[component]
pub fn CategoryPage( /// Name.
    pool: String, /// Name.
    name: String,) -> impl IntoView {
    view! { <Page title="CategoryPage">{pool}{name}</Page> }
}
