//! When somebody is told of a problem: raised, told again, resolved. Pure: what is open and what was seen
//! goes in, what changes and what is told comes out.

use std::collections::BTreeSet;

use shared::Timestamp;
use shared::api::LiveProblem;
use store::management::alerts::{Mute, Open, Target};

const MINUTE: i64 = 60_000;
/// The one code that counts failures in a row instead of looks.
pub const TEST: &str = "test.failed";

/// Looks in a row that must find a problem before it counts. A database that is being opened is what every
/// switch goes through; only one that stays so is worth a call.
pub fn looks_needed(code: &str) -> u32 {
    if code == "pool.opening" { 3 } else { 1 }
}

/// Key of a problem: code and subject.
pub fn key(code: &str, subject: &str) -> String {
    format!("{code}/{subject}")
}

/// A problem that a look found.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The problem.
    pub problem: LiveProblem,
    /// Failures in a row, for test messages.
    pub failures: u32,
}

/// What a look found.
#[derive(Debug, Default)]
pub struct Look {
    /// Problems.
    pub seen: Vec<Seen>,
    /// Keys that nothing can be said about now (a server that starts is not yet well).
    pub unsure: BTreeSet<String>,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is there.
    Raised,
    /// It is still there.
    Again,
    /// It is gone.
    Resolved,
}

/// One thing to tell one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Tell {
    /// Id of the target.
    pub target: String,
    /// What.
    pub word: Word,
    /// Of which problem.
    pub problem: LiveProblem,
    /// Since when.
    pub since: Timestamp,
}

/// What follows from a look.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Alerts to write.
    pub save: Vec<Open>,
    /// Keys of alerts that are over.
    pub close: Vec<String>,
    /// What to tell, in order.
    pub tell: Vec<Tell>,
}

impl Outcome {
    /// Nothing changes.
    pub fn is_empty(&self) -> bool {
        self.save.is_empty() && self.close.is_empty() && self.tell.is_empty()
    }
}

/// Two problems with the same key are one, with both texts.
fn merged(seen: &[Seen]) -> Vec<(String, Seen)> {
    let mut out: Vec<(String, Seen)> = Vec::new();
    for s in seen {
        let k = key(&s.problem.problem.code, &s.problem.subject);
        match out.iter_mut().find(|(o, _)| *o == k) {
            Some((_, first)) => {
                first.problem.problem.text =
                    format!("{} {}", first.problem.problem.text, s.problem.problem.text);
                first.failures = first.failures.max(s.failures);
            }
            None => out.push((k, s.clone())),
        }
    }
    out
}

/// Whether a target is told now, and as what.
fn word(o: &Open, s: &Seen, t: &Target, quiet: bool, now: Timestamp) -> Option<Word> {
    if quiet || o.acknowledged.is_some() || !t.settings.enabled {
        return None;
    }
    let code = s.problem.problem.code.as_str();
    match o.told.get(&t.id) {
        None if code == TEST && s.failures < t.settings.after_failures => None,
        None if o.looks < looks_needed(code) => None,
        None => Some(Word::Raised),
        Some(last) => {
            let pause = i64::from(t.settings.repeat_minutes) * MINUTE;
            (pause > 0 && now.millis() - last.millis() >= pause).then_some(Word::Again)
        }
    }
}

