//! Test messages: those that run by themselves, one run, the history.

use super::dto::dto;
use crate::names::{Fqdn, SipUri};
use crate::synthetic::{Phase, StepRecord, TestReport};
use crate::time::Timestamp;

dto! {
    /// `GET /api/v1/watch`.
    WatchView {
        /// SIP addresses of stored test users.
        users: Vec<SipUri>,
        /// Test messages that run by themselves.
        watchers: Vec<WatcherView>,
        /// Authorities of others that test messages trust.
        authorities: Vec<AuthorityView>,
        /// Nodes that have joined: test messages may run from them.
        nodes: Vec<String>,
    }
    /// An authority of others that test messages trust.
    AuthorityView {
        /// What it is called here.
        name: String,
        /// Whom its certificates are for.
        subjects: Vec<String>,
        /// The first end of its certificates' validity.
        not_after: Option<Timestamp>,
    }
    /// A test message that runs by itself.
    WatcherView {
        /// Pool that is watched.
        target: String,
        /// Test users.
        users: Vec<String>,
        /// When it runs, in words.
        schedule: String,
        /// Whether it runs.
        enabled: bool,
        /// When it runs next.
        next_run: Timestamp,
        /// Failures in a row.
        failures: u32,
        /// Runs missed because the portal, or the node that was to do them, was not there.
        missed: u32,
        /// The last run.
        last: Option<TestSummary>,
    }
    /// A test message in a list.
    TestSummary {
        /// Id of the run.
        id: String,
        /// Target as typed.
        target: String,
        /// The chat pool it reached or would have reached, when known.
        pool: Option<Fqdn>,
        /// `running`, `success`, `failure`, `cancelled` or `missed` (its node was away).
        state: String,
        /// When it started.
        started: Timestamp,
        /// First send to second receipt, in microseconds.
        latency_us: Option<u64>,
        /// One line: the verdict.
        verdict: String,
        /// Who started it.
        actor: String,
        /// The node that ran it; the portal when none.
        node: Option<String>,
    }
    /// `GET /api/v1/test-history`: earlier test messages, a page of them, and numbers over all of them.
    TestHistory {
        /// The page, newest first.
        rows: Vec<TestSummary>,
        /// How many there are in all.
        total: u64,
        /// How many went well.
        succeeded: u64,
        /// How many failed.
        failed: u64,
        /// The newest so many that went well or failed are what the numbers below are made from.
        measured: u32,
        /// Their time cut into slices, oldest first.
        slices: Vec<TestSlice>,
        /// How long the phases took in those that went well; the last one, without phase, is the latency.
        phases: Vec<PhaseNumbers>,
        /// Who started test messages.
        actors: Vec<String>,
        /// Why test messages failed.
        causes: Vec<String>,
        /// Days that test messages are kept; 0 means for ever.
        keep_days: u32,
    }
    /// A slice of time in the history.
    TestSlice {
        /// When its first test message started.
        from: Timestamp,
        /// When its last one started.
        to: Timestamp,
        /// How many went well.
        succeeded: u32,
        /// How many failed.
        failed: u32,
        /// Latency that half of them had at most, microseconds.
        median_us: Option<u64>,
        /// Latency that 95 of 100 had at most.
        p95_us: Option<u64>,
    }
    /// How long a phase took.
    PhaseNumbers {
        /// The phase; none for the latency.
        phase: Option<Phase>,
        /// How many were measured.
        count: u32,
        /// Half took at most so long, microseconds.
        median_us: u64,
        /// 95 of 100.
        p95_us: u64,
        /// 99 of 100.
        p99_us: u64,
        /// The longest.
        max_us: u64,
    }
    /// `GET /api/v1/tests/{id}`: a run, also while it runs.
    TestRun {
        /// Same as in the list.
        summary: TestSummary,
        /// Steps so far.
        steps: Vec<StepRecord>,
        /// The report when it ended.
        report: Option<TestReport>,
        /// The block as `Test-CsPersistentChatMessage` prints it, when it ended.
        printed: Option<String>,
    }
}

impl TestSummary {
    /// Who started it, and from where it was run when that is not the portal.
    pub fn by(&self) -> String {
        match &self.node {
            Some(node) => format!("{}, from node {node}", self.actor),
            None => self.actor.clone(),
        }
    }
}
