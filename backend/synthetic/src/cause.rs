//! Failures: the error text as Lync's tools print it, and what was seen.

use std::net::SocketAddr;
use std::time::Duration;

use shared::synthetic::{CauseCode, Diagnosis, Phase};
use wire::sip::Response;
use wire::xccos::open_points::Refusal;

use crate::texts;

/// Why a phase failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Cause.
    pub cause: CauseCode,
    /// Error Message.
    pub message: String,
    /// What was seen, in a sentence; the diagnosis begins with it.
    pub seen: String,
}

impl Failure {
    /// A failure.
    pub fn new(cause: CauseCode, message: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { cause, message: message.into(), seen: seen.into() }
    }

    /// Nobody answered at `at`; the words of seed 002.
    pub fn no_answer(at: SocketAddr, seen: impl Into<String>) -> Self {
        let text = format!(
            "A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond {at}"
        );
        Self::new(CauseCode::NoAnswer, format!("10060, {text}\nInner Exception:{text}"), seen)
    }

    /// The connection was refused.
    pub fn refused(at: SocketAddr) -> Self {
        let text = format!("No connection could be made because the target machine actively refused it {at}");
        Self::new(
            CauseCode::NothingListening,
            format!("10061, {text}\nInner Exception:{text}"),
            format!("Nothing listens at {at}."),
        )
    }

    /// The name has no address; `why` is what the resolver said.
    pub fn not_resolved(name: &str, why: &str) -> Self {
        Self::new(
            CauseCode::NameNotResolved,
            format!("11001, No such host is known: {name}"),
            format!("The name {name} has no address{why}."),
        )
    }

    /// A phase got no answer in time after the connection stood.
    pub fn timeout(phase: Phase, who: &str) -> Self {
        Self::new(
            CauseCode::Timeout,
            format!("The operation '{}' timed out.", phase.title()),
            format!("{who} got no answer in the phase '{}'.", phase.title()),
        )
    }

    /// The time of the whole run was used up while `phase` of `who` was running.
    pub fn out_of_time(phase: Phase, who: &str, total: Duration) -> Self {
        let (title, seconds) = (phase.title(), total.as_secs_f64());
        Self::new(
            CauseCode::Timeout,
            format!("The operation '{title}' timed out: the whole test may take {seconds} s."),
            format!("{who} was in the phase '{title}' when the {seconds} s for the whole test were used up."),
        )
    }

    /// The run was stopped while `phase` of `who` was running.
    pub fn cancelled(phase: Phase, who: &str) -> Self {
        let title = phase.title();
        Self::new(
            CauseCode::Cancelled,
            format!("The operation '{title}' was cancelled."),
            format!("The test was stopped while {who} was in the phase '{title}'."),
        )
    }

    /// A SIP answer that is a refusal.
    pub fn sip(cause: CauseCode, r: &Response, seen: impl Into<String>) -> Self {
        let diagnostics = r.headers.get("ms-diagnostics");
        let extra = diagnostics.map(|d| format!(" (ms-diagnostics: {d})")).unwrap_or_default();
        Self::new(cause, format!("{}, {}{extra}", r.status, r.reason), seen)
    }

    /// A refusal by the chat service. One that speaks of the policy is about the policy, whatever else the
    /// phase would make of it.
    pub fn by_service(cause: CauseCode, r: &Response, seen: impl Into<String>) -> Self {
        let said = r.headers.get("ms-diagnostics").unwrap_or_default();
        let cause = if speaks_of_policy(said) { CauseCode::NoPolicy } else { database(cause, said) };
        let mut seen = seen.into();
        if let Some(why) = reason_of(said) {
            seen.push_str(&format!(" It says: {why}."));
        }
        Self::sip(cause, r, seen)
    }

    /// The service ended the session of `who`; `why` is what its BYE or answer says, may be empty.
    pub fn session_ended(phase: Phase, who: &str, why: &str) -> Self {
        let said = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let (cause, seen) = if speaks_of_policy(why) {
            (CauseCode::NoPolicy, format!("The service ended the session of {who} because of the policy."))
        } else {
            let title = phase.title();
            (
                CauseCode::SessionEnded,
                format!("The service ended the session of {who} in the phase '{title}'."),
            )
        };
        Self::new(cause, format!("481, Call/Transaction Does Not Exist{said}"), seen)
    }

    /// A command on `room` was refused to `who`; `code` and `text` are the reply's.
    pub fn room(refusal: Refusal, code: u16, text: &str, who: &str, room: &str) -> Self {
        let (cause, seen) = match refusal {
            Refusal::RoomUnknown => {
                (CauseCode::RoomUnknown, format!("The room {room} does not exist on this pool."))
            }
            Refusal::NotAMember => (CauseCode::NotAMember, format!("{who} may not join {room}.")),
            Refusal::RoomDisabled => (CauseCode::RoomDisabled, format!("The room {room} is disabled.")),
            Refusal::Database => (
                database(CauseCode::PoolUnavailable, text),
                "The pool's database does not answer.".to_owned(),
            ),
            Refusal::Other => (CauseCode::JoinRefused, format!("{who} was not let into {room}.")),
        };
        Self::new(cause, format!("{code}, {text}"), seen)
    }

