//! Lists of endpoints, users and their policies.

use shared::api::{EndpointView, PolicyView, UserView};
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

/// Chat users with their effective policy.
///
/// # Errors
/// When the store does not answer.
pub fn users(app: &App) -> Out<Vec<UserView>> {
    read(app, |c| {
        let t = published(c)?;
        let policies = directory::policies(c)?;
        let view = |u: directory::User| {
            let fe = t.front_end_pool(&u.front_end);
            let site = fe.and_then(|f| t.site(&f.site)).map(|s| s.site_id.as_str());
            let (chat_enabled, decided_by) = directory::effective(&policies, u.policy.as_deref(), site);
            UserView {
                registrar_pool: fe.map(|f| f.fqdn.to_string()).unwrap_or_default(),
                sip_address: u.sip_address,
                display_name: u.display_name,
                logon_name: u.logon_name,
                enabled: u.enabled,
                policy: u.policy,
                chat_enabled,
                decided_by,
                password_set: !u.secrets.is_empty(),
                ou: u.ou,
            }
        };
        Ok(directory::users(c)?.into_iter().map(view).collect())
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
