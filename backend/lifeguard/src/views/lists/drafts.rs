//! The topology with its drafts and versions.

use shared::api::{DraftInfo, MergeView, TopologyView, VersionInfo, WizardDraft, WizardInfo};
use shared::error::ApiError;
use shared::roles;
use shared::topology::diff::{diff, sentences};
use shared::topology::effect::effects;
use shared::topology::transition::transition;
use shared::topology::validate::validate;
use shared::topology::wizard;
use store::management::drafts::MAIN;
use store::management::roles as own_roles;
use store::management::topology::Wizard;
use store::management::{accounts, topology};

use super::{Out, read};
use crate::app::App;

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
