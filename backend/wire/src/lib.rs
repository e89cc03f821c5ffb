//! SIP, XCCOS and digest: parse and write, no I/O.
//!
//! The SIP layer keeps raw header values and is lenient in what it reads, because real clients are
//! (`reference/protocol/xccos.md` §10). A parser crate would normalise values that later signatures
//! cover, and close the connection on methods it does not know; what is needed of SIP here is small.

pub mod check;
pub mod digest;
pub mod ntlm;
pub mod provisioning;
pub mod roomuri;
pub mod sdp;
pub mod sip;
pub mod sipae;
pub mod stream;
pub mod uri;
pub mod xccos;
mod xml;
