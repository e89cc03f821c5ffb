//! A room with very many messages, written straight into the database of its pool, and how long a join takes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use wire::roomuri::RoomUri;
use wire::xccos::{ChanIb, Data, Item};

use super::sip::Ours;
use super::{Line, Service};
use crate::wait;

/// Every file below `dir` that is an SQLite database.
fn databases(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            databases(&path, found)?;
        } else if std::fs::read(&path).is_ok_and(|b| b.starts_with(b"SQLite format 3\0")) {
            found.push(path);
        }
    }
    Ok(())
}

/// Writes `count` messages into a room of a server that does not run.
///
/// # Errors
/// No database has this room.
pub fn fill(data: &Path, room: &str, count: u32) -> Result<()> {
    let id = RoomUri::parse(room).context("not a room")?.id;
    let mut all = Vec::new();
    databases(data, &mut all)?;
    for path in all {
        let c = Connection::open(&path)?;
        let has = "SELECT 1 FROM room WHERE id = ?1";
        if !c.prepare(has).and_then(|mut s| s.exists([&id])).unwrap_or(false) {
            continue;
        }
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
            INSERT INTO message SELECT ?1, i, 1600000000000 + i * 1000, 'sip:user' || i % 997 || '@litwareinc.com',
              'User ' || i % 997, 'Message ' || i || ': the quick brown fox jumps over the lazy dog, as it does each time',
              NULL, 'made/' || i FROM n";
        c.execute(sql, rusqlite::params![id, count])?;
        c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        return Ok(());
    }
    anyhow::bail!("no database has the room {room}")
}

/// Waits until the service takes connections.
///
/// # Errors
/// It does not.
pub async fn listening(service: &Ours) -> Result<()> {
    wait::until("the chat service", async || {
        let mut line = Line::open(service.at, 0).await?;
        service.sign_on(&mut line, 0).await.map(drop)
    })
    .await
}

/// How long person `n` takes to join the room and to get the last `count` messages.
///
/// # Errors
/// He is refused, or gets fewer.
pub async fn join(service: &Ours, n: usize, room: &str, count: u32) -> Result<Duration> {
    let mut line = Line::open(service.at, n).await?;
    let mut who = service.sign_on(&mut line, n).await?;
    let begun = Instant::now();
    service.join(&mut line, &mut who, room).await?;
    let ask = ChanIb { uri: room.to_owned(), last: Some(count), ..ChanIb::default() };
    let (code, data) = who.command(&mut line, "cmd:bccontext", Data::one(Item::ChanIb(ask))).await?;
    let taken = begun.elapsed();
    let got = data.rooms().next().map_or(0, |r| r.msgs.len());
    ensure!(code == 200 && got == count as usize, "{got} messages instead of {count}, code {code}");
    Ok(taken)
}
