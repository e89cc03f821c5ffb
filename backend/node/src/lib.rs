//! What runs on a chat host: registrar and router (Front End), lookup and channel service (Persistent
//! Chat servers). Speaks SIP over TCP and TLS; knows users and messages through [`traits`] only.

pub mod administration;
mod aside;
pub mod ca;
mod chat;
mod connection;
mod dialog;
mod front_end;
mod host;
pub mod members;
mod nonce;
pub mod remote;
pub mod roster;
pub mod rules;
pub mod traits;

pub use host::{HostRuntime, Settings};
