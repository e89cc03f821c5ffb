//! Digest nonces: time and HMAC, so that nothing is stored until one is used; counts are kept to refuse replays.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ring::hmac;
use ring::rand::SystemRandom;

/// A nonce is answered as stale after this time.
const LIFE_MS: u64 = 300_000;
/// Used nonces kept.
const MAX_USED: usize = 100_000;

/// Verdict on a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ours, alive, and the count is new.
    Fresh,
    /// Ours but old: challenge again with stale=true.
    Stale,
    /// Not ours, or the count was used before.
    Replayed,
}

/// Makes and judges nonces.
pub struct Nonces {
    key: hmac::Key,
    used: Mutex<HashMap<String, (u64, u32)>>,
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Nonces {
    /// With a key of its own.
    pub fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .expect("a machine without a random number generator cannot run a secure service");
        Self { key, used: Mutex::default() }
    }

    fn seal(&self, at: u64) -> String {
        let tag = hmac::sign(&self.key, &at.to_be_bytes());
        format!("{at:x}-{}", hex::encode(&tag.as_ref()[..16]))
    }

    /// A new nonce. Two in the same millisecond differ by their time, which is what the count hangs on.
    pub fn make(&self) -> String {
        self.seal(now_ms())
    }

    /// Judges a nonce with its count.
    pub fn judge(&self, nonce: &str, nc: u32, client: &str) -> Verdict {
        let Some(at) = nonce.split('-').next().and_then(|t| u64::from_str_radix(t, 16).ok()) else {
            return Verdict::Replayed;
        };
        if self.seal(at) != nonce {
            return Verdict::Replayed;
        }
        let now = now_ms();
        if now.saturating_sub(at) > LIFE_MS {
            return Verdict::Stale;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MAX_USED {
            used.retain(|_, (t, _)| now.saturating_sub(*t) <= LIFE_MS);
        }
        // Several clients may hold a nonce of the same millisecond; the client's own nonce tells them apart.
        let e = used.entry(format!("{nonce}/{client}")).or_insert((at, 0));
        if nc <= e.1 {
            return Verdict::Replayed;
        }
        e.1 = nc;
        Verdict::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replays_and_strangers_are_refused() {
        let n = Nonces::new();
        let nonce = n.make();
        assert_eq!(n.judge(&nonce, 1, "c"), Verdict::Fresh);
        assert_eq!(n.judge(&nonce, 1, "c"), Verdict::Replayed);
        assert_eq!(n.judge(&nonce, 2, "c"), Verdict::Fresh);
        assert_eq!(n.judge("0-00", 1, "c"), Verdict::Replayed);
        assert_eq!(Nonces::new().judge(&nonce, 3, "c"), Verdict::Replayed);
        assert_eq!(n.judge(&n.seal(1), 1, "c"), Verdict::Stale);
    }
}
