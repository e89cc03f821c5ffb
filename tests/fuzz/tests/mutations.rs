//! Every target on what it begins with, on each kept find, and on mutations with fixed seeds.
//! `LIFEGUARD_FUZZ_ROUNDS` asks for more of them, `LIFEGUARD_FUZZ_SEED` for others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lifeguard_fuzz::corpus::{finds, seeds};
use lifeguard_fuzz::mutate::{Random, mutate};
use lifeguard_fuzz::{TARGETS, Target, find};

/// Mutations of each target, without being asked for more.
const ROUNDS: u64 = 4_000;

fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or)
}

/// Runs a target; what breaks it is kept as a file and named.
fn run(t: &Target, bytes: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (t.run)(bytes))).is_ok() {
        return;
    }
    let dir = finds(t.name);
    let hash = bytes.iter().fold(5381_u64, |h, b| h.wrapping_mul(33) ^ u64::from(*b));
    let path = dir.join(format!("{hash:016x}"));
    std::fs::create_dir_all(&dir)
        .and_then(|()| std::fs::write(&path, bytes))
        .expect("the input cannot be kept");
    panic!("{} broke; the input is kept in {}", t.name, path.display());
}

fn mutations(name: &str) {
    let t = find(name).expect("no such target");
    let seeds = seeds(t);
    assert!(seeds.len() > 1, "{name} has {} seeds", seeds.len());
    for s in &seeds {
        run(t, s);
    }
    let mut random = Random::new(number("LIFEGUARD_FUZZ_SEED", 7));
    for _ in 0..number("LIFEGUARD_FUZZ_ROUNDS", ROUNDS) {
        let (a, b) = (random.below(seeds.len()), random.below(seeds.len()));
        run(t, &mutate(&mut random, &seeds[a], &seeds[b]));
    }
}

#[test]
fn sip_messages() {
    mutations("sip");
}

#[test]
fn sip_streams() {
    mutations("stream");
}

#[test]
fn chat_documents() {
    mutations("xccos");
}

#[test]
fn provisioning_documents() {
    mutations("provisioning");
}

#[test]
fn shell_lines() {
    mutations("shell");
}

#[test]
fn topology_documents() {
    mutations("topology");
}

#[test]
fn every_target_has_its_test() {
    let own = include_str!("mutations.rs");
    for t in &TARGETS {
        assert!(own.contains(&format!("mutations(\"{}\")", t.name)), "{}", t.name);
    }
}
