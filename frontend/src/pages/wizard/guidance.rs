//! The quiet column beside a page: what the choice means, where the rule comes from, and what the pool
//! looks like so far.

use leptos::prelude::*;
use shared::topology::wizard::Page;

use super::so_far::SoFar;

/// A paragraph: heading, text, source.
type Note = (&'static str, &'static str, &'static str);

const SEED: &str = "Add Persistent Chat Server to the topology (Lync Server 2013)";
const CAPACITY: &str = "Capacity planning for Persistent Chat Server";

/// Who may define a pool and who may publish it.
pub const WHO_MAY: &str = "Every standard role but CsHelpDesk and CsViewOnlyAdministrator may define a pool. Publishing it needs the publish right, and full control of the file store.";

fn notes(page: Page) -> &'static [Note] {
    match page {
        Page::Fqdn => &[
            (
                "Multiple or single",
                "Choose a multiple computer pool if you plan to have more than one Persistent Chat server. After you create a single computer pool, you cannot add additional servers to it later; it would have to be deleted and defined anew.",
                SEED,
            ),
            ("Who may define, who may publish", WHO_MAY, SEED),
        ],
        Page::Computers => &[
            (
                "How many",
                "A pool has eight computers at most, four of them active. Standby computers take over when you switch active servers.",
                CAPACITY,
            ),
            (
                "One pool each",
                "A computer serves one pool. With Enterprise Edition it is not a Front End Server at the same time.",
                CAPACITY,
            ),
        ],
        Page::Properties => &[
            (
                "Site affinity",
                "The default pool of a site is where the Lync 2013 client sends room creation and management. It applies once several pools are deployed. Rooms can also be managed under Rooms in this portal and with the cmdlets.",
                SEED,
            ),
            (
                "Compliance",
                "The Compliance service is installed on the same computers, and a SQL Server store for it is asked for later.",
                SEED,
            ),
            (
                "Disaster recovery",
                "Backup databases on a second SQL Server let the pool be failed over and back. They are set up when the topology is published.",
                "High availability and disaster recovery for Persistent Chat Server",
            ),
        ],
        Page::SqlStore | Page::BackupSqlStore => &[
            (
                "Default or named instance",
                "Default Instance uses the SQL Server's unnamed instance. A named instance has to exist on that server; a mistyped one is found when publishing.",
                SEED,
            ),
            (
                "One of each",
                "A database server holds one mgc and one mgccomp database, not those of two pools.",
                "Server collocation",
            ),
        ],
        Page::ComplianceSqlStore | Page::BackupComplianceSqlStore => &[
            (
                "What a mirror is for",
                "Events that no adapter has written out yet are lost with their store. A mirror has them before they count as queued.",
                "Required resources",
            ),
            (
                "Not failed over by itself",
                "After a failover of mgc, compliance goes on with its own backup store. Events that were not processed before stay behind.",
                "Failing over Persistent Chat Server",
            ),
            (
                "May be shared",
                "mgc and mgccomp of one pool may stand on the same SQL Server store.",
                "Server collocation",
            ),
        ],
        Page::FileStore => &[(
            "UNC or local",
            "With several computers the file store must be a UNC path; with one it can be a local file path.",
            SEED,
        )],
        Page::NextHop => &[(
            "The only way in",
            "Clients never talk to a Persistent Chat server directly: they sign in at a Front End pool, and its servers pass requests on to port 5041 by mutual TLS.",
            "Ports and protocols for internal servers",
        )],
        Page::Summary => &[(
            "After Finish",
            "The pool stands in the topology draft. Publish now, or go on with the draft and publish everything together.",
            SEED,
        )],
    }
}

/// The column.
#[component]
pub fn Guidance(
    /// The page it stands beside.
    page: Page,
) -> impl IntoView {
    view! {
        <aside class="guidance" aria-label="What this means">
            {notes(page).iter().map(|(title, text, source)| view! {
                <section class="guidance-note">
                    <h2>{*title}</h2>
                    <p>{*text}</p>
                    <p class="guidance-source">"Source: "{*source}</p>
                </section>
            }).collect_view()}
            <SoFar />
        </aside>
    }
}
