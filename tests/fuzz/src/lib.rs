//! Fuzz targets: each takes bytes that a stranger could send and panics when a promise does not hold. `tests/` runs
//! them on the corpus, on kept finds and on mutations with a fixed seed; `cargo xtask soak fuzz` guided by coverage.

pub mod corpus;
pub mod mutate;
mod targets;

pub use targets::{TARGETS, Target, find};
