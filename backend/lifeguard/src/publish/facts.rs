//! The operational facts that the rules between two versions look at.

use rusqlite::Connection;
use shared::deployment::PoolState;
use shared::topology::Topology;
use shared::topology::transition::Facts;
use store::management::{directory, mirrors, pools};

use crate::door::Fault;

/// Reads them for the pools and users of `before`.
///
/// # Errors
/// The store's.
pub fn facts(c: &Connection, before: &Topology) -> Result<Facts, Fault> {
    let mut out = Facts::default();
    for p in &before.pools {
        if pools::state(c, &p.id)?.is_some_and(|s| s.state == PoolState::FailedOver) {
            out.failed_over.insert(p.id.clone());
        }
    }
    for pool in mirrors::installed(c, false)? {
        out.mirrored.insert(pool);
    }
    out.mirrored_queue.extend(mirrors::installed(c, true)?);
    for e in pools::endpoints(c)? {
        out.endpoints.entry(e.pool).or_default().push(e.sip_address.to_string());
    }
    for u in directory::users(c)? {
        let Some(fe) = before.front_end_pool(&u.front_end) else { continue };
        *out.users_of_front_end.entry(fe.id.clone()).or_default() += 1;
        if u.enabled {
            *out.enabled_of_front_end.entry(fe.id.clone()).or_default() += 1;
            *out.users_of_domain.entry(u.sip_address.domain().to_lowercase()).or_default() += 1;
            *out.users_of_site.entry(fe.site.clone()).or_default() += 1;
        }
    }
    Ok(out)
}
