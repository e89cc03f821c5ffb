//! Own certificates of Front End pools on their way to the nodes that run servers of these pools, and there.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use node::ca::{Identity, LocalCa};
use node::remote::{IdentityRow, OwnRow};
use shared::Fqdn;
use store::management::StoreError;
use store::management::certificates::own_certificates;

use crate::app::App;

/// The certificates that administrators set, opened, by the pool's name.
pub fn opened(app: &App) -> Result<BTreeMap<String, OwnRow>, StoreError> {
    let all = app.store.read(own_certificates)?;
    let open = |o: store::management::certificates::OwnCertificate| {
        let key = app.keys.open_text(&o.key);
        if key.is_none() {
            tracing::error!(
                pool = o.pool,
                "the key file does not open the private key of an own certificate"
            );
        }
        Some((o.pool.to_lowercase(), OwnRow { pool: o.pool, chain: o.chain, key: key? }))
    };
    Ok(all.into_iter().filter_map(open).collect())
}

/// Tells one from another without keeping its key.
pub fn mark(own: Option<&OwnRow>) -> u64 {
    let mut h = DefaultHasher::new();
    own.map(|o| (&o.pool, &o.chain, &o.key)).hash(&mut h);
    h.finish()
}

/// Lets a node's servers show what came with their certificates.
pub fn apply(ca: &LocalCa, identities: &[IdentityRow]) {
    let mut all: BTreeMap<Fqdn, Identity> = BTreeMap::new();
    for own in identities.iter().filter_map(|i| i.own.as_ref()) {
        match (Fqdn::try_from(own.pool.as_str()), Identity::from_pem(&own.chain, &own.key)) {
            (Ok(pool), Ok(id)) => drop(all.insert(pool, id)),
            (Err(e), _) => tracing::error!(cause = e.0, "an own certificate cannot be used"),
            (_, Err(cause)) => tracing::error!(pool = own.pool, %cause, "an own certificate cannot be used"),
        }
    }
    let all: Vec<(Fqdn, Identity)> = all.into_iter().collect();
    if let Err(cause) = ca.set_own(&all) {
        tracing::error!(%cause, "the own certificates cannot be used");
    }
}
