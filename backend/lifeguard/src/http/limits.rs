//! Limits on log-ons: after failures a name from one address waits, so that nobody can lock others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use shared::Timestamp;

/// Free attempts before waiting begins.
const FREE: u32 = 5;
/// First wait; doubles with each further failure.
const BASE_MS: i64 = 2_000;
/// Longest wait.
const MAX_MS: i64 = 300_000;
/// Entries kept; beyond that the oldest go.
const MAX_ENTRIES: usize = 10_000;

/// Failures by (address, name).
#[derive(Default)]
pub struct LoginLimits {
    failures: Mutex<HashMap<(IpAddr, String), (u32, Timestamp)>>,
}

impl LoginLimits {
    fn key(ip: IpAddr, name: &str) -> (IpAddr, String) {
        (ip, name.trim().to_lowercase())
    }

    /// Seconds to wait before the next attempt; 0 when it may be made now.
    pub fn wait_seconds(&self, ip: IpAddr, name: &str, now: Timestamp) -> u64 {
        let map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((n, last)) = map.get(&Self::key(ip, name)) else { return 0 };
        if *n < FREE {
            return 0;
        }
        let wait = (BASE_MS << (n - FREE).min(10)).min(MAX_MS);
        let until = Timestamp::from_millis(last.millis() + wait);
        until.millis_since(now).div_ceil(1000)
    }

    /// Notes a failure.
    pub fn failed(&self, ip: IpAddr, name: &str, now: Timestamp) {
        let mut map = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MAX_ENTRIES
            && let Some(oldest) = map.iter().min_by_key(|(_, (_, t))| *t).map(|(k, _)| k.clone())
        {
            map.remove(&oldest);
        }
        let e = map.entry(Self::key(ip, name)).or_insert((0, now));
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
}
