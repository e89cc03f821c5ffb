//! Wrong passwords: after a few from one address for one name, no more are tried for a while.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::digest;

/// Wrong passwords within [`WHILE`] before the name is locked for the address.
const FREE: u32 = 10;
/// How long wrong passwords count.
const WHILE: Duration = Duration::from_secs(60);
/// Most pairs of address and name remembered.
const KEPT: usize = 50_000;

/// Counts by the hash of address and name: a client cannot choose the size.
#[derive(Default)]
pub struct Guesses(Mutex<HashMap<[u8; 32], (u32, Instant)>>);

fn key(from: IpAddr, name: &str) -> [u8; 32] {
    let both = format!("{from}/{}", name.to_lowercase());
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, both.as_bytes()).as_ref());
    out
}

/// Makes room: what has expired goes, then names that were guessed at once before those that were often. A name that is
/// locked stays until all are; then the one that was locked first goes, because memory has an end.
fn thin(list: &mut HashMap<[u8; 32], (u32, Instant)>) {
    list.retain(|_, (_, since)| since.elapsed() < WHILE);
    if list.len() < KEPT {
        return;
    }
    let mut all: Vec<_> = list.iter().map(|(k, (n, since))| ((*n).min(FREE), *since, *k)).collect();
    all.sort_unstable();
    let going = all.iter().take(KEPT / 10).take_while(|(n, ..)| *n < FREE).count().max(1);
    for (_, _, key) in &all[..going] {
        list.remove(key);
    }
}

impl Guesses {
    /// Whether this address has tried too often for this name.
    pub fn locked(&self, from: IpAddr, name: &str) -> bool {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.get(&key(from, name)).is_some_and(|(n, since)| *n >= FREE && since.elapsed() < WHILE)
    }

    /// Notes a wrong password.
    pub fn wrong(&self, from: IpAddr, name: &str) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, now) = (key(from, name), Instant::now());
        if list.len() >= KEPT && !list.contains_key(&key) {
            thin(&mut list);
        }
        let e = list.entry(key).or_insert((0, now));
        if e.1.elapsed() >= WHILE {
            *e = (0, now);
        }
        e.0 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_guess_is_not_tried_and_others_are_not_locked_out() {
        let (g, here) = (Guesses::default(), IpAddr::from([10, 0, 0, 1]));
        for _ in 0..FREE {
            assert!(!g.locked(here, "Pilar"));
            g.wrong(here, "pilar");
        }
        assert!(g.locked(here, "PILAR"));
        assert!(!g.locked(IpAddr::from([10, 0, 0, 2]), "pilar") && !g.locked(here, "ken"));
    }

    #[test]
    fn invented_names_free_no_locked_one() {
        let (g, here) = (Guesses::default(), IpAddr::from([10, 0, 0, 1]));
        for _ in 0..FREE {
            g.wrong(here, "pilar");
        }
        for _ in 1..FREE {
            g.wrong(here, "ken");
        }
        for n in 0..KEPT + KEPT / 5 {
            g.wrong(here, &format!("nobody{n}"));
        }
        assert!(g.locked(here, "pilar"), "a flood has freed a locked name");
        g.wrong(here, "ken");
        assert!(g.locked(here, "ken"), "a flood has made guesses forgotten");
        assert!(g.0.lock().unwrap().len() <= KEPT);
        // Even if all are locked.
        let full = Guesses::default();
        let now = Instant::now();
        full.0.lock().unwrap().extend((0..KEPT).map(|n| (key(here, &n.to_string()), (FREE, now))));
        full.wrong(here, "one more");
        assert_eq!(full.0.lock().unwrap().len(), KEPT);
    }
}
