//! What to do when nothing is deployed yet, in the order in which it has to be done.

use leptos::prelude::*;
use shared::api::TopologyView;
use shared::events::Topic;

use crate::api::use_data;
use crate::components::{ButtonKind, Icon, LinkButton, Section, Shown};
use crate::routes::Route;

struct Step {
    done: bool,
    title: &'static str,
    text: &'static str,
    verb: &'static str,
    route: Route,
}

fn steps(t: &TopologyView) -> [Step; 7] {
    let d = &t.draft;
    let new = |kind: &str| Route::TopologyNew(kind.to_owned());
    [
        Step {
            done: !d.sip_domains.is_empty(),
            title: "A SIP domain",
            text: "The domain of your people's SIP addresses, for example contoso.com.",
            verb: "Add the SIP domain",
            route: new("sip-domain"),
        },
        Step {
            done: !d.sites.is_empty(),
            title: "A site",
            text: "A place with its own data centre.",
            verb: "Add the site",
            route: new("site"),
        },
        Step {
            done: !d.front_end_pools.is_empty(),
            title: "A Front End pool",
            text: "People sign in there; it routes chat requests to the chat servers (the next hop).",
            verb: "Add the Front End pool",
            route: new("front-end-pool"),
        },
        Step {
            done: !d.sql_stores.is_empty(),
            title: "A SQL Server store",
            text: "Holds what is said in the rooms (mgc).",
            verb: "Add the SQL Server store",
            route: new("sql-store"),
        },
        Step {
            done: !d.file_stores.is_empty(),
            title: "A file store",
            text: "Log shipping goes through it, and legacy clients would put their files there.",
            verb: "Add the file store",
            route: new("file-store"),
        },
        Step {
            done: !d.pools.is_empty(),
            title: "A Persistent Chat pool",
            text: "The wizard asks for everything, and may also define stores on the way.",
            verb: "Define the pool",
            route: Route::WizardStart,
        },
        Step {
            done: t.version.is_some() && t.changes.is_empty(),
            title: "Publish",
            text: "Checks everything, makes the databases, starts the servers.",
            verb: "Publish the topology",
            route: Route::Publish,
        },
    ]
}

/// The steps, with the next one's button.
#[component]
pub fn FirstSteps() -> impl IntoView {
    let data = use_data::<TopologyView>(|| "topology".to_owned(), &[Topic::Topology]);
    view! {
        <Section title="First steps">
            <Shown data lines=7 let:topology>
                {move || topology.with(|t| list(&steps(t)))}
            </Shown>
        </Section>
    }
}

fn list(steps: &[Step]) -> AnyView {
    let next = steps.iter().position(|s| !s.done);
    let item = |(i, s): (usize, &Step)| {
        let is_next = Some(i) == next;
        let class = if s.done {
            "step step-done"
        } else if is_next {
            "step step-next"
        } else {
            "step"
        };
        view! {
            <li class=class>
                <span class="step-mark" aria-hidden="true">{if s.done { Icon::Tick.draw() } else { (i + 1).into_any() }}</span>
                <div class="step-text">
                    <h3>{s.title}{s.done.then(|| view! { <span class="visually-hidden">" (done)"</span> })}</h3>
                    <p class="muted">{s.text}</p>
                </div>
                {is_next.then(|| view! { <LinkButton label=s.verb href=s.route.href() kind=ButtonKind::Primary /> })}
            </li>
        }
    };
    view! { <ol class="card steps" role="list">{steps.iter().enumerate().map(item).collect_view()}</ol> }
        .into_any()
}
