//! How people come to a password of their own: one-time links, forced changes, second factors. Tokens and
//! recovery codes are kept as SHA-256 only; sealed secrets are never opened here.

use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;

use super::Result;
use super::accounts::token_hash;

/// Whose password a link sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A portal account, by log-on name.
    Account,
    /// A chat user, by SIP address.
    User,
}

impl Kind {
    /// The word in the store and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
        }
    }
}

/// A one-time link that is still open.
#[derive(Debug, Clone)]
pub struct PasswordLink {
    /// Id that names it and opens nothing.
    pub id: String,
    /// Of whom.
    pub kind: Kind,
    /// Log-on name or SIP address.
    pub subject: String,
    /// Made when.
    pub created: Timestamp,
    /// Made by.
    pub created_by: String,
    /// Ends when.
    pub expires: Timestamp,
}

const LINK: &str = "id, kind, subject, created, created_by, expires";

fn link_row(r: &rusqlite::Row<'_>) -> rusqlite::Result<PasswordLink> {
    Ok(PasswordLink {
        id: r.get(0)?,
        kind: if r.get::<_, String>(1)? == "user" { Kind::User } else { Kind::Account },
        subject: r.get(2)?,
        created: Timestamp::from_millis(r.get(3)?),
        created_by: r.get(4)?,
        expires: Timestamp::from_millis(r.get(5)?),
    })
}

/// Adds a link; an earlier one of the same person is dead from now on.
///
/// # Errors
/// SQLite's.
pub fn add_link(c: &Connection, l: &PasswordLink, token: &str) -> Result<()> {
    c.prepare_cached("DELETE FROM password_link WHERE expires <= ?1")?.execute([l.created.millis()])?;
    let sql =
        "INSERT OR REPLACE INTO password_link (id, token_hash, kind, subject, created, created_by, expires)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    c.prepare_cached(sql)?.execute(params![
        l.id,
        token_hash(token),
        l.kind.word(),
        l.subject,
        l.created.millis(),
        l.created_by,
        l.expires.millis()
    ])?;
    Ok(())
}

/// Links that can still be used, those that end first before others.
///
/// # Errors
/// SQLite's.
pub fn links(c: &Connection, now: Timestamp) -> Result<Vec<PasswordLink>> {
    let sql = format!("SELECT {LINK} FROM password_link WHERE expires > ?1 ORDER BY expires, subject");
    let mut s = c.prepare_cached(&sql)?;
    Ok(s.query_map([now.millis()], link_row)?.collect::<rusqlite::Result<_>>()?)
}

/// The link that `token` opens.
///
/// # Errors
/// SQLite's.
pub fn link(c: &Connection, token: &str, now: Timestamp) -> Result<Option<PasswordLink>> {
    let sql = format!("SELECT {LINK} FROM password_link WHERE token_hash = ?1 AND expires > ?2");
    Ok(c.query_row(&sql, params![token_hash(token), now.millis()], link_row).optional()?)
}

/// Uses the link that `token` opens up; of two at once only one gets it.
///
/// # Errors
/// SQLite's.
pub fn take_link(c: &Connection, token: &str, now: Timestamp) -> Result<Option<PasswordLink>> {
    let sql = format!("DELETE FROM password_link WHERE token_hash = ?1 AND expires > ?2 RETURNING {LINK}");
    Ok(c.query_row(&sql, params![token_hash(token), now.millis()], link_row).optional()?)
}

/// Takes the link with this id back; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn remove_link(c: &Connection, id: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM password_link WHERE id = ?1", [id])? > 0)
}

/// Takes the link of a person back: a password came by another way, or the person is gone.
///
/// # Errors
/// SQLite's.
pub fn remove_link_of(c: &Connection, kind: Kind, subject: &str) -> Result<()> {
    let sql = "DELETE FROM password_link WHERE kind = ?1 AND subject = ?2";
    c.prepare_cached(sql)?.execute([kind.word(), subject])?;
    Ok(())
}

