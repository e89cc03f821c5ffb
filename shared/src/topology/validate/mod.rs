//! The rules that a whole topology keeps (V1–V31 as far as they concern it). Pure; used by the page,
//! the server, the shell and tests alike. Each finding tells what to do.

mod databases;
mod names;
mod places;
mod pools;

use self::databases::one_database_per_instance;
use self::names::{reserved, unique_ids, unique_names};
pub use self::places::{check_node_name, check_own_address};
use self::places::{distances, front_end_pool, no_address, no_node, one_of_a_kind, sql_store};
use self::pools::{one_default_per_site, pool};
use super::Topology;
use super::lookup::Lookup;
use crate::error::Problem;
use crate::names::check_share;

/// At most eight computers in a pool. Source: L:capacity-planning-for-persistent-chat-server.
pub const MAX_COMPUTERS: usize = 8;
/// At most four of them active. Source: L:capacity-planning-for-persistent-chat-server.
pub const MAX_ACTIVE: usize = 4;
/// Longest display name; the documents give no limit, AD's display name has this one.
pub const MAX_DISPLAY_NAME: usize = 256;

/// Everything that is wrong or worth knowing, in document order. Never panics.
pub fn validate(t: &Topology) -> Vec<Problem> {
    let mut out = Vec::new();
    let t = &Lookup::new(t);
    unique_names(t, &mut out);
    unique_ids(t, &mut out);
    for (i, p) in t.front_end_pools.iter().enumerate() {
        front_end_pool(t, i, p, &mut out);
    }
    for (i, s) in t.sql_stores.iter().enumerate() {
        sql_store(i, s, &mut out);
    }
    for (i, f) in t.file_stores.iter().enumerate() {
        let at = format!("file_stores.{i}");
        no_address(&f.placement, format!("{at}.placement"), &mut out);
        no_node(&f.placement, format!("{at}.placement"), &mut out);
        if let Err(e) = check_share(&f.share) {
            out.push(Problem::error("name.share", format!("{at}.share"), e.0, "H:add-file-store"));
        }
        if t.is_enterprise(&f.fqdn) {
            out.push(Problem::error(
                "V31",
                format!("{at}.fqdn"),
                "A file store may not be on an Enterprise Edition Front End Server. Choose another file server.",
                "H:add-persistent-chat-file-store",
            ));
        }
    }
    for (i, p) in t.pools.iter().enumerate() {
        pool(t, i, p, &mut out);
    }
    one_of_a_kind(t, &mut out);
    reserved(t, &mut out);
    one_database_per_instance(t, &mut out);
    one_default_per_site(t, &mut out);
    distances(t, &mut out);
    out
}
