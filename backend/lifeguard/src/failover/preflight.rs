//! The pre-flight: a closed, ordered list of what stands in the way and what is worth knowing, each with
//! cause and remedy. It changes nothing.

use shared::ObjectId;
use shared::deployment::PoolState;
use shared::error::{ApiError, Problem};
use shared::topology::validate::MAX_ACTIVE;
use shared::topology::{ChatPool, Topology};
use store::management::pools;

use super::near;
use crate::door::Cx;
use crate::fleet::{SideView, Sides};

/// What was asked for.
pub struct Wish<'a> {
    /// The pool.
    pub pool: &'a ChatPool,
    /// State at the end.
    pub to: PoolState,
    /// Give the database in use up.
    pub forced: bool,
    /// Servers named; empty for those near the database.
    pub active: &'a [String],
    /// Front End pool that becomes the next hop.
    pub next_hop: Option<&'a str>,
}

/// What the pre-flight found.
pub struct Preflight {
    /// In order.
    pub problems: Vec<Problem>,
    /// Active servers at the end.
    pub active: Vec<String>,
    /// What is lost when it goes on, in words; none when nothing is.
    pub loss: Option<String>,
    /// Store in use, and the one that takes over.
    pub stores: (String, String),
    /// Next hop that the run publishes, with its name.
    pub next_hop: Option<(ObjectId, String)>,
}

const SOURCE: &str = "S1";
/// Bytes that must stay free on top.
const SPARE: u64 = 16_000_000;

/// Runs every check.
///
/// # Errors
/// When the store does not answer.
pub async fn preflight(cx: &Cx, t: &Topology, wish: &Wish<'_>) -> Result<Preflight, ApiError> {
    let pool = wish.pool;
    crate::apart::look(&cx.app, &pool.id).await;
    let sides = cx.app.fleet.sides(&pool.id).await;
    let (old, new) = match wish.to {
        PoolState::FailedOver => (&sides.primary, &sides.backup),
        PoolState::Normal => (&sides.backup, &sides.primary),
    };
    let mut problems = Vec::new();
    standing(cx, wish, &mut problems)?;
    databases(cx, wish, &sides, old, new, &mut problems);
    let active = servers(t, wish, &mut problems);
    let next_hop = super::next_hop::look(cx, t, pool, wish.next_hop, &mut problems);
    if pool.compliance {
        let n = sides.compliance_queue.unwrap_or(0);
        let text = format!(
            "The compliance database (mgccomp) is not failed over; {n} events wait in it and stay there."
        );
        problems.push(Problem::warning("compliance.queue", "Identity", text, SOURCE));
    }
    room(cx, wish, old, new, &mut problems).await;
    let loss = (wish.forced && old.error.is_some()).then(|| loss(cx, wish, old, new));
    Ok(Preflight { problems, active, loss, stores: (old.store.clone(), new.store.clone()), next_hop })
}

/// What a forced run loses, in seconds and messages as far as they are known.
fn loss(cx: &Cx, wish: &Wish<'_>, old: &SideView, new: &SideView) -> String {
    let Some(until) = new.restoring.or(new.copied_at) else {
        return format!(
            "What was posted later than what {} holds is lost: it was never copied to.",
            new.store
        );
    };
    let seconds = cx.now().millis_since(until) / 1000;
    let elsewhere = cx.app.fleet.apart().has(&wish.pool.id);
    let count = match cx.app.fleet.shipping(&wish.pool.id).and_then(|s| s.messages_behind()) {
        Some(n) if elsewhere => format!(
            "Of the messages that the owner of {} told of and of those that were seen here {n} are missing there; what nodes alone saw in its last moment is not counted.",
            old.store
        ),
        None => "How many messages that are is not known: the database has not answered since the program was started."
            .to_owned(),
        Some(0) => "Of the messages that were seen here none is missing there.".to_owned(),
        Some(1) => "Of the messages that were seen here one is missing there.".to_owned(),
        Some(n) => format!("Of the messages that were seen here {n} are missing there."),
    };
    format!(
        "What was posted later than what {} holds is lost: it has what was committed until {}, {seconds} s ago. {count}",
        new.store,
        until.rfc3339()
    )
}

/// Whether there is room for a whole copy on the side that takes over, with some to spare.
async fn room(cx: &Cx, wish: &Wish<'_>, old: &SideView, new: &SideView, out: &mut Vec<Problem>) {
    let Some(size) = old.info.as_ref().map(|i| i.size_bytes) else { return };
    let free = if cx.app.fleet.apart().has(&wish.pool.id) {
        cx.app.fleet.apart().told(&wish.pool.id, wish.to).and_then(|t| t.free)
    } else {
        let Some(w) = cx.app.fleet.wanted_of(&wish.pool.id) else { return };
        let Some((_, dir)) = w.side(wish.to).cloned() else { return };
        tokio::task::spawn_blocking(move || crate::disk::free(&dir)).await.ok().flatten()
    };
    if let Some(p) = free.and_then(|free| tight(size, free, &new.store)) {
        out.push(p);
    }
}

