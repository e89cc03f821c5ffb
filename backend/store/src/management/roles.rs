//! Roles of one's own: a set of cmdlets with scopes, cloned from a standard role. Source: cmdlets.md §10.

use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;

use super::Result;

/// A role of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Name.
    pub name: String,
    /// The standard role it was cloned from.
    pub template: String,
    /// Cmdlets it may run.
    pub cmdlets: Vec<String>,
    /// `Global` or `site:<SiteId>`.
    pub config_scopes: Vec<String>,
}

fn list(c: &Connection, filter: &str, name: &str) -> Result<Vec<Role>> {
    let sql = format!("SELECT name, template, cmdlets, config_scopes FROM admin_role {filter} ORDER BY name");
    let mut s = c.prepare_cached(&sql)?;
    let row =
        |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?));
    let rows = if filter.is_empty() {
        s.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()?
    } else {
        s.query_map([name], row)?.collect::<rusqlite::Result<Vec<_>>>()?
    };
    rows.into_iter()
        .map(|(name, template, cmdlets, scopes)| {
            let (cmdlets, config_scopes) = (serde_json::from_str(&cmdlets)?, serde_json::from_str(&scopes)?);
            Ok(Role { name, template, cmdlets, config_scopes })
        })
        .collect()
}

/// All roles of one's own by name.
///
/// # Errors
/// SQLite's, or a list that does not parse.
pub fn roles(c: &Connection) -> Result<Vec<Role>> {
    list(c, "", "")
}

/// The one with this name, any case.
///
/// # Errors
/// SQLite's, or a list that does not parse.
pub fn role(c: &Connection, name: &str) -> Result<Option<Role>> {
    Ok(list(c, "WHERE name = ?1", name)?.pop())
}

/// Creates or changes a role.
///
/// # Errors
/// SQLite's.
pub fn save_role(c: &Connection, r: &Role, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO admin_role VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET cmdlets = ?3, config_scopes = ?4",
        params![
            r.name,
            r.template,
            serde_json::to_string(&r.cmdlets)?,
            serde_json::to_string(&r.config_scopes)?,
            at.millis()
        ],
    )?;
    Ok(())
}

/// Deletes a role.
///
/// # Errors
/// SQLite's.
pub fn remove_role(c: &Connection, name: &str) -> Result<()> {
    c.execute("DELETE FROM admin_role WHERE name = ?1", [name])?;
    Ok(())
}

/// Accounts and tokens that have the role.
///
/// # Errors
/// SQLite's.
pub fn holders(c: &Connection, name: &str) -> Result<Vec<String>> {
    let sql = "SELECT name FROM account WHERE role = ?1 COLLATE NOCASE
               UNION ALL SELECT 'token ' || label FROM api_token WHERE role = ?1 COLLATE NOCASE";
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_map([name], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// What `role` grants, as `shared::roles` reads it: a standard role is its name; one of one's own is its
/// name and a `+Cmdlet` (with `@site:X` for each scope) per cmdlet.
///
/// # Errors
/// SQLite's.
pub fn expand(c: &Connection, name: &str) -> Result<Vec<String>> {
    let found =
        (c.query_row("SELECT 1 FROM admin_role WHERE name = ?1", [name], |_| Ok(())).optional()?.is_some())
            .then(|| role(c, name))
            .transpose()?
            .flatten();
    let Some(r) = found else { return Ok(vec![name.to_owned()]) };
    let everywhere = r.config_scopes.iter().any(|s| s.eq_ignore_ascii_case("global"));
    let mut out = vec![r.name];
    for cmdlet in r.cmdlets {
        if everywhere {
            out.push(format!("+{cmdlet}"));
        } else {
            out.extend(r.config_scopes.iter().map(|s| format!("+{cmdlet}@{s}")));
        }
    }
    Ok(out)
}
