//! All end-to-end tests, in one program: linked once, and the tests share the two cores fairly.

mod chat;
mod documents;
mod editing;
mod failover;
mod faults;
mod harness;
mod hostile;
mod page;
mod portal;
mod publishing;
mod shell;
mod sip_client;
mod support;
mod support_tls;
