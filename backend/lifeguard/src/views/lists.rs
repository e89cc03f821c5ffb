//! Lists of directory, rooms, drafts and audit.

use node::administration::{Addin, RoomQuery};
use node::traits::{Category, ChatStore, Room};
use shared::SipUri;
use shared::api::{
    AccessEntry, AccessView, AccountView, AddinView, AuthorityView, CategoryView, ComplianceView,
    ConfigurationView, DraftInfo, EndpointView, MergeView, OwnRoleView, PolicyView, RoomView, ShareList,
    ShareView, TopologyView, VersionInfo, WatchView, WatcherView, WizardDraft, WizardInfo,
};
use shared::compliance::ComplianceConfiguration;
use shared::configuration::{ChatConfiguration, deciding};
use shared::error::ApiError;
use shared::roles;
use shared::topology::diff::{diff, sentences};
use shared::topology::effect::effects;
use shared::topology::transition::transition;
use shared::topology::validate::validate;
use shared::topology::{ChatPool, wizard};
use std::sync::Arc;
use store::management::drafts::MAIN;
use store::management::roles as own_roles;
use store::management::topology::Wizard;
use store::management::{
    StoreError, accounts, announcements, configuration, directory, jobs, nodes, people, pools, topology,
    trusted, watch,
};

use crate::app::App;
use crate::door::store_error;
use crate::handlers::printed_policy;

type Out<T> = Result<T, ApiError>;

pub(super) fn read<T>(app: &App, f: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>) -> Out<T> {
    app.store.read(f).map_err(store_error)
}

pub(super) fn published(c: &rusqlite::Connection) -> Result<shared::topology::Topology, StoreError> {
    Ok(topology::published(c)?.map(|v| v.document).unwrap_or_default())
}

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

/// Open stores of all pools, in topology order.
///
/// # Errors
/// When the store does not answer.
pub fn open_stores(app: &App) -> Out<Vec<(ChatPool, Arc<dyn ChatStore>)>> {
    use node::traits::Databases;
    let t = read(app, published)?;
    // A node that is away does not keep the others' rooms from being shown.
    let there = |p: &ChatPool| app.fleet.elsewhere().away(&p.id).is_none();
    let pools = t.pools.into_iter().filter(there);
    Ok(pools.filter_map(|p| app.fleet.current(&p.id).map(|s| (p, s))).collect())
}

/// A category as pages show it.
pub fn category_view(p: &ChatPool, c: &Category, rooms: u64) -> CategoryView {
    CategoryView {
        identity: format!("{}\\{}", p.fqdn, c.name),
        pool: p.fqdn.clone(),
        pool_name: p.display_name.clone(),
        name: c.name.clone(),
        description: c.description.clone(),
        allowed: c.allowed.clone(),
        denied: c.denied.clone(),
        creators: c.creators.clone(),
        chat_history: c.chat_history,
        file_upload: c.file_upload,
        invitations: c.invitations,
        rooms,
    }
}

/// A room as pages show it; its URI carries the SIP domain of the pool's channel contact.
pub fn room_view(app: &App, p: &ChatPool, category: &str, addins: &[Addin], r: &Room) -> RoomView {
    let domain = app
        .deployment
        .borrow()
        .pools
        .iter()
        .find(|d| d.id == p.id)
        .map(|d| d.channel_uri.domain().to_owned())
        .unwrap_or_default();
    RoomView {
        identity: format!("{}\\{}", p.fqdn, r.name),
        pool: p.fqdn.clone(),
        pool_name: p.display_name.clone(),
        category: category.to_owned(),
        name: r.name.clone(),
        description: r.description.clone(),
        room_type: r.kind.word().to_owned(),
        privacy: r.privacy.word().to_owned(),
        disabled: r.disabled,
        members: r.members.clone(),
        managers: r.managers.clone(),
        presenters: r.presenters.clone(),
        invitations: if r.invitations { "Inherit" } else { "False" }.to_owned(),
        addin: addins.iter().find(|a| Some(&a.id) == r.addin.as_ref()).map(|a| a.name.clone()),
        uri: format!("ma-chan://{domain}/{}", r.id),
    }
}

