//! What is asked before an act is carried out: the scope of the role, the confirmation, whether it was sent before.

use std::sync::atomic::Ordering;

use serde_json::Value;
use shared::cmdlet::{Nature, Spec};
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Confirm, Invocation, Plan};
use shared::roles;

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
    let named = ["Identity", "Instance", "PersistentChatPoolFqdn", "TargetFqdn", "Category"]
        .iter()
        .filter_map(|k| inv.args.get(*k));
    let text =
        |v: &Value| v.as_str().or_else(|| v.get("Identity").and_then(Value::as_str)).map(str::to_owned);
    let endpoints = cx.read(|c| Ok(store::management::pools::endpoints(c)?))?;
    // Every pool that is named has to be in scope: one of them alone would open the way to the others. An
    // endpoint that is moved concerns the pool that it leaves, too.
    let pools: Vec<_> = named
        .filter_map(text)
        .filter_map(|id| {
            let head = id.split('\\').next().unwrap_or_default().to_owned();
            let of_endpoint =
                endpoints.iter().find(|e| e.sip_address.as_str().eq_ignore_ascii_case(id.trim()));
            match of_endpoint {
                Some(e) => t.pools.iter().find(|p| p.id == e.pool),
                None => shared::identity::pool_fqdn(&head).ok().and_then(|f| t.pool_by_fqdn(&f)),
            }
        })
        .collect();
    let site_of = |p: &shared::topology::ChatPool| t.site(&p.site).map(|s| format!("site:{}", s.site_id));
    let inside = |s: &String| sites.iter().any(|x| x.eq_ignore_ascii_case(s));
    let outside = pools.iter().map(|p| site_of(p)).find(|s| !s.as_ref().is_some_and(inside));
    if !pools.is_empty() && outside.is_none() {
        return Ok(());
    }
    let what = outside.flatten().unwrap_or_else(|| "what concerns no pool of a site".to_owned());
    let text = format!("Your role is confined to {}; this concerns {what}.", sites.join(", "));
    Err(ApiError::new(ErrorCode::Forbidden, text))
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