/// Gives an account a password; `by_another`: somebody else has set it, so it must be changed first.
///
/// # Errors
/// SQLite's.
pub fn set_password(c: &Connection, account: &str, hash: &str, by_another: bool) -> Result<()> {
    let sql = "UPDATE account SET password_hash = ?2, must_change = ?3 WHERE name = ?1";
    c.execute(sql, params![account, hash, by_another])?;
    remove_link_of(c, Kind::Account, account)
}

/// Whether an account must change its password before anything else.
///
/// # Errors
/// SQLite's.
pub fn must_change(c: &Connection, account: &str) -> Result<bool> {
    let mut s = c.prepare_cached("SELECT must_change FROM account WHERE name = ?1")?;
    Ok(s.query_row([account], |r| r.get(0)).optional()?.unwrap_or(false))
}

/// Ends the sessions of an account other than the one that `token` opens.
///
/// # Errors
/// SQLite's.
pub fn end_other_sessions(c: &Connection, account: &str, token: &str) -> Result<()> {
    let sql = "DELETE FROM session WHERE account = ?1 AND token_hash <> ?2";
    c.execute(sql, params![account, token_hash(token)])?;
    Ok(())
}

/// Ends one session of an account by the id that is shown; whether there was one.
///
/// # Errors
/// SQLite's.
pub fn end_own_session(c: &Connection, account: &str, id: &str) -> Result<bool> {
    Ok(c.execute("DELETE FROM session WHERE account = ?1 AND id = ?2 AND id <> ''", [account, id])? > 0)
}

/// Notes who made the API token whose text is `token`.
///
/// # Errors
/// SQLite's.
pub fn note_token_maker(c: &Connection, token: &str, account: &str) -> Result<()> {
    c.execute(
        "UPDATE api_token SET created_by = ?2 WHERE token_hash = ?1",
        params![token_hash(token), account],
    )?;
    Ok(())
}

