//! Digest nonces: time and HMAC, so that nothing is stored until one is used with the right password; counts
//! are kept to refuse replays.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ring::rand::SystemRandom;
use ring::{digest, hmac};

/// A nonce is answered as stale after this time.
const LIFE_MS: u64 = 300_000;
/// Used nonces kept of one account; more of its logins wait until some have expired.
const OF_ONE: usize = 1_000;
/// Used nonces kept of all; beyond that an account has [`FEW`] only.
const MAX_USED: usize = 100_000;
/// What every account has when many are kept.
const FEW: usize = 16;
/// How often what has expired is looked for among all.
const SWEEP_MS: u64 = 10_000;

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
    used: Mutex<Used>,
}

/// Time and highest count by the hash of nonce and client's nonce: a client cannot choose the size.
type Counts = HashMap<[u8; 32], (u64, u32)>;

/// Used nonces by account: one account's logins take nobody else's room.
#[derive(Default)]
struct Used {
    of: HashMap<String, Counts>,
    total: usize,
    swept: u64,
}

impl Used {
    /// Whether the account may have one more.
    fn room(&mut self, account: &str, now: u64) -> bool {
        let alive = |(t, _): &(u64, u32)| now.saturating_sub(*t) <= LIFE_MS;
        if self.total >= MAX_USED && now.saturating_sub(self.swept) >= SWEEP_MS {
            self.swept = now;
            self.of.values_mut().for_each(|own| own.retain(|_, e| alive(e)));
            self.of.retain(|_, own| !own.is_empty());
            self.total = self.of.values().map(HashMap::len).sum();
        }
        let most = if self.total >= MAX_USED { FEW } else { OF_ONE };
        let Some(own) = self.of.get_mut(account) else { return true };
        if own.len() >= most {
            let before = own.len();
            own.retain(|_, e| alive(e));
            self.total -= before - own.len();
        }
        own.len() < most
    }
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

    /// Judges a nonce with its count and notes it for the account; only after its password was found right.
    pub fn judge(&self, nonce: &str, nc: u32, client: &str, account: &str) -> Verdict {
        let verdict = self.look(nonce);
        let Some(at) = self.time(nonce).filter(|_| verdict == Verdict::Fresh) else { return verdict };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(nonce, client);
        let known = used.of.get(account).is_some_and(|own| own.contains_key(&key));
        if !known && !used.room(account, now_ms()) {
            return Verdict::Stale;
        }
        if !known {
            used.total += 1;
        }
        // A client that counts anew with a nonce of its own is another login.
        let e = used.of.entry(account.to_owned()).or_default().entry(key).or_insert((at, 0));
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
        assert_eq!(n.judge(&nonce, 1, "c", "pilar"), Verdict::Fresh);
        assert_eq!(n.judge(&nonce, 1, "c", "pilar"), Verdict::Replayed);
        assert_eq!(n.judge(&nonce, 2, "c", "pilar"), Verdict::Fresh);
        assert_eq!(n.judge("0-00", 1, "c", "pilar"), Verdict::Replayed);
        assert_eq!(Nonces::new().judge(&nonce, 3, "c", "pilar"), Verdict::Replayed);
        assert_eq!(n.judge(&n.seal(1, 1), 1, "c", "pilar"), Verdict::Stale);
    }

    #[test]
    fn clients_of_one_millisecond_are_not_each_others_replay() {
        let n = Nonces::new();
        for _ in 0..1000 {
            assert_eq!(n.judge(&n.make(), 1, "the same", "pilar"), Verdict::Fresh);
        }
    }

    #[test]
    fn looking_stores_nothing_and_what_is_stored_has_an_end() {
        let n = Nonces::new();
        let nonce = n.make();
        for _ in 0..10 {
            assert_eq!(n.look(&nonce), Verdict::Fresh);
        }
        assert!(n.used.lock().unwrap().of.is_empty());
        for i in 0..OF_ONE {
            assert_eq!(n.judge(&nonce, 1, &i.to_string(), "pilar"), Verdict::Fresh);
        }
        assert_eq!(n.judge(&nonce, 1, "one more", "pilar"), Verdict::Stale, "she has had her share");
        assert_eq!(n.judge(&nonce, 2, "7", "pilar"), Verdict::Fresh, "a login that is known goes on");
        assert_eq!(n.judge(&nonce, 1, "7", "pilar"), Verdict::Replayed);
        assert_eq!(n.judge(&nonce, 1, "one more", "ken"), Verdict::Fresh, "others are not kept out");
        assert_eq!(n.used.lock().unwrap().total, OF_ONE + 1);
    }

    #[test]
    fn many_accounts_together_keep_nobody_out_either() {
        let n = Nonces::new();
        let (nonce, now) = (n.make(), now_ms());
        {
            let mut used = n.used.lock().unwrap();
            for a in 0..MAX_USED / OF_ONE {
                let own = (0..OF_ONE).map(|i| (hash("n", &i.to_string()), (now, 1))).collect();
                used.of.insert(format!("account{a}"), own);
            }
            used.total = MAX_USED;
        }
        assert_eq!(n.judge(&nonce, 1, "c", "account7"), Verdict::Stale);
        for i in 0..FEW {
            assert_eq!(n.judge(&nonce, 1, &i.to_string(), "ken"), Verdict::Fresh);
        }
        assert_eq!(n.judge(&nonce, 1, "one more", "ken"), Verdict::Stale);
        // What has expired makes room again.
        let mut used = n.used.lock().unwrap();
        used.swept = 0;
        used.of.values_mut().flat_map(HashMap::values_mut).for_each(|e| e.0 = 0);
        assert!(used.room("account7", now) && used.of.is_empty() && used.total == 0);
    }
}
