//! Endpoints: contact objects that point legacy clients at a pool. Source: S4, model §8.

use async_trait::async_trait;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::cmdlets::{
    GetCsPersistentChatEndpoint, MoveLgPersistentChatEndpoint, NewCsPersistentChatEndpoint,
    RemoveCsPersistentChatEndpoint,
};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan, PlannedChange};
use shared::topology::{ChatPool, Topology};
use shared::{SipUri, Timestamp};
use store::management::directory;
use store::management::pools::{self, Endpoint};

use super::{find_pool, published};
use crate::door::{Cx, Fault, Handler, Outcome, blocked, plan};

fn object(e: &Endpoint, t: &Topology) -> Value {
    json!({
        "Identity": e.sip_address,
        "DisplayName": e.display_name,
        "SipAddress": e.sip_address,
        "PersistentChatPoolFqdn": t.pool(&e.pool).map(|p| p.fqdn.to_string()),
        "WhenCreated": e.created,
    })
}

fn find(c: &Connection, identity: &str) -> Result<Endpoint, Fault> {
    let all = pools::endpoints(c)?;
    let wanted = identity.trim();
    let same = |e: &&Endpoint| {
        e.sip_address.as_str().eq_ignore_ascii_case(wanted) || e.display_name.eq_ignore_ascii_case(wanted)
    };
    all.iter().find(same).cloned().ok_or_else(|| {
        let e = ApiError::not_found(format!("There is no Persistent Chat endpoint {wanted}."));
        Fault(ApiError { field: Some("Identity".to_owned()), ..e })
    })
}

#[async_trait]
impl Handler for GetCsPersistentChatEndpoint {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        cx.read(|c| {
            let t = published(c)?;
            let mut list = match &self.identity {
                Some(id) => vec![find(c, id)?],
                None => pools::endpoints(c)?,
            };
            if let Some(fqdn) = &self.persistent_chat_pool_fqdn {
                let pool = find_pool(&t, fqdn, "PersistentChatPoolFqdn")?;
                list.retain(|e| e.pool == pool.id);
            }
            list.truncate(self.result_size.map_or(usize::MAX, |n| n as usize));
            Ok(Outcome::objects(list.iter().map(|e| object(e, &t)).collect()))
        })
    }
}

struct New {
    sip: SipUri,
    pool: ChatPool,
    taken: Option<String>,
    has: Option<Endpoint>,
}

/// V16: prefix, domain, uniqueness, one per pool.
fn check(c: &Connection, sip: &str, pool: &str) -> Result<New, Fault> {
    let t = published(c)?;
    let sip = SipUri::try_from(sip).map_err(|e| ApiError::invalid("SipAddress", e.0))?;
    if !t.has_sip_domain(sip.domain()) {
        let domains: Vec<_> = t.sip_domains.iter().map(ToString::to_string).collect();
        let text =
            format!("{} is not a SIP domain of the organisation ({}).", sip.domain(), domains.join(", "));
        return Err(ApiError::invalid("SipAddress", text).into());
    }
    let pool = find_pool(&t, pool, "PersistentChatPoolFqdn")?;
    let endpoints = pools::endpoints(c)?;
    let taken = if endpoints.iter().any(|e| e.sip_address == sip) {
        Some(format!("The SIP address {sip} is already an endpoint."))
    } else if directory::user(c, &sip)?.is_some() {
        Some(format!("The SIP address {sip} belongs to a user."))
    } else if t.pools.iter().any(|p| crate::deploy::contacts(p, &t).contains(&sip)) {
        Some(format!("The SIP address {sip} is a pool's own contact."))
    } else {
        None
    };
    let has = endpoints.into_iter().find(|e| e.pool == pool.id);
    Ok(New { sip, pool, taken, has })
}

