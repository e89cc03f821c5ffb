//! Services of a server: show, start, stop, drain. Source: cmdlets.md, "Service control".

use async_trait::async_trait;
use serde_json::json;
use shared::Fqdn;
use shared::cmdlets::{GetCsWindowsService, StartCsWindowsService, StopCsWindowsService};
use shared::deployment::{ServerRole, ServerState};
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{Computer, Topology};
use store::management::audit::{self, Opened};
use store::management::pools::{self, Halt};

use crate::app::App;
use crate::clock::new_id;
use crate::door::{Cx, Fault, Handler, Outcome, blocked, plan, store_error};

/// Name and display name of a server's service.
fn service(role: ServerRole) -> (&'static str, &'static str) {
    match role {
        ServerRole::FrontEnd => ("RTCSRV", "Lync Server Front-End"),
        ServerRole::Chat => ("RTCCHAT", "Lync Server Persistent Chat"),
    }
}

fn servers(t: &Topology) -> impl Iterator<Item = (&Computer, ServerRole)> {
    let fe = t.front_end_pools.iter().flat_map(|p| &p.servers).map(|c| (c, ServerRole::FrontEnd));
    fe.chain(t.pools.iter().flat_map(|p| &p.computers).map(|c| (c, ServerRole::Chat)))
}

fn check_name(name: Option<&str>, role: Option<ServerRole>) -> Result<(), ApiError> {
    let Some(name) = name else { return Ok(()) };
    let known = |r: ServerRole| service(r).0.eq_ignore_ascii_case(name.trim());
    let fits = match role {
        Some(r) => known(r),
        None => known(ServerRole::FrontEnd) || known(ServerRole::Chat),
    };
    let text =
        format!("{name} is not a service of this server; only RTCSRV and RTCCHAT are controlled here.");
    if fits { Ok(()) } else { Err(ApiError::invalid("Name", text)) }
}

#[async_trait]
impl Handler for GetCsWindowsService {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        check_name(self.name.as_deref(), None)?;
        let (t, halted) = cx.read(|c| Ok((super::published(c)?, pools::halted(c)?)))?;
        let mut out = Vec::new();
        for (c, role) in servers(&t) {
            let (name, display) = service(role);
            let other = |given: &Option<String>, own: &str| {
                given.as_ref().is_some_and(|g| !g.trim().eq_ignore_ascii_case(own))
            };
            if other(&self.computer_name, c.fqdn.as_str()) || other(&self.name, name) {
                continue;
            }
            let report = cx.app.report(&c.fqdn);
            let draining = halted.iter().any(|(f, h, _)| f == c.fqdn.as_str() && *h == Halt::Draining);
            let status = match report.as_ref().map(|r| &r.state) {
                Some(ServerState::Running) if draining => "StopPending",
                Some(ServerState::Running) => "Running",
                Some(ServerState::Starting) => "StartPending",
                Some(ServerState::Unreachable(_)) => "Unknown",
                _ if !c.placement.is_run() => "Unknown",
                _ => "Stopped",
            };
            out.push(json!({
                "Status": status, "Name": name, "DisplayName": display, "ComputerName": c.fqdn,
                "ActivityLevel": report.map_or(0, |r| r.sessions),
            }));
        }
        match &self.computer_name {
            Some(n) if out.is_empty() => Err(unknown(n)),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

fn unknown(name: &str) -> ApiError {
    let text = format!("There is no server {name} in the published topology.");
    ApiError { field: Some("ComputerName".to_owned()), ..ApiError::not_found(text) }
}

struct Target {
    fqdn: Fqdn,
    role: ServerRole,
    here: bool,
    halt: Option<Halt>,
}

fn target(cx: &Cx, computer: &str, name: Option<&str>) -> Result<Target, ApiError> {
    let (t, halted) = cx.read(|c| Ok((super::published(c)?, pools::halted(c)?)))?;
    let found = servers(&t).find(|(c, _)| c.fqdn.as_str().eq_ignore_ascii_case(computer.trim()));
    let (c, role) = found.ok_or_else(|| unknown(computer))?;
    check_name(name, Some(role))?;
    let halt = halted.iter().find(|(f, ..)| f == c.fqdn.as_str()).map(|(_, h, _)| *h);
    Ok(Target { fqdn: c.fqdn.clone(), role, here: c.placement.is_run(), halt })
}

fn elsewhere(p: Plan, t: &Target) -> Plan {
    let text = format!("{} runs on a machine of its own; start and stop it there.", t.fqdn);
    if t.here { p } else { blocked(p, "server.elsewhere", "ComputerName", text, "") }
}

#[async_trait]
impl Handler for StartCsWindowsService {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = target(cx, &self.computer_name, self.name.as_deref())?;
        let p = match t.halt {
            None => plan([format!("{} is to run already; nothing changes.", t.fqdn)]),
            Some(_) => plan([format!("Start {} on {}.", service(t.role).1, t.fqdn)]),
        };
        Ok(elsewhere(p, &t))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = target(cx, &self.computer_name, self.name.as_deref())?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(pools::set_halted(tx, &t.fqdn, None, cx.now())?))?;
        Ok(Outcome::changed(Topic::Server, t.fqdn.as_str()).redeploy())
    }
}

