//! Groups of the directory, and who belongs to them and to units.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use node::members::{Members, Membership};
use rusqlite::{Connection, OptionalExtension, params};
use shared::Timestamp;
use tokio::sync::watch;

use super::{Management, Result};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Distinguished name.
    pub dn: String,
    /// Free text.
    pub description: String,
    /// Made when.
    pub created: Timestamp,
    /// Members that it names itself.
    pub members: u64,
}

const GROUP: &str = "SELECT dn, description, created,
    (SELECT COUNT(*) FROM chat_group_member m WHERE m.group_dn = g.dn) FROM chat_group g";

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        dn: r.get(0)?,
        description: r.get(1)?,
        created: Timestamp::from_millis(r.get(2)?),
        members: r.get::<_, i64>(3)?.unsigned_abs(),
    })
}

/// All groups by name.
///
/// # Errors
/// SQLite's.
pub fn groups(c: &Connection) -> Result<Vec<Group>> {
    let mut s = c.prepare_cached(&format!("{GROUP} ORDER BY dn"))?;
    Ok(s.query_map([], row)?.collect::<rusqlite::Result<_>>()?)
}

/// The group of this name.
///
/// # Errors
/// SQLite's.
pub fn group(c: &Connection, dn: &str) -> Result<Option<Group>> {
    Ok(c.prepare_cached(&format!("{GROUP} WHERE dn = ?1"))?.query_row([dn], row).optional()?)
}

fn texts(c: &Connection, sql: &str, of: &str) -> Result<Vec<String>> {
    let mut s = c.prepare_cached(sql)?;
    Ok(s.query_map([of], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Members that a group names itself, in order.
///
/// # Errors
/// SQLite's.
pub fn members(c: &Connection, dn: &str) -> Result<Vec<String>> {
    texts(c, "SELECT member FROM chat_group_member WHERE group_dn = ?1 ORDER BY member", dn)
}

/// Whether a group names this member itself.
///
/// # Errors
/// SQLite's.
pub fn has(c: &Connection, dn: &str, member: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM chat_group_member WHERE group_dn = ?1 AND member = ?2)";
    Ok(c.prepare_cached(sql)?.query_row([dn, member], |r| r.get(0))?)
}

/// Groups that name this member themselves.
///
/// # Errors
/// SQLite's.
pub fn of_member(c: &Connection, member: &str) -> Result<Vec<String>> {
    texts(c, "SELECT group_dn FROM chat_group_member WHERE member = ?1 ORDER BY group_dn", member)
}

/// Makes a group, or changes its description.
///
/// # Errors
/// SQLite's.
pub fn save(c: &Connection, g: &Group) -> Result<()> {
    c.prepare_cached(
        "INSERT INTO chat_group VALUES (?1, ?2, ?3) ON CONFLICT (dn) DO UPDATE SET description = ?2",
    )?
    .execute(params![g.dn, g.description, g.created.millis()])?;
    Ok(())
}

/// Adds members to a group; who is there already stays.
///
/// # Errors
/// SQLite's.
pub fn add<'a>(c: &Connection, dn: &str, members: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut s = c.prepare_cached("INSERT OR IGNORE INTO chat_group_member VALUES (?1, ?2)")?;
    for m in members {
        s.execute([dn, m])?;
    }
    Ok(())
}

/// Takes members out of a group.
///
/// # Errors
/// SQLite's.
pub fn take<'a>(c: &Connection, dn: &str, members: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut s = c.prepare_cached("DELETE FROM chat_group_member WHERE group_dn = ?1 AND member = ?2")?;
    for m in members {
        s.execute([dn, m])?;
    }
    Ok(())
}

/// Deletes a group; groups that it was in lose it.
///
/// # Errors
/// SQLite's.
pub fn remove(c: &Connection, dn: &str) -> Result<()> {
    c.execute("DELETE FROM chat_group_member WHERE member = ?1", [dn])?;
    c.execute("DELETE FROM chat_group WHERE dn = ?1", [dn])?;
    Ok(())
}

