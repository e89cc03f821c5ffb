//! Portal accounts, sessions, API tokens and share links. Tokens are kept as SHA-256 only.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use shared::Timestamp;

use super::Result;

/// SHA-256 of a token's text.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A portal account.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// Log-on name.
    pub name: String,
    /// Standard role.
    pub role: String,
    /// argon2id, PHC text.
    pub password_hash: String,
    /// May sign in.
    pub enabled: bool,
    /// Last log-on.
    pub last_login: Option<Timestamp>,
    /// Somebody else has set the password: it must be changed before anything else.
    pub must_change: bool,
    /// Signing in asks for a code besides (see [`super::people`]).
    pub second_factor: bool,
}

const ACCOUNT: &str =
    "a.name, a.role, a.password_hash, a.enabled, a.last_login, a.must_change, a.totp IS NOT NULL";

fn account_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        name: r.get(0)?,
        role: r.get(1)?,
        password_hash: r.get(2)?,
        enabled: r.get(3)?,
        last_login: r.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        must_change: r.get(5)?,
        second_factor: r.get(6)?,
    })
}

/// The account with this name, any case.
///
/// # Errors
/// SQLite's.
pub fn account(c: &Connection, name: &str) -> Result<Option<Account>> {
    let sql = format!("SELECT {ACCOUNT} FROM account a WHERE name = ?1");
    Ok(c.query_row(&sql, [name], account_row).optional()?)
}

