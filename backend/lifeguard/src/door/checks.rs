//! What is asked before an act is carried out: the scope of the role, the confirmation, whether it was sent before.

use std::sync::atomic::Ordering;

use serde_json::Value;
use shared::cmdlet::{Nature, Spec};
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Confirm, Invocation, Plan};
use shared::roles;
use shared::topology::{ChatPool, Topology};
use store::management::pools::Endpoint;

use super::cx::Cx;

/// The same op_id came before: say what came of it instead of doing it twice.
pub(super) fn already(cx: &Cx, outcome: &str) -> Result<CmdletResponse, ApiError> {
    cx.closed.store(true, Ordering::Release);
    if outcome == "done" || outcome == crate::ends::STARTED {
        return Ok(CmdletResponse { done: true, ..Default::default() });
    }
    Err(ApiError::new(ErrorCode::Conflict, format!("This act was sent before and ended as '{outcome}'.")))
}

/// A role with a site scope reaches pools of that site only; what concerns no single pool is outside it.
pub(super) fn in_scope(cx: &Cx, spec: &Spec, inv: &Invocation) -> Result<(), ApiError> {
    if spec.nature == Nature::Query {
        return Ok(());
    }
    let Some(sites) = roles::confined_to(spec.name, &cx.actor.roles) else { return Ok(()) };
    let t = cx.topology()?;
    let endpoints = if spec.name.ends_with("PersistentChatEndpoint") {
        cx.read(|c| Ok(store::management::pools::endpoints(c)?))?
    } else {
        Vec::new()
    };
    // Every pool that is named has to be in scope: one of them alone would open the way to the others. What names
    // none might be found elsewhere by another of its names.
    let mut pools = Vec::new();
    for key in ["Identity", "Instance", "PersistentChatPoolFqdn", "TargetFqdn", "Category", "ChatRoomUri"] {
        let Some(value) = inv.args.get(key).filter(|v| !v.is_null()) else { continue };
        let text =
            value.as_str().or_else(|| value.get("Identity").and_then(Value::as_str)).unwrap_or_default();
        let of_endpoint = matches!(key, "Identity" | "Instance");
        let found = named_pools(&t, if of_endpoint { &endpoints } else { &[] }, text);
        // A bare name of these two is looked for in the pool that the others name.
        let bare = matches!(key, "Category" | "ChatRoomUri") && !text.contains('\\');
        if found.is_empty() && !bare {
            return Err(out_of_scope(&sites, "what concerns no pool of a site"));
        }
        pools.extend(found);
    }
    let site_of = |p: &ChatPool| t.site(&p.site).map(|s| format!("site:{}", s.site_id));
    let inside = |s: &String| sites.iter().any(|x| x.eq_ignore_ascii_case(s));
    let outside = pools.iter().map(|p| site_of(p)).find(|s| !s.as_ref().is_some_and(inside));
    if !pools.is_empty() && outside.is_none() {
        return Ok(());
    }
    let what = outside.flatten().unwrap_or_else(|| "what concerns no pool of a site".to_owned());
    Err(out_of_scope(&sites, &what))
}

fn out_of_scope(sites: &[String], what: &str) -> ApiError {
    let text = format!("Your role is confined to {}; this concerns {what}.", sites.join(", "));
    ApiError::new(ErrorCode::Forbidden, text)
}

/// The pools that an argument concerns: of an endpoint, which has an address and a name that others may have as well,
/// those that it and its namesakes are at; else the pool that is named alone or before a `\`.
fn named_pools<'a>(t: &'a Topology, endpoints: &[Endpoint], text: &str) -> Vec<&'a ChatPool> {
    let wanted = text.trim();
    let same = |e: &&Endpoint| {
        e.sip_address.as_str().eq_ignore_ascii_case(wanted) || e.display_name.eq_ignore_ascii_case(wanted)
    };
    let of_endpoints: Vec<_> =
        endpoints.iter().filter(same).filter_map(|e| t.pools.iter().find(|p| p.id == e.pool)).collect();
    if !of_endpoints.is_empty() {
        return of_endpoints;
    }
    let head = text.split('\\').next().unwrap_or_default();
    shared::identity::pool_fqdn(head).ok().and_then(|f| t.pool_by_fqdn(&f)).into_iter().collect()
}

pub(super) fn check_confirmation(plan: &Plan, inv: &Invocation) -> Result<(), ApiError> {
    if !plan.blockers.is_empty() {
        return Err(ApiError::from_problems(ErrorCode::Blocked, plan.blockers.clone()));
    }
    if inv.fingerprint.as_ref().is_some_and(|f| *f != plan.fingerprint) {
        return Err(ApiError::new(
            ErrorCode::PlanChanged,
            "Something changed since this plan was shown. Look at the new plan and confirm that one.",
        ));
    }
    if let Some((parameter, text)) = &plan.acknowledge
        && inv.args.get(parameter) != Some(&Value::Bool(true))
    {
        let e = ApiError::new(
            ErrorCode::ConfirmationRequired,
            format!("{text} Set -{parameter} to accept this."),
        );
        return Err(ApiError { field: Some(parameter.clone()), ..e });
    }
    let agreed = match &plan.confirm {
        Confirm::None => true,
        Confirm::Ask => inv.confirmed || inv.fingerprint.is_some(),
        Confirm::TypeName(name) => {
            inv.confirmed || inv.typed_name.as_ref().is_some_and(|t| t.trim().eq_ignore_ascii_case(name))
        }
    };
    if agreed {
        return Ok(());
    }
    Err(match &plan.confirm {
        Confirm::TypeName(name) => ApiError {
            field: Some("typed_name".to_owned()),
            ..ApiError::new(ErrorCode::ConfirmationRequired, format!("Type {name} to confirm."))
        },
        _ => ApiError::new(
            ErrorCode::ConfirmationRequired,
            "This wants a confirmation (-Confirm:$false or -Force).",
        ),
    })
}
