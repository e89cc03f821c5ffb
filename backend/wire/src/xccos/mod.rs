//! XCCOS: the chat protocol inside INFO bodies (xccos.md §§4–9). Lenient in what it reads: ids without
//! case, unknown elements and attributes ignored, any prefix.

pub mod open_points;
mod read;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub use open_points::code;
pub use read::parse;
pub use types::{ChanIb, Chat, Data, Element, Envelope, Item, Uib, XccosError};

/// Namespace of the envelope.
pub const NAMESPACE: &str = "urn:parlano:xml:ns:xccos";
/// Type of an INFO body.
pub const CONTENT_TYPE: &str = "text/plain";