/// Units that users are in, each with how many are in it itself.
///
/// # Errors
/// SQLite's.
pub fn units(c: &Connection) -> Result<BTreeMap<String, u64>> {
    let mut s =
        c.prepare_cached("SELECT ou, COUNT(*) FROM chat_user WHERE ou <> '' GROUP BY ou COLLATE NOCASE")?;
    let rows = s.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The circle that would arise if `group` held `member`, as the names on its way; none when there is none.
///
/// # Errors
/// SQLite's.
pub fn circle(c: &Connection, group: &str, member: &str) -> Result<Option<Vec<String>>> {
    if group.to_lowercase() == member.to_lowercase() {
        return Ok(Some(vec![group.to_owned(), member.to_owned()]));
    }
    // From the member downwards: does a way lead to the group?
    let mut seen = HashSet::from([member.to_lowercase()]);
    let mut open = vec![vec![member.to_owned()]];
    while let Some(way) = open.pop() {
        let Some(last) = way.last() else { continue };
        for next in members(c, last)?.into_iter().filter(|m| shared::dn::is(m)) {
            let longer: Vec<String> = way.iter().cloned().chain([next.clone()]).collect();
            if next.to_lowercase() == group.to_lowercase() {
                return Ok(Some([group.to_owned()].into_iter().chain(longer).collect()));
            }
            if seen.insert(next.to_lowercase()) {
                open.push(longer);
            }
        }
    }
    Ok(None)
}

/// All of it at once.
///
/// # Errors
/// SQLite's.
pub fn everyone(c: &Connection) -> Result<Members> {
    let pairs = |sql: &str| -> Result<Vec<(String, String)>> {
        let mut s = c.prepare_cached(sql)?;
        Ok(s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
    };
    Ok(Members::new(
        pairs("SELECT group_dn, member FROM chat_group_member")?,
        pairs("SELECT sip_address, ou FROM chat_user WHERE ou <> ''")?,
    ))
}

/// What was read last of who belongs to what, and that it changed.
pub(super) struct Known {
    changes: watch::Sender<u64>,
    read: Mutex<Option<(u64, Arc<Members>)>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { changes: watch::channel(0).0, read: Mutex::default() }
    }
}

impl Management {
    /// To be told after each commit that changes groups, units or users: what was read is read anew, and
    /// chat servers look at rights again.
    pub fn membership_changed(&self) {
        self.inner.members.changes.send_modify(|n| *n += 1);
    }
}

impl Membership for Management {
    fn current(&self) -> Arc<Members> {
        let known = &self.inner.members;
        let mut read = known.read.lock().unwrap_or_else(PoisonError::into_inner);
        // The number first: what changes while it is read is read again the next time.
        let number = *known.changes.borrow();
        if let Some((_, members)) = read.as_ref().filter(|(n, _)| *n == number) {
            return members.clone();
        }
        match self.read(everyone) {
            Ok(members) => {
                let members = Arc::new(members);
                *read = Some((number, members.clone()));
                members
            }
            Err(e) => {
                tracing::error!(cause = %e, "groups could not be read; what was known goes on");
                read.as_ref().map(|(_, m)| m.clone()).unwrap_or_default()
            }
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.inner.members.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALES: &str = "CN=Sales,DC=a,DC=com";
    const EAST: &str = "CN=East,DC=a,DC=com";
    const ALL: &str = "CN=All,DC=a,DC=com";

    fn filled() -> (tempfile::TempDir, Management) {
        let dir = tempfile::tempdir().unwrap();
        let m = Management::open(&dir.path().join("management.db")).unwrap();
        m.write(|tx| {
            for dn in [SALES, EAST, ALL] {
                let g = Group {
                    dn: dn.into(),
                    description: String::new(),
                    created: Timestamp::from_millis(0),
                    members: 0,
                };
                save(tx, &g)?;
            }
            add(tx, ALL, [SALES])?;
            add(tx, SALES, [EAST, "sip:ken@a.com"])
        })
        .unwrap();
        m.membership_changed();
        (dir, m)
    }

    #[test]
    fn a_circle_is_told_with_its_way() {
        let (_dir, m) = filled();
        let way = m.read(|c| circle(c, EAST, &ALL.to_lowercase())).unwrap().unwrap();
        assert_eq!(way, [EAST, &ALL.to_lowercase(), SALES, EAST]);
        assert_eq!(m.read(|c| circle(c, ALL, EAST)).unwrap(), None);
        assert!(m.read(|c| circle(c, ALL, ALL)).unwrap().is_some());
    }

    #[test]
    fn a_change_is_seen_at_the_next_look() {
        let (_dir, m) = filled();
        let changes = m.changes();
        assert_eq!(m.current().principals("sip:ken@a.com").len(), 2);
        m.write(|tx| take(tx, SALES, ["SIP:KEN@a.com"])).unwrap();
        m.membership_changed();
        assert!(m.current().principals("sip:ken@a.com").is_empty());
        assert!(changes.has_changed().unwrap());
        m.write(|tx| remove(tx, SALES)).unwrap();
        let left = m.read(groups).unwrap();
        assert_eq!(
            left.iter().map(|g| (g.dn.as_str(), g.members)).collect::<Vec<_>>(),
            [(ALL, 0), (EAST, 0)]
        );
    }
}
