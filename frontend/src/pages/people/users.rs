//! The list of chat users.

use leptos::prelude::*;
use shared::api::{GroupView, PolicyView, TopologyView, UserPage, UserView};
use shared::events::Topic;

use super::user_change::ChangeUser;
use crate::api::use_data;
use crate::components::act::args;
use crate::components::badge::{Badge, of_enabled};
use crate::components::bulk::{Choice, Make, choose_all};
use crate::components::parts::{asking, every, part};
use crate::components::{
    ActButton, Bulk, BulkAct, ButtonKind, Column, DataTable, Dialog, Icon, LinkButton, Mono, Notice, Page,
    Shown, StateBadge, Tone,
};
use crate::nav;
use crate::routes::Route;

/// The user whose dialog is open.
#[derive(Clone, Copy)]
struct Editing(RwSignal<Option<UserView>>);

/// The page.
#[component]
pub fn UsersPage() -> impl IntoView {
    let (search, from) = (nav::use_query("q"), nav::use_query("from"));
    let asked = move || part("users", search.get(), from.get());
    let users = use_data::<UserPage>(asked, &[Topic::Directory, Topic::Topology]);
    let policies = use_data::<Vec<PolicyView>>(|| "policies".to_owned(), &[Topic::Directory]);
    let topology = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    let editing = RwSignal::new(None::<UserView>);
    provide_context(Editing(editing));
    let open = Memo::new(move |_| editing.with(Option::is_some));
    let title = Signal::derive(move || {
        editing.with(|u| u.as_ref().map(|u| format!("Change {}", u.display_name)).unwrap_or_default())
    });
    let grantable = Memo::new(move |_| {
        policies.value.with(|p| p.as_ref().map(|p| super::user_policies(p)).unwrap_or_default())
    });
    let homes = Memo::new(move |_| topology.value.with(|t| t.as_ref().map(homes).unwrap_or_default()));
    let refused = Memo::new(move |_| users.value.with(|u| u.as_ref().is_some_and(|u| u.none_allowed)));
    let chosen = RwSignal::default();
    let names =
        Signal::derive(move || grantable.with(|g| g.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>()));
    let groups = use_data::<Vec<GroupView>>(|| "groups".to_owned(), &[Topic::Directory]);
    let groups = Signal::derive(move || {
        groups.value.with(|g| g.iter().flatten().map(|g| g.name.clone()).collect::<Vec<_>>())
    });
    let choose: Choice<UserView> = (|u| u.sip_address.to_string(), chosen);
    let every = every(move || format!("users?{}", asking(search.get_untracked())), |p: UserPage| p.users);
    let everything = choose_all(every, choose);
    let lead = "People who sign in at a Front End pool and may be members of rooms.";
    view! {
        <Page title="Users" lead actions=|| view! {
            <LinkButton label="Import users" href=Route::UserImport.href() />
            <LinkButton label="New user" kind=ButtonKind::Primary icon=Some(Icon::Plus) href=Route::UserNew.href() />
        }>
            {move || refused.get().then(|| view! {
                <Notice>
                    <p>"No user may use Persistent Chat: no policy allows it. Change a policy, or grant one that allows it. "<a href=Route::Policies.href()>"Show the policies"</a></p>
                </Notice>
            })}
            <div class="people">
            <Shown data=users lines=6 let:page>
                <Bulk chosen what="users" acts=bulk_acts(names, groups) rest=(Signal::derive(move || page.with(|p| p.total)), everything) />
                <DataTable rows=move || page.with(|p| p.users.clone()) total=Signal::derive(move || page.with(|p| p.total)) columns=columns() name="users" acts=row_acts every choose empty=|| view! {
                    <h2>"There is no user yet"</h2>
                    <p>"A user needs a SIP domain and a Front End pool that are published."</p>
                    <LinkButton label="New user" kind=ButtonKind::Primary href=Route::UserNew.href() />
                } />
            </Shown>
            </div>
            <Dialog open title on_close=move |()| editing.set(None)>
                {move || editing.get().map(|user| view! { <ChangeUser user policies=grantable homes done=Callback::new(move |()| editing.set(None)) /> })}
            </Dialog>
        </Page>
    }
}

