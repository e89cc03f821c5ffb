//! Lists of endpoints and of policies of users.

use shared::api::{EndpointView, PolicyView};
use store::management::{directory, pools};

use super::{Out, published, read};
use crate::app::App;
use crate::handlers::printed_policy;

/// Endpoints.
///
/// # Errors
/// When the store does not answer.
pub fn endpoints(app: &App) -> Out<Vec<EndpointView>> {
    read(app, |c| {
        let t = published(c)?;
        let view = |e: pools::Endpoint| {
            let pool = t.pool(&e.pool)?.fqdn.clone();
            Some(EndpointView {
                sip_address: e.sip_address,
                display_name: e.display_name,
                pool,
                created: e.created,
            })
        };
        Ok(pools::endpoints(c)?.into_iter().filter_map(view).collect())
    })
}

/// Policies.
///
/// # Errors
/// When the store does not answer.
pub fn policies(app: &App) -> Out<Vec<PolicyView>> {
    read(app, |c| {
        let users = directory::users(c)?;
        let view = |p: directory::Policy| PolicyView {
            granted: users
                .iter()
                .filter(|u| u.policy.as_ref().is_some_and(|g| g.eq_ignore_ascii_case(&p.identity)))
                .count() as u64,
            identity: printed_policy(&p.identity),
            description: p.description,
            enable_persistent_chat: p.enable,
        };
        Ok(directory::policies(c)?.into_iter().map(view).collect())
    })
}
