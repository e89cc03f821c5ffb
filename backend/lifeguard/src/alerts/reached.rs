//! Whom an alert really reached: what was decided to be told is one thing, what arrived another.

use rusqlite::Connection;
use shared::Timestamp;
use shared::api::{AlertMessage, LiveProblem};
use shared::error::Problem;
use store::management::StoreError;
use store::management::alerts::{self as kept, Delivery, Target};

use super::machine::key;
use crate::app::App;

/// Deliveries that are looked through: all that are kept.
const KEPT: u32 = 200;

/// What became of something that was to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// It arrived.
    Delivered,
    /// It is under way; why the last try failed.
    Waiting(Option<String>),
    /// It did not arrive, and is not tried again.
    Failed(String),
    /// The log does not go back so far.
    Forgotten,
}

/// The deliveries that are kept, with the alerts they tell of.
pub struct Deliveries(Vec<(String, Delivery)>);

impl Deliveries {
    /// Reads them.
    ///
    /// # Errors
    /// SQLite's.
    pub fn read(c: &Connection) -> Result<Self, StoreError> {
        let of = |d: Delivery| {
            let told: Option<AlertMessage> = serde_json::from_str(&d.body).ok();
            (told.map(|m| key(&m.code, &m.subject)).unwrap_or_default(), d)
        };
        Ok(Self(kept::deliveries(c, KEPT)?.into_iter().map(of).collect()))
    }

    /// What became of what a target was told at a time about an alert.
    pub fn of(&self, target: &str, key: &str, at: Timestamp) -> Reached {
        let found = self.0.iter().find(|(k, d)| k == key && d.target == target && d.at == at);
        let Some((_, d)) = found else { return Reached::Forgotten };
        match d.state.as_str() {
            "delivered" => Reached::Delivered,
            "failed" => Reached::Failed(d.error.clone().unwrap_or_else(|| "it was not said why".to_owned())),
            _ => Reached::Waiting(d.error.clone()),
        }
    }

    /// Why nobody was reached by what was told last; none when somebody was, or nothing was told yet.
    fn nobody(&self, targets: &[Target]) -> Option<String> {
        let last =
            |t: &Target| self.0.iter().map(|(_, d)| d).find(|d| d.target == t.id && d.state != "pending");
        let ended: Vec<_> =
            targets.iter().filter(|t| t.settings.enabled).filter_map(|t| last(t).map(|d| (t, d))).collect();
        let failed = !ended.is_empty() && ended.iter().all(|(_, d)| d.state == "failed");
        let why = |(t, d): &(&Target, &Delivery)| {
            format!(
                "{}: {}",
                t.label,
                d.error.as_deref().unwrap_or("it was not said why").trim_end_matches('.')
            )
        };
        failed.then(|| ended.iter().map(why).collect::<Vec<_>>().join("; "))
    }
}

/// What is said in one line; none of what is not known any more.
pub fn in_words(label: &str, reached: &Reached) -> String {
    match reached {
        Reached::Delivered => format!("{label} was told."),
        Reached::Waiting(None) => format!("{label} is being told."),
        Reached::Waiting(Some(why)) => format!("{label} is being told; the last try failed: {why}"),
        Reached::Failed(why) => format!("{label} could not be told: {why}"),
        Reached::Forgotten => {
            format!("{label} was to be told; the log of deliveries does not go back so far.")
        }
    }
}

/// The problem that alerts reach nobody.
pub fn problem(app: &App) -> Option<LiveProblem> {
    let read = |c: &Connection| Ok::<_, StoreError>(Deliveries::read(c)?.nobody(&kept::targets(c)?));
    let why = app.store.read(read).ok().flatten()?;
    let text = format!("Alerts reach nobody; the last ones could not be delivered: {why}.");
    let p = Problem::error("alerts.undelivered", "", text, "");
    Some(LiveProblem::new(p, "alerts", "/settings/alerts"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::management::alerts::Settings;

    fn target(id: &str, enabled: bool) -> Target {
        let settings = Settings {
            kind: "Webhook".to_owned(),
            address: "http://x/".to_owned(),
            mail: None,
            enabled,
            after_failures: 1,
            repeat_minutes: 0,
        };
        Target { id: id.to_owned(), label: id.to_owned(), settings, secret: None }
    }

    fn delivery(target: &str, state: &str, error: Option<&str>) -> (String, Delivery) {
        let d = Delivery {
            id: String::new(),
            target: target.to_owned(),
            at: Timestamp::from_millis(7),
            body: String::new(),
            state: state.to_owned(),
            tries: 3,
            error: error.map(str::to_owned),
        };
        ("server.failed/x".to_owned(), d)
    }

    #[test]
    fn told_is_who_was_reached() {
        let all = Deliveries(vec![
            delivery("good", "delivered", None),
            delivery("bad", "failed", Some("connection refused")),
            delivery("slow", "pending", Some("timed out")),
        ]);
        let said = |t: &str| in_words(t, &all.of(t, "server.failed/x", Timestamp::from_millis(7)));
        assert_eq!(said("good"), "good was told.");
        assert_eq!(said("bad"), "bad could not be told: connection refused");
        assert_eq!(said("slow"), "slow is being told; the last try failed: timed out");
        assert!(said("other").contains("was to be told"));
    }

    #[test]
    fn alerts_that_reach_nobody_are_a_problem() {
        let targets = [target("a", true), target("b", true), target("off", false)];
        let failed = |t: &str| delivery(t, "failed", Some("refused."));
        assert_eq!(Deliveries(vec![]).nobody(&targets), None, "nothing was told yet");
        let all = Deliveries(vec![failed("a"), failed("b"), delivery("off", "delivered", None)]);
        assert_eq!(all.nobody(&targets).as_deref(), Some("a: refused; b: refused"));
        let one = Deliveries(vec![failed("a"), delivery("b", "delivered", None), failed("b")]);
        assert_eq!(one.nobody(&targets), None, "the newest one counts");
    }
}
