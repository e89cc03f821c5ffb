//! The small picture of the pool as far as it is described; it grows with the draft.

use leptos::prelude::*;
use shared::topology::draft::PoolDraft;
use shared::topology::wizard::Page;
use shared::topology::{PoolKind, Topology};

use super::fields::use_wizard;
use super::sentences::{file, next_hop, sql};

/// What the picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    name: String,
    hop: String,
    servers: usize,
    stores: Vec<(&'static str, String, bool)>,
}

fn shape(d: &PoolDraft, t: &Topology) -> Shape {
    let sqls = [
        (Page::SqlStore, "mgc", &d.sql),
        (Page::ComplianceSqlStore, "mgccomp", &d.compliance_sql),
        (Page::BackupSqlStore, "backup mgc", &d.backup_sql),
        (Page::BackupComplianceSqlStore, "backup mgccomp", &d.backup_compliance_sql),
    ];
    let mut stores: Vec<_> = sqls
        .into_iter()
        .filter(|(page, _, _)| page.not_needed(d).is_none())
        .map(|(_, role, choice)| (role, sql(choice, t)))
        .collect();
    for (on, role, choice) in [
        (d.mirrored, "mirror of mgc", &d.mirror_sql),
        (d.backup_mirrored && d.wants_backup(), "mirror of backup", &d.backup_mirror_sql),
        (d.compliance && d.compliance_mirrored, "mirror of mgccomp", &d.compliance_mirror_sql),
        (
            d.compliance && d.backup_compliance_mirrored && d.wants_backup(),
            "mirror of backup mgccomp",
            &d.backup_compliance_mirror_sql,
        ),
    ] {
        if on {
            stores.push((role, sql(choice, t)));
        }
    }
    stores.push(("files", file(&d.file, t)));
    Shape {
        name: d.fqdn.trim().to_owned(),
        hop: next_hop(d, t),
        servers: if d.kind == PoolKind::Single { 1 } else { d.computers.len() },
        stores: stores
            .into_iter()
            .map(|(role, name)| (role, name.clone(), !name.contains("(not entered yet)")))
            .collect(),
    }
}

/// The picture with its sentence.
#[component]
pub fn SoFar() -> impl IntoView {
    let w = use_wizard();
    let shape = move || draw(&shape(&w.draft.read(), &w.topology.read()));
    view! {
        <figure class="so-far">
            <figcaption><h2>"So far"</h2></figcaption>
            {shape}
        </figure>
    }
}

fn words(s: &Shape) -> String {
    let chosen: Vec<String> =
        s.stores.iter().filter(|s| s.2).map(|(role, name, _)| format!("{role} on {name}")).collect();
    let name = if s.name.is_empty() { "The pool without a name yet" } else { &s.name };
    format!("{name}: {} computers; {}; next hop {}.", s.servers, chosen.join(", "), s.hop)
}

/// As much of a text as fits.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}

fn draw(s: &Shape) -> AnyView {
    let rows = i32::try_from(s.stores.len()).unwrap_or(0);
    let height = 148 + rows * 30;
    let chosen = |yes: bool| if yes { "so-far-part" } else { "so-far-part so-far-missing" };
    let known_hop = !s.hop.starts_with('(');
    let known_name = !s.name.is_empty();
    let dots = (0..s.servers.min(8)).map(|i| {
        view! { <circle class="dot" cx=32 + i32::try_from(i).unwrap_or(0) * 15 cy="104" r="5" /> }
    });
    view! {
        <svg class="so-far-svg" role="img" aria-label=words(s) viewBox=format!("0 0 240 {height}") width="240" height=height>
            <g class=chosen(known_hop)>
                <rect x="12" y="4" width="216" height="34" rx="6" />
                <text x="22" y="26">{if known_hop { short(&s.hop, 30) } else { "next hop".to_owned() }}</text>
            </g>
            <path class="arrow" d="M120 66 V44 M116 49 L120 43 L124 49" />
            <g class=chosen(known_name)>
                <rect x="12" y="66" width="216" height="54" rx="6" />
                <text x="22" y="88">{if known_name { short(&s.name, 30) } else { "pool FQDN".to_owned() }}</text>
            </g>
            {dots.collect_view()}
            {s.stores.iter().enumerate().map(|(i, store)| row(i, store)).collect_view()}
        </svg>
    }
    .into_any()
}

fn row(i: usize, (role, name, known): &(&'static str, String, bool)) -> AnyView {
    let y = 142 + i32::try_from(i).unwrap_or(0) * 30;
    let class = if *known { "so-far-part" } else { "so-far-part so-far-missing" };
    let shape = format!("M18 {y} a9 3.5 0 0 1 18 0 v13 a9 3.5 0 0 1 -18 0 z m0 0 a9 3.5 0 0 0 18 0");
    view! {
        <g class=class>
            <path d=shape />
            <text x="46" y=y + 6 class="so-far-role">{*role}</text>
            <text x="46" y=y + 19>{if *known { short(name, 27) } else { "–".to_owned() }}</text>
        </g>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;

    use super::*;

    #[test]
    fn the_picture_grows_with_the_draft() {
        let mut d = PoolDraft::default();
        let at_first = shape(&d, &litware());
        assert!(at_first.stores.iter().all(|s| !s.2));
        assert_eq!(at_first.stores.len(), 2);
        d.compliance = true;
        d.sql.existing = "sql-atl-1".to_owned();
        let later = shape(&d, &litware());
        assert_eq!(later.stores.len(), 3);
        assert!(words(&later).contains("mgc on atl-sql-001.litwareinc.com"));
    }
}
