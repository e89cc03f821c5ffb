//! The topology as a picture, with a table that says the same.

use leptos::prelude::*;
use shared::topology::Topology;

use super::layout::{CARD, COLUMN, Card, Picture as Drawing, STORES, StoreBox, StoreKind, picture};
use super::table::table;
use crate::components::Button;

/// Most pools that a picture shows.
const DRAWN: usize = 60;
/// Rows of the table at first, and more each time.
const ROWS: usize = 60;

/// The picture and the table.
#[component]
pub fn Picture(
    /// The draft.
    draft: Memo<Topology>,
) -> impl IntoView {
    let rows = RwSignal::new(ROWS);
    move || {
        draft.with(|t| {
            let (all, most) = (t.pools.len() + t.front_end_pools.len(), rows.get());
            if all > DRAWN {
                let more = (all > most).then(|| view! {
                    <Button label=format!("Show {ROWS} more of {all} pools") on_press=move |()| rows.update(|n| *n += ROWS) />
                });
                return view! {
                    <p class="muted">{format!("A picture is drawn of {DRAWN} pools at most; there are {all}.")}</p>
                    {table(t, most)}
                    {more}
                }
                .into_any();
            }
            let words = format!(
                "Sites as columns: {} Front End pools, {} Persistent Chat pools with their stores; arrows lead to the next hop. The table below says the same.",
                t.front_end_pools.len(),
                t.pools.len()
            );
            view! {
                <figure class="picture">
                    <div class="picture-box" tabindex="0" role="region" aria-label="Picture of the topology">{draw(&picture(t), words)}</div>
                    <figcaption class="picture-key muted">
                        <span><span class="key key-server"></span>"server"</span>
                        <span><span class="key key-primary"></span>"databases"</span>
                        <span><span class="key key-backup"></span>"backup databases"</span>
                        <span><span class="key key-file"></span>"file store"</span>
                        <span>"→ next hop"</span>
                    </figcaption>
                </figure>
                {table(t, most)}
            }
            .into_any()
        })
    }
}

fn draw(p: &Drawing, words: String) -> AnyView {
    let height = p.height.max(120);
    view! {
        <svg class="picture-svg" role="img" aria-label=words width=p.width height=height viewBox=format!("0 0 {} {height}", p.width)>
            <defs>
                <marker id="arrow-head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                    <path class="arrow-head" d="M0 0L8 4L0 8z" />
                </marker>
            </defs>
            {p.columns.iter().map(|(name, left)| column(name, *left, height)).collect_view()}
            {p.arrows.iter().map(|d| view! { <path class="arrow" d=d.clone() marker-end="url(#arrow-head)" /> }).collect_view()}
            {p.front_ends.iter().map(|c| card(c, "node node-front-end")).collect_view()}
            {p.pools.iter().map(|c| card(c, "node node-pool")).collect_view()}
        </svg>
    }
    .into_any()
}

fn column(name: &str, left: i32, height: i32) -> AnyView {
    view! {
        <g>
            <rect class="site" x=left + 4 y="4" width=COLUMN - 8 height=height - 8 rx="8" />
            <text class="site-name" x=left + 20 y="28">{name.to_owned()}</text>
        </g>
    }
    .into_any()
}

fn card(c: &Card, class: &'static str) -> AnyView {
    let (x, y) = (c.x, c.y);
    let dots = (0..c.servers)
        .map(|i| view! { <circle class="dot" cx=x + 20 + i32::try_from(i).unwrap_or(0) * 16 cy=y + 56 r="5" /> })
        .collect_view();
    let joins = c.stores.iter().map(|s| {
        let d = format!("M{} {} H{} V{} H{}", x + CARD, y + 24, x + CARD + 12, s.y + 19, x + CARD + 24);
        view! { <path class="join" d=d /> }
    });
    view! {
        <g class=class>
            {joins.collect_view()}
            <rect class="node-box" x=x y=y width=CARD height=c.h rx="6" />
            <text class="node-name" x=x + 14 y=y + 24>{short(&c.name, 24)}</text>
            <text class="node-note" x=x + 14 y=y + 41>{short(&c.note, 30)}</text>
            {dots}
            {c.stores.iter().map(|s| store(s, x + STORES - super::layout::GUTTER)).collect_view()}
        </g>
    }
    .into_any()
}

fn store(s: &StoreBox, x: i32) -> AnyView {
    let y = s.y;
    let shape = if s.kind == StoreKind::File {
        format!("M{x} {} h9 l3 4 h14 v22 h-26 z", y + 6)
    } else {
        format!("M{x} {t} a13 4.5 0 0 1 26 0 v20 a13 4.5 0 0 1 -26 0 z m0 0 a13 4.5 0 0 0 26 0", t = y + 9)
    };
    let class = match s.kind {
        StoreKind::Primary => "store store-primary",
        StoreKind::Backup => "store store-backup",
        StoreKind::File => "store store-file",
    };
    view! {
        <g class=class>
            <path d=shape />
            <text class="store-role" x=x + 34 y=y + 16>{s.role.clone()}</text>
            <text class="store-name" x=x + 34 y=y + 31>{short(&s.name, 20)}</text>
        </g>
    }
    .into_any()
}

/// As much of a text as fits.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
