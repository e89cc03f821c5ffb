//! Whether anybody can chat in a pool: its database and its servers, and what brings them back.

use shared::api::{ChatServerView, DatabaseView, LiveProblem, PoolSummary, Tried};
use shared::deployment::{PoolState, ServerReport, ServerState};

use super::trouble::problem;

/// The role of the database that a pool uses in a state.
pub(super) fn role(state: PoolState) -> &'static str {
    match state {
        PoolState::Normal => "primary",
        PoolState::FailedOver => "backup",
    }
}

/// Codes of the problems that keep everybody from chatting in the pool.
pub(super) fn down(p: &PoolSummary) -> Vec<&'static str> {
    let mut out = Vec::new();
    if p.run.as_ref().is_some_and(|r| r.holds && r.state == "failed") {
        out.push("run.failed");
    }
    out.extend(
        database(p).map(|x| if x.problem.code == "pool.opening" { "pool.opening" } else { "pool.database" }),
    );
    out.extend(nobody(p).map(|_| "pool.no_server"));
    if !p.servers.iter().any(|s| s.active) {
        out.push("pool.inactive");
    }
    out
}

/// The database that the pool should use and does not, or that is gone.
pub(super) fn database(p: &PoolSummary) -> Option<LiveProblem> {
    if p.converged {
        return None;
    }
    let (name, run) = (p.fqdn.as_str(), p.run.as_ref().filter(|r| r.holds));
    if run.is_some_and(|r| r.state == "failed") {
        // The run says why, and what to do.
        return None;
    }
    let href = format!("/pools/{name}/databases");
    let wanted = p.databases.iter().find(|d| d.role == role(p.state)).or_else(|| p.databases.first());
    // What every switch goes through for a moment has a code of its own.
    let Some((d, why)) = wanted.and_then(|d| d.error.as_ref().map(|e| (d, e))).filter(|_| run.is_none())
    else {
        let why = if run.is_some() { "a guided run has it in hand" } else { "it is being opened" };
        let text = format!("{name} has no database in use: {why}.");
        return Some(problem("pool.opening", true, text, name, href));
    };
    let text = format!("{name} has no database in use: {}.", why.trim_end_matches('.'));
    let mut x = problem("pool.database", true, text, name, href);
    x.next = database_next(p, d, why);
    Some(x)
}

/// The next safe step when a database does not answer: what is possible here, and what fits the reason.
fn database_next(p: &PoolSummary, d: &DatabaseView, why: &str) -> String {
    let damaged = why.contains("malformed") || why.contains("not a database");
    let gone = why.contains("is not there");
    let other = p.no_failover_reason.is_none() && p.state == PoolState::Normal;
    let first = match (damaged, gone) {
        (true, _) => "The file is damaged and does not mend itself. Keep it aside.".to_owned(),
        (_, true) => {
            format!("Bring the disk or folder of {} back; the database is opened again by itself.", d.store)
        }
        _ => "Mend what the reason names; the database is opened again by itself.".to_owned(),
    };
    let then = if damaged { "" } else { "If it stays away: " };
    let last = if other {
        "plan a failover to the backup database; the plan changes nothing."
    } else {
        "restore the newest backup into an empty directory with lifeguard restore, and bring mgc back from there."
    };
    let last = if then.is_empty() { capital(last) } else { last.to_owned() };
    format!("{first} {then}{last}")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().collect::<String>() + chars.as_str())
}

/// What waits in mgccomp, on both sides; what cannot be read is not none.
pub(super) fn queued(p: &PoolSummary) -> String {
    let events = |n: u64| if n == 1 { "1 event is".to_owned() } else { format!("{n} events are") };
    let here = match p.compliance_queue {
        Some(n) => format!("{} queued in mgccomp", events(n)),
        None => "how many events are queued in mgccomp cannot be read".to_owned(),
    };
    let there = p.compliance_other.as_ref().and_then(|q| match q.events {
        Some(0) => None,
        Some(n) => Some(format!(", {} queued in mgccomp on {}", events(n), q.store)),
        None => Some(format!(", how many are queued in mgccomp on {} cannot be read", q.store)),
    });
    format!("{here}{}", there.unwrap_or_default())
}

