//! Nodes: processes on other machines that run servers of this deployment.

use async_trait::async_trait;
use serde_json::json;
use shared::Timestamp;
use shared::cmdlets::{GetLgNode, NewLgNode, RemoveLgNode};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::topology::validate::check_node_name;
use store::management::nodes as kept;
use store::management::watch;

use crate::door::{Cx, Handler, Outcome, plan};
use crate::nodes;

/// How long a token is valid unless told otherwise, minutes.
const VALID: u32 = 60;
/// The longest that a token may be valid: a day.
const LONGEST: u32 = 1440;

fn find(cx: &Cx, identity: &str) -> Result<kept::Node, ApiError> {
    let wanted = identity.trim();
    let all = cx.read(|c| Ok(kept::nodes(c)?))?;
    let known: Vec<_> = all.iter().map(|n| n.name.clone()).collect();
    all.into_iter().find(|n| n.name.eq_ignore_ascii_case(wanted)).ok_or_else(|| {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text = format!("There is no node {wanted}. There are: {known}.");
        ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
    })
}

#[async_trait]
impl Handler for GetLgNode {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let wanted = self.identity.as_ref().map(|i| find(cx, i)).transpose()?;
        let list = nodes::views(&cx.app)?;
        let keep = list.into_iter().filter(|n| wanted.as_ref().is_none_or(|w| w.name == n.name));
        let object = |n: shared::api::NodeView| {
            let servers: Vec<_> = n.servers.iter().map(|s| s.fqdn.to_string()).collect();
            json!({
                "Identity": n.name, "State": n.state, "Since": n.since, "Address": n.address,
                "ProductVersion": n.product, "Joined": n.joined, "TokenValidUntil": n.token_until,
                "Servers": servers,
            })
        };
        Ok(Outcome::objects(keep.map(object).collect()))
    }
}

/// Name and minutes of a new node.
fn checked(a: &NewLgNode, cx: &Cx) -> Result<(String, u32), ApiError> {
    let name = a.name.trim().to_lowercase();
    check_node_name(&name).map_err(|e| ApiError::invalid("Name", e))?;
    let minutes = a.valid_minutes.unwrap_or(VALID);
    if !(1..=LONGEST).contains(&minutes) {
        let text = "Minutes are a whole number from 1 to 1440.";
        return Err(ApiError::invalid("ValidMinutes", text));
    }
    if cx.read(|c| Ok(kept::node(c, &name)?))?.is_some() {
        let text = format!("There is a node {name} already; remove it first, or choose another name.");
        return Err(ApiError { field: Some("Name".to_owned()), ..ApiError::new(ErrorCode::Conflict, text) });
    }
    Ok((name, minutes))
}

#[async_trait]
impl Handler for NewLgNode {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (name, minutes) = checked(self, cx)?;
        Ok(plan([format!(
            "Add the node {name}; the token that it joins with is valid for {minutes} minutes."
        )]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let (name, minutes) = checked(self, cx)?;
        let at = nodes::open(&cx.app).map_err(|e| ApiError::new(ErrorCode::Conflict, e))?;
        let (token, hash) = nodes::token(&cx.app);
        let now = cx.now();
        let until = Timestamp::from_millis(now.millis() + i64::from(minutes) * 60_000);
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::add(tx, &name, &hash, until, now)?))?;
        let command = format!("lifeguard node --join https://{at} --token {token} --data-dir {name}");
        let object = json!({
            "Name": name, "Portal": format!("https://{at}"), "Token": token, "ValidUntil": until,
            "Command": command,
        });
        let mut out = Outcome::changed(Topic::Server, "").redeploy().with(object);
        if at.ip().is_loopback() {
            out.warnings.push(format!(
                "Nodes connect to {at}, which this machine alone reaches. Start the portal with --node-listen 0.0.0.0:7444 to let other machines in."
            ));
        }
        Ok(out)
    }
}

#[async_trait]
impl Handler for RemoveLgNode {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let n = find(cx, &self.identity)?;
        let servers = nodes::servers_of(&cx.app.deployment.borrow(), &n.name);
        let mut sentences = vec![format!(
            "Remove the node {}: its connection ends at once and its certificate is worth nothing any more.",
            n.name
        )];
        let watchers = cx.read(|c| Ok(watch::watchers(c)?))?;
        let own = watchers.iter().filter(|w| w.settings.node.as_ref() == Some(&n.name));
        sentences.extend(own.map(|w| {
            let target = &w.settings.target;
            format!("It sends the test messages of the watcher of {target}; those are missed until it is given another place.")
        }));
        let stores = nodes::stores_of(&cx.app.deployment.borrow(), &n.name);
        let keeps: Vec<_> = stores.iter().map(|(_, pool, _)| pool.as_str()).collect();
        if !keeps.is_empty() {
            sentences.push(format!(
                "It has the databases of {}: nobody can read or post there until a node of this name joins with the same data directory. What is stored stays in that directory.",
                keeps.join(", ")
            ));
        }
        if servers.is_empty() && keeps.is_empty() {
            return Ok(Plan { confirm: Confirm::Ask, ..plan(sentences) });
        }
        if servers.is_empty() {
            return Ok(Plan { confirm: Confirm::TypeName(n.name), ..plan(sentences) });
        }
        let names: Vec<_> = servers.iter().map(|(f, ..)| f.as_str()).collect();
        sentences.push(format!(
            "{} stop with it and stay in the topology until they are given another place.",
            names.join(", ")
        ));
        Ok(Plan { confirm: Confirm::TypeName(n.name), ..plan(sentences) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let n = find(cx, &self.identity)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::remove(tx, &n.name)?))?;
        cx.app.nodes.remove(&n.name);
        Ok(Outcome::changed(Topic::Server, "").redeploy())
    }
}
