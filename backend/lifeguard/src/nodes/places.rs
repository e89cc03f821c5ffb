//! Places for connections to a port for nodes: strangers have few of their own, with a bound for each address, so that
//! silent ones keep no node out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Nodes at once.
const MEMBERS: usize = 256;
/// Strangers at once: who has not shown a certificate yet, or joins.
const STRANGERS: usize = 256;
/// Of these, those of one address.
const OF_ONE: usize = 32;

/// The places of one port.
pub struct Places {
    members: Arc<Semaphore>,
    strangers: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of a stranger; free again when it is dropped.
pub struct Stranger {
    places: Arc<Places>,
    from: IpAddr,
}

impl Places {
    /// All free.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { members: Arc::new(Semaphore::new(MEMBERS)), strangers: Mutex::default() })
    }

    /// A place for somebody who has just connected.
    pub fn stranger(self: &Arc<Self>, from: IpAddr) -> Option<Stranger> {
        let from = crate::http::compare::network(from);
        let mut held = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        if held.values().sum::<usize>() >= STRANGERS || held.get(&from).is_some_and(|n| *n >= OF_ONE) {
            return None;
        }
        *held.entry(from).or_default() += 1;
        Some(Stranger { places: self.clone(), from })
    }
}

impl Stranger {
    /// Takes a node's place instead, once its certificate was accepted; none when there are too many nodes.
    pub fn admitted(self) -> Option<OwnedSemaphorePermit> {
        self.places.members.clone().try_acquire_owned().ok()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut held = self.places.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = held.get_mut(&self.from) {
            *n -= 1;
            if *n == 0 {
                held.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()])
    }

    #[test]
    fn strangers_take_no_place_of_a_node() {
        let p = Places::new();
        let mut held: Vec<_> = (0..OF_ONE).filter_map(|_| p.stranger(at(1))).collect();
        assert_eq!(held.len(), OF_ONE);
        assert!(p.stranger(at(1)).is_none(), "one address has its share only");
        let member = p.stranger(at(2)).unwrap().admitted();
        assert!(member.is_some());
        held.extend((0..STRANGERS).filter_map(|n| p.stranger(at(3 + n / OF_ONE))));
        assert_eq!(held.len(), STRANGERS);
        assert!(p.stranger(at(99)).is_none(), "all have a bound");
        // Whoever is admitted leaves his place to the next one.
        let mut members: Vec<_> = held.into_iter().filter_map(Stranger::admitted).collect();
        assert_eq!(members.len(), MEMBERS - 1);
        assert!(p.strangers.lock().unwrap().is_empty());
        assert!(p.stranger(at(1)).unwrap().admitted().is_none(), "nodes have a bound, too");
        members.pop();
        assert!(p.stranger(at(1)).unwrap().admitted().is_some());
    }
}
