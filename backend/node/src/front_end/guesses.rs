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

impl Guesses {
    /// Whether this address has tried too often for this name.
    pub fn locked(&self, from: IpAddr, name: &str) -> bool {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.get(&key(from, name)).is_some_and(|(n, since)| *n >= FREE && since.elapsed() < WHILE)
    }

    /// Notes a wrong password.
    pub fn wrong(&self, from: IpAddr, name: &str) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= KEPT {
            list.retain(|_, (_, since)| since.elapsed() < WHILE);
            if list.len() >= KEPT {
                list.clear();
            }
        }
        let now = Instant::now();
        let e = list.entry(key(from, name)).or_insert((0, now));
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
}