/// Categories of all pools whose database is open.
///
/// # Errors
/// When a store does not answer.
pub async fn categories(app: &App) -> Out<Vec<CategoryView>> {
    let mut out = Vec::new();
    for (p, s) in open_stores(app)? {
        for c in s.categories().await.map_err(crate::handlers::chat_error)? {
            let its = RoomQuery { category: Some(c.id.clone()), ..RoomQuery::default() };
            let (n, _) = s.search(its).await.map_err(crate::handlers::chat_error)?;
            out.push(category_view(&p, &c, n));
        }
    }
    Ok(out)
}

/// Add-ins of all pools whose database is open.
///
/// # Errors
/// When a store does not answer.
pub async fn addins(app: &App) -> Out<Vec<AddinView>> {
    let mut out = Vec::new();
    for (p, s) in open_stores(app)? {
        let addins = s.addins().await.map_err(crate::handlers::chat_error)?;
        // Most pools have none, and all rooms of a pool are much to read.
        let rooms = if addins.is_empty() {
            Vec::new()
        } else {
            s.rooms().await.map_err(crate::handlers::chat_error)?
        };
        for a in addins {
            out.push(AddinView {
                identity: format!("{}\\{}", p.fqdn, a.name),
                pool: p.fqdn.clone(),
                pool_name: p.display_name.clone(),
                rooms: rooms.iter().filter(|r| r.addin.as_ref() == Some(&a.id)).count() as u64,
                name: a.name,
                url: a.url,
            });
        }
    }
    Ok(out)
}

/// Settings of the chat service at their scopes, each with the pools that it decides for.
///
/// # Errors
/// When the store does not answer.
pub fn configurations(app: &App) -> Out<Vec<ConfigurationView>> {
    read(app, |c| {
        let t = published(c)?;
        let all = configuration::all::<ChatConfiguration>(c, configuration::Kind::PersistentChat)?;
        let decides = |id: &str| {
            let mine = |p: &&ChatPool| {
                let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
                deciding(&all, site, &p.fqdn).is_some_and(|(i, _)| i == id)
            };
            t.pools.iter().filter(mine).map(|p| p.fqdn.to_string()).collect()
        };
        let view = |(id, v): &(String, ChatConfiguration)| ConfigurationView {
            identity: id.clone(),
            default_chat_history: v.default_chat_history,
            max_file_size_kb: v.max_file_size_kb,
            participant_update_limit: v.participant_update_limit,
            room_management_url: v.room_management_url.clone(),
            pools: decides(id),
        };
        Ok(all.iter().map(view).collect())
    })
}

/// Settings of the compliance adapter at their scopes.
///
/// # Errors
/// When the store does not answer.
pub fn compliance(app: &App) -> Out<Vec<ComplianceView>> {
    read(app, |c| {
        let t = published(c)?;
        let all =
            configuration::all::<ComplianceConfiguration>(c, configuration::Kind::PersistentChatCompliance)?;
        let decides = |id: &str| {
            let mine = |p: &&ChatPool| {
                let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
                p.compliance && deciding(&all, site, &p.fqdn).is_some_and(|(i, _)| i == id)
            };
            t.pools.iter().filter(mine).map(|p| p.fqdn.to_string()).collect()
        };
        let view = |(id, v): &(String, ComplianceConfiguration)| ComplianceView {
            identity: id.clone(),
            writes: v.writes_to().is_some(),
            directory: v.adapter_output_directory.clone().unwrap_or_default(),
            run_interval: v.run_interval.clone(),
            room_details: v.add_chat_room_details,
            user_details: v.add_user_details,
            file_per_room: v.one_chat_room_per_output_file,
            pools: decides(id),
        };
        Ok(all.iter().map(view).collect())
    })
}

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

