//! States: always icon, word and colour together, the same everywhere.

use leptos::prelude::*;
use shared::Timestamp;
use shared::api::{DatabaseView, PoolSummary};
use shared::deployment::{PoolState, ServerState};
use shared::topology::effect::Risk;

use super::icon::Icon;

/// Colour of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Look at it.
    Warning,
    /// Broken.
    Bad,
    /// Under way.
    Active,
    /// Nothing is known, or nothing is expected.
    Neutral,
}

impl Tone {
    /// The CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "badge badge-good",
            Self::Warning => "badge badge-warning",
            Self::Bad => "badge badge-bad",
            Self::Active => "badge badge-active",
            Self::Neutral => "badge badge-neutral",
        }
    }
}

/// A state in words, with its icon and colour.
#[component]
pub fn StateBadge(
    /// Word, colour, icon; see the functions of this module.
    #[prop(into)]
    state: Signal<Badge>,
) -> impl IntoView {
    move || {
        let b = state.get();
        view! { <span class=b.tone.class()>{b.icon.draw()}<span>{b.word}</span></span> }
    }
}

/// What a badge shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// The word.
    pub word: String,
    /// Its colour.
    pub tone: Tone,
    /// Its icon.
    pub icon: Icon,
}

impl Badge {
    /// A badge.
    pub fn new(word: impl Into<String>, tone: Tone, icon: Icon) -> Self {
        Self { word: word.into(), tone, icon }
    }
}

/// What a pool's badge says: the worst that is true of it, else its state.
pub fn of_pool(p: &PoolSummary) -> Badge {
    let hosted: Vec<_> = p.servers.iter().filter(|s| s.report.state != ServerState::NotHostedHere).collect();
    let serving = hosted.iter().any(|s| s.active && s.report.state == ServerState::Running);
    let failed = hosted.iter().any(|s| s.report.state.trouble().is_some());
    let side = if p.state == PoolState::Normal { "primary" } else { "backup" };
    let run = p.run.as_ref().filter(|r| r.holds);
    // A guided run sets the state towards its end: while it has the pool, the direction is its own.
    let back = run.map_or(p.state, |r| r.to) == PoolState::Normal;
    let switching = if back { "Failing back" } else { "Failing over" };
    if run.is_some_and(|r| r.state == "failed") {
        let word = if back { "Failback stopped" } else { "Failover stopped" };
        return Badge::new(word, Tone::Bad, Icon::Cross);
    }
    let database_down =
        p.databases.iter().any(|d| d.role == side && d.database == "mgc" && d.error.is_some());
    if hosted.is_empty() && !p.servers.is_empty() {
        return of_server(&ServerState::NotHostedHere);
    }
    if !p.converged && !database_down {
        let starting = hosted.iter().any(|s| s.report.state == ServerState::Starting);
        return if starting {
            of_server(&ServerState::Starting)
        } else {
            Badge::new(switching, Tone::Active, Icon::Progress)
        };
    }
    if database_down || !serving {
        return Badge::new("Down", Tone::Bad, Icon::Cross);
    }
    if failed || p.databases.iter().any(|d| d.error.is_some()) {
        return Badge::new("Degraded", Tone::Warning, Icon::Warning);
    }
    of_pool_state(p.state)
}

/// Since when what the badge says is true; none when that is not known.
pub fn since(p: &PoolSummary) -> Option<Timestamp> {
    match of_pool(p).tone {
        Tone::Bad => p.down_since,
        _ if p.converged && of_pool(p) == of_pool_state(p.state) => Some(p.since),
        _ => None,
    }
}

/// Normal or FailedOver.
pub fn of_pool_state(state: PoolState) -> Badge {
    match state {
        PoolState::Normal => Badge::new("Normal", Tone::Good, Icon::Tick),
        PoolState::FailedOver => Badge::new("FailedOver", Tone::Warning, Icon::Swap),
    }
}

/// What a server does.
pub fn of_server(state: &ServerState) -> Badge {
    match state {
        ServerState::Starting => Badge::new(state.word(), Tone::Active, Icon::Progress),
        ServerState::Running => Badge::new(state.word(), Tone::Good, Icon::Tick),
        ServerState::NotHostedHere => Badge::new(state.word(), Tone::Neutral, Icon::Person),
        ServerState::Failed(_) => Badge::new(state.word(), Tone::Bad, Icon::Cross),
        ServerState::Unreachable(_) => Badge::new(state.word(), Tone::Bad, Icon::Cross),
        ServerState::Stopped => Badge::new(state.word(), Tone::Neutral, Icon::Stop),
    }
}

/// How risky a change is.
pub fn of_risk(risk: Risk) -> Badge {
    let (tone, icon) = match risk {
        Risk::None => (Tone::Neutral, Icon::Stop),
        Risk::Low => (Tone::Good, Icon::Tick),
        Risk::Disruptive => (Tone::Warning, Icon::Warning),
        Risk::Data => (Tone::Bad, Icon::Warning),
    };
    Badge::new(risk.word(), tone, icon)
}

/// Whether a database answers.
pub fn of_database(d: &DatabaseView) -> Badge {
    if d.restoring.is_some() {
        return Badge::new("Restoring", Tone::Active, Icon::Progress);
    }
    match (&d.error, d.in_use) {
        (Some(_), _) => Badge::new("Does not answer", Tone::Bad, Icon::Broken),
        (None, true) => Badge::new("In use", Tone::Good, Icon::Tick),
        (None, false) => Badge::new("Standing by", Tone::Neutral, Icon::Stop),
    }
}

/// `running`, `success`/`done`, `failure`/`failed`, `waiting`, `skipped` of tests, jobs and steps.
pub fn of_run(state: &str) -> Badge {
    match state {
        "running" => Badge::new("Running", Tone::Active, Icon::Progress),
        "success" => Badge::new("Success", Tone::Good, Icon::Tick),
        "done" => Badge::new("Done", Tone::Good, Icon::Tick),
        "failure" => Badge::new("Failure", Tone::Bad, Icon::Cross),
        "failed" => Badge::new("Failed", Tone::Bad, Icon::Cross),
        "waiting" => Badge::new("Waiting", Tone::Neutral, Icon::Stop),
        "cancelled" => Badge::new("Cancelled", Tone::Neutral, Icon::Stop),
        "missed" => Badge::new("Missed", Tone::Warning, Icon::Stop),
        "skipped" => Badge::new("Skipped", Tone::Neutral, Icon::Arrow),
        other => Badge::new(other, Tone::Neutral, Icon::Question),
    }
}

/// Whether something may be used.
pub fn of_enabled(enabled: bool) -> Badge {
    if enabled {
        Badge::new("Enabled", Tone::Good, Icon::Tick)
    } else {
        Badge::new("Disabled", Tone::Neutral, Icon::Stop)
    }
}