fn names<'a>(list: impl Iterator<Item = &'a ServerReport>) -> Vec<&'a str> {
    list.map(|r| r.fqdn.as_str()).collect()
}

/// No active server of the pool runs. One that starts may run in a moment, of one that is not hosted here
/// nothing is known: then nothing is said.
pub(super) fn nobody(p: &PoolSummary) -> Option<LiveProblem> {
    let active: Vec<&ServerReport> = p.servers.iter().filter(|s| s.active).map(|s| &s.report).collect();
    let perhaps = |r: &&ServerReport| {
        matches!(r.state, ServerState::Running | ServerState::Starting | ServerState::NotHostedHere)
    };
    if active.is_empty() || active.iter().any(perhaps) {
        return None;
    }
    let name = p.fqdn.as_str();
    let of = |f: fn(&ServerState) -> bool| active.iter().copied().filter(move |r| f(&r.state));
    let away = |s: &ServerState| matches!(s, ServerState::Unreachable(_));
    let text = if active.iter().all(|r| away(&r.state)) {
        format!(
            "No active server of {name} can be reached: as far as the portal sees, nobody can chat in {name}."
        )
    } else {
        format!("No active server of {name} runs: nobody can chat in {name}.")
    };
    let mut x = problem("pool.no_server", true, text, name, format!("/pools/{name}/servers"));
    let mut steps = Vec::new();
    let spare = p.servers.iter().find(|s| !s.active && s.report.state == ServerState::Running);
    steps.extend(names(of(|s| *s == ServerState::Stopped)).first().map(|n| format!("start {n}")));
    steps.extend(spare.map(|s| format!("make {} active, which runs", s.report.fqdn)));
    let mut nodes: Vec<&str> = of(away).filter_map(|r| r.node.as_deref()).collect();
    nodes.dedup();
    steps.extend(nodes.first().map(|n| format!("start the node {n}")));
    let failed = names(of(|s| matches!(s, ServerState::Failed(_))));
    steps.extend(failed.first().map(|n| format!("mend what keeps {n} from starting")));
    x.next = capital(&format!("{}.", steps.join(", or ")));
    Some(x)
}

