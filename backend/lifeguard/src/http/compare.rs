//! Comparing passwords with their hashes, a few at a time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, mpsc};

use shared::error::{ApiError, ErrorCode};
use tokio::sync::oneshot;

use crate::keys::verify_password;

/// Passwords compared at once; each takes 19 MB and a core for a moment, and anybody may ask. The allocator keeps up
/// to 110 MB for each thread that does it.
const COMPARERS: usize = 2;
/// Comparisons under way and waiting, of everybody; more are refused at once.
const WAITING: usize = 256;
/// Of these, those of one address: whoever floods from there makes nobody else wait for long.
const OF_ONE: usize = 64;

/// Who waits, by address.
#[derive(Default)]
struct Queue(Mutex<HashMap<IpAddr, usize>>);

/// A place among those who wait; free again when it is dropped.
pub struct Place {
    queue: &'static Queue,
    from: IpAddr,
}

/// What counts as one address: of IPv6 a network, because whoever has one address there has them all.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        ip @ IpAddr::V4(_) => ip,
    }
}

impl Queue {
    fn place(&'static self, from: IpAddr) -> Option<Place> {
        let from = network(from);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.values().sum::<usize>() >= WAITING || held.get(&from).is_some_and(|n| *n >= OF_ONE) {
            return None;
        }
        *held.entry(from).or_default() += 1;
        Some(Place { queue: self, from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = held.get_mut(&self.from) {
            *n -= 1;
            if *n == 0 {
                held.remove(&self.from);
            }
        }
    }
}

/// A comparison that waits for its turn, and where its answer goes.
struct Comparison {
    password: String,
    hash: String,
    answer: oneshot::Sender<bool>,
    _place: Place,
}

impl Comparison {
    /// Compares, unless whoever asked has gone; whether it did.
    fn carry_out(self) -> bool {
        if self.answer.is_closed() {
            return false;
        }
        // Who asked may have gone meanwhile.
        let _ = self.answer.send(verify_password(&self.password, &self.hash));
        true
    }
}

static QUEUE: LazyLock<Queue> = LazyLock::new(Queue::default);

/// Threads of their own that compare: the allocator keeps the memory of a comparison for the thread that made it,
/// and of the runtime's threads there are hundreds. What waits has a place each, so that the channel is bounded.
static COMPARING: LazyLock<mpsc::Sender<Comparison>> = LazyLock::new(|| {
    let (sender, waiting) = mpsc::channel::<Comparison>();
    let waiting = Arc::new(Mutex::new(waiting));
    for n in 0..COMPARERS {
        let waiting = waiting.clone();
        let work = move || {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(next) = next else { return };
                next.carry_out();
            }
        };
        if let Err(e) = std::thread::Builder::new().name(format!("passwords-{n}")).spawn(work) {
            tracing::error!(cause = %e, "a thread that compares passwords could not be started");
        }
    }
    sender
});

/// A place for a comparison, to be had before an attempt counts: a refusal for want of one is nobody's failure.
pub(super) fn place(from: IpAddr) -> Result<Place, ApiError> {
    QUEUE.place(from).ok_or_else(|| {
        let text = "Too many passwords are being compared right now. Try again in a moment.";
        ApiError::new(ErrorCode::Unavailable, text)
    })
}

/// Compares a password with a hash, a few at a time.
pub(super) async fn compare(place: Place, password: String, hash: String) -> bool {
    let (answer, told) = oneshot::channel();
    let asked = Comparison { password, hash, answer, _place: place };
    COMPARING.send(asked).is_ok() && told.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> &'static Queue {
        Box::leak(Box::default())
    }

    #[test]
    fn places_are_few_for_one_address_and_bounded_for_all() {
        let q = queue();
        let at = |n: u8| IpAddr::from([10, 0, 0, n]);
        let mut held: Vec<_> = (0..OF_ONE).map(|_| q.place(at(1)).unwrap()).collect();
        assert!(q.place(at(1)).is_none(), "one address has its share only");
        assert!(q.place("::ffff:10.0.0.1".parse().unwrap()).is_none(), "the same address, written otherwise");
        held.extend(
            (0..WAITING - OF_ONE).map(|n| q.place(at(2 + u8::try_from(n / OF_ONE).unwrap())).unwrap()),
        );
        assert!(q.place(at(99)).is_none(), "all have a bound");
        held.remove(0);
        assert!(q.place(at(99)).is_some());
        drop(held);
        assert!(q.0.lock().unwrap().is_empty(), "nothing is remembered of whoever is gone");
        let net = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n]);
        let held: Vec<_> = (0..u16::try_from(OF_ONE).unwrap()).map(|n| q.place(net(n)).unwrap()).collect();
        assert!(q.place(net(99)).is_none(), "a network of IPv6 is one address");
        drop(held);
    }

    #[test]
    fn what_nobody_waits_for_is_not_compared() {
        let q = queue();
        let make = |answer| Comparison {
            password: "x".to_owned(),
            hash: "no hash".to_owned(),
            answer,
            _place: q.place(IpAddr::from([10, 0, 0, 1])).unwrap(),
        };
        let (answer, told) = oneshot::channel();
        drop(told);
        assert!(!make(answer).carry_out());
        let (answer, mut told) = oneshot::channel();
        assert!(make(answer).carry_out() && told.try_recv() == Ok(false));
        assert!(q.0.lock().unwrap().is_empty(), "both places are free again");
    }
}
