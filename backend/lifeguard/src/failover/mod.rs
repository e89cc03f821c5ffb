//! Guided failover and failback: the procedure of S1 as one durable run. Each step may be repeated; a
//! restart goes on at the step that was interrupted; a failed step stops the run until it is resumed.
//! Source: S1, `reference/domain/procedures.md` §5.

pub mod next_hop;
pub mod preflight;
pub mod rehearsal;
mod run;

use serde::{Deserialize, Serialize};
use shared::ObjectId;
use shared::deployment::PoolState;
use shared::topology::validate::MAX_ACTIVE;
use shared::topology::{ChatPool, Computer, Topology};

pub use self::run::{STATE, begin, resume, resume_all, stop};

/// Kind of these jobs.
pub const KIND: &str = "failover";

/// What a run needs to be resumed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    /// FQDN, for lists.
    pub pool: String,
    /// The pool.
    pub id: ObjectId,
    /// State at the end.
    pub to: PoolState,
    /// The database in use is given up; the loss was acknowledged.
    pub forced: bool,
    /// Active servers at the end.
    pub active: Vec<String>,
    /// Front End pool that becomes the next hop, with its name; none when it stays.
    #[serde(default)]
    pub next_hop: Option<(ObjectId, String)>,
    /// Who may carry it on: the account that started or resumed it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl Input {
    /// The cmdlet that starts it, for role checks.
    pub fn cmdlet(&self) -> &'static str {
        match self.to {
            PoolState::FailedOver => "Start-LgFailover",
            PoolState::Normal => "Start-LgFailback",
        }
    }
}

/// Computers near the database that the pool uses in `state`: in its data centre, else not over a slow
/// link; all when nothing is known of distances. At most as many as may be active. Source: S1 step 7.
pub fn near<'a>(t: &Topology, p: &'a ChatPool, state: PoolState) -> Vec<&'a Computer> {
    let store = match state {
        PoolState::Normal => Some(&p.sql_store),
        PoolState::FailedOver => p.backup_sql_store.as_ref(),
    };
    let Some(store) = store.and_then(|id| t.sql_store(id)) else { return Vec::new() };
    let home = t.data_center_of(&store.fqdn).map(|d| &d.name);
    let same = |c: &&Computer| home.is_some() && t.data_center_of(&c.fqdn).map(|d| &d.name) == home;
    let mut found: Vec<_> = p.computers.iter().filter(same).collect();
    if found.is_empty() {
        found = p.computers.iter().filter(|c| !t.far_apart(&c.fqdn, &store.fqdn)).collect();
    }
    found.truncate(MAX_ACTIVE);
    found
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;

    use super::*;

    #[test]
    fn servers_stand_near_the_database_in_use() {
        let t = litware();
        let names =
            |state| near(&t, &t.pools[0], state).iter().map(|c| c.fqdn.host().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(PoolState::Normal), ["gc-001", "gc-002", "gc-003"]);
        assert_eq!(names(PoolState::FailedOver), ["gc-004", "gc-005", "gc-006"]);
        let mut unlabelled = t.clone();
        unlabelled.data_centers.clear();
        assert_eq!(near(&unlabelled, &t.pools[0], PoolState::FailedOver).len(), MAX_ACTIVE);
    }
}
