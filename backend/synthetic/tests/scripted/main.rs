//! Whole runs against a scripted peer on loopback.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail with it")]

mod causes;
mod ntlm;
mod peer;
mod run;
mod support;
mod tls;
