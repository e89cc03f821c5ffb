//! Status links: what the helpdesk sees without an account.

mod announcements;

use leptos::prelude::*;
use shared::api::{ShareList, ShareView};
use shared::events::Topic;

use self::announcements::Announcements;
use crate::api::{Data, use_data};
use crate::components::act::args;
use crate::components::badge::Badge;
use crate::components::{
    ActButton, ActForm, ButtonKind, CheckField, Column, DataTable, Icon, Notice, NoticeKind, Page,
    PasswordField, Section, SelectField, Shown, StateBadge, TextField, TimeAgo, Tone,
};
use crate::time;

/// A link that ends within three days is pointed out.
const SOON_MS: i64 = 3 * 86_400_000;

/// The page.
#[component]
pub fn SharingPage() -> impl IntoView {
    let list = use_data::<ShareList>(|| "shares".to_owned(), &[Topic::Directory]);
    view! {
        <Page title="Sharing" lead="A status link shows how chat is, live: as much of it and as many pools as you choose. Whoever has it needs no account and can change nothing.">
            {move || list.value.with(|l| l.as_ref().and_then(|l| l.reach_warning.clone())).map(|text| view! {
                <Notice kind=NoticeKind::Warning><p>{text}</p></Notice>
            })}
            <NewLink list />
            <Section title="Links">
                <Shown data=list let:l>
                    <DataTable rows=move || l.get().shares columns=columns() name="links" acts=row_acts empty=|| view! {
                        <h3>"There is no link yet"</h3>
                        <p>"Make one for the helpdesk above, so that \"is chat up?\" is answered without a call."</p>
                    } />
                </Shown>
            </Section>
            <Announcements list />
        </Page>
    }
}

#[component]
fn NewLink(list: Data<ShareList>) -> impl IntoView {
    let text = || RwSignal::new(String::new());
    let (label, days, pool, level, passphrase) = (text(), text(), text(), text(), text());
    let may_test = RwSignal::new(false);
    let arguments = Signal::derive(move || {
        let days = days.get().trim().parse::<u32>().ok();
        let pools = Some(pool.get()).filter(|p| !p.is_empty()).map(|p| vec![p]);
        args([
            ("Label", label.get().trim().into()),
            ("ExpiresInDays", days.into()),
            ("Pools", pools.into()),
            ("Level", level.get().into()),
            ("Passphrase", passphrase.get().into()),
            ("MayRunTest", may_test.get().then_some(true).into()),
        ])
    });
    let done = std::sync::Arc::new(move |_: &_| {
        [label, days, pool, level, passphrase].iter().for_each(|s| s.set(String::new()));
        may_test.set(false);
    });
    let pools = Signal::derive(move || {
        let all = list.value.with(|l| l.as_ref().map(|l| l.pools.clone()).unwrap_or_default());
        all.into_iter().map(|p| (p.to_string(), p.to_string())).collect::<Vec<_>>()
    });
    let levels = vec![
        ("State".to_owned(), "Only the state and the last test".to_owned()),
        ("Procedure".to_owned(), "Guided runs too".to_owned()),
    ];
    let words = Signal::derive(move || match label.get().trim() {
        "" => "Make a link".to_owned(),
        l => format!("Make a link for {l}"),
    });
    view! {
        <Section title="New link">
            <ActForm cmdlet="New-LgShare" args=arguments label=words on_done=done>
                <TextField label="Who it is for" name="Label" value=label required=true help=|| "For example Helpdesk Dublin; it tells the links apart." />
                <TextField label="Days until it ends" name="ExpiresInDays" value=days check=check_days
                    help=|| "Left out, it works until it is revoked." />
                <SelectField label="Pool" name="Pools" value=pool options=pools none="All pools" />
                <SelectField label="What it shows" name="Level" value=level options=levels none="Servers and databases" />
                <PasswordField label="Passphrase" name="Passphrase" value=passphrase
                    help=|| "Asked before anything is shown, if you give one. 8 characters at least." />
                <CheckField label="May send a test message" name="MayRunTest" value=may_test
                    help=|| "With the stored test users, once a minute for each pool; the audit has it." />
            </ActForm>
            <p class="muted">"The link is shown once, when it is made. The portal keeps a fingerprint of it only."</p>
        </Section>
    }
}

fn check_days(text: &str) -> Result<(), String> {
    text.trim().parse::<u32>().map(drop).map_err(|_| "Enter a whole number of days.".to_owned())
}

fn columns() -> Vec<Column<ShareView>> {
    vec![
        Column::<ShareView>::new("For", |s| s.label.clone()),
        Column::<ShareView>::new("State", |s| state(s).word)
            .shown(|s| view! { <StateBadge state=state(s) /> }.into_any()),
        Column::<ShareView>::new("Shows", shows),
        Column::<ShareView>::new("Made", |s| s.created.rfc3339())
            .shown(|s| view! { <TimeAgo at=s.created />" by "{s.created_by.clone()} }.into_any()),
        Column::<ShareView>::new("Ends", |s| s.expires.map(shared::Timestamp::rfc3339).unwrap_or_default())
            .shown(|s| match s.expires {
                Some(at) => view! { <TimeAgo at /> }.into_any(),
                None => "when revoked".into_any(),
            }),
        Column::<ShareView>::new("Opened last", |s| {
            s.last_used.map(shared::Timestamp::rfc3339).unwrap_or_default()
        })
        .shown(|s| match s.last_used {
            Some(at) => view! { <TimeAgo at /> }.into_any(),
            None => "never".into_any(),
        }),
        Column::<ShareView>::new("Opened", |s| s.uses.to_string()).number(),
    ]
}

fn shows(s: &ShareView) -> String {
    let pools = if s.pools.is_empty() { "all pools".to_owned() } else { s.pools.join(", ") };
    let asks = if s.passphrase { ", asks for a passphrase" } else { "" };
    let test = if s.may_test { ", may test" } else { "" };
    format!("{}: {pools}{asks}{test}", s.level)
}

fn state(s: &ShareView) -> Badge {
    if s.revoked.is_some() {
        Badge::new("Revoked", Tone::Neutral, Icon::Stop)
    } else if s.expires.is_some_and(|at| at <= time::now()) {
        Badge::new("Ended", Tone::Neutral, Icon::Stop)
    } else if s.expires.is_some_and(|at| at.millis() - time::now().millis() < SOON_MS) {
        Badge::new("Ends soon", Tone::Warning, Icon::Warning)
    } else {
        Badge::new("Works", Tone::Good, Icon::Tick)
    }
}

fn row_acts(s: &ShareView) -> AnyView {
    if s.revoked.is_some() {
        return ().into_any();
    }
    let arguments = args([("Identity", s.id.clone().into())]);
    view! {
        <ActButton cmdlet="Remove-LgShare" args=arguments label=format!("Revoke the link for {}", s.label) short="Revoke" kind=ButtonKind::Quiet />
    }
    .into_any()
}
