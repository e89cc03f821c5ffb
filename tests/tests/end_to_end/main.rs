//! All end-to-end tests, in one program: linked once, and the tests share the two cores fairly.

mod access;
mod alerts;
mod chat;
mod chat_client;
mod documents;
mod editing;
mod failover;
mod faults;
mod harness;
mod hostile;
mod node;
mod page;
mod plain_sip;
mod portal;
mod publishing;
mod receivers;
mod rooms;
mod shell;
mod sip_client;
mod support;
mod support_tls;
mod walk;
mod watch;
