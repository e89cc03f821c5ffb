//! Groups of the directory: the list, and one group with its members. Source: model §16.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::json;
use shared::api::{GroupDetail, GroupMember, GroupView, PrincipalView};
use shared::events::Topic;

use crate::api::use_data;
use crate::components::act::args;
use crate::components::{
    ActButton, ActForm, ButtonKind, Column, DataTable, Facts, Mono, Page, Section, Shown, TextField,
};
use crate::nav;
use crate::routes::{Route, segment};

const TOPICS: &[Topic] = &[Topic::Directory, Topic::Rooms];

/// The list.
#[component]
pub fn GroupsPage() -> impl IntoView {
    let groups = use_data::<Vec<GroupView>>(|| "groups".to_owned(), TOPICS);
    let lead = "A group stands for its members in the lists of categories and rooms. Whoever joins or leaves it enters or leaves these rooms at once.";
    view! {
        <Page title="Groups" lead>
            <Shown data=groups lines=4 let:rows>
                <DataTable rows columns=columns() name="groups" empty=|| view! {
                    <h2>"There is no group yet"</h2>
                    <p>"Make one below, add people to it, and name it in a category or a room."</p>
                } />
            </Shown>
            <NewGroup />
        </Page>
    }
}

fn columns() -> Vec<Column<GroupView>> {
    vec![
        Column::<GroupView>::new("Group", |g| g.name.clone()).shown(|g| {
            let href = Route::Group(g.identity.clone()).href();
            view! { <a href=href>{g.name.clone()}</a> }.into_any()
        }),
        Column::<GroupView>::new("Description", |g| g.description.clone()),
        Column::<GroupView>::new("Members", |g| g.members.to_string()).number(),
        Column::<GroupView>::new("Distinguished name", |g| g.identity.clone())
            .shown(|g| view! { <Mono text=g.identity.clone() copy=true /> }.into_any()),
    ]
}

#[component]
fn NewGroup() -> impl IntoView {
    let (name, path, text) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let arguments = Signal::derive(move || {
        let value = |v: RwSignal<String>| v.get().trim().to_owned().into();
        args([("Name", value(name)), ("Path", value(path)), ("Description", value(text))])
    });
    let label = Signal::derive(move || match name.get().trim() {
        "" => "Create the group".to_owned(),
        n => format!("Create the group {n}"),
    });
    let done = Arc::new(move |r: &shared::plan::CmdletResponse| {
        let made = r.output.first().and_then(|o| o.get("Identity")).and_then(|i| i.as_str());
        if let Some(made) = made {
            nav::navigate_to(&Route::Group(made.to_owned()));
        }
    });
    view! {
        <Section title="New group">
            <ActForm cmdlet="New-LgGroup" args=arguments label on_done=done>
                <TextField label="Name" name="Name" value=name required=true
                    help=|| "Lists name the group by it, so it stays as it is." />
                <TextField label="Place" name="Path" value=path mono=true
                    help=|| "A unit, for example OU=Groups,DC=litwareinc,DC=com. Left empty, it is made from the first SIP domain." />
                <TextField label="Description" name="Description" value=text />
            </ActForm>
        </Section>
    }
}