/// The topology page's data.
///
/// # Errors
/// When the store does not answer.
pub fn topology_view(app: &App, asker: &[String], name: Option<&str>) -> Out<TopologyView> {
    app.store
        .read(|c| {
            let version = topology::published(c)?;
            let draft = crate::handlers::load_draft(c, name)?;
            let merge = crate::handlers::moved_draft(c, &draft, &std::collections::BTreeMap::new())?
                .map(|(version, m)| MergeView { version, rows: m.rows });
            let newest = version.as_ref().map(|v| v.version);
            let drafts = topology::drafts(c)?
                .into_iter()
                .map(|d| DraftInfo {
                    moved: d.base != newest,
                    name: d.name,
                    author: d.author,
                    created: d.created,
                    updated: d.updated,
                    base: d.base,
                })
                .collect();
            let published = version.as_ref().map(|v| v.document.clone()).unwrap_or_default();
            let changes = diff(&published, &draft.document);
            let facts = crate::publish::facts::facts(c, &published)?;
            let effects = effects(&published, &draft.document, &facts, &changes).each;
            let mut problems = validate(&draft.document);
            problems.extend(transition(&published, &draft.document, &facts));
            let may = roles::can("Publish-CsTopology", asker).is_ok();
            let publishers = accounts::accounts(c)?
                .into_iter()
                .filter(|a| {
                    let granted = || own_roles::expand(c, &a.role).unwrap_or_default();
                    !may && a.enabled && roles::can("Publish-CsTopology", &granted()).is_ok()
                })
                .map(|a| a.name)
                .collect();
            let wizards = topology::wizards(c)?
                .into_iter()
                .filter(|w| w.topology_draft.eq_ignore_ascii_case(&draft.name))
                .map(|w| WizardInfo { id: w.id, name: w.document.fqdn, author: w.author, updated: w.updated })
                .collect();
            Ok(TopologyView {
                version: version.map(|v| v.version),
                sentences: sentences(&changes, &draft.document),
                effects,
                problems,
                name: draft.name,
                base: draft.base,
                drafts,
                merge,
                revision: draft.revision,
                draft: draft.document,
                published,
                changes,
                publishers,
                wizards,
            })
        })
        .map_err(|f: crate::door::Fault| f.0)
}

/// Published versions, newest first, with what each changed.
///
/// # Errors
/// When the store does not answer.
pub fn versions(app: &App) -> Out<Vec<VersionInfo>> {
    let list = read(app, topology::versions)?;
    let empty = shared::topology::Topology::default();
    Ok(list
        .iter()
        .enumerate()
        .map(|(i, v)| {
            let before = list.get(i + 1).map_or(&empty, |p| &p.document);
            VersionInfo {
                version: v.version,
                at: v.at,
                author: v.author.clone(),
                comment: v.comment.clone(),
                sentences: sentences(&diff(before, &v.document), &v.document),
            }
        })
        .collect())
}

/// A wizard draft with its problems.
///
/// # Errors
/// When there is none of this id.
pub fn wizard_draft(app: &App, id: &str) -> Out<WizardDraft> {
    let (w, t) = read(app, |c| {
        let w = topology::wizard(c, id)?;
        let name = w.as_ref().map_or(MAIN, |w| w.topology_draft.as_str());
        Ok((topology::named(c, name)?.unwrap_or_default().document, w))
    })
    .map(|(t, w)| (w, t))?;
    let w = w.ok_or_else(|| ApiError::not_found("This wizard draft does not exist any more."))?;
    Ok(wizard_view(w, &t))
}

/// A wizard draft as the page reads it.
pub fn wizard_view(w: Wizard, t: &shared::topology::Topology) -> WizardDraft {
    WizardDraft {
        problems: wizard::check(&w.document, t),
        id: w.id,
        draft: w.document,
        revision: w.revision,
        author: w.author,
        updated: w.updated,
    }
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

fn authority(t: trusted::Trusted) -> AuthorityView {
    let list = node::ca::certificates(&t.pem).unwrap_or_default();
    let facts: Vec<_> = list.iter().filter_map(|c| node::ca::described(c)).collect();
    AuthorityView {
        name: t.name,
        not_after: facts.iter().map(|d| d.not_after).min(),
        subjects: facts.into_iter().map(|d| d.subject).collect(),
    }
}

/// Stored test users and what runs by itself.
///
/// # Errors
/// When the store does not answer.
pub fn watch(app: &App) -> Out<WatchView> {
    read(app, |c| {
        let users = watch::credentials(c)?.into_iter().filter_map(|s| SipUri::try_from(s).ok()).collect();
        let mut watchers = Vec::new();
        for w in watch::watchers(c)? {
            let last = w.last_run.as_deref().map(|id| jobs::test(c, id)).transpose()?.flatten();
            watchers.push(WatcherView {
                schedule: w.settings.words(),
                target: w.settings.target,
                users: w.settings.users,
                enabled: w.settings.enabled,
                next_run: w.next_run,
                failures: w.failures,
                missed: w.missed,
                last: last.map(|r| r.summary),
            });
        }
        let authorities = trusted::all(c)?.into_iter().map(authority).collect();
        let joined = nodes::nodes(c)?.into_iter().filter(|n| n.key_hash.is_some());
        Ok(WatchView { users, watchers, authorities, nodes: joined.map(|n| n.name).collect() })
    })
}