/// Copied whole, the database stands there twice until the old one is replaced: once more its size is wanted.
fn tight(size: u64, free: u64, store: &str) -> Option<Problem> {
    let wanted = size + size / 10 + SPARE;
    (free < wanted).then(|| {
        let text = format!(
            "{store} has {} MB free; a whole copy of the database takes {} MB. Make room first.",
            free / 1_000_000,
            wanted.div_ceil(1_000_000)
        );
        Problem::error("db.room", "Identity", text, SOURCE)
    })
}

fn standing(cx: &Cx, wish: &Wish<'_>, out: &mut Vec<Problem>) -> Result<(), ApiError> {
    let pool = wish.pool;
    let (held, state) = cx.read(|c| Ok((pools::held_by(c, &pool.id)?, pools::state(c, &pool.id)?)))?;
    if let Some(run) = held {
        let text = format!(
            "A guided run has {} in hand. Watch, resume or cancel that one first: /jobs/{run}",
            pool.fqdn
        );
        out.push(Problem::error("run.busy", "Identity", text, SOURCE));
    }
    if !pool.has_backup() {
        let text = format!(
            "{} has no backup SQL Server store; there is nothing to fail over to. Enable disaster recovery in the topology first.",
            pool.fqdn
        );
        out.push(Problem::error("V15", "Identity", text, "S0"));
    }
    if state.map(|s| s.state).unwrap_or_default() == wish.to {
        let text = format!("{} is {} already.", pool.fqdn, wish.to.word());
        out.push(Problem::error("state.same", "Identity", text, SOURCE));
    }
    Ok(())
}

fn databases(
    cx: &Cx,
    wish: &Wish<'_>,
    sides: &Sides,
    old: &SideView,
    new: &SideView,
    out: &mut Vec<Problem>,
) {
    match (&old.error, wish.forced) {
        (Some(e), false) => {
            let text = format!(
                "The database in use on {} is unreachable from here ({e}). That need not mean that it is down. When it is gone for good, use the forced run; else bring it back first.",
                old.store
            );
            out.push(Problem::error("db.unreachable", "Forced", text, SOURCE));
        }
        (None, true) if sides.open.is_some() => {
            let text = format!(
                "The database in use on {} answers. A planned run loses nothing; use that one.",
                old.store
            );
            out.push(Problem::error("db.answers", "Forced", text, SOURCE));
        }
        _ => {}
    }
    let shipping = cx.app.fleet.shipping(&wish.pool.id);
    let trouble = shipping.as_ref().and_then(|s| s.backup_error.clone().or_else(|| s.restore_error.clone()));
    if let Some(why) = trouble {
        let then = if wish.forced {
            "What comes after it is lost."
        } else {
            "The whole database is copied instead, which takes longer."
        };
        out.push(Problem::warning(
            "shipping",
            "Identity",
            format!("Log shipping stands still: {why}. {then}"),
            SOURCE,
        ));
    }
    if new.error.is_some() && new.restoring.is_none() && (old.error.is_some() || !new.creatable) {
        let why = new.error.clone().unwrap_or_default();
        let text = format!("The database on {} cannot take over: {why}.", new.store);
        out.push(Problem::error("db.target", "Identity", text, SOURCE));
    }
}

/// All active servers stand in the data centre of the database, or reach it over a fast link (S1 step 7).
fn servers(t: &Topology, wish: &Wish<'_>, out: &mut Vec<Problem>) -> Vec<String> {
    let pool = wish.pool;
    let close = near(t, pool, wish.to);
    if wish.active.is_empty() {
        if close.is_empty() {
            let text = "No computer of the pool stands near the database that takes over. Add one in its data centre, or name the servers.";
            out.push(Problem::error("servers.far", "ActiveServers", text, "S1 step 7"));
        }
        return close.iter().map(|c| c.fqdn.to_string()).collect();
    }
    let store = match wish.to {
        PoolState::Normal => t.sql_store(&pool.sql_store),
        PoolState::FailedOver => pool.backup_sql_store.as_ref().and_then(|id| t.sql_store(id)),
    };
    let mut named = Vec::new();
    for name in wish.active {
        let Some(c) = pool.computers.iter().find(|c| c.fqdn.as_str().eq_ignore_ascii_case(name.trim()))
        else {
            let text = format!("{name} is not a computer of {}.", pool.fqdn);
            out.push(Problem::error("servers.unknown", "ActiveServers", text, "S1 step 7"));
            continue;
        };
        if store.is_some_and(|s| t.far_apart(&c.fqdn, &s.fqdn)) {
            let text = format!(
                "{} reaches the new primary database over a slow link only. All active servers must be in its data centre or close to it.",
                c.fqdn
            );
            out.push(Problem::error("servers.far", "ActiveServers", text, "S1 step 7"));
        }
        named.push(c.fqdn.to_string());
    }
    if named.len() > MAX_ACTIVE {
        let text = format!(
            "{} servers would be active; a pool has {MAX_ACTIVE} active servers at most.",
            named.len()
        );
        out.push(Problem::error(
            "V5",
            "ActiveServers",
            text,
            "L:capacity-planning-for-persistent-chat-server",
        ));
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_blocks_with_both_numbers() {
        assert!(tight(100_000_000, 126_000_000, "dub").is_none());
        let p = tight(100_000_000, 125_000_000, "dub").unwrap();
        assert!(p.blocks() && p.text.contains("125 MB free") && p.text.contains("126 MB"), "{}", p.text);
    }
}
