//! What the picture shows, as a table: Front End pools, then Persistent Chat pools.

use leptos::prelude::*;
use shared::ObjectId;
use shared::topology::{ChatPool, Computer, Edition, FrontEndPool, Topology};

use super::live::{Line, Live, centres, shade};
use crate::routes::Route;

const HEADS: [&str; 9] =
    ["Pool", "State", "Site", "Computers", "Data centres", "mgc", "Backup", "File store", "Next hop"];

/// The table, `most` rows of it; nothing while there is no pool of either kind.
pub fn table(t: &Topology, live: &Live, most: usize) -> AnyView {
    if t.pools.is_empty() && t.front_end_pools.is_empty() {
        return ().into_any();
    }
    let mut rows: Vec<AnyView> = t.front_end_pools.iter().take(most).map(|p| front_end(t, live, p)).collect();
    let room = most - rows.len();
    rows.extend(t.pools.iter().take(room).map(|p| pool(t, live, p)));
    view! {
        <div class="table-box" role="region" aria-label="The topology as a table" tabindex="0">
            <table class="table">
                <caption class="visually-hidden">"Front End pools and Persistent Chat pools with their site, computers, stores and next hop"</caption>
                <thead>
                    <tr>{HEADS.map(|h| view! { <th scope="col">{h}</th> }).collect_view()}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn front_end(t: &Topology, live: &Live, p: &FrontEndPool) -> AnyView {
    let kind = if p.edition == Edition::Standard { "Standard Edition server" } else { "Front End pool" };
    let cells = [
        state([Line::none(), live.servers(&p.servers)]),
        site(t, &p.site),
        computers(&p.servers),
        place(&centres(t, &p.servers)),
        host(""),
        host(""),
        host(""),
        host(""),
    ];
    row(kind, Route::TopologyObject("front-end-pool".to_owned(), p.id.to_string()), p.fqdn.as_str(), cells)
}

fn pool(t: &Topology, live: &Live, p: &ChatPool) -> AnyView {
    let store = |id: Option<&ObjectId>| {
        let Some(s) = id.and_then(|id| t.sql_store(id)) else { return host("") };
        let centre =
            t.data_center_of(&s.fqdn).map(|d| view! { <small class="muted">" in "{d.name.clone()}</small> });
        let label = s.label();
        let state = live.store(p.fqdn.as_str(), &label);
        view! { {host(&label)}{centre}{said(state)} }.into_any()
    };
    let mirror = |id: Option<&ObjectId>| {
        let label = id.and_then(|id| t.sql_store(id)).map(shared::topology::SqlStore::label);
        label
            .map(|l| view! { <small class="topology-kind muted">"mirrored to "{host(&l)}</small> })
            .into_any()
    };
    let cells = [
        state([live.pool(p.fqdn.as_str()), live.servers(&p.computers)]),
        site(t, &p.site),
        computers(&p.computers),
        place(&centres(t, &p.computers)),
        [store(Some(&p.sql_store)), mirror(p.mirror_sql_store.as_ref())].into_any(),
        [store(p.backup_sql_store.as_ref()), mirror(p.backup_mirror_sql_store.as_ref())].into_any(),
        host(&t.file_store_label(&p.file_store)),
        host(t.front_end_pool(&p.next_hop).map(|f| f.fqdn.as_str()).unwrap_or_default()),
    ];
    row(
        "Persistent Chat pool",
        Route::TopologyObject("pool".to_owned(), p.id.to_string()),
        p.fqdn.as_str(),
        cells,
    )
}

fn row(kind: &'static str, route: Route, fqdn: &str, cells: [AnyView; 8]) -> AnyView {
    let cells = HEADS[1..].iter().zip(cells).map(|(head, cell)| view! { <td data-label=*head>{cell}</td> });
    view! {
        <tr>
            <th scope="row" data-label=HEADS[0]>
                <a href=route.href()>{host(fqdn)}</a>
                <small class="muted topology-kind">{kind}</small>
            </th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

/// A pool that is not published is said once.
fn state(mut lines: [Line; 2]) -> AnyView {
    if lines[0] == lines[1] {
        lines[1] = Line::none();
    }
    lines.map(said).into_any()
}

fn said(l: Line) -> AnyView {
    let class = format!("topology-kind line-{}", shade(l.tone));
    (!l.text.is_empty()).then(|| view! { <small class=class>{l.text}</small> }).into_any()
}

fn place(text: &str) -> AnyView {
    if text.is_empty() { "–".into_any() } else { text.to_owned().into_any() }
}

fn site(t: &Topology, id: &ObjectId) -> AnyView {
    t.site(id).map(|s| s.site_id.clone()).into_any()
}

fn computers(list: &[Computer]) -> AnyView {
    list.iter().map(|c| view! { {host(c.fqdn.as_str())}" " }).collect_view().into_any()
}

/// A name without its domain; the whole one is a look away.
fn host(full: &str) -> AnyView {
    if full.is_empty() {
        return "–".into_any();
    }
    view! { <span class="mono nowrap" title=full.to_owned()>{short(full)}</span> }.into_any()
}

fn short(full: &str) -> String {
    if full.starts_with('/') {
        return full.to_owned();
    }
    let name = full.strip_prefix("\\\\").unwrap_or(full);
    let (server, rest) = name.split_once('\\').map_or((name, None), |(s, r)| (s, Some(r)));
    let server = server.split('.').next().unwrap_or(server);
    rest.map_or_else(|| server.to_owned(), |r| format!("{server}\\{r}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_domain_only() {
        assert_eq!(short("atl-fe-001.litwareinc.com"), "atl-fe-001");
        assert_eq!(short("sql01.contoso.com\\PCHAT"), "sql01\\PCHAT");
        assert_eq!(short("\\\\fs01.contoso.com\\chat"), "fs01\\chat");
        assert_eq!(short("/srv/chat.files"), "/srv/chat.files", "a path has no domain");
    }
}
