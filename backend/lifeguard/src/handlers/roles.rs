//! Roles: the eleven standard ones, and those of one's own. Source: cmdlets.md §10, model §17.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::cmdlet::ListModifier;
use shared::cmdlets::{
    self, GetCsAdminRole, GetCsAdminRoleAssignment, NewCsAdminRole, RemoveCsAdminRole, SetCsAdminRole,
};
use shared::error::ApiError;
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::{Confirm, Plan};
use shared::roles;
use store::management::accounts;
use store::management::roles::{self as own, Role};

use crate::door::{Cx, Handler, Outcome, blocked, plan};

fn object(name: &str, cmdlets: &[String], template: Option<&str>, scopes: &[String]) -> Value {
    json!({
        "Identity": name,
        "SID": null,
        "IsStandardRole": template.is_none(),
        "Cmdlets": cmdlets,
        "ScriptModules": [],
        "ConfigScopes": scopes,
        "UserScopes": ["Global"],
        "Template": template,
    })
}

fn all(cx: &Cx) -> Result<Vec<Value>, ApiError> {
    let global = ["Global".to_owned()];
    let standard = roles::STANDARD.iter().map(|r| {
        let list: Vec<String> = roles::cmdlets_of(r).into_iter().map(str::to_owned).collect();
        object(r, &list, None, &global)
    });
    let mut out: Vec<Value> = standard.collect();
    let own = cx.read(|c| Ok(own::roles(c)?))?;
    out.extend(own.iter().map(|r| object(&r.name, &r.cmdlets, Some(&r.template), &r.config_scopes)));
    Ok(out)
}

#[async_trait]
impl Handler for GetCsAdminRole {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let mut list = all(cx)?;
        let names: Vec<String> =
            list.iter().filter_map(|r| r["Identity"].as_str().map(str::to_owned)).collect();
        list.retain(|r| {
            let name = r["Identity"].as_str().unwrap_or_default();
            self.identity.as_ref().is_none_or(|i| name.eq_ignore_ascii_case(i.trim()))
                && self.filter.as_ref().is_none_or(|f| wildcard_match(f, name))
        });
        match (&self.identity, list.is_empty()) {
            (Some(w), true) => {
                Err(ApiError::not_found(format!("There is no role {w}. Roles: {}.", names.join(", "))))
            }
            _ => Ok(Outcome::objects(list)),
        }
    }
}

#[async_trait]
impl Handler for GetCsAdminRoleAssignment {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let found = cx.read(|c| Ok(accounts::account(c, self.identity.trim())?))?;
        let a = found.ok_or_else(|| {
            let text = format!(
                "There is no account {}. Give its log-on name; a SIP address or display name does not work.",
                self.identity
            );
            ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
        })?;
        Ok(Outcome::objects(vec![Value::String(a.role)]))
    }
}

/// Scopes as they are kept: `Global`, or sites that exist.
fn scopes(cx: &Cx, change: Option<&ListModifier>, before: &[String]) -> Result<Vec<String>, ApiError> {
    let Some(m) = change else { return Ok(before.to_vec()) };
    let mut after = m.apply(before);
    // A site takes the place of Global, as the first scope of one's own does.
    if after.len() > 1 && m.add.iter().any(|s| !s.eq_ignore_ascii_case("global")) {
        after.retain(|s| !s.eq_ignore_ascii_case("global"));
    }
    if after.is_empty() {
        let text = "A role has one scope at least. Use Replace=\"Global\" for everywhere.";
        return Err(ApiError::invalid("ConfigScopes", text));
    }
    let t = cx.topology()?;
    after
        .iter()
        .map(|s| {
            if s.eq_ignore_ascii_case("global") {
                return Ok("Global".to_owned());
            }
            let name =
                s.split_once(':').filter(|(k, _)| k.eq_ignore_ascii_case("site")).map(|(_, n)| n.trim());
            let site = name.and_then(|n| t.sites.iter().find(|x| x.site_id.eq_ignore_ascii_case(n)));
            site.map(|x| format!("site:{}", x.site_id)).ok_or_else(|| {
                ApiError::invalid(
                    "ConfigScopes",
                    format!("{s} is no scope. A scope is Global or site:<SiteId> of a published site."),
                )
            })
        })
        .collect()
}

/// Cmdlets as they are kept: spelt as in the list.
fn granted(change: Option<&ListModifier>, before: &[String]) -> Result<Vec<String>, ApiError> {
    let after = change.map_or_else(|| before.to_vec(), |m| m.apply(before));
    after
        .iter()
        .map(|c| {
            let spec = cmdlets::find(c.trim());
            spec.map(|s| s.name.to_owned())
                .ok_or_else(|| ApiError::invalid("Cmdlets", format!("There is no cmdlet {c}.")))
        })
        .collect()
}

