//! Posts are acknowledged before their compliance events are queued; a kill in between loses none of these.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::mirrors_queue::{files, folder, once, queued, says, written};
use crate::support::{PASSWORD, Sample};

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_waited_for_the_queue_are_recorded_after_a_kill() -> Result<()> {
    let mut s = Sample::start().await?;
    let out = tempfile::tempdir()?;
    let session = says(&s, 0..5).await?;
    queued(&s, 6).await?;
    // Nothing can be queued now; posts are taken all the same.
    let queue = folder(&s, "atl-sql-001.litwareinc.com").join("mgccomp.db");
    let held = rusqlite::Connection::open(queue)?;
    held.busy_timeout(Duration::from_secs(10))?;
    held.execute_batch("BEGIN IMMEDIATE")?;
    drop(says(&s, 5..30).await?);
    s.server.kill9();
    drop(session);
    let waiting: u32 = held.query_row("SELECT COUNT(*) FROM event", [], |r| r.get(0))?;
    ensure!(waiting == 6, "{waiting} events although the queue was held");
    held.execute_batch("ROLLBACK")?;
    drop(held);
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    queued(&s, 31).await?;
    drop(says(&s, 30..35).await?);
    written(&s, out.path(), false).await?;
    once(&files(out.path())?.0, 35)?;
    // Once more, with nothing lost: nothing is queued a second time.
    s.server.kill9();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    drop(says(&s, 35..36).await?);
    queued(&s, 2).await?;
    written(&s, out.path(), true).await?;
    once(&files(out.path())?.0, 36)
}
