//! The part of `cargo xtask bench` about the chat service: sessions held, sign-ons, messages delivered into rooms of
//! 30, 150 and 5,000 people, beside prosody's group chat under the same load in the same run; and a room with a
//! million messages. The crowd runs on the same machine and takes its share of it: ratios are what counts.
//! `LIFEGUARD_CHAT_SESSIONS` asks for fewer people (rooms that they do not fill are left out), `LIFEGUARD_CHAT_ALONE`
//! for ours alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::crowd::services::{self, cpu_seconds, resident_kb};
use lifeguard_tests::crowd::sip::Ours;
use lifeguard_tests::crowd::{Crowd, Measured, Service, long_room};
use lifeguard_tests::{more_files, sample};

/// People in the rooms that are measured; the last one is above the limit up to which rooms tell who comes and goes.
const ROOMS: [usize; 3] = [30, 150, 5_000];
/// People who talk at the same time.
const TALKERS: usize = 4;
/// How long a room is measured, each way.
const TIME: Duration = Duration::from_secs(8);
/// Deliveries per second of the steady pace.
const STEADY: f64 = 1_000.0;
/// How long a room may take to fill; after that it is left out and said.
const FILL: Duration = Duration::from_secs(240);
/// Messages of the long room.
const LONG: u32 = 1_000_000;
/// How long a join of it with its history may take.
const JOIN: Duration = Duration::from_millis(50);

/// What one service did.
struct Done {
    sign_ons: f64,
    kb_each: f64,
    rooms: Vec<Rates>,
}

struct Rates {
    people: usize,
    joins: f64,
    rush: Measured,
    pace: Measured,
    /// Processor time of the service for each delivery, microseconds.
    cpu_us: f64,
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

fn per_second(n: u64, seconds: f64) -> f64 {
    n as f64 / seconds
}

/// Signs everybody on, fills the rooms, lets them talk.
async fn drive<S: Service>(
    name: &str,
    service: S,
    id: u32,
    sessions: usize,
    rooms: &[(usize, String)],
) -> Result<Done> {
    let before = resident_kb(id)?;
    let (mut crowd, taken) = Crowd::sign_on(service, sessions).await?;
    let kb_each = resident_kb(id)?.saturating_sub(before) as f64 / sessions as f64;
    let sign_ons = sessions as f64 / taken.as_secs_f64();
    println!("{name:<12}{sessions:>7} sessions held {sign_ons:>10.0} sign-ons/s {kb_each:>10.1} kB each");
    let mut done = Done { sign_ons, kb_each, rooms: Vec::new() };
    let mut open = Vec::new();
    for (people, address) in rooms {
        let Ok(entered) = tokio::time::timeout(FILL, crowd.enter(address, *people)).await else {
            println!("{name:<12}room of {people:>5} was not full after {} s", FILL.as_secs());
            break;
        };
        let (mut room, taken) = entered?;
        let pace = room.pace(STEADY / *people as f64, TIME).await?;
        let cpu = cpu_seconds(id)?;
        let rush = room.rush(TALKERS.min(*people), TIME).await?;
        let cpu_us = (cpu_seconds(id)? - cpu) * 1e6 / rush.delivered as f64;
        let joins = *people as f64 / taken.as_secs_f64();
        println!(
            "{name:<12}room of {people:>5} {joins:>8.0} joins/s {:>8.0} delivered/s {:>8.2} ms p50 {:>8.2} ms p99 as fast as it goes, {cpu_us:>5.0} us of processor each; {:>6.2} ms p50 {:>7.2} ms p99 at a steady {STEADY:.0}/s",
            per_second(rush.delivered, rush.seconds),
            ms(rush.p50),
            ms(rush.p99),
            ms(pace.p50),
            ms(pace.p99),
        );
        done.rooms.push(Rates { people: *people, joins, rush, pace, cpu_us });
        // They stay connected and in their rooms.
        open.push(room);
    }
    Ok(done)
}

fn compare(ours: &Done, theirs: &Done) {
    println!(
        "{:<12}{:>6.2} times its sign-ons/s, {:.2} times its memory for a session",
        "to prosody:",
        ours.sign_ons / theirs.sign_ons,
        ours.kb_each / theirs.kb_each
    );
    for (a, b) in ours.rooms.iter().zip(&theirs.rooms) {
        let rate = |r: &Rates| per_second(r.rush.delivered, r.rush.seconds);
        println!(
            "{:<12}room of {:>5}: {:.2} times its joins/s, {:.2} times its deliveries/s, {:.2} times its p50 and {:.2} times its p99 at the steady pace, {:.2} times its processor time for a delivery",
            "",
            a.people,
            a.joins / b.joins,
            rate(a) / rate(b),
            a.pace.p50.as_secs_f64() / b.pace.p50.as_secs_f64(),
            a.pace.p99.as_secs_f64() / b.pace.p99.as_secs_f64(),
            a.cpu_us / b.cpu_us
        );
    }
}

/// Joins a room with many messages and takes its history.
async fn long_history(service: &Ours, room: &str) -> Result<()> {
    for count in [30, 500] {
        let mut taken = Vec::new();
        for n in 0..20 {
            taken.push(long_room::join(service, n, room, count).await?);
        }
        taken.sort_unstable();
        let (p50, most) = (taken[taken.len() / 2], taken[taken.len() - 1]);
        println!(
            "{:<34}{:>10.1} ms p50 {:>8.1} ms at the most",
            format!("join of {LONG} messages, last {count}"),
            ms(p50),
            ms(most)
        );
        ensure!(p50 < JOIN, "a join with {count} messages takes {p50:?}, more than {JOIN:?}");
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let sessions: usize = std::env::var("LIFEGUARD_CHAT_SESSIONS").map_or(Ok(15_000), |n| n.parse())?;
    let largest = ROOMS.iter().rev().find(|r| **r + 200 <= sessions).copied();
    let sizes: Vec<usize> = ROOMS.into_iter().filter(|r| Some(*r) <= largest).collect();
    more_files(u64::try_from(sessions)? + 1_000)?;
    let (mut server, client, _) = sample().await?;
    let client = Arc::new(client);
    let begun = Instant::now();
    let ours = services::ours(&client, sessions).await?;
    println!("{:<34}{:>10.1} s for {sessions}", "users made", begun.elapsed().as_secs_f64());
    let mut rooms = Vec::new();
    for n in &sizes {
        rooms.push((*n, services::room(&client, &format!("Room of {n}")).await?));
    }
    let done = drive("lifeguard", ours.clone(), server.id(), sessions, &rooms)
        .await
        .with_context(|| format!("lifeguard\n{}", server.printed()))?;
    let room = services::room(&client, "Long").await?;
    server.stop().await?;
    let begun = Instant::now();
    long_room::fill(server.data_dir(), &room, LONG)?;
    println!("{:<34}{:>10.1} s", "a million messages written", begun.elapsed().as_secs_f64());
    server.restart().await?;
    long_room::listening(&ours).await?;
    long_history(&ours, &room).await?;
    server.stop().await?;
    if std::env::var_os("LIFEGUARD_CHAT_ALONE").is_none() {
        let (prosody, theirs) = services::prosody(sessions).await?;
        let rooms: Vec<_> = sizes.iter().map(|n| (*n, format!("room{n}"))).collect();
        let theirs = drive("prosody", theirs, prosody.id(), sessions, &rooms)
            .await
            .with_context(|| format!("prosody\n{}", prosody.printed()))?;
        compare(&done, &theirs);
    }
    Ok(())
}