/// What is said of a server that is down: of its host only what that can do, of others only what they do.
pub(super) fn down_server(x: &mut LiveProblem, r: &ServerReport, pool: &[ChatServerView]) {
    if matches!(r.state, ServerState::Unreachable(_)) {
        let text = "The portal takes it up again as soon as its node connects.".to_owned();
        x.tried.push(Tried { at: None, text });
        x.next = match &r.node {
            Some(n) => format!("Start the node {n}, or mend the network to it."),
            None => "Start its node, or mend the network to it.".to_owned(),
        };
    }
    let serves = pool.iter().filter(|s| s.active && s.report.state == ServerState::Running);
    if let Some(other) = serves.map(|s| &s.report.fqdn).find(|f| **f != r.fqdn) {
        x.next = format!("{} Meanwhile {other} serves.", x.next);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use shared::deployment::ServerRole;
    use shared::{Fqdn, ObjectId, Timestamp};

    fn fqdn(text: &str) -> Fqdn {
        Fqdn::try_from(text).unwrap()
    }

    fn server(name: &str, active: bool, state: ServerState) -> ChatServerView {
        let node = matches!(state, ServerState::Unreachable(_)).then(|| "n1".to_owned());
        let report = ServerReport {
            fqdn: fqdn(name),
            role: ServerRole::Chat,
            state,
            listens: vec![],
            sessions: 0,
            generation: 0,
            node,
        };
        ChatServerView { report, active }
    }

    fn database_of(role: &str, error: Option<&str>) -> DatabaseView {
        DatabaseView {
            role: role.to_owned(),
            database: "mgc".to_owned(),
            store: format!("sql-{role}\\CHAT"),
            node: None,
            in_use: role == "primary",
            error: error.map(str::to_owned),
            size_bytes: None,
            messages: None,
            epoch: None,
            copied_at: None,
            last_write: None,
            restoring: None,
        }
    }

    /// A pool of which nothing is wrong.
    pub(in super::super) fn pool() -> PoolSummary {
        PoolSummary {
            id: ObjectId::try_from("p1").unwrap(),
            fqdn: fqdn("cs.a.com"),
            display_name: String::new(),
            site: String::new(),
            state: PoolState::Normal,
            since: Timestamp::default(),
            converged: true,
            no_failover_reason: None,
            servers: vec![server("gc-1.a.com", true, ServerState::Running)],
            databases: vec![database_of("primary", None), database_of("backup", None)],
            last_test: None,
            recent_us: vec![],
            endpoint: None,
            compliance: false,
            compliance_adapter: None,
            compliance_queue: None,
            compliance_other: None,
            down_since: None,
            run: None,
        }
    }

    #[test]
    fn a_pool_without_a_running_active_server_is_down_and_says_what_to_do() {
        let mut p = pool();
        assert_eq!(nobody(&p), None);
        p.servers = vec![
            server("gc-1.a.com", true, ServerState::Stopped),
            server("gc-2.a.com", true, ServerState::Failed("in use".to_owned())),
            server("gc-3.a.com", false, ServerState::Running),
        ];
        let x = nobody(&p).unwrap();
        assert_eq!(x.problem.severity, shared::error::Severity::Error);
        assert!(x.problem.text.contains("nobody can chat in cs.a.com"), "{x:?}");
        assert_eq!(
            x.next,
            "Start gc-1.a.com, or make gc-3.a.com active, which runs, or mend what keeps gc-2.a.com from starting."
        );
        assert_eq!(down(&p), ["pool.no_server"]);
        p.servers.push(server("gc-4.a.com", true, ServerState::Starting));
        assert_eq!(nobody(&p), None, "it may run in a moment");
    }

    #[test]
    fn a_node_that_is_gone_promises_nothing() {
        let mut p = pool();
        let gone = ServerState::Unreachable("node n1 does not answer".to_owned());
        p.servers = vec![server("gc-1.a.com", true, gone), server("gc-2.a.com", false, ServerState::Running)];
        let x = nobody(&p).unwrap();
        assert!(x.problem.text.contains("can be reached") && x.next.contains("start the node n1"), "{x:?}");
        let mut s = problem("server.failed", true, String::new(), "gc-1.a.com", String::new());
        down_server(&mut s, &p.servers[0].report, &p.servers);
        assert_eq!(s.next, "Start the node n1, or mend the network to it.");
        assert!(!s.tried[0].text.contains("every 3 seconds"), "{s:?}");
        p.servers[1].active = true;
        down_server(&mut s, &p.servers[0].report, &p.servers);
        assert!(s.next.ends_with("Meanwhile gc-2.a.com serves."), "{}", s.next);
    }

    #[test]
    fn a_database_says_only_what_is_possible() {
        let next = |error: &str, backup: bool| {
            let mut p = pool();
            p.converged = false;
            p.databases[0].error = Some(error.to_owned());
            p.no_failover_reason = (!backup).then(|| "no backup".to_owned());
            let x = database(&p).unwrap();
            assert_eq!(x.problem.code, "pool.database");
            x.next
        };
        let gone = "the folder of the SQL instance, /x, is not there";
        assert!(next(gone, true).contains("plan a failover"));
        let alone = next(gone, false);
        assert!(!alone.contains("failover") && alone.contains("lifeguard restore"), "{alone}");
        let damaged = next("database disk image is malformed", false);
        assert!(damaged.contains("damaged") && damaged.contains("lifeguard restore"), "{damaged}");
        assert!(!damaged.contains("opened again by itself"), "{damaged}");
    }

    #[test]
    fn events_of_both_sides_are_told_and_what_cannot_be_read_is_not_none() {
        let mut p = pool();
        assert!(queued(&p).contains("cannot be read"));
        p.compliance_queue = Some(0);
        let other = |events| Some(shared::api::QueueView { store: "sql-1".to_owned(), events });
        p.compliance_other = other(Some(48));
        assert_eq!(queued(&p), "0 events are queued in mgccomp, 48 events are queued in mgccomp on sql-1");
        p.compliance_other = other(None);
        assert!(queued(&p).ends_with("on sql-1 cannot be read"), "{}", queued(&p));
    }

    #[test]
    fn what_a_switch_goes_through_is_no_lost_database() {
        let mut p = pool();
        p.converged = false;
        p.databases[1].error = Some("the backup is away".to_owned());
        assert_eq!(database(&p).unwrap().problem.code, "pool.opening", "not the one that is wanted");
    }
}
