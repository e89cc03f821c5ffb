//! Test messages that run by themselves, and what they trust.

use shared::SipUri;
use shared::api::{AuthorityView, WatchView, WatcherView};
use store::management::{jobs, nodes, trusted, watch};

use super::{Out, read};
use crate::app::App;

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
