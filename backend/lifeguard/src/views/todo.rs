//! What remains for people after the newest publish, from what is observed now.

use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::time::Duration;

use node::administration::RoomQuery;
use node::traits::Databases;
use rusqlite::Connection;
use shared::ObjectId;
use shared::api::TodoView;
use shared::error::ApiError;
use shared::topology::todo::{Seen, needs_name, todo, touched};
use shared::topology::{ChatPool, Topology};
use store::management::{directory, jobs, pools, topology};

use crate::app::App;
use crate::door::Fault;

/// Longest wait for a name to resolve; one that takes longer counts as not resolving.
const RESOLVE: Duration = Duration::from_secs(2);

/// The list for the newest version; empty before the first.
///
/// # Errors
/// When a store does not answer.
pub async fn view(app: &App) -> Result<TodoView, ApiError> {
    let read = app.store.read(|c| {
        let Some(v) = topology::published(c)? else { return Ok(None) };
        let before = v.parent.map(|n| topology::version(c, n)).transpose()?.flatten();
        let before = before.map(|b| b.document).unwrap_or_default();
        let new: BTreeMap<ObjectId, bool> = touched(&before, &v.document).into_iter().collect();
        let seen = seen(c, &v, &new)?;
        Ok::<_, Fault>(Some((v, before, new, seen)))
    });
    let Some((v, before, new, mut seen)) = read.map_err(|f| f.0)? else {
        return Ok(TodoView { version: None, at: None, items: Vec::new() });
    };
    for p in v.document.pools.iter().filter(|p| new.get(&p.id) == Some(&true)) {
        let s = seen.entry(p.id.clone()).or_default();
        if let Some(store) = app.fleet.current(&p.id) {
            let categories = store.categories().await.map_err(crate::handlers::chat_error)?;
            let (rooms, _) = store.search(RoomQuery::default()).await.map_err(crate::handlers::chat_error)?;
            (s.categories, s.rooms) = (Some(categories.len() as u64), Some(rooms));
        }
        if needs_name(p) {
            s.resolves = Some(resolves(p).await);
        }
    }
    let items = todo(&before, &v.document, &seen);
    Ok(TodoView { version: Some(v.version), at: Some(v.at), items })
}

async fn resolves(p: &ChatPool) -> bool {
    let name = (p.fqdn.to_string(), p.port.get());
    let found =
        tokio::task::spawn_blocking(move || name.to_socket_addrs().is_ok_and(|mut a| a.next().is_some()));
    matches!(tokio::time::timeout(RESOLVE, found).await, Ok(Ok(true)))
}

/// What the management store knows of each pool.
fn seen(
    c: &Connection,
    v: &topology::Version,
    new: &BTreeMap<ObjectId, bool>,
) -> Result<BTreeMap<ObjectId, Seen>, Fault> {
    let t = &v.document;
    let policies = directory::policies(c)?;
    // Enabled users and those who may chat, by the site of their home.
    let mut of_site: BTreeMap<&ObjectId, (u64, u64)> = BTreeMap::new();
    for u in directory::users(c)?.into_iter().filter(|u| u.enabled) {
        let Some(fe) = t.front_end_pool(&u.front_end) else { continue };
        let name = t.site(&fe.site).map(|s| s.site_id.as_str());
        let (all, may) = of_site.entry(&fe.site).or_default();
        *all += 1;
        *may += u64::from(directory::effective(&policies, u.policy.as_deref(), name).0);
    }
    let endpoints = pools::endpoints(c)?;
    let mut out = BTreeMap::new();
    for p in t.pools.iter().filter(|p| p.compliance || new.contains_key(&p.id)) {
        let adapter = crate::compliance::settings_of(c, t, p)?;
        let (users, allowed) = people(t, p, &of_site);
        out.insert(
            p.id.clone(),
            Seen {
                adapter: adapter.writes_to().map(str::to_owned),
                tested: jobs::first_success(c, p.fqdn.as_str(), v.at)?,
                endpoints: endpoints.iter().filter(|e| e.pool == p.id).count() as u64,
                users,
                allowed,
                ..Seen::default()
            },
        );
    }
    Ok(out)
}

/// Users of the sites that the pool is the default of; everybody when it is the default of none.
fn people(t: &Topology, p: &ChatPool, of_site: &BTreeMap<&ObjectId, (u64, u64)>) -> (u64, u64) {
    let its = |s: &ObjectId| p.default_for.is_empty() || p.default_for.contains(s);
    let sums = t.sites.iter().filter(|s| its(&s.id)).filter_map(|s| of_site.get(&s.id));
    sums.fold((0, 0), |(a, b), (x, y)| (a + x, b + y))
}
