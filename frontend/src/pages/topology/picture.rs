//! The topology as a picture, with a table that says the same.

use leptos::prelude::*;
use shared::api::Overview;
use shared::events::Topic;
use shared::topology::Topology;

use super::layout::{
    CARD, COLUMN, Card, Centre, LINE, LINES, Picture as Drawing, STORES, StoreBox, StoreKind, picture, rows,
};
use super::live::{Live, shade};
use super::table::table;
use crate::api::use_data;
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
    let overview = use_data::<Overview>(|| "overview".to_owned(), &[Topic::Pool, Topic::Server]);
    // Before it is known what runs, and when that cannot be read, the picture says nothing of it.
    let live = Memo::new(move |_| overview.value.with(|o| o.as_ref().map(Live::of).unwrap_or_default()));
    move || {
        let live = live.get();
        draft.with(|t| {
            let (all, most) = (t.pools.len() + t.front_end_pools.len(), rows.get());
            if all > DRAWN {
                let more = (all > most).then(|| view! {
                    <Button label=format!("Show {ROWS} more of {all} pools") on_press=move |()| rows.update(|n| *n += ROWS) />
                });
                return view! {
                    <p class="muted">{format!("A picture is drawn of {DRAWN} pools at most; there are {all}.")}</p>
                    {table(t, &live, most)}
                    {slow_links(t)}
                    {more}
                }
                .into_any();
            }
            let words = format!(
                "Sites as columns: {} Front End pools, {} Persistent Chat pools with their stores and states; arrows lead to the next hop; data centres and slow links below. The table below says the same.",
                t.front_end_pools.len(),
                t.pools.len()
            );
            view! {
                <figure class="picture">
                    <div class="picture-box" tabindex="0" role="region" aria-label="Picture of the topology">{draw(&picture(t, &live), words)}</div>
                    <figcaption class="picture-key muted">
                        <span><span class="key key-server"></span>"server that runs"</span>
                        <span><span class="key key-server key-bad"></span>"one with trouble"</span>
                        <span><span class="key key-server key-neutral"></span>"neither"</span>
                        <span><span class="key key-primary"></span>"databases"</span>
                        <span><span class="key key-mirror"></span>"mirrors"</span>
                        <span><span class="key key-backup"></span>"backup databases"</span>
                        <span><span class="key key-file"></span>"file store"</span>
                        <span>"→ next hop"</span>
                    </figcaption>
                </figure>
                {table(t, &live, most)}
                {slow_links(t)}
            }
            .into_any()
        })
    }
}

/// The slow links in words.
fn slow_links(t: &Topology) -> Option<AnyView> {
    let pairs: Vec<_> =
        rows(t, 0).into_iter().filter_map(|c| Some(format!("{} – {}", c.name, c.slow_to?.0))).collect();
    (!pairs.is_empty())
        .then(|| view! { <p class="muted">{format!("Slow links: {}.", pairs.join(", "))}</p> }.into_any())
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
            {p.columns.iter().map(|(name, left)| column(name, *left, p.columns_height)).collect_view()}
            {p.arrows.iter().map(|d| view! { <path class="arrow" d=d.clone() marker-end="url(#arrow-head)" /> }).collect_view()}
            {p.front_ends.iter().map(|c| card(c, "node node-front-end")).collect_view()}
            {p.pools.iter().map(|c| card(c, "node node-pool")).collect_view()}
            {p.centres.iter().map(centre).collect_view()}
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
    let step = |i: usize, by: i32| i32::try_from(i).unwrap_or(0) * by;
    let dots = c.servers.iter().enumerate().map(|(i, tone)| {
        view! { <circle class=format!("dot dot-{}", shade(*tone)) cx=x + 20 + step(i, 16) cy=y + 57 r="5" /> }
    });
    let lines = c.lines.iter().enumerate().map(|(i, l)| {
        view! { <text class=format!("node-line line-{}", shade(l.tone)) x=x + 14 y=y + LINES + step(i, LINE)>{short(&l.text, 34)}</text> }
    });
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
            {dots.collect_view()}
            {lines.collect_view()}
            {c.stores.iter().map(|s| store(s, x + STORES - super::layout::GUTTER)).collect_view()}
        </g>
    }
    .into_any()
}

fn store(s: &StoreBox, x: i32) -> AnyView {
    let y = s.y;
    let state = match (s.state.text.as_str(), s.centre.as_str()) {
        (state, "") => state.to_owned(),
        ("", centre) => format!("in {centre}"),
        (state, centre) => format!("{state}, in {centre}"),
    };
    let shape = if s.kind == StoreKind::File {
        format!("M{x} {} h9 l3 4 h14 v22 h-26 z", y + 6)
    } else {
        format!("M{x} {t} a13 4.5 0 0 1 26 0 v20 a13 4.5 0 0 1 -26 0 z m0 0 a13 4.5 0 0 0 26 0", t = y + 9)
    };
    let class = match s.kind {
        StoreKind::Primary => "store store-primary",
        StoreKind::Backup => "store store-backup",
        StoreKind::Mirror => "store store-mirror",
        StoreKind::File => "store store-file",
    };
    view! {
        <g class=class>
            <path d=shape />
            <text class="store-role" x=x + 34 y=y + 16>{s.role.clone()}</text>
            <text class="store-name" x=x + 34 y=y + 31>{short(&s.name, 20)}</text>
            <text class=format!("store-role line-{}", shade(s.state.tone)) x=x + 34 y=y + 46>{short(&state, 26)}</text>
        </g>
    }
    .into_any()
}

/// A data centre, and another one at the other end of a slow link.
fn centre(c: &Centre) -> AnyView {
    let y = c.y;
    let one = |name: &str, note: &str, x: i32| {
        view! {
            <rect class="node-box centre" x=x y=y width="180" height="38" rx="19" />
            <text class="node-note" x=x + 18 y=y + 16>{short(name, 24)}</text>
            <text class="store-role" x=x + 18 y=y + 30>{note.to_owned()}</text>
        }
        .into_any()
    };
    let other = c.slow_to.as_ref().map(|(name, note)| {
        view! {
            <path class="slow-link" d=format!("M188 {m} H308", m = y + 19) />
            <text class="store-role" x="222" y=y + 13>"slow link"</text>
            {one(name, note, 308)}
        }
    });
    let fast = c
        .slow_to
        .is_none()
        .then(|| view! { <text class="store-role" x="200" y=y + 23>"fast links only"</text> });
    view! { <g>{one(&c.name, &c.note, 8)}{other}{fast}</g> }.into_any()
}

/// As much of a text as fits.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
