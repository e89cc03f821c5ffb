//! Chat users and policies.

use rusqlite::{Connection, OptionalExtension, params};
use shared::{ObjectId, SipUri, Timestamp};

use super::{Result, StoreError};

/// A chat user. `secrets` is the sealed list of digest HA1 values; this module never opens it.
#[derive(Debug, Clone)]
pub struct User {
    /// SIP address.
    pub sip_address: SipUri,
    /// Display name.
    pub display_name: String,
    /// `DOMAIN\user`.
    pub logon_name: String,
    /// Home Front End pool.
    pub front_end: ObjectId,
    /// May sign in.
    pub enabled: bool,
    /// Sealed secrets.
    pub secrets: Vec<u8>,
    /// Granted user policy.
    pub policy: Option<String>,
    /// Created when.
    pub created: Timestamp,
    /// Distinguished name of his organizational unit; empty when he is in none.
    pub ou: String,
}

type Row = (String, String, String, String, bool, Vec<u8>, Option<String>, i64, String);

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?))
}

fn to_user(r: Row) -> Result<User> {
    let bad = |e: shared::InvalidName| StoreError::Schema(e.0);
    Ok(User {
        sip_address: SipUri::try_from(r.0).map_err(bad)?,
        display_name: r.1,
        logon_name: r.2,
        front_end: ObjectId::try_from(r.3).map_err(bad)?,
        enabled: r.4,
        secrets: r.5,
        policy: r.6,
        created: Timestamp::from_millis(r.7),
        ou: r.8,
    })
}

const COLUMNS: &str = "SELECT sip_address, display_name, logon_name, front_end, enabled, secrets, policy, created, ou FROM chat_user";

/// All users by address.
///
/// # Errors
/// SQLite's.
pub fn users(c: &Connection) -> Result<Vec<User>> {
    let mut s = c.prepare_cached(&format!("{COLUMNS} ORDER BY sip_address"))?;
    let rows = s.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    rows.into_iter().map(to_user).collect()
}

/// A user as he is offered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// SIP address.
    pub sip_address: String,
    /// Display name.
    pub display_name: String,
    /// May sign in.
    pub enabled: bool,
}

/// The first `most` users by address whose address and display name `keep` takes; no more is read of the others.
///
/// # Errors
/// SQLite's.
pub fn some_named(c: &Connection, most: usize, keep: impl Fn(&str, &str) -> bool) -> Result<Vec<Named>> {
    let mut s =
        c.prepare_cached("SELECT sip_address, display_name, enabled FROM chat_user ORDER BY sip_address")?;
    let mut rows = s.query([])?;
    let mut out = Vec::new();
    while out.len() < most
        && let Some(r) = rows.next()?
    {
        let text = |i| r.get_ref(i).and_then(|v| Ok(v.as_str()?));
        let (sip_address, display_name) = (text(0)?, text(1)?);
        if keep(sip_address, display_name) {
            let (sip_address, display_name) = (sip_address.to_owned(), display_name.to_owned());
            out.push(Named { sip_address, display_name, enabled: r.get(2)? });
        }
    }
    Ok(out)
}

/// Calls `f` with SIP address, display name and log-on name of every user, by address.
///
/// # Errors
/// SQLite's.
pub fn each_name(c: &Connection, mut f: impl FnMut(&str, &str, &str)) -> Result<()> {
    let mut s =
        c.prepare_cached("SELECT sip_address, display_name, logon_name FROM chat_user ORDER BY sip_address")?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let text = |i| r.get_ref(i).and_then(|v| Ok(v.as_str()?));
        f(text(0)?, text(1)?, text(2)?);
    }
    Ok(())
}

/// Which of a user's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `DOMAIN\user`.
    Logon,
    /// Display name.
    Display,
}

/// Names that another one may be taken for, of everyone but `own`: a name of ASCII characters is compared with
/// those that have others, which are few.
///
/// # Errors
/// SQLite's.
pub fn spellings(c: &Connection, which: Spelling, name: &str, own: &str) -> Result<Vec<String>> {
    let (column, index) = match which {
        Spelling::Logon => ("logon_name", "chat_user_other_logon"),
        Spelling::Display => ("display_name", "chat_user_other_display"),
    };
    // Named, because by itself SQLite would rather read everybody in the order that is asked for.
    let (by, few) = if name.is_ascii() {
        (format!("INDEXED BY {index}"), format!("AND {column} GLOB '*[^ -~]*'"))
    } else {
        (String::new(), String::new())
    };
    let sql =
        format!("SELECT {column} FROM chat_user {by} WHERE sip_address <> ?1 {few} ORDER BY sip_address");
    let names = c.prepare_cached(&sql)?.query_map([own], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}

/// Whether a log-on name is in use, in any case.
///
/// # Errors
/// SQLite's.
pub fn logon_taken(c: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM chat_user WHERE logon_name = ?1 COLLATE NOCASE)";
    Ok(c.prepare_cached(sql)?.query_row([name], |r| r.get(0))?)
}