/// What follows from a look at `now`.
pub fn look(open: &[Open], look: &Look, targets: &[Target], mutes: &[Mute], now: Timestamp) -> Outcome {
    let mut out = Outcome::default();
    let seen = merged(&look.seen);
    for (k, s) in &seen {
        let before = open.iter().find(|o| o.key == *k);
        let mut o = before.cloned().unwrap_or_else(|| Open {
            key: k.clone(),
            problem: s.problem.clone(),
            since: s.problem.since.unwrap_or(now),
            looks: 0,
            told: Default::default(),
            acknowledged: None,
        });
        o.problem = s.problem.clone();
        o.looks = (o.looks + 1).min(looks_needed(&s.problem.problem.code));
        o.told.retain(|id, _| targets.iter().any(|t| t.id == *id));
        let quiet = mutes.iter().any(|m| m.holds(&s.problem.subject, now));
        for t in targets {
            if let Some(word) = word(&o, s, t, quiet, now) {
                o.told.insert(t.id.clone(), now);
                out.tell.push(Tell {
                    target: t.id.clone(),
                    word,
                    problem: s.problem.clone(),
                    since: o.since,
                });
            }
        }
        if before != Some(&o) {
            out.save.push(o);
        }
    }
    let gone =
        open.iter().filter(|o| !seen.iter().any(|(k, _)| *k == o.key) && !look.unsure.contains(&o.key));
    for o in gone {
        out.close.push(o.key.clone());
        // Whoever was told that it is there is told that it is gone, muted or not: theirs would stay open.
        for t in targets.iter().filter(|t| t.settings.enabled && o.told.contains_key(&t.id)) {
            let problem = o.problem.clone();
            out.tell.push(Tell { target: t.id.clone(), word: Word::Resolved, problem, since: o.since });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::error::Problem;
    use store::management::alerts::{ALL, Settings};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * MINUTE)
    }

    fn seen(code: &str, subject: &str, failures: u32) -> Seen {
        let problem = Problem::error(code, "", format!("{subject} is broken."), "");
        let problem = LiveProblem::new(problem, subject, "/");
        Seen { problem, failures }
    }

    fn target(id: &str, after_failures: u32, repeat_minutes: u32) -> Target {
        let settings = Settings {
            kind: "Webhook".to_owned(),
            address: "http://x/".to_owned(),
            mail: None,
            enabled: true,
            after_failures,
            repeat_minutes,
        };
        Target { id: id.to_owned(), label: id.to_owned(), settings, secret: None }
    }

    /// A store in memory: what a restart finds is what was written.
    #[derive(Default)]
    struct Kept {
        open: Vec<Open>,
        targets: Vec<Target>,
        mutes: Vec<Mute>,
    }

    impl Kept {
        fn look(&mut self, minute: i64, seen: &[Seen]) -> Vec<(String, Word)> {
            self.unsure(minute, seen, &[])
        }

        fn unsure(&mut self, minute: i64, seen: &[Seen], unsure: &[&str]) -> Vec<(String, Word)> {
            let unsure = unsure.iter().map(|k| (*k).to_owned()).collect();
            let l = Look { seen: seen.to_vec(), unsure };
            let out = look(&self.open, &l, &self.targets, &self.mutes, at(minute));
            self.open.retain(|o| !out.close.contains(&o.key) && !out.save.iter().any(|s| s.key == o.key));
            self.open.extend(out.save);
            out.tell.into_iter().map(|t| (t.target, t.word)).collect()
        }
    }

    fn told(target: &str, word: Word) -> (String, Word) {
        (target.to_owned(), word)
    }

    #[test]
    fn a_problem_is_raised_once_and_resolved_once_also_over_a_restart() {
        let mut k = Kept { targets: vec![target("a", 1, 0), target("b", 1, 0)], ..Kept::default() };
        let down = [seen("server.failed", "gc-001", 0)];
        assert_eq!(k.look(0, &down), [told("a", Word::Raised), told("b", Word::Raised)]);
        // All that is known stands in the store, so a look after a restart is a look like any other.
        assert_eq!(k.look(1, &down), []);
        assert_eq!(k.open[0].since, at(0));
        // While the server starts again nothing is said.
        assert_eq!(k.unsure(2, &[], &["server.failed/gc-001"]), []);
        assert_eq!(k.look(3, &[]), [told("a", Word::Resolved), told("b", Word::Resolved)]);
        assert_eq!(k.look(4, &[]), []);
        assert_eq!(k.look(5, &down).len(), 2, "a new one is a new alert");
    }

    #[test]
    fn nothing_is_written_while_nothing_changes() {
        let mut k = Kept { targets: vec![target("a", 1, 0)], ..Kept::default() };
        let down = [seen("server.failed", "gc-001", 0)];
        k.look(0, &down);
        let l = Look { seen: down.to_vec(), ..Look::default() };
        assert!(look(&k.open, &l, &k.targets, &[], at(1)).is_empty());
    }

    #[test]
    fn an_acknowledged_alert_is_told_again_only_when_it_is_gone() {
        let mut k = Kept { targets: vec![target("a", 1, 60)], ..Kept::default() };
        let down = [seen("server.failed", "gc-001", 0)];
        k.look(0, &down);
        assert_eq!(k.look(59, &down), []);
        assert_eq!(k.look(60, &down), [told("a", Word::Again)]);
        k.open[0].acknowledged = Some(("ada".to_owned(), at(61)));
        k.targets.push(target("b", 1, 60));
        assert_eq!(k.look(600, &down), [], "not again, and to nobody new");
        assert_eq!(k.look(601, &[]), [told("a", Word::Resolved)]);
    }

    #[test]
    fn a_mute_holds_back_what_is_new_and_tells_it_when_it_ends() {
        let mut k = Kept { targets: vec![target("a", 1, 0)], ..Kept::default() };
        let (one, two) = (seen("server.failed", "gc-001", 0), seen("server.failed", "gc-002", 0));
        let mute = |subject: &str, until| Mute {
            subject: subject.to_owned(),
            until: at(until),
            actor: "ada".to_owned(),
        };
        k.mutes = vec![mute("GC-001", 10)];
        assert_eq!(k.look(0, &[one.clone(), two.clone()]).len(), 1, "gc-002 only");
        assert_eq!(k.look(9, &[one.clone(), two.clone()]), []);
        assert_eq!(k.look(10, &[one.clone(), two]), [told("a", Word::Raised)]);
        k.mutes = vec![mute(ALL, 100)];
        assert_eq!(k.look(20, &[]), [told("a", Word::Resolved), told("a", Word::Resolved)]);
        assert_eq!(k.look(21, &[one]), []);
        assert_eq!(k.look(22, &[]), [], "who was not told that it is there is not told that it is gone");
    }

    #[test]
    fn test_messages_count_failures_for_each_target() {
        let mut k = Kept { targets: vec![target("a", 1, 0), target("b", 3, 0)], ..Kept::default() };
        assert_eq!(k.look(0, &[seen(TEST, "atl", 1)]), [told("a", Word::Raised)]);
        assert_eq!(k.look(1, &[seen(TEST, "atl", 2)]), []);
        assert_eq!(k.look(2, &[seen(TEST, "atl", 3)]), [told("b", Word::Raised)]);
        // A test message that was started by hand counts as one and takes nothing back.
        assert_eq!(k.look(3, &[seen(TEST, "atl", 1)]), []);
        assert_eq!(k.look(4, &[]), [told("a", Word::Resolved), told("b", Word::Resolved)]);
    }

    #[test]
    fn a_database_that_is_only_being_opened_is_nobodys_business() {
        let mut k = Kept { targets: vec![target("a", 1, 0)], ..Kept::default() };
        let opening = [seen("pool.opening", "atl", 0)];
        assert_eq!((k.look(0, &opening), k.look(1, &opening), k.look(2, &[])), (vec![], vec![], vec![]));
        assert_eq!((k.look(3, &opening), k.look(4, &opening)), (vec![], vec![]));
        assert_eq!(k.look(5, &opening), [told("a", Word::Raised)]);
    }

    #[test]
    fn problems_with_one_key_are_one_alert_with_both_texts() {
        let mut k = Kept { targets: vec![target("a", 1, 0)], ..Kept::default() };
        assert_eq!(k.look(0, &[seen("db.error", "atl", 0), seen("db.error", "atl", 0)]).len(), 1);
        assert_eq!(k.open[0].problem.problem.text, "atl is broken. atl is broken.");
    }

    #[test]
    fn a_target_that_is_switched_off_or_removed_is_told_nothing() {
        let mut k = Kept { targets: vec![target("a", 1, 0), target("b", 1, 0)], ..Kept::default() };
        k.targets[1].settings.enabled = false;
        let down = [seen("server.failed", "gc-001", 0)];
        assert_eq!(k.look(0, &down), [told("a", Word::Raised)]);
        k.targets.remove(0);
        assert_eq!(k.look(1, &down), []);
        assert!(k.open[0].told.is_empty());
        assert_eq!(k.look(2, &[]), []);
    }
}
