//! Lifeguard: the portal, the one door, the handlers behind it, and the program that wires it all.

pub mod alerts;
pub mod app;
pub mod backup;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod compliance;
pub mod control;
pub mod deploy;
pub mod directory;
mod disk;
pub mod door;
pub mod failover;
pub mod fleet;
pub mod handlers;
mod hold;
pub mod http;
pub mod keys;
pub mod nodes;
pub mod probe;
pub mod publish;
pub mod registry;
pub mod running;
pub mod sample;
pub mod schedule;
pub mod serve;
pub mod settings;
pub mod test_room;
pub mod tls;
pub mod views;
pub mod watch;

pub use settings::DEFAULT_PORTAL;
