//! Which servers of a pool accept new sessions. Source: C:Set-CsPersistentChatActiveServer.

use async_trait::async_trait;
use shared::cmdlets::SetCsPersistentChatActiveServer;
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::ChatPool;
use shared::topology::validate::MAX_ACTIVE;
use store::management::pools;

use super::{find_pool, only_pool};
use crate::door::{Cx, Handler, Outcome, blocked};

const SOURCE: &str = "C:Set-CsPersistentChatActiveServer";

fn pool_of(a: &SetCsPersistentChatActiveServer, cx: &Cx) -> Result<ChatPool, ApiError> {
    let t = cx.topology()?;
    match a.identity.as_deref().map(str::trim) {
        None => only_pool(&t, "Identity"),
        Some(id) if id.eq_ignore_ascii_case("global") => {
            pool_by_servers(a, &t).map_or_else(|| only_pool(&t, "Identity"), Ok)
        }
        Some(id) => find_pool(&t, id, "Identity"),
    }
}

/// The documents' examples say `global`; the servers named tell which pool is meant.
fn pool_by_servers(a: &SetCsPersistentChatActiveServer, t: &shared::topology::Topology) -> Option<ChatPool> {
    let m = a.active_servers.as_ref()?;
    let named: Vec<&String> = m.add.iter().chain(&m.remove).chain(m.replace.iter().flatten()).collect();
    let has = |p: &&ChatPool| {
        !named.is_empty()
            && named.iter().all(|n| p.computers.iter().any(|c| c.fqdn.as_str().eq_ignore_ascii_case(n)))
    };
    t.pools.iter().find(has).cloned()
}

fn list_after(
    a: &SetCsPersistentChatActiveServer,
    pool: &ChatPool,
    before: &[String],
) -> Result<Vec<String>, ApiError> {
    let computers: Vec<String> = pool.computers.iter().map(|c| c.fqdn.to_string()).collect();
    let list = match (&a.active_servers, a.swap) {
        (Some(_), true) => {
            return Err(ApiError::invalid("Swap", "Use either -ActiveServers or -Swap (V25)."));
        }
        (None, false) => return Err(ApiError::invalid("ActiveServers", "Give -ActiveServers or -Swap.")),
        (None, true) => computers.iter().filter(|c| !before.contains(c)).cloned().collect(),
        (Some(m), false) => {
            let named = m.add.iter().chain(&m.remove).chain(m.replace.iter().flatten());
            for n in named {
                if !computers.iter().any(|c| c.eq_ignore_ascii_case(n.trim())) {
                    let text = format!(
                        "{n} is not a computer of {}. Its computers: {}.",
                        pool.fqdn,
                        computers.join(", ")
                    );
                    return Err(ApiError::invalid("ActiveServers", text));
                }
            }
            m.apply(before)
        }
    };
    Ok(computers.into_iter().filter(|c| list.iter().any(|l| l.trim().eq_ignore_ascii_case(c))).collect())
}

#[async_trait]
impl Handler for SetCsPersistentChatActiveServer {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let pool = pool_of(self, cx)?;
        let before = cx.read(|c| Ok(pools::active_servers(c, &pool.id)?))?;
        let after = list_after(self, &pool, &before)?;
        let mut p = Plan::default();
        for c in &pool.computers {
            let name = c.fqdn.to_string();
            let word = |list: &[String]| if list.contains(&name) { "active" } else { "inactive" };
            let (b, a) = (word(&before), word(&after));
            if a == b {
                continue;
            }
            let sessions = cx.app.sessions_of(&c.fqdn);
            p.sentences.push(match a {
                "active" => format!("{name} becomes active and accepts new sessions."),
                _ => format!(
                    "{name} becomes inactive: it refuses new sessions and keeps the {sessions} it has."
                ),
            });
            p.changes.push(PlannedChange::new(&name, "Active", b, a));
        }
        if p.sentences.is_empty() {
            p.sentences.push(format!("The active servers of {} stay as they are.", pool.fqdn));
        }
        if after.len() > MAX_ACTIVE {
            let text = format!(
                "{} servers would be active; a pool has {MAX_ACTIVE} active servers at most.",
                after.len()
            );
            p = blocked(p, "V5", "ActiveServers", text, "L:capacity-planning-for-persistent-chat-server");
        }
        if after.is_empty() {
            p.confirm = Confirm::Ask;
            p.warnings.push(Problem::warning(
                "V5",
                "ActiveServers",
                format!(
                    "No server of {} accepts new sessions afterwards; nobody can sign in to chat.",
                    pool.fqdn
                ),
                SOURCE,
            ));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let pool = pool_of(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| {
            let before = pools::active_servers(tx, &pool.id)?;
            Ok(pools::set_active_servers(tx, &pool.id, &list_after(self, &pool, &before)?)?)
        })?;
        Ok(Outcome::changed(Topic::Pool, pool.fqdn.as_str()).redeploy())
    }
}
