//! Publishing: what will change, and the run that does it. Source: `reference/domain/procedures.md` §3.

mod job;
mod merge;
mod remains;
mod review;
mod servers;
mod steps;

pub use job::JobPage;
pub use review::PublishPage;