    /// The diagnosis: what was seen, what probably is behind it, what to check next.
    pub fn diagnosis(&self) -> Diagnosis {
        let text = format!("{} {}", self.seen, texts::likely(self.cause));
        Diagnosis {
            cause: self.cause,
            text: text.trim().to_owned(),
            check_next: texts::next(self.cause).to_owned(),
        }
    }
}

/// What the service says about its database makes an unavailable pool plainer: SQLite's words and SQL Server's.
pub fn database(cause: CauseCode, said: &str) -> CauseCode {
    let said = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| said.contains(w));
    match cause {
        CauseCode::PoolUnavailable if says(&["disk is full", "' is full", "filegroup is full"]) => {
            CauseCode::DatabaseFull
        }
        CauseCode::PoolUnavailable if says(&["is locked", "lock request time out", "deadlocked"]) => {
            CauseCode::DatabaseLocked
        }
        other => other,
    }
}

/// The words of `ms-diagnostics: 1020;reason="…"`, without a full stop at their end.
fn reason_of(diagnostics: &str) -> Option<&str> {
    let (_, rest) = diagnostics.split_once("reason=\"")?;
    let words = rest.split('"').next().unwrap_or_default().trim().trim_end_matches('.');
    (!words.is_empty()).then_some(words)
}

/// Whether a reason given by the service is the Persistent Chat policy. A bare 481 or BYE is not: servers
/// send those for many reasons.
fn speaks_of_policy(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("policy") || reason.contains("not enabled for persistent chat")
}

#[cfg(test)]
mod tests {
    use shared::synthetic::{Outcome, TestReport};

    use super::*;

    fn report(f: Option<&Failure>) -> TestReport {
        TestReport {
            target_fqdn: "atl-cs-001.litwareinc.com".to_owned(),
            result: if f.is_some() { Outcome::Failure } else { Outcome::Success },
            latency_us: 0,
            error_message: f.map(|f| f.message.clone()).unwrap_or_default(),
            diagnosis: f.map(Failure::diagnosis),
            warnings: Vec::new(),
            steps: Vec::new(),
            hops: Vec::new(),
            room: None,
            sender: "sip:pilar@litwareinc.com".to_owned(),
            receiver: "sip:kenmyer@litwareinc.com".to_owned(),
            started_at: "2026-11-21T09:00:00Z".to_owned(),
            total_us: 0,
        }
    }

    /// Seed 002, block for block; its failure has an empty diagnosis, ours says what was seen.
    #[test]
    fn the_blocks_of_seed_002() {
        let at = "[2001:4898:e8:f39e:5c9a:ad83:81b3:9944]:5061".parse().unwrap();
        let f = Failure::no_answer(at, format!("{at} did not answer within 10 s."));
        assert_eq!(report(None).print(), include_str!("../tests/golden/success.txt"));
        assert_eq!(report(Some(&f)).print(), include_str!("../tests/golden/failure.txt"));
        let mut as_printed = report(Some(&f));
        as_printed.diagnosis = None;
        assert_eq!(as_printed.print(), include_str!("../tests/golden/failure_of_the_seed.txt"));
    }

    #[test]
    fn only_words_about_the_policy_make_it_the_policy() {
        for (why, wanted) in [
            ("", CauseCode::SessionEnded),
            ("1020;reason=\"No such dialog\"", CauseCode::SessionEnded),
            ("1020;reason=\"The user is not enabled for Persistent Chat\"", CauseCode::NoPolicy),
            ("SIP ;cause=403 ;text=\"Denied by Policy\"", CauseCode::NoPolicy),
        ] {
            assert_eq!(Failure::session_ended(Phase::Lookup, "sip:a@b", why).cause, wanted, "{why}");
        }
    }

    #[test]
    fn words_about_the_database_say_which_trouble_it_is() {
        for (said, wanted) in [
            (
                "500;reason=\"ERROR_DATABASE_CONNECTION: the chat database: database or disk is full\"",
                CauseCode::DatabaseFull,
            ),
            ("The transaction log for database 'mgc' is full due to 'LOG_BACKUP'.", CauseCode::DatabaseFull),
            ("the chat database: database is locked", CauseCode::DatabaseLocked),
            ("Lock request time out period exceeded.", CauseCode::DatabaseLocked),
            ("the chat database: disk I/O error", CauseCode::PoolUnavailable),
        ] {
            assert_eq!(database(CauseCode::PoolUnavailable, said), wanted, "{said}");
            assert_eq!(database(CauseCode::NotAMember, said), CauseCode::NotAMember);
        }
        assert_eq!(reason_of("1020;reason=\"No server runs.\";source=\"x\""), Some("No server runs"));
        assert_eq!(reason_of("1020"), None);
    }

    #[test]
    fn a_time_out_of_the_run_names_the_phase() {
        let f = Failure::out_of_time(Phase::Join, "sip:a@b", Duration::from_millis(1500));
        assert_eq!(f.cause, CauseCode::Timeout);
        assert!(f.message.contains("'Join the room'") && f.message.contains("1.5 s"), "{}", f.message);
        assert!(f.seen.starts_with("sip:a@b was in the phase 'Join the room'"), "{}", f.seen);
    }
}
