//! SQLite: the management store and the chat databases. All SQL of the product stands here.

pub mod chat;
pub mod management;
