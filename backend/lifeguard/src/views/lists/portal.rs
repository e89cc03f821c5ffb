//! Lists of who may sign in to the portal and see its pages.

use shared::api::{AccessEntry, AccessView, AccountView, OwnRoleView, ShareList, ShareView};
use store::management::roles as own_roles;
use store::management::{accounts, announcements, people};

use super::{Out, read};
use crate::app::App;

/// Portal accounts.
///
/// # Errors
/// When the store does not answer.
pub fn accounts(app: &App) -> Out<Vec<AccountView>> {
    read(app, |c| {
        let links = people::links(c, app.clock.now())?;
        let link = |a: &accounts::Account| {
            links.iter().any(|l| l.kind == people::Kind::Account && l.subject.eq_ignore_ascii_case(&a.name))
        };
        let view = |a: accounts::Account| AccountView {
            waiting: match (link(&a), a.must_change) {
                (true, _) => Some("One-time link not used yet".to_owned()),
                (_, true) => Some("Password to be changed".to_owned()),
                _ => None,
            },
            second_factor: a.second_factor,
            name: a.name,
            role: a.role,
            enabled: a.enabled,
            last_login: a.last_login,
        };
        Ok(accounts::accounts(c)?.into_iter().map(view).collect())
    })
}

/// Share links.
///
/// # Errors
/// When the store does not answer.
pub fn shares(app: &App) -> Out<ShareList> {
    let (kept, announcements) =
        read(app, |c| Ok((accounts::shares(c)?, announcements::announcements(c, app.clock.now())?)))?;
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    let shares = kept
        .into_iter()
        .map(|s| ShareView {
            id: s.id,
            label: s.label,
            created: s.created,
            created_by: s.created_by,
            expires: s.expires,
            revoked: s.revoked,
            last_used: s.last_used,
            uses: s.uses,
            pools: s.pools,
            level: s.level,
            passphrase: s.passphrase.is_some(),
            may_test: s.may_test,
        })
        .collect();
    Ok(ShareList {
        shares,
        announcements,
        pools: t.pools.iter().map(|p| p.fqdn.clone()).collect(),
        public_url: app.settings.public_url(),
        reach_warning: app.settings.reach_warning(),
    })
}

/// Sessions, API tokens and roles of one's own.
///
/// # Errors
/// When the store does not answer.
pub fn access(app: &App) -> Out<AccessView> {
    let entry = |a: accounts::Access| AccessEntry {
        id: a.id,
        name: a.name,
        detail: a.detail,
        created: a.created,
        last_seen: a.last_seen,
        expires: a.expires,
    };
    let role = |r: own_roles::Role| OwnRoleView {
        name: r.name,
        template: r.template,
        cmdlets: r.cmdlets,
        scopes: r.config_scopes,
    };
    read(app, |c| {
        Ok(AccessView {
            sessions: accounts::sessions(c, app.clock.now())?.into_iter().map(entry).collect(),
            tokens: accounts::api_tokens(c)?.into_iter().map(entry).collect(),
            roles: own_roles::roles(c)?.into_iter().map(role).collect(),
        })
    })
}
