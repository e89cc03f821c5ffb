//! The pages, one folder or file each.

pub mod account;
pub mod audit;
pub mod endpoints;
pub mod login;
pub mod overview;
pub mod password_link;
pub mod people;
pub mod pools;
pub mod publish;
pub mod rooms;
pub mod settings;
pub mod setup;
pub mod sharing;
pub mod shell;
pub mod test_message;
pub mod topology;
pub mod wizard;

use leptos::prelude::*;

use crate::components::{LinkButton, Page};

/// An address that no page has.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Page title="No such page">
            <p>"No page of the portal has this address. It may have been mistyped."</p>
            <p><LinkButton label="Go to the overview" href="/" /></p>
        </Page>
    }
}
