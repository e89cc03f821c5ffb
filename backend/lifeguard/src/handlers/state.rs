//! Pool state. `run` writes the wanted state only; the fleet copies, closes and opens databases and the
//! command waits for it (see ARCHITECTURE.md, "switching a pool"). Source: S0, S1, model §7.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::cmdlets::{GetCsPersistentChatState, SetCsPersistentChatState};
use shared::deployment::PoolState;
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::identity::{pool_identity, wildcard_match};
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{ChatPool, Topology};
use store::management::pools;

use super::{find_pool, only_pool, published};
use crate::door::{Cx, Handler, Outcome, blocked};
use crate::fleet::SideView;

/// How long the command waits for servers and databases to follow.
const CONVERGENCE: Duration = Duration::from_secs(60);

fn object(p: &ChatPool, state: PoolState) -> Value {
    json!({ "Identity": pool_identity(&p.fqdn), "PoolState": state.word() })
}

#[async_trait]
impl Handler for GetCsPersistentChatState {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        if self.identity.is_some() && self.filter.is_some() {
            return Err(ApiError::invalid("Filter", "Use either -Identity or -Filter (V25)."));
        }
        cx.read(|c| {
            let t = published(c)?;
            let list = match &self.identity {
                Some(id) => vec![find_pool(&t, id, "Identity")?],
                None => t.pools,
            };
            let keep = |p: &&ChatPool| {
                self.filter.as_ref().is_none_or(|f| wildcard_match(f, &pool_identity(&p.fqdn)))
            };
            let mut out = Vec::new();
            for p in list.iter().filter(keep) {
                out.push(object(p, pools::state(c, &p.id)?.map(|s| s.state).unwrap_or_default()));
            }
            Ok(Outcome::objects(out))
        })
    }
}

fn target(a: &SetCsPersistentChatState, t: &Topology) -> Result<(ChatPool, PoolState), ApiError> {
    let from_instance = |key: &str| a.instance.as_ref().and_then(|i| i.get(key)).and_then(Value::as_str);
    if a.identity.is_some() && a.instance.is_some() {
        return Err(ApiError::invalid("Instance", "Use either -Identity or -Instance."));
    }
    let pool = match a.identity.as_deref().or(from_instance("Identity")) {
        Some(id) => find_pool(t, id, "Identity")?,
        None => only_pool(t, "Identity")?,
    };
    let state =
        a.pool_state.or_else(|| from_instance("PoolState").and_then(PoolState::parse)).unwrap_or_default();
    Ok((pool, state))
}

