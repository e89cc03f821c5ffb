//! Moving databases between primary and mirror.

use async_trait::async_trait;
use shared::cmdlets::InvokeCsDatabaseFailover;
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{ChatPool, SqlStore};
use store::chat::{ComplianceQueue, MgcDatabase};
use store::management::{mirrors, pools};

use super::relation::{Relation, relations, same};
use super::{CONVERGENCE, SOURCE};
use crate::door::{Cx, Handler, Outcome, plan};
use crate::handlers::find_pool;

fn on_mirror(a: &InvokeCsDatabaseFailover) -> bool {
    same("Mirror", &a.new_principal)
}

/// The databases of the side in use that are meant, with their rows; never none.
fn meant(
    a: &InvokeCsDatabaseFailover,
    cx: &Cx,
) -> Result<(ChatPool, Vec<(Relation, mirrors::MirrorRow)>), ApiError> {
    let t = cx.topology()?;
    let pool = find_pool(&t, &a.pool_fqdn, "PoolFqdn")?;
    let state = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
    let asked = |r: &Relation| {
        a.database_type.as_deref().is_none_or(|d| same(r.kind(), d))
            && !a.exclude_database_list.iter().any(|d| same(r.database(), d))
    };
    let mut found = Vec::new();
    for r in relations(&t).into_iter().filter(|r| r.pool.id == pool.id && r.of.side == state && asked(r)) {
        let row = r.row(cx)?;
        if row.installed {
            found.push((r, row));
        }
    }
    if found.is_empty() {
        let what = a.database_type.as_deref().unwrap_or("PersistentChat");
        let text = format!("No primary plus mirror is configured for the database {what} of {}.", pool.fqdn);
        return Err(ApiError::invalid("DatabaseType", text));
    }
    Ok((pool, found))
}

/// Old and new principal of a move.
fn ends(a: &InvokeCsDatabaseFailover, r: &Relation) -> (SqlStore, SqlStore) {
    let (primary, mirror) = (r.primary.clone(), r.mirror.clone());
    if on_mirror(a) { (primary, mirror) } else { (mirror, primary) }
}

