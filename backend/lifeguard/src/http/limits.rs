//! Limits on log-ons: after failures a name from one address waits, so that nobody can lock others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use shared::Timestamp;

/// Free attempts before waiting begins.
const FREE: u32 = 5;
/// First wait; doubles with each further failure.
const BASE_MS: i64 = 2_000;
/// Longest wait.
const MAX_MS: i64 = 300_000;
/// Entries kept; beyond that those with the fewest failures go, a tenth at once.
const MAX_ENTRIES: usize = 10_000;

/// Hash of an address and a name: nobody chooses how much is kept of him.
type Key = [u8; 32];

/// Failures by address and name.
#[derive(Default)]
pub struct LoginLimits {
    failures: Mutex<HashMap<Key, (u32, Timestamp)>>,
}

/// How long a name waits after its last of `n` failures.
fn wait_ms(n: u32) -> i64 {
    if n < FREE { 0 } else { (BASE_MS << (n - FREE).min(10)).min(MAX_MS) }
}

/// Makes room: names that were guessed at once go before those that were often, and those that wait go last.
fn thin(map: &mut HashMap<Key, (u32, Timestamp)>, now: Timestamp) {
    let mut all: Vec<_> = map
        .iter()
        .map(|(k, (n, last))| (last.millis() + wait_ms(*n) > now.millis() && *n >= FREE, *n, *last, *k))
        .collect();
    all.sort_unstable();
    // When all wait, the one that has waited longest goes: memory has an end.
    let going = all.iter().take(MAX_ENTRIES / 10).take_while(|e| !e.0).count().max(1);
    for (_, _, _, key) in &all[..going] {
        map.remove(key);
    }
}

impl LoginLimits {
    fn key(ip: IpAddr, name: &str) -> Key {
        Sha256::digest(format!("{ip}/{}", name.trim().to_lowercase()).as_bytes()).into()
    }

    /// Seconds to wait before the next attempt; 0 when it may be made now.
    pub fn wait_seconds(&self, ip: IpAddr, name: &str, now: Timestamp) -> u64 {
        let map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((n, last)) = map.get(&Self::key(ip, name)) else { return 0 };
        if *n < FREE {
            return 0;
        }
        let until = Timestamp::from_millis(last.millis() + wait_ms(*n));
        until.millis_since(now).div_ceil(1000)
    }

    /// Notes a failure.
    pub fn failed(&self, ip: IpAddr, name: &str, now: Timestamp) {
        let mut map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Self::key(ip, name);
        if map.len() >= MAX_ENTRIES && !map.contains_key(&key) {
            thin(&mut map, now);
        }
        let e = map.entry(key).or_insert((0, now));
        *e = (e.0 + 1, now);
    }

    /// Forgets failures after a log-on.
    pub fn succeeded(&self, ip: IpAddr, name: &str) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&Self::key(ip, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_after_five_and_is_per_address() {
        let l = LoginLimits::default();
        let (a, b): (IpAddr, IpAddr) = ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
        let t = Timestamp::from_millis(1_000_000);
        for _ in 0..5 {
            assert_eq!(l.wait_seconds(a, "root", t), 0);
            l.failed(a, "Root", t);
        }
        assert_eq!(l.wait_seconds(a, "root", t), 2);
        assert_eq!(l.wait_seconds(b, "root", t), 0);
        assert_eq!(l.wait_seconds(a, "root", Timestamp::from_millis(1_002_000)), 0);
        l.succeeded(a, "root");
        assert_eq!(l.wait_seconds(a, "root", t), 0);
    }

    #[test]
    fn invented_names_free_nobody_and_memory_has_an_end() {
        let (l, a, t) =
            (LoginLimits::default(), IpAddr::from([10, 0, 0, 1]), Timestamp::from_millis(1_000_000));
        let at = |ms: i64| Timestamp::from_millis(t.millis() + ms);
        for _ in 0..12 {
            l.failed(a, "root", t);
        }
        for _ in 0..4 {
            l.failed(a, "almost", t);
        }
        for n in 0..3 * MAX_ENTRIES {
            l.failed(a, &format!("nobody{n}"), at(1));
        }
        assert!(l.wait_seconds(a, "root", at(2)) > 200, "flooding freed a name that waits");
        l.failed(a, "almost", at(2));
        assert_eq!(l.wait_seconds(a, "almost", at(2)), 2, "flooding freed a name that was guessed at");
        assert!(l.failures.lock().unwrap().len() <= MAX_ENTRIES);
        // Even if all of them wait.
        let full = LoginLimits::default();
        for n in 0..=MAX_ENTRIES {
            for _ in 0..FREE {
                full.failed(a, &format!("name{n}"), at(i64::try_from(n).unwrap() / 100));
            }
        }
        assert!(full.failures.lock().unwrap().len() <= MAX_ENTRIES);
        assert_eq!(size_of::<Key>(), 32, "a long name takes no more than a short one");
    }
}