/// One group.
#[component]
pub fn GroupPage(
    /// Its distinguished name.
    name: String,
) -> impl IntoView {
    let search = nav::use_query("q");
    let asked = segment(&name);
    let data = use_data::<GroupDetail>(
        move || format!("group?identity={asked}&q={}", segment(&search.get().unwrap_or_default())),
        TOPICS,
    );
    let remove = args([("Identity", name.clone().into())]);
    let title = shared::dn::first(&name);
    let label = format!("Delete the group {title}");
    let gone = Arc::new(|_: &_| nav::navigate_to(&Route::Groups));
    provide_context(Of(name));
    view! {
        <Page title actions=move || view! {
            <ActButton cmdlet="Remove-LgGroup" args=remove.clone() label=label.clone() short="Delete" kind=ButtonKind::Danger on_done=gone.clone() />
        }>
            <Shown data lines=6 let:detail>
                {
                    let facts = Memo::new(move |_| detail.with(|d| (d.group.clone(), d.people, d.holders.clone(), d.named_in.clone())));
                    let total = Signal::derive(move || detail.with(|d| d.total));
                    let more = move || detail.with(|d| (d.total > d.members.len() as u64).then(|| format!("The first {} of {}. Search for the others.", d.members.len(), d.total)));
                    view! {
                        {move || facts.with(|(group, people, holders, places)| view! {
                            <Facts facts=vec![
                                ("Identity", view! { <Mono text=group.identity.clone() copy=true /> }.into_any()),
                                ("Description", if group.description.is_empty() { "none".into_any() } else { group.description.clone().into_any() }),
                                ("People in it", format!("{people}, through groups as well").into_any()),
                                ("Member of", words(&holders.iter().map(|h| h.name.clone()).collect::<Vec<_>>(), "no group")),
                                ("Named in", words(places, "no category and no room")),
                            ] />
                        })}
                        <Section title="Members">
                            <Add />
                            <DataTable rows=move || detail.with(|d| d.members.clone()) total columns=member_columns() name="members of the group"
                                acts=member_acts empty=|| "It has no member yet. Rooms that name it let nobody in by it." />
                            {move || more().map(|text| view! { <p class="muted">{text}</p> })}
                        </Section>
                    }
                }
            </Shown>
        </Page>
    }
}

/// The group whose page this is.
#[derive(Clone)]
struct Of(String);

fn words(list: &[String], none: &'static str) -> AnyView {
    if list.is_empty() { none.into_any() } else { list.join(", ").into_any() }
}

/// *Add a member*, with completion.
#[component]
fn Add() -> impl IntoView {
    let group = expect_context::<Of>().0;
    let who = RwSignal::new(String::new());
    let found = use_data::<Vec<PrincipalView>>(
        move || format!("principals?q={}", segment(who.get().trim())),
        &[Topic::Directory],
    );
    let suggestions = Signal::derive(move || {
        let typed = who.get().trim().to_lowercase();
        let text = |p: &PrincipalView| {
            // The browser offers what contains what was typed: the address, or else the name.
            if p.identity.to_lowercase().contains(&typed) { p.identity.clone() } else { p.name.clone() }
        };
        let may = |p: &&PrincipalView| p.kind == "User" || p.kind == "Group";
        found.value.with(|l| l.iter().flatten().filter(may).map(text).collect::<Vec<_>>())
    });
    let short = shared::dn::first(&group);
    let label = Signal::derive(move || match who.get().trim() {
        "" => "Add a member".to_owned(),
        n => format!("Add {n} to {short}"),
    });
    let arguments = Signal::derive(move || {
        args([("Identity", group.clone().into()), ("Members", json!({ "Add": [who.get().trim()] }))])
    });
    let empty = Signal::derive(move || {
        who.with(|w| w.trim().is_empty()).then(|| "Type a name or an address first.".to_owned())
    });
    view! {
        <ActForm cmdlet="Set-LgGroup" args=arguments label blocked=empty on_done=Arc::new(move |_: &_| who.set(String::new()))>
            <TextField label="User or group" name="Members" value=who required=true suggestions
                help=|| "A display name, a SIP address, a log-on name, or another group." />
        </ActForm>
    }
}

fn member_columns() -> Vec<Column<GroupMember>> {
    vec![
        Column::<GroupMember>::new("Member", |m| m.name.clone()).shown(|m| {
            if !m.group {
                return m.name.clone().into_any();
            }
            let href = Route::Group(m.identity.clone()).href();
            view! { <a href=href>{m.name.clone()}</a> }.into_any()
        }),
        Column::<GroupMember>::new("Type", |m| if m.group { "Group" } else { "User" }.to_owned()),
        Column::<GroupMember>::new("Address", |m| m.identity.clone())
            .shown(|m| view! { <Mono text=m.identity.clone() /> }.into_any()),
    ]
}

fn member_acts(m: &GroupMember) -> AnyView {
    let Some(Of(group)) = use_context::<Of>() else { return ().into_any() };
    let label = format!("Remove {} from {}", m.name, shared::dn::first(&group));
    let out = args([("Identity", group.into()), ("Members", json!({ "Remove": [m.identity] }))]);
    view! { <ActButton cmdlet="Set-LgGroup" args=out label short="Remove" kind=ButtonKind::Quiet review=true /> }
        .into_any()
}
