//! Time and randomness, passed in.

use shared::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Gives random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out)
            .expect("a machine without a random number generator cannot run a secure service");
    }
}

/// A random text of `bytes` bytes in lower-case hexadecimal.
pub fn random_hex(e: &dyn Entropy, bytes: usize) -> String {
    let mut buf = vec![0; bytes];
    e.fill(&mut buf);
    hex::encode(buf)
}

/// Random bytes.
pub fn random_bytes<const N: usize>(e: &dyn Entropy) -> [u8; N] {
    let mut buf = [0; N];
    e.fill(&mut buf);
    buf
}

/// A UUIDv7 of `now`.
pub fn new_id(e: &dyn Entropy, now: Timestamp) -> String {
    let mut rest = [0; 10];
    e.fill(&mut rest);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.millis()).unwrap_or(0), &rest)
        .into_uuid()
        .to_string()
}

/// A password that a person can type: 4 groups of 4 letters and digits without look-alikes (about 78 bits).
pub fn random_password(e: &dyn Entropy) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut buf = [0; 16];
    e.fill(&mut buf);
    let chars: Vec<char> = buf.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect();
    chars.chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