#[async_trait]
impl Handler for StopCsWindowsService {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = target(cx, &self.computer_name, self.name.as_deref())?;
        let n = cx.app.sessions_of(&t.fqdn);
        if t.halt == Some(Halt::Stopped) {
            return Ok(plan([format!("{} is stopped already; nothing changes.", t.fqdn)]));
        }
        let name = service(t.role).1;
        let mut p = if self.graceful {
            plan([
                format!("{} refuses new sessions from now on.", t.fqdn),
                format!("{name} stops when the last of its {n} sessions has ended."),
            ])
        } else {
            plan([format!("Stop {name} on {}: {n} sessions end; clients sign in again elsewhere.", t.fqdn)])
        };
        p.confirm = Confirm::Ask;
        p.affected_users = Some(u64::from(n));
        p.changes.push(PlannedChange::new(
            t.fqdn.as_str(),
            "Service",
            "Running",
            if self.graceful { "Draining" } else { "Stopped" },
        ));
        let topology = cx.topology()?;
        if let Some(pool) = topology.pools.iter().find(|p| p.computers.iter().any(|c| c.fqdn == t.fqdn)) {
            let active = cx.read(|c| Ok(pools::active_servers(c, &pool.id)?))?;
            if active == [t.fqdn.to_string()] {
                let text = format!(
                    "It is the only active server of {}; nobody can chat there until it is started or another one is made active.",
                    pool.fqdn
                );
                p.warnings.push(Problem::warning("server.last", "ComputerName", text, ""));
            }
        }
        Ok(elsewhere(p, &t))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = target(cx, &self.computer_name, self.name.as_deref())?;
        if t.halt == Some(Halt::Stopped) {
            return Ok(Outcome::default());
        }
        let idle = cx.app.sessions_of(&t.fqdn) == 0;
        let halt = if self.graceful && !idle { Halt::Draining } else { Halt::Stopped };
        cx.commit(&p.sentences.join(" "), |tx| Ok(pools::set_halted(tx, &t.fqdn, Some(halt), cx.now())?))?;
        Ok(Outcome::changed(Topic::Server, t.fqdn.as_str()).redeploy())
    }
}

/// Stops servers that drained and have no session left; audited as an act of the service itself.
///
/// # Errors
/// When the store does not answer.
pub fn stop_drained(app: &App) -> Result<(), ApiError> {
    let done: Vec<Fqdn> = app
        .store
        .read(pools::halted)
        .map_err(store_error)?
        .into_iter()
        .filter(|(_, h, _)| *h == Halt::Draining)
        .filter_map(|(f, ..)| Fqdn::try_from(f).ok())
        .filter(|f| app.sessions_of(f) == 0)
        .collect();
    if done.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    app.store
        .write(|tx| {
            for f in &done {
                pools::set_halted(tx, f, Some(Halt::Stopped), now)?;
                let op_id = new_id(&*app.entropy, now);
                let entry = Opened::by_service(&op_id, "Stop-CsWindowsService", f.as_str());
                audit::open(tx, &entry, now)?;
                audit::close(
                    tx,
                    &op_id,
                    "done",
                    &format!("The last session of {f} has ended; it is stopped."),
                    now,
                )?;
            }
            Ok::<(), Fault>(())
        })
        .map_err(|f| f.0)?;
    app.bus.send(Topic::Server, "");
    app.redeploy()
}