fn in_use(v: &SideView, what: &str) -> String {
    match &v.error {
        None => format!("the {what} database on {}", v.store),
        Some(e) => format!("the {what} database on {} ({e})", v.store),
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatState {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = cx.topology()?;
        let (pool, to) = target(self, &t)?;
        let from = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
        let mut p = Plan { confirm: Confirm::TypeName(pool.fqdn.to_string()), ..Plan::default() };
        if from == to {
            p.sentences.push(format!("{} is {} already; nothing changes.", pool.fqdn, to.word()));
            p.confirm = Confirm::None;
            return Ok(p);
        }
        if !pool.has_backup() {
            p.sentences.push(format!("Set the state of {} to {}.", pool.fqdn, to.word()));
            let text = format!(
                "{} has no backup SQL Server store; there is nothing to fail over to. Only a multiple computer pool with disaster recovery can be failed over.",
                pool.fqdn
            );
            return Ok(blocked(p, "V15", "PoolState", text, "S0"));
        }
        crate::apart::look(&cx.app, &pool.id).await;
        let sides = cx.app.fleet.sides(&pool.id).await;
        let (old, new) = match to {
            PoolState::FailedOver => (&sides.primary, &sides.backup),
            PoolState::Normal => (&sides.backup, &sides.primary),
        };
        let (old_word, new_word) =
            if to == PoolState::FailedOver { ("primary", "backup") } else { ("backup", "primary") };
        p.changes.push(PlannedChange::new(pool.fqdn.as_str(), "PoolState", from.word(), to.word()));
        p.changes.push(PlannedChange::new(pool.fqdn.as_str(), "mgc", &old.store, &new.store));
        describe(&mut p, &pool, old, new, (old_word, new_word));
        p.affected_users = Some(pool.computers.iter().map(|c| u64::from(cx.app.sessions_of(&c.fqdn))).sum());
        if pool.compliance {
            let n = sides.compliance_queue.unwrap_or(0);
            p.warnings.push(Problem::warning(
                "compliance.queue",
                "PoolState",
                format!("The compliance database (mgccomp) is not failed over; {n} events wait in it and stay there."),
                "S1",
            ));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let (pool, to) = target(self, &t)?;
        if p.changes.is_empty() {
            return Ok(Outcome::default());
        }
        let forced = self.acknowledge_loss && p.acknowledge.is_some();
        cx.commit(&p.sentences.join(" "), |tx| Ok(pools::set_state(tx, &pool.id, to, forced, cx.now())?))?;
        cx.app.redeploy()?;
        cx.app.bus.send(Topic::Pool, pool.fqdn.as_str());
        let mut out = Outcome::changed(Topic::Pool, pool.fqdn.as_str());
        if let Err(why) = cx.app.fleet.converged(&pool.id, CONVERGENCE).await {
            out.warnings
                .push(format!("The state is stored, but {} has not taken it up yet: {why}", pool.fqdn));
        }
        Ok(out)
    }
}

/// What the switch does to the databases, and what it loses when the one in use does not answer.
fn describe(p: &mut Plan, pool: &ChatPool, old: &SideView, new: &SideView, words: (&str, &str)) {
    let n = pool.computers.len();
    let followers = match n {
        1 => "Its server follows".to_owned(),
        2 => "Both servers follow".to_owned(),
        n => format!("All {n} servers follow"),
    };
    if let Some(e) = &new.error {
        let text = format!("The {} database on {} does not answer: {e}", words.1, new.store);
        // A missing target is created by the copy; only a place that cannot be written blocks.
        if !new.creatable {
            *p = blocked(std::mem::take(p), "db.target", "PoolState", text, "S1");
            return;
        }
    }
    match &old.error {
        None => {
            // Whether the log brings it over or a whole copy is the fleet's to choose when it is done.
            p.sentences.push(format!(
                "Posts to {} stop; {} is closed, and all it holds is brought over to {}.",
                pool.fqdn,
                in_use(old, words.0),
                new.store
            ));
            p.sentences.push(format!("The {} database is opened. {followers}: the one database is closed, the other opened. No message is lost.", words.1));
        }
        Some(_) => {
            let age = new.copied_at.map_or_else(
                || "was never copied to".to_owned(),
                |t| {
                    format!(
                        "was last {} at {}",
                        if new.restoring.is_some() { "shipped to" } else { "copied" },
                        t.rfc3339()
                    )
                },
            );
            p.sentences
                .push(format!("{} does not answer; it is left as it is.", capital(&in_use(old, words.0))));
            p.sentences.push(format!(
                "The {} database on {} is opened as it stands: it {age}. {followers}.",
                words.1, new.store
            ));
            if new.error.is_some() {
                *p = blocked(
                    std::mem::take(p),
                    "db.none",
                    "PoolState",
                    "Neither database answers; there is nothing to open.",
                    "S1",
                );
                return;
            }
            let text = format!("Messages written after that copy are lost ({}; it {age}).", new.store);
            p.acknowledge = Some(("AcknowledgeLoss".to_owned(), text));
        }
    }
}

fn capital(s: &str) -> String {
    let mut c = s.chars();
    c.next().map_or_else(String::new, |f| f.to_uppercase().collect::<String>() + c.as_str())
}