/// All accounts by name.
///
/// # Errors
/// SQLite's.
pub fn accounts(c: &Connection) -> Result<Vec<Account>> {
    let mut s = c.prepare_cached(&format!("SELECT {ACCOUNT} FROM account a ORDER BY name"))?;
    Ok(s.query_map([], account_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Creates or overwrites an account.
///
/// # Errors
/// SQLite's.
pub fn save_account(c: &Connection, a: &Account, at: Timestamp) -> Result<()> {
    c.execute(
        "INSERT INTO account (name, role, password_hash, enabled, created, must_change) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name) DO UPDATE SET role = ?2, password_hash = ?3, enabled = ?4, must_change = ?6",
        params![a.name, a.role, a.password_hash, a.enabled, at.millis(), a.must_change],
    )?;
    Ok(())
}

/// Notes a log-on.
///
/// # Errors
/// SQLite's.
pub fn note_login(c: &Connection, name: &str, at: Timestamp) -> Result<()> {
    c.execute("UPDATE account SET last_login = ?2 WHERE name = ?1", params![name, at.millis()])?;
    Ok(())
}

/// Opens a session.
///
/// # Errors
/// SQLite's.
pub fn add_session(
    c: &Connection,
    token: &str,
    account: &str,
    source: &str,
    at: Timestamp,
    expires: Timestamp,
) -> Result<()> {
    c.execute("DELETE FROM session WHERE expires < ?1", [at.millis()])?;
    let hash = token_hash(token);
    c.execute(
        "INSERT INTO session VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
        params![hash, account, at.millis(), expires.millis(), short_id(&hash), source],
    )?;
    Ok(())
}

/// The id that a session with this token is shown by.
pub fn session_id(token: &str) -> String {
    short_id(&token_hash(token))
}

/// An id that may be shown: it names a token and opens nothing.
fn short_id(hash: &[u8]) -> String {
    hex::encode(&hash[..6])
}

/// A session or API token as it may be shown.
#[derive(Debug, Clone)]
pub struct Access {
    /// Id.
    pub id: String,
    /// Account, or label of a token.
    pub name: String,
    /// Address of a session, role of a token.
    pub detail: String,
    /// When it began.
    pub created: Timestamp,
    /// When a session was last used; when a token was made for a token.
    pub last_seen: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

fn access_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Access> {
    Ok(Access {
        id: r.get(0)?,
        name: r.get(1)?,
        detail: r.get(2)?,
        created: Timestamp::from_millis(r.get(3)?),
        last_seen: Timestamp::from_millis(r.get(4)?),
        expires: r.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
    })
}

/// Live sessions, used last first.
///
/// # Errors
/// SQLite's.
pub fn sessions(c: &Connection, now: Timestamp) -> Result<Vec<Access>> {
    let mut s = c.prepare_cached(
        "SELECT id, account, source, created, last_seen, expires FROM session WHERE expires > ?1 ORDER BY last_seen DESC",
    )?;
    Ok(s.query_map([now.millis()], access_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Ends the session with this shown id; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn end_session_by_id(c: &Connection, id: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM session WHERE id = ?1 AND id <> ''", [id])? > 0)
}

/// API tokens, newest first.
///
/// # Errors
/// SQLite's.
pub fn api_tokens(c: &Connection) -> Result<Vec<Access>> {
    let mut s = c.prepare_cached(
        "SELECT lower(hex(substr(token_hash, 1, 6))), label, role, created, created, expires FROM api_token ORDER BY created DESC",
    )?;
    Ok(s.query_map([], access_row)?.collect::<rusqlite::Result<_>>()?)
}

/// Deletes the API token with this shown id; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn remove_api_token(c: &Connection, id: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM api_token WHERE lower(hex(substr(token_hash, 1, 6))) = lower(?1)", [id])? > 0)
}

/// The account of a live session, with its end.
///
/// # Errors
/// SQLite's.
pub fn session(c: &Connection, token: &str, now: Timestamp) -> Result<Option<(Account, Timestamp)>> {
    let sql = format!(
        "SELECT {ACCOUNT}, s.expires FROM session s
         JOIN account a ON a.name = s.account WHERE s.token_hash = ?1 AND s.expires > ?2 AND a.enabled"
    );
    let row = c
        .query_row(&sql, params![token_hash(token), now.millis()], |r| {
            Ok((account_row(r)?, Timestamp::from_millis(r.get(7)?)))
        })
        .optional()?;
    Ok(row)
}

/// Moves a session's end.
///
/// # Errors
/// SQLite's.
pub fn extend_session(c: &Connection, token: &str, now: Timestamp, expires: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE session SET last_seen = ?2, expires = ?3 WHERE token_hash = ?1",
        params![token_hash(token), now.millis(), expires.millis()],
    )?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// SQLite's.
pub fn end_session(c: &Connection, token: &str) -> Result<()> {
    c.execute("DELETE FROM session WHERE token_hash = ?1", [token_hash(token)])?;
    Ok(())
}

/// Ends all sessions of an account.
///
/// # Errors
/// SQLite's.
pub fn end_sessions_of(c: &Connection, account: &str) -> Result<()> {
    c.execute("DELETE FROM session WHERE account = ?1", [account])?;
    Ok(())
}

/// Adds an API token.
///
/// # Errors
/// SQLite's.
pub fn add_api_token(
    c: &Connection,
    token: &str,
    label: &str,
    role: &str,
    at: Timestamp,
    expires: Option<Timestamp>,
) -> Result<()> {
    c.execute(
        "INSERT INTO api_token (token_hash, label, role, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![token_hash(token), label, role, at.millis(), expires.map(Timestamp::millis)],
    )?;
    Ok(())
}

/// A live API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Label.
    pub label: String,
    /// Its own role.
    pub role: String,
    /// The account that answers for it and the role that this has now; none for a token that was made on the host.
    pub maker: Option<(String, String)>,
}

/// The live API token with this text. It is worth nothing while the account of whoever made it is disabled or gone.
///
/// # Errors
/// SQLite's.
pub fn api_token(c: &Connection, token: &str, now: Timestamp) -> Result<Option<ApiToken>> {
    let sql = "SELECT t.label, t.role, a.name, a.role FROM api_token t
               LEFT JOIN account a ON a.name = t.created_by COLLATE NOCASE
               WHERE t.token_hash = ?1 AND (t.expires IS NULL OR t.expires > ?2) AND (t.created_by = '' OR a.enabled)";
    let row = |r: &rusqlite::Row<'_>| {
        let maker = r.get::<_, Option<String>>(2)?.zip(r.get(3)?);
        Ok(ApiToken { label: r.get(0)?, role: r.get(1)?, maker })
    };
    Ok(c.query_row(sql, params![token_hash(token), now.millis()], row).optional()?)
}

/// A share link.
#[derive(Debug, Clone)]
pub struct Share {
    /// Id (not the token).
    pub id: String,
    /// Who it is for.
    pub label: String,
    /// Made when.
    pub created: Timestamp,
    /// Made by.
    pub created_by: String,
    /// Ends when.
    pub expires: Option<Timestamp>,
    /// Revoked when.
    pub revoked: Option<Timestamp>,
    /// Opened last.
    pub last_used: Option<Timestamp>,
    /// Times opened.
    pub uses: u64,
    /// Pools shown, by FQDN; none is all.
    pub pools: Vec<String>,
    /// `State`, `Servers` or `Procedure`.
    pub level: String,
    /// argon2id of the passphrase, when it asks for one.
    pub passphrase: Option<String>,
    /// Whoever has it may send a test message.
    pub may_test: bool,
}

fn share_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Share> {
    let time = |i: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(r.get::<_, Option<i64>>(i)?.map(Timestamp::from_millis))
    };
    Ok(Share {
        id: r.get(0)?,
        label: r.get(1)?,
        created: Timestamp::from_millis(r.get(2)?),
        created_by: r.get(3)?,
        expires: time(4)?,
        revoked: time(5)?,
        last_used: time(6)?,
        uses: r.get::<_, i64>(7)?.unsigned_abs(),
        // A list that does not parse must not widen what the link shows: it then names no pool there is.
        pools: serde_json::from_str(&r.get::<_, String>(8)?).unwrap_or_else(|_| vec![String::new()]),
        level: r.get(9)?,
        passphrase: r.get(10)?,
        may_test: r.get(11)?,
    })
}

const SHARE: &str = "SELECT id, label, created, created_by, expires, revoked, last_used, uses, pools, level, passphrase, may_test FROM share";

/// All share links, newest first.
///
/// # Errors
/// SQLite's.
pub fn shares(c: &Connection) -> Result<Vec<Share>> {
    let mut s = c.prepare_cached(&format!("{SHARE} ORDER BY created DESC, id"))?;
    Ok(s.query_map([], share_row)?.collect::<rusqlite::Result<_>>()?)
}

/// The live share that `token` opens.
///
/// # Errors
/// SQLite's.
pub fn live_share(c: &Connection, token: &str, now: Timestamp) -> Result<Option<Share>> {
    let sql =
        format!("{SHARE} WHERE token_hash = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2)");
    Ok(c.query_row(&sql, params![token_hash(token), now.millis()], share_row).optional()?)
}

/// Adds a share link.
///
/// # Errors
/// SQLite's.
pub fn add_share(c: &Connection, s: &Share, token: &str) -> Result<()> {
    c.execute(
        "INSERT INTO share (id, token_hash, label, created, created_by, expires, pools, level, passphrase, may_test)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            s.id,
            token_hash(token),
            s.label,
            s.created.millis(),
            s.created_by,
            s.expires.map(Timestamp::millis),
            serde_json::to_string(&s.pools)?,
            s.level,
            s.passphrase,
            s.may_test
        ],
    )?;
    Ok(())
}

/// Revokes a share link.
///
/// # Errors
/// SQLite's.
pub fn revoke_share(c: &Connection, id: &str, at: Timestamp) -> Result<()> {
    c.execute("UPDATE share SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL", params![id, at.millis()])?;
    Ok(())
}

/// Notes that a share was opened.
///
/// # Errors
/// SQLite's.
pub fn note_share_use(c: &Connection, id: &str, at: Timestamp) -> Result<()> {
    c.execute("UPDATE share SET uses = uses + 1, last_used = ?2 WHERE id = ?1", params![id, at.millis()])?;
    Ok(())
}