/// Shown ids of the API tokens that an account has made.
///
/// # Errors
/// SQLite's.
pub fn own_tokens(c: &Connection, account: &str) -> Result<Vec<String>> {
    let sql =
        "SELECT lower(hex(substr(token_hash, 1, 6))) FROM api_token WHERE created_by = ?1 COLLATE NOCASE";
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_map([account], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

fn blob(c: &Connection, column: &str, account: &str) -> Result<Option<Vec<u8>>> {
    let sql = format!("SELECT {column} FROM account WHERE name = ?1");
    Ok(c.query_row(&sql, [account], |r| r.get(0)).optional()?.flatten())
}

/// The sealed secret of an account's second factor.
///
/// # Errors
/// SQLite's.
pub fn second_factor(c: &Connection, account: &str) -> Result<Option<Vec<u8>>> {
    blob(c, "totp", account)
}

/// The sealed secret that waits for its first code.
///
/// # Errors
/// SQLite's.
pub fn pending_factor(c: &Connection, account: &str) -> Result<Option<Vec<u8>>> {
    blob(c, "totp_pending", account)
}

/// Keeps a secret until its first code comes.
///
/// # Errors
/// SQLite's.
pub fn begin_factor(c: &Connection, account: &str, sealed: &[u8]) -> Result<()> {
    c.execute("UPDATE account SET totp_pending = ?2 WHERE name = ?1", params![account, sealed])?;
    Ok(())
}

/// The first code came: the secret counts, and so do these recovery codes.
///
/// # Errors
/// SQLite's.
pub fn confirm_factor(c: &Connection, account: &str, step: u64, codes: &[String]) -> Result<()> {
    let sql = "UPDATE account SET totp = totp_pending, totp_pending = NULL, totp_step = ?2 WHERE name = ?1";
    c.execute(sql, params![account, step.cast_signed()])?;
    c.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
    for code in codes {
        c.execute("INSERT INTO recovery_code VALUES (?1, ?2)", params![account, token_hash(code)])?;
    }
    Ok(())
}

/// Takes a code for a step; `false` when one of this or a later step was taken before.
///
/// # Errors
/// SQLite's.
pub fn use_step(c: &Connection, account: &str, step: u64) -> Result<bool> {
    let sql = "UPDATE account SET totp_step = ?2 WHERE name = ?1 AND totp_step < ?2";
    Ok(c.execute(sql, params![account, step.cast_signed()])? > 0)
}

/// Uses a recovery code up; `false` when it is none of the account's.
///
/// # Errors
/// SQLite's.
pub fn use_recovery_code(c: &Connection, account: &str, code: &str) -> Result<bool> {
    let sql = "DELETE FROM recovery_code WHERE account = ?1 AND code_hash = ?2";
    Ok(c.execute(sql, params![account, token_hash(code)])? > 0)
}

/// Recovery codes that are left.
///
/// # Errors
/// SQLite's.
pub fn recovery_codes(c: &Connection, account: &str) -> Result<u32> {
    Ok(c.query_row("SELECT count(*) FROM recovery_code WHERE account = ?1", [account], |r| r.get(0))?)
}

/// Removes an account's second factor with its recovery codes.
///
/// # Errors
/// SQLite's.
pub fn remove_factor(c: &Connection, account: &str) -> Result<()> {
    c.execute("UPDATE account SET totp = NULL, totp_pending = NULL WHERE name = ?1", [account])?;
    c.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::accounts::{Account, save_account};
    use super::super::{Management, StoreError};
    use super::*;

    fn store() -> (tempfile::TempDir, Management) {
        let dir = tempfile::tempdir().unwrap();
        let m = Management::open(&dir.path().join("management.db")).unwrap();
        let ada = Account { name: "ada".to_owned(), role: "CsHelpDesk".to_owned(), ..Account::default() };
        m.write(|tx| save_account(tx, &ada, Timestamp::from_millis(0))).unwrap();
        (dir, m)
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_link_works_once_until_it_ends_and_a_new_one_kills_it() {
        let (_dir, m) = store();
        let made = |id: &str, expires| PasswordLink {
            id: id.to_owned(),
            kind: Kind::Account,
            subject: "Ada".to_owned(),
            created: at(1),
            created_by: "root".to_owned(),
            expires: at(expires),
        };
        m.write(|tx| {
            add_link(tx, &made("1", 100), "first")?;
            add_link(tx, &made("2", 100), "second")?;
            assert!(link(tx, "first", at(2))?.is_none(), "the earlier one is dead");
            assert!(take_link(tx, "second", at(100))?.is_none(), "it has ended");
            assert_eq!(take_link(tx, "second", at(99))?.unwrap().subject, "Ada");
            assert!(take_link(tx, "second", at(99))?.is_none(), "it works once");
            add_link(tx, &made("3", 100), "third")?;
            set_password(tx, "ada", "hash", true)?;
            assert!(links(tx, at(2))?.is_empty() && must_change(tx, "ADA")?);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }

    #[test]
    fn a_code_counts_once_and_a_recovery_code_too() {
        let (_dir, m) = store();
        m.write(|tx| {
            begin_factor(tx, "ada", b"sealed")?;
            assert!(second_factor(tx, "ada")?.is_none());
            confirm_factor(tx, "ada", 7, &["one".to_owned(), "two".to_owned()])?;
            assert_eq!(second_factor(tx, "ada")?.as_deref(), Some(b"sealed".as_slice()));
            assert!(pending_factor(tx, "ada")?.is_none());
            assert!(!use_step(tx, "ada", 7)? && use_step(tx, "ada", 8)? && !use_step(tx, "ada", 8)?);
            assert!(use_recovery_code(tx, "ada", "two")? && !use_recovery_code(tx, "ada", "two")?);
            assert_eq!(recovery_codes(tx, "ada")?, 1);
            remove_factor(tx, "ada")?;
            assert!(second_factor(tx, "ada")?.is_none() && !use_recovery_code(tx, "ada", "one")?);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    }
}
