//! The model of Lifeguard: names that cannot be wrong, the topology and its rules, drafts that may be
//! wrong, the difference between two topologies, cmdlets and roles, the shell's grammar, and the API
//! contract. No I/O, no clock, no randomness: the same code runs in the server and in the page.

pub mod api;
pub mod cmdlet;
pub mod cmdlets;
pub mod compliance;
pub mod configuration;
pub mod deployment;
pub mod dn;
pub mod error;
pub mod events;
pub mod identity;
pub mod names;
pub mod people;
pub mod plan;
pub mod problem;
pub mod reference;
pub mod roles;
pub mod runbook;
pub mod sample;
pub mod shell;
pub mod shipping;
pub mod synthetic;
pub mod time;
pub mod topology;
pub mod trace;
pub mod visible;

pub use error::{ApiError, ErrorCode, Problem, Severity};
pub use names::{Fqdn, InvalidName, ObjectId, Port, SipUri};
pub use time::Timestamp;
