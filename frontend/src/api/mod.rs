//! The page's side of the HTTP contract.

mod client;
mod data;
pub mod gate;
pub mod live;

pub use client::{cmdlet, delete, get, patch, post};
pub use data::{Data, use_data};
