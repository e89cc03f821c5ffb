//! Digest nonces: time and HMAC, so that nothing is stored until one is used with the right password; counts
//! are kept to refuse replays.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ring::rand::SystemRandom;
use ring::{digest, hmac};

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
    /// How many were made.
    made: AtomicU64,
    /// Time and highest count by the hash of nonce and client's nonce: a client cannot choose the size.
    used: Mutex<HashMap<[u8; 32], (u64, u32)>>,
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn hash(nonce: &str, client: &str) -> [u8; 32] {
    let both = format!("{nonce}/{client}");
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, both.as_bytes()).as_ref());
    out
}

impl Nonces {
    /// With a key of its own.
    pub fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .expect("a machine without a random number generator cannot run a secure service");
        Self { key, made: AtomicU64::new(0), used: Mutex::default() }
    }

    fn seal(&self, at: u64, number: u64) -> String {
        let tag = hmac::sign(&self.key, &[at.to_be_bytes(), number.to_be_bytes()].concat());
        format!("{at:x}-{number:x}-{}", hex::encode(&tag.as_ref()[..16]))
    }

    /// A new nonce. Two in the same millisecond differ by their number: clients whose own nonces are alike (SIPE
    /// draws them from the clock) are not taken for each other's replay.
    pub fn make(&self) -> String {
        self.seal(now_ms(), self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// When it was made, if it is ours.
    fn time(&self, nonce: &str) -> Option<u64> {
        let mut parts = nonce.split('-').map(|p| u64::from_str_radix(p, 16).ok());
        let (at, number) = (parts.next()??, parts.next()??);
        (self.seal(at, number) == nonce).then_some(at)
    }

    /// Judges a nonce by itself; nothing is stored, so anyone may ask.
    pub fn look(&self, nonce: &str) -> Verdict {
        match self.time(nonce) {
            None => Verdict::Replayed,
            Some(at) if now_ms().saturating_sub(at) > LIFE_MS => Verdict::Stale,
            Some(_) => Verdict::Fresh,
        }
    }

    /// Judges a nonce with its count and notes it; only after the password was found right.
    pub fn judge(&self, nonce: &str, nc: u32, client: &str) -> Verdict {
        let verdict = self.look(nonce);
        let Some(at) = self.time(nonce).filter(|_| verdict == Verdict::Fresh) else { return verdict };
        let now = now_ms();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(nonce, client);
        if used.len() >= MAX_USED && !used.contains_key(&key) {
            used.retain(|_, (t, _)| now.saturating_sub(*t) <= LIFE_MS);
            if used.len() >= MAX_USED {
                return Verdict::Stale;
            }
        }
        // A client that counts anew with a nonce of its own is another login.
        let e = used.entry(key).or_insert((at, 0));
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
        assert_eq!(n.judge(&n.seal(1, 1), 1, "c"), Verdict::Stale);
    }

    #[test]
    fn clients_of_one_millisecond_are_not_each_others_replay() {
        let n = Nonces::new();
        for _ in 0..1000 {
            assert_eq!(n.judge(&n.make(), 1, "the same"), Verdict::Fresh);
        }
    }

    #[test]
    fn looking_stores_nothing_and_what_is_stored_has_an_end() {
        let n = Nonces::new();
        let nonce = n.make();
        for _ in 0..10 {
            assert_eq!(n.look(&nonce), Verdict::Fresh);
        }
        assert!(n.used.lock().unwrap().is_empty());
        let now = now_ms();
        n.used.lock().unwrap().extend((0..MAX_USED).map(|i| (hash("n", &i.to_string()), (now, 1))));
        assert_eq!(n.judge(&nonce, 1, "c"), Verdict::Stale);
        assert_eq!(n.used.lock().unwrap().len(), MAX_USED);
    }
}
