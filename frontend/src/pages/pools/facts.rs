//! What a pool is: the facts of its definition, and the warning that compliance needs an adapter.

use leptos::prelude::*;
use shared::api::PoolDetail;

use crate::api::Current;
use crate::components::{Facts, Mono, Notice, NoticeKind, TimeAgo};
use crate::routes::{Route, SettingsTab};

/// The strip of facts.
#[component]
pub fn PoolFacts(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    move || {
        let p = pool.get();
        let s = p.summary;
        let endpoint = match s.endpoint {
            Some(e) => view! { <Mono text=e.as_str() copy=true /> }.into_any(),
            None => view! { "none; "<a href="/endpoints">"only legacy clients need one"</a> }.into_any(),
        };
        let default_for =
            if p.default_for.is_empty() { "no site".to_owned() } else { p.default_for.join(", ") };
        let backup = match &s.no_failover_reason {
            None => "has a backup store".to_owned(),
            Some(why) => why.clone(),
        };
        view! {
            <Facts facts=vec![
                ("State", view! { {s.state.word()}", since "<TimeAgo at=s.since /> }.into_any()),
                ("Display name", s.display_name.into_any()),
                ("Site", s.site.into_any()),
                ("Kind", p.kind.into_any()),
                ("Next hop", view! { <Mono text=p.next_hop.as_str() copy=true /> }.into_any()),
                ("Persistent Chat port", p.port.into_any()),
                ("Default for", default_for.into_any()),
                ("Disaster recovery", backup.into_any()),
                ("File store", view! { <Mono text=p.file_store copy=true /> }.into_any()),
                ("Contact that Lync 2013 clients get", view! { <Mono text=p.lookup_uri.as_str() copy=true /> }.into_any()),
                ("Legacy endpoint", endpoint),
                ("Compliance", if s.compliance { "on" } else { "off" }.into_any()),
            ] />
        }
    }
}

/// Compliance without an adapter records and never writes out. Source: C:New-CsPersistentChatComplianceConfiguration.
#[component]
pub fn ComplianceNotice(
    /// The pool.
    pool: Current<PoolDetail>,
) -> impl IntoView {
    let state = Memo::new(move |_| {
        pool.with(|p| {
            let s = &p.summary;
            s.compliance
                .then(|| (s.compliance_queue, s.compliance_other.clone(), s.compliance_adapter.clone()))
        })
    });
    move || {
        state.get().map(|(waiting, other, adapter)| {
            let mut count = match waiting {
                Some(1) => "1 event waits there now.".to_owned(),
                Some(n) => format!("{n} events wait there now."),
                None => "How many events wait there cannot be read.".to_owned(),
            };
            if let Some(q) = other.filter(|q| q.events != Some(0)) {
                let n = q.events.map_or_else(|| "an unknown number (it cannot be read)".to_owned(), |n| n.to_string());
                count.push_str(&format!(" In mgccomp of the side that is not in use, on {}: {n}.", q.store));
            }
            if let Some(a) = adapter {
                return match a.error {
                    Some(e) => view! {
                        <Notice kind=NoticeKind::Danger>
                            <p><strong>"The compliance adapter could not write: "</strong>{e}" "{count}</p>
                        </Notice>
                    }
                    .into_any(),
                    None => view! {
                        <p class="muted">
                            "The compliance adapter writes events to "<span class="mono">{a.directory}</span>" every "{a.run_interval}
                            {a.last_run.map(|at| view! { "; last "<TimeAgo at /> })}". "{count}
                        </p>
                    }
                    .into_any(),
                };
            }
            view! {
                <Notice kind=NoticeKind::Danger>
                    <p>
                        <strong>"No adapter is set: events are queued in mgccomp and nothing is written out."</strong>" "{count}" "
                        <a href=Route::Settings(SettingsTab::Chat).href()>"Set an adapter"</a>
                    </p>
                </Notice>
            }
            .into_any()
        })
    }
}