/// The user with this address.
///
/// # Errors
/// SQLite's.
pub fn user(c: &Connection, sip: &SipUri) -> Result<Option<User>> {
    let mut s = c.prepare_cached(&format!("{COLUMNS} WHERE sip_address = ?1"))?;
    s.query_row([sip.as_str()], row).optional()?.map(to_user).transpose()
}

/// The user whose log-on name is `login`, as `DOMAIN\user`, or whose address has it as user part.
///
/// # Errors
/// SQLite's.
pub fn user_by_login(c: &Connection, login: &str) -> Result<Option<User>> {
    let address = format!("sip:{}", login.to_lowercase());
    // Each on its own, so that each has its index: at the start of a working day everyone signs on.
    let one = |filter: &str, values: &[&dyn rusqlite::ToSql]| -> Result<Option<User>> {
        let mut s = c.prepare_cached(&format!("{COLUMNS} WHERE {filter} LIMIT 1"))?;
        s.query_row(values, row).optional()?.map(to_user).transpose()
    };
    if let Some(u) = one("logon_name = ?1", &[&login])? {
        return Ok(Some(u));
    }
    if let Some(u) = one("sip_address = ?1", &[&address])? {
        return Ok(Some(u));
    }
    // "A" follows "@": every address with this user part.
    one("sip_address >= ?1 AND sip_address < ?2", &[&format!("{address}@"), &format!("{address}A")])
}

/// Creates or overwrites a user.
///
/// # Errors
/// SQLite's.
pub fn save_user(c: &Connection, u: &User) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO chat_user (sip_address, display_name, logon_name, front_end, enabled, secrets, policy, created, ou)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (sip_address) DO UPDATE SET display_name = ?2, logon_name = ?3, front_end = ?4, enabled = ?5,
           secrets = ?6, policy = ?7, ou = ?9",
    )?
    .execute(params![
        u.sip_address.as_str(),
        u.display_name,
        u.logon_name,
        u.front_end.as_str(),
        u.enabled,
        u.secrets,
        u.policy,
        u.created.millis(),
        u.ou
    ])?;
    Ok(())
}

/// Deletes a user; he leaves his groups.
///
/// # Errors
/// SQLite's.
pub fn remove_user(c: &Connection, sip: &SipUri) -> Result<()> {
    c.execute("DELETE FROM chat_user WHERE sip_address = ?1", [sip.as_str()])?;
    c.execute("DELETE FROM chat_group_member WHERE member = ?1", [sip.as_str()])?;
    Ok(())
}

/// A Persistent Chat policy. Source: model §9.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `global`, `site:<SiteId>` or a name.
    pub identity: String,
    /// Free text.
    pub description: String,
    /// Whether it allows Persistent Chat.
    pub enable: bool,
}

/// All policies: global, then sites, then user policies.
///
/// # Errors
/// SQLite's.
pub fn policies(c: &Connection) -> Result<Vec<Policy>> {
    let mut s = c.prepare_cached(
        "SELECT identity, description, enable FROM policy
         ORDER BY CASE WHEN identity = 'global' THEN 0 WHEN identity LIKE 'site:%' THEN 1 ELSE 2 END, identity",
    )?;
    let rows =
        s.query_map([], |r| Ok(Policy { identity: r.get(0)?, description: r.get(1)?, enable: r.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Creates or overwrites a policy.
///
/// # Errors
/// SQLite's.
pub fn save_policy(c: &Connection, p: &Policy) -> Result<()> {
    c.execute(
        "INSERT INTO policy VALUES (?1, ?2, ?3) ON CONFLICT (identity) DO UPDATE SET description = ?2, enable = ?3",
        params![p.identity, p.description, p.enable],
    )?;
    Ok(())
}

/// Deletes a policy; users it was granted to have none afterwards.
///
/// # Errors
/// SQLite's.
pub fn remove_policy(c: &Connection, identity: &str) -> Result<()> {
    c.execute("DELETE FROM policy WHERE identity = ?1", [identity])?;
    Ok(())
}

/// Which policy decides for a user, and what it says: user beats site beats global (model §9).
pub fn effective(policies: &[Policy], granted: Option<&str>, site: Option<&str>) -> (bool, String) {
    let find = |id: &str| policies.iter().find(|p| p.identity.eq_ignore_ascii_case(id));
    if let Some(p) = granted.and_then(find) {
        return (p.enable, format!("user policy {}", p.identity));
    }
    if let Some(p) = site.and_then(|s| find(&format!("site:{s}"))) {
        return (p.enable, format!("site policy {}", p.identity));
    }
    (find("global").is_some_and(|p| p.enable), "global policy".to_owned())
}