fn new_role(a: &NewCsAdminRole, cx: &Cx) -> Result<Role, ApiError> {
    let name = a.identity.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._- ".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(ApiError::invalid(
            "Identity",
            "A role's name has 1 to 64 letters, digits, blanks or . _ -",
        ));
    }
    if roles::STANDARD.iter().any(|r| r.eq_ignore_ascii_case(name))
        || cx.read(|c| Ok(own::role(c, name)?))?.is_some()
    {
        return Err(ApiError::invalid("Identity", format!("A role {name} exists already.")));
    }
    let template = roles::STANDARD.into_iter().find(|r| r.eq_ignore_ascii_case(a.template.trim()));
    let template = template.ok_or_else(|| {
        ApiError::invalid(
            "Template",
            format!("{} is not a standard role. Templates: {}.", a.template, roles::STANDARD.join(", ")),
        )
    })?;
    let elsewhere = a.user_scopes.iter().flat_map(|m| m.add.iter().chain(m.replace.iter().flatten()));
    if let Some(s) = elsewhere.into_iter().find(|s| !s.eq_ignore_ascii_case("global")) {
        let text = format!("{s} is no user scope here: the built-in directory has no OUs. Use Global.");
        return Err(ApiError::invalid("UserScopes", text));
    }
    let base: Vec<String> = roles::cmdlets_of(template).into_iter().map(str::to_owned).collect();
    Ok(Role {
        name: name.to_owned(),
        template: template.to_owned(),
        cmdlets: granted(a.cmdlets.as_ref(), &base)?,
        config_scopes: scopes(cx, a.config_scopes.as_ref(), &["Global".to_owned()])?,
    })
}

#[async_trait]
impl Handler for NewCsAdminRole {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let r = new_role(self, cx)?;
        Ok(plan([format!(
            "Create the role {} after {}: {} cmdlets, scope {}.",
            r.name,
            r.template,
            r.cmdlets.len(),
            r.config_scopes.join(", ")
        )]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let r = new_role(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(own::save_role(tx, &r, cx.now())?))?;
        Ok(Outcome::changed(Topic::Directory, "roles").with(object(
            &r.name,
            &r.cmdlets,
            Some(&r.template),
            &r.config_scopes,
        )))
    }
}

fn find(cx: &Cx, name: &str) -> Result<Role, ApiError> {
    if let Some(r) = roles::STANDARD.iter().find(|r| r.eq_ignore_ascii_case(name.trim())) {
        return Err(ApiError::invalid(
            "Identity",
            format!("{r} is a standard role; it never changes. Clone it with New-CsAdminRole."),
        ));
    }
    cx.read(|c| Ok(own::role(c, name.trim())?))?.ok_or_else(|| ApiError {
        field: Some("Identity".to_owned()),
        ..ApiError::not_found(format!("There is no role {name}."))
    })
}

fn changed(a: &SetCsAdminRole, cx: &Cx) -> Result<(Role, Role), ApiError> {
    let before = find(cx, &a.identity)?;
    let mut after = before.clone();
    after.cmdlets = granted(a.cmdlets.as_ref(), &before.cmdlets)?;
    after.config_scopes = scopes(cx, a.config_scopes.as_ref(), &before.config_scopes)?;
    Ok((before, after))
}

#[async_trait]
impl Handler for SetCsAdminRole {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (before, after) = changed(self, cx)?;
        let gone: Vec<_> = before.cmdlets.iter().filter(|c| !after.cmdlets.contains(c)).cloned().collect();
        let new: Vec<_> = after.cmdlets.iter().filter(|c| !before.cmdlets.contains(c)).cloned().collect();
        let mut p = plan([]);
        if !new.is_empty() {
            p.sentences.push(format!("The role {} may also run {}.", after.name, new.join(", ")));
        }
        if !gone.is_empty() {
            p.sentences.push(format!("The role {} may no longer run {}.", after.name, gone.join(", ")));
        }
        if before.config_scopes != after.config_scopes {
            p.sentences.push(format!("Its scope is {} from now on.", after.config_scopes.join(", ")));
        }
        if p.sentences.is_empty() {
            p.sentences.push(format!("The role {} stays as it is.", after.name));
        }
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let (_, after) = changed(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(own::save_role(tx, &after, cx.now())?))?;
        Ok(Outcome::changed(Topic::Directory, "roles"))
    }
}

#[async_trait]
impl Handler for RemoveCsAdminRole {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let r = find(cx, &self.identity)?;
        let holders = cx.read(|c| Ok(own::holders(c, &r.name)?))?;
        let mut p = plan([format!("Delete the role {}.", r.name)]);
        p.confirm = Confirm::Ask;
        if holders.is_empty() {
            return Ok(p);
        }
        let text = format!("{} has it. Give another role first.", holders.join(", "));
        Ok(blocked(p, "role.used", "Identity", text, ""))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let r = find(cx, &self.identity)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(own::remove_role(tx, &r.name)?))?;
        Ok(Outcome::changed(Topic::Directory, "roles"))
    }
}
