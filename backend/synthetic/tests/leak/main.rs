//! Many runs with random faults leave nothing behind: no socket, no task, no session, nobody in a room.
//!
//! A program of its own, because it counts the sockets of the whole process. `LIFEGUARD_SOAK_RUNS` says how
//! many runs (50 when left out; `cargo xtask soak` has 1,000), `LIFEGUARD_SOAK_SEED` which ones.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

#[expect(dead_code, reason = "the other program uses more of it")]
#[path = "../scripted/peer.rs"]
mod peer;
#[expect(dead_code, unused_macros, unused_imports, reason = "the other program uses more of it")]
#[path = "../scripted/support.rs"]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use shared::synthetic::Outcome;
use synthetic::run_until;
use wire::xccos::Data;

use crate::peer::{Answer, Peer, RECEIVER, SENDER};

/// A generator that gives the same numbers for the same seed: a run that leaks can be had again.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

const AT: [&str; 12] = [
    "REGISTER",
    "SUBSCRIBE",
    "INVITE lookup",
    "cmd:requri",
    "INVITE channel",
    "cmd:chansrch",
    "cmd:join",
    "grpchat",
    "ACK",
    "cmd:part",
    "BYE",
    "REGISTER off",
];
const FAULTS: [&str; 8] = ["none", "silence", "500", "481", "bye", "close", "refused", "lost"];

fn answer(fault: &str) -> Answer {
    match fault {
        "silence" => Answer::Silence,
        "500" => Answer::Status(500, "Server Internal Error", ""),
        "481" => Answer::Gone,
        "bye" => Answer::Bye("SIP;text=\"stopped\""),
        "close" => Answer::Close,
        "refused" => Answer::Reply(403, "FORBIDDEN", Data::default()),
        "lost" => Answer::Deliver(None),
        _ => Answer::Usual,
    }
}

/// Faults that make no sense at a request would only make the peer answer nonsense.
fn fits(fault: &str, what: &str) -> bool {
    match fault {
        "none" | "silence" | "close" => true,
        "500" | "481" | "bye" if what == "ACK" => false,
        "481" | "bye" => what.starts_with("cmd:") || what == "grpchat",
        "refused" => what.starts_with("cmd:"),
        "lost" => what == "grpchat",
        _ => what != "BYE" && what != "REGISTER off",
    }
}

fn sockets() -> usize {
    let is_socket = |e: &std::fs::DirEntry| {
        std::fs::read_link(e.path()).is_ok_and(|t| t.to_string_lossy().starts_with("socket:"))
    };
    std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok).filter(is_socket).count()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Waits until sockets and tasks are again what they were; what ends by itself takes a moment.
async fn settled(before: (usize, usize), what: &str) {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let now = (sockets(), tasks());
        if now.0 <= before.0 && now.1 <= before.1 {
            return;
        }
        assert!(tokio::time::Instant::now() < end, "{what}: {now:?} sockets and tasks instead of {before:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn runs_with_random_faults_leave_nothing_behind() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |v| v.parse().expect("a number of LIFEGUARD_SOAK_…"))
    };
    let (runs, seed) = (number("LIFEGUARD_SOAK_RUNS", 50), number("LIFEGUARD_SOAK_SEED", 7));
    let mut random = Random(seed);
    let start = (sockets(), tasks());
    let mut ended: BTreeMap<String, u32> = BTreeMap::new();
    for n in 0..runs {
        let what = AT[random.next(12) as usize];
        let fault = loop {
            let f = FAULTS[random.next(8) as usize];
            if fits(f, what) {
                break f;
            }
        };
        let who = [SENDER, RECEIVER][random.next(2) as usize];
        let name = format!("run {n} of seed {seed}: {fault} at {what} of {who}");
        let peer =
            Peer::start(move |h| if h.user == who && h.what == what { answer(fault) } else { Answer::Usual })
                .await;
        let before = (sockets(), tasks());
        let mut p = support::plan(peer.at);
        // Short where an answer is missing; elsewhere a machine that is busy must not look like a fault.
        let ms = |short, long| {
            Duration::from_millis(if ["silence", "lost"].contains(&fault) { short } else { long })
        };
        (p.phase_timeout, p.total_timeout) = (ms(150, 10_000), ms(1500, 30_000));
        p.clean_up_timeout = ms(300, 3000);
        // A third of them is stopped somewhere on the way.
        let stop = (random.next(3) == 0).then(|| Duration::from_micros(random.next(15_000)));
        let stopping = async move {
            match stop {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let report = run_until(p, |_| {}, stopping).await;
        let cause = report.diagnosis.as_ref().map_or("success".to_owned(), |d| format!("{:?}", d.cause));
        *ended.entry(cause).or_default() += 1;
        if fault == "none" && stop.is_none() {
            assert_eq!(report.result, Outcome::Success, "{name}: {}", report.print());
        }
        settled(before, &name).await;
        // What the peer did answer, it was told the end of.
        if !["silence", "close"].contains(&fault) {
            assert_eq!(peer.left_open(), Vec::<String>::new(), "{name}");
            for user in [SENDER, RECEIVER] {
                let heard = peer.heard(user);
                let signed_in = heard.iter().any(|w| w == "SUBSCRIBE");
                assert!(!signed_in || peer.signed_off(user), "{name}: {heard:?}");
            }
        }
    }
    settled(start, "after all runs").await;
    println!("{runs} runs, seed {seed}: {ended:?}");
    assert!(ended.len() > 3, "{ended:?}");
}