/// Whether the principal that is in use answers.
async fn answers(cx: &Cx, r: &Relation, old: &SqlStore) -> Result<(), String> {
    let (dir, queue) = (cx.app.settings.sql_dir(old), r.of.queue);
    let look = move || match queue {
        true => ComplianceQueue::answers(&dir),
        false => MgcDatabase::probe(&dir).map(drop),
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_else(|e| Err(e.to_string()))
}

/// What the move of one database does; a loss that is to be acknowledged.
fn sentences(
    r: &Relation,
    synchronized: bool,
    answers: &Result<(), String>,
    (old, new): (&SqlStore, &SqlStore),
    out: &mut Vec<String>,
) -> Option<String> {
    let (thing, none) = match r.of.queue {
        true => ("event", "No event is lost."),
        false => ("post", "No message is lost."),
    };
    let mut loss = None;
    match (answers, synchronized) {
        (_, true) => out.push(format!(
            "{} has every {thing} that was acknowledged; it becomes the principal of {}. {none}",
            new.label(),
            r.database()
        )),
        (Ok(()), false) => out.push(format!(
            "The mirror has not everything, so the whole {} is copied to {} first. {none}",
            r.database(),
            new.label()
        )),
        (Err(e), false) => {
            out.push(format!("{} does not answer ({e}); it is left as it is.", old.label()));
            out.push(format!("{} is opened with what it has.", new.label()));
            let what = if r.of.queue { "what was queued since" } else { "what was posted since" };
            loss = Some(format!(
                "The mirror on {} was not synchronized when {} was lost: {what} is lost.",
                new.label(),
                old.label()
            ));
        }
    }
    out.push(match r.of.queue {
        true => format!("Events are queued on {}; {} is mirrored to.", new.label(), old.label()),
        false => format!("Log shipping goes on from {}; {} is mirrored to.", new.label(), old.label()),
    });
    loss
}

#[async_trait]
impl Handler for InvokeCsDatabaseFailover {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (pool, all) = meant(self, cx)?;
        let stays = |row: &mirrors::MirrorRow| {
            row.on_mirror == on_mirror(self) && row.opened_on_mirror == row.on_mirror
        };
        if all.iter().all(|(_, row)| stays(row)) {
            return Ok(plan([format!("The principal of {} is there already; nothing changes.", pool.fqdn)]));
        }
        let mut p = Plan { confirm: Confirm::Ask, ..Plan::default() };
        p.affected_users = Some(pool.computers.iter().map(|c| u64::from(cx.app.sessions_of(&c.fqdn))).sum());
        let mut losses = Vec::new();
        for (r, row) in all.iter().filter(|(_, row)| !stays(row)) {
            let (old, new) = ends(self, r);
            let property = if r.of.queue { "Principal of mgccomp" } else { "Principal" };
            p.changes.push(PlannedChange::new(pool.fqdn.as_str(), property, old.label(), new.label()));
            p.sentences.push(format!("Posts to {} stop for a moment; {} is closed.", pool.fqdn, old.label()));
            let answers = answers(cx, r, &old).await;
            losses.extend(sentences(r, row.synchronized, &answers, (&old, &new), &mut p.sentences));
        }
        if !losses.is_empty() {
            p.acknowledge = Some(("AcknowledgeLoss".to_owned(), losses.join(" ")));
        }
        p.sentences.extend(left_behind(self, cx, &all).await?);
        if cx.read(|c| Ok(pools::held_by(c, &pool.id)?))?.is_some() {
            let text = format!("A guided run has {} in hand.", pool.fqdn);
            p.blockers.push(Problem::error("run.busy", "PoolFqdn", text, SOURCE));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if p.changes.is_empty() {
            return Ok(Outcome::default());
        }
        let (pool, all) = meant(self, cx)?;
        let forced = self.acknowledge_loss && p.acknowledge.is_some();
        cx.commit(&p.sentences.join(" "), |tx| {
            for (r, _) in &all {
                mirrors::want(tx, &pool.id, r.of, on_mirror(self), forced)?;
            }
            Ok(())
        })?;
        cx.app.redeploy()?;
        let mut out = Outcome::changed(Topic::Pool, pool.fqdn.as_str());
        if let Err(why) = cx.app.fleet.converged(&pool.id, CONVERGENCE).await {
            out.warnings.push(format!("It is stored, but {} has not taken it up yet: {why}", pool.fqdn));
        }
        Ok(out)
    }
}

/// The other database of the pool when it is mirrored as well, stays where it is and does not answer there: the
/// pool is not open until it is moved too.
async fn left_behind(
    a: &InvokeCsDatabaseFailover,
    cx: &Cx,
    all: &[(Relation, mirrors::MirrorRow)],
) -> Result<Option<String>, ApiError> {
    let Some((first, _)) = all.first().filter(|_| all.len() == 1) else { return Ok(None) };
    let t = cx.topology()?;
    let other = |r: &Relation| {
        r.pool.id == first.pool.id && r.of.side == first.of.side && r.of.queue != first.of.queue
    };
    let Some(r) = relations(&t).into_iter().find(other) else { return Ok(None) };
    let row = r.row(cx)?;
    if !row.installed {
        return Ok(None);
    }
    let at = if row.on_mirror { &r.mirror } else { &r.primary };
    let Err(e) = answers(cx, &r, at).await else { return Ok(None) };
    Ok(Some(format!(
        "{} on {} does not answer either ({e}). The pool opens when it is moved too: leave DatabaseType out, or run Invoke-CsDatabaseFailover -PoolFqdn {} -DatabaseType {} -NewPrincipal {}.",
        r.database(),
        at.label(),
        r.pool.fqdn,
        r.kind(),
        if row.on_mirror { "Primary" } else { a.new_principal.trim() }
    )))
}
