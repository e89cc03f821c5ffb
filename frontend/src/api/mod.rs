//! The page's side of the HTTP contract.

mod client;
mod data;
pub mod gate;
pub mod lean;
pub mod live;
mod value;

pub use client::{cmdlet, delete, get, patch, post, post_text, read};
pub use data::{AnyData, Data, use_data};
pub use value::{Current, Latest};