#[async_trait]
impl Handler for NewCsPersistentChatEndpoint {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let n = cx.read(|c| check(c, &self.sip_address, &self.persistent_chat_pool_fqdn))?;
        let mut p =
            plan([format!("Create the endpoint {}, which points legacy clients at {}.", n.sip, n.pool.fqdn)]);
        p.changes.push(PlannedChange::new(
            n.sip.as_str(),
            "PersistentChatPoolFqdn",
            "",
            n.pool.fqdn.as_str(),
        ));
        if let Some(text) = n.taken {
            p = blocked(p, "V16", "SipAddress", text, "C:New-CsPersistentChatEndpoint");
        }
        if let Some(e) = n.has {
            let text =
                format!("{} has the endpoint {} already; a pool needs one.", n.pool.fqdn, e.sip_address);
            p = blocked(p, "V16", "PersistentChatPoolFqdn", text, "S4");
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let now = cx.now();
        let made = cx.commit(&p.sentences.join(" "), |tx| {
            let n = check(tx, &self.sip_address, &self.persistent_chat_pool_fqdn)?;
            let e = Endpoint {
                display_name: self.display_name.clone().unwrap_or_else(|| n.sip.user().to_owned()),
                sip_address: n.sip,
                pool: n.pool.id,
                created: now,
            };
            pools::add_endpoint(tx, &e)?;
            Ok(object(&e, &published(tx)?))
        })?;
        let out = Outcome::changed(Topic::Directory, "endpoints").redeploy();
        Ok(if self.pass_thru { out.with(made) } else { out })
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatEndpoint {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (e, t) = cx.read(|c| Ok((find(c, &self.identity)?, published(c)?)))?;
        let pool = t.pool(&e.pool).map(|p| p.fqdn.to_string()).unwrap_or_default();
        let mut p = plan([format!(
            "Remove the endpoint {}. Legacy clients that use it no longer reach {pool}.",
            e.sip_address
        )]);
        p.changes.push(PlannedChange::new(e.sip_address.as_str(), "PersistentChatPoolFqdn", pool, ""));
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let e = find(tx, &self.identity)?;
            Ok(pools::remove_endpoint(tx, &e.sip_address)?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "endpoints").redeploy())
    }
}

struct Move {
    old: Endpoint,
    from: String,
    to: ChatPool,
    other: Option<Endpoint>,
}

fn moving(c: &Connection, identity: &str, pool: &str) -> Result<Move, Fault> {
    let t = published(c)?;
    let old = find(c, identity)?;
    let to = find_pool(&t, pool, "PersistentChatPoolFqdn")?;
    let from = t.pool(&old.pool).map(|p| p.fqdn.to_string()).unwrap_or_default();
    let other = pools::endpoints(c)?.into_iter().find(|e| e.pool == to.id);
    Ok(Move { old, from, to, other })
}

#[async_trait]
impl Handler for MoveLgPersistentChatEndpoint {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let m = cx.read(|c| moving(c, &self.identity, &self.persistent_chat_pool_fqdn))?;
        let sip = &m.old.sip_address;
        let mut p = plan([
            format!("Remove-CsPersistentChatEndpoint: {sip} no longer points at {}.", m.from),
            format!("New-CsPersistentChatEndpoint: {sip} points at {}. Both in one transaction.", m.to.fqdn),
        ]);
        p.changes.push(PlannedChange::new(
            sip.as_str(),
            "PersistentChatPoolFqdn",
            &m.from,
            m.to.fqdn.as_str(),
        ));
        p.confirm = Confirm::Ask;
        if let Some(e) = m.other {
            let text = if e.sip_address == m.old.sip_address {
                format!("{sip} points at {} already.", m.to.fqdn)
            } else {
                format!("{} has the endpoint {} already; a pool needs one.", m.to.fqdn, e.sip_address)
            };
            p = blocked(p, "V16", "PersistentChatPoolFqdn", text, "S4");
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let now: Timestamp = cx.now();
        cx.commit(&p.sentences.join(" "), |tx| {
            let m = moving(tx, &self.identity, &self.persistent_chat_pool_fqdn)?;
            if m.other.is_some() {
                return Err(ApiError::new(ErrorCode::Conflict, "The pool got an endpoint meanwhile.").into());
            }
            pools::remove_endpoint(tx, &m.old.sip_address)?;
            Ok(pools::add_endpoint(tx, &Endpoint { pool: m.to.id, created: now, ..m.old })?)
        })?;
        Ok(Outcome::changed(Topic::Directory, "endpoints").redeploy())
    }
}
