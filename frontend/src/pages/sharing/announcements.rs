//! Announcements and planned maintenance: told on the overview and on every status link.

use leptos::prelude::*;
use shared::api::{AnnouncementView, ShareList};

use crate::api::Data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Section, SelectField, Shown, TextField, TimeAgo,
};

/// The list and its form.
#[component]
pub fn Announcements(
    /// What the page reads.
    list: Data<ShareList>,
) -> impl IntoView {
    view! {
        <Section title="Announcements">
            <Shown data=list let:l>
                <DataTable rows=move || l.get().announcements columns=columns() name="announcements" acts plain=true
                    empty=|| "Nothing is announced. What is told here stands on the overview and on every status link." />
            </Shown>
            <New />
        </Section>
    }
}

#[component]
fn New() -> impl IntoView {
    let field = || RwSignal::new(String::new());
    let (text, kind, from, until) = (field(), field(), field(), field());
    let arguments = Signal::derive(move || {
        args([
            ("Text", text.get().into()),
            ("Kind", kind.get().into()),
            ("From", from.get().trim().into()),
            ("Until", until.get().trim().into()),
        ])
    });
    let done = std::sync::Arc::new(move |_: &_| {
        [text, kind, from, until].iter().for_each(|s| s.set(String::new()));
    });
    let kinds = vec![("Maintenance".to_owned(), "Planned maintenance".to_owned())];
    view! {
        <details class="card">
            <summary>"New announcement"</summary>
            <ActForm cmdlet="New-LgAnnouncement" args=arguments label="Announce" on_done=done>
                <TextField label="What everybody is told" name="Text" value=text required=true rows=3 />
                <SelectField label="Kind" name="Kind" value=kind options=kinds none="Announcement" />
                <TextField label="From" name="From" value=from help=|| "In UTC, for example 2026-12-01 20:00. Left empty: now." />
                <TextField label="Until" name="Until" value=until help=|| "In UTC. Left empty: until it is taken away." />
            </ActForm>
        </details>
    }
}

fn columns() -> Vec<Column<AnnouncementView>> {
    vec![
        Column::<AnnouncementView>::new("Words", |a| a.text.clone()),
        Column::<AnnouncementView>::new("Kind", |a| a.kind.clone()),
        Column::<AnnouncementView>::new("From", |a| a.begins.rfc3339())
            .shown(|a| view! { <TimeAgo at=a.begins /> }.into_any()),
        Column::<AnnouncementView>::new("Until", |a| {
            a.ends.map(shared::Timestamp::rfc3339).unwrap_or_default()
        })
        .shown(|a| match a.ends {
            Some(at) => view! { <TimeAgo at /> }.into_any(),
            None => "it is taken away".into_any(),
        }),
    ]
}

fn acts(a: &AnnouncementView) -> AnyView {
    let remove = args([("Identity", a.id.clone().into())]);
    view! { <ActButton cmdlet="Remove-LgAnnouncement" args=remove label=format!("Take away: {}", a.text) short="Take away" kind=ButtonKind::Quiet /> }
        .into_any()
}
