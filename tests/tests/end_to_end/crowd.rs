//! A crowd in a room, as `cargo xtask bench` measures it, in small: everyone is told everything once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use lifeguard_tests::crowd::{Crowd, long_room, services};

use crate::support::Sample;

/// People who sign on, some of them for a room.
const PEOPLE: usize = 60;
const TALKERS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn everyone_in_a_crowd_is_told_everything_once() -> Result<()> {
    let mut s = Sample::start().await?;
    let client = Arc::new(s.client);
    let ours = services::ours(&client, PEOPLE).await?;
    let (near, far) = (services::room(&client, "Near").await?, services::room(&client, "Far").await?);
    let (mut crowd, _) = Crowd::sign_on(ours.clone(), PEOPLE).await?;
    let (mut near, _) = crowd.enter(&near, 30).await?;
    let (mut far, _) = crowd.enter(&far, 20).await?;
    ensure!(crowd.left() == PEOPLE - 50);
    let time = Duration::from_secs(2);
    // Both rooms at once: neither is told what is said in the other.
    let (a, b) = tokio::try_join!(near.rush(TALKERS, time), far.pace(20.0, time))?;
    ensure!(a.posted > TALKERS as u64 && b.posted >= 20, "{a:?} {b:?}");
    ensure!(a.delivered == a.posted * 30 && b.delivered == b.posted * 20, "{a:?} {b:?}");

    // A room with a long past is joined as fast as any.
    let long = services::room(&client, "Long").await?;
    s.server.stop().await?;
    long_room::fill(s.server.data_dir(), &long, 20_000)?;
    s.server.restart().await?;
    long_room::listening(&ours).await?;
    for n in 1..4 {
        long_room::join(&ours, n, &long, 500).await?;
    }
    Ok(())
}