/// Front End pools of the published topology, as homes.
pub fn homes(t: &TopologyView) -> Vec<(String, String)> {
    let site = |p: &shared::topology::FrontEndPool| {
        t.published.site(&p.site).map(|s| s.site_id.clone()).unwrap_or_default()
    };
    t.published
        .front_end_pools
        .iter()
        .map(|p| (p.fqdn.to_string(), format!("{}  {}", p.fqdn, site(p))))
        .collect()
}

/// What can be done to several users.
fn bulk_acts(policies: Signal<Vec<String>>, groups: Signal<Vec<String>>) -> Vec<BulkAct> {
    let enabled = |on: bool| -> Make {
        if on {
            |who, _| args([("Identity", who.into()), ("Enabled", true.into())])
        } else {
            |who, _| args([("Identity", who.into()), ("Enabled", false.into())])
        }
    };
    vec![
        BulkAct::new("Enable", "Set-LgUser", enabled(true)),
        BulkAct::new("Disable", "Set-LgUser", enabled(false)),
        BulkAct {
            asks: Some(("User policy", policies)),
            ..BulkAct::new("Grant policy", "Grant-CsPersistentChatPolicy", |who, p| {
                args([("Identity", who.into()), ("PolicyName", p.into())])
            })
        },
        BulkAct {
            asks: Some(("Group", groups)),
            ..BulkAct::new("Add to group", "Set-LgGroup", |who, g| {
                args([("Identity", g.into()), ("Members", serde_json::json!({ "Add": [who] }))])
            })
        },
        BulkAct {
            kind: ButtonKind::Danger,
            ..BulkAct::new("Delete", "Remove-LgUser", |who, _| args([("Identity", who.into())]))
        },
    ]
}

fn columns() -> Vec<Column<UserView>> {
    vec![
        Column::<UserView>::new("Display name", |u| u.display_name.clone()),
        Column::<UserView>::new("SIP address", |u| u.sip_address.to_string())
            .shown(|u| view! { <span class="people-name"><Mono text=u.sip_address.as_str() copy=true /></span> }.into_any()),
        Column::<UserView>::new("Log-on name", |u| u.logon_name.clone()).shown(|u| view! { <span class="people-name"><Mono text=u.logon_name.clone() /></span> }.into_any()),
        Column::<UserView>::new("Home pool", |u| u.registrar_pool.clone())
            .shown(|u| view! { <span class="mono" title=u.registrar_pool.clone()>{u.registrar_pool.split('.').next().map(str::to_owned)}</span> }.into_any()),
        Column::<UserView>::new("Unit", |u| u.ou.clone())
            .shown(|u| view! { <span title=u.ou.clone()>{shared::dn::first(&u.ou)}</span> }.into_any()),
        Column::<UserView>::new("State", |u| of_enabled(u.enabled).word).shown(state),
        Column::<UserView>::new("Persistent Chat", |u| format!("{} by {}", of_chat(u).word, u.decided_by)).shown(chat),
    ]
}

/// Whether the user may sign in, and whether there is a password to do it with.
fn state(u: &UserView) -> AnyView {
    view! {
        <span class="user-chat">
            <StateBadge state=of_enabled(u.enabled) />
            {(!u.password_set).then(|| view! { <small class="muted">"no password yet"</small> })}
        </span>
    }
    .into_any()
}

fn of_chat(u: &UserView) -> Badge {
    if u.chat_enabled {
        Badge::new("Allowed", Tone::Good, Icon::Tick)
    } else {
        Badge::new("Refused", Tone::Neutral, Icon::Lock)
    }
}

/// Whether the user may use Persistent Chat, and which policy decided.
fn chat(u: &UserView) -> AnyView {
    view! {
        <span class="user-chat">
            <StateBadge state=of_chat(u) />
            <small class="muted">"by "{u.decided_by.clone()}</small>
        </span>
    }
    .into_any()
}

fn row_acts(u: &UserView) -> AnyView {
    let (verb, name) = (if u.enabled { "Disable" } else { "Enable" }, u.display_name.clone());
    let switch = args([("Identity", u.sip_address.to_string().into()), ("Enabled", (!u.enabled).into())]);
    let editing = use_context::<Editing>();
    let user = u.clone();
    view! {
        <button type="button" class="button button-quiet" aria-label=format!("Change {name}") on:click=move |_| {
            if let Some(Editing(e)) = editing {
                e.set(Some(user.clone()));
            }
        }>"Change"</button>
        <ActButton cmdlet="Set-LgUser" args=switch label=format!("{verb} {name}") short=verb kind=ButtonKind::Quiet />
    }
    .into_any()
}
