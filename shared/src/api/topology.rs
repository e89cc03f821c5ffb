//! The topology: drafts, the wizard, versions, what remains to be done; durable work and its steps.

use super::dto::dto;
use crate::error::Problem;
use crate::time::Timestamp;
use crate::topology::Topology;
use crate::topology::diff::Change;
use crate::topology::draft::PoolDraft;
use crate::topology::effect::Effect;
use crate::topology::merge::Row;
use crate::topology::todo::Todo;

dto! {
    /// `GET /api/v1/topology`.
    TopologyView {
        /// What is published.
        published: Topology,
        /// Number of the published version.
        version: Option<u64>,
        /// The draft.
        draft: Topology,
        /// Name of the draft.
        name: String,
        /// Revision of the draft.
        revision: u32,
        /// Version that the draft was begun from.
        base: Option<u64>,
        /// All drafts, main first.
        drafts: Vec<DraftInfo>,
        /// What was published since the draft was begun, beside what the draft has.
        merge: Option<MergeView>,
        /// Differences from published to draft.
        changes: Vec<Change>,
        /// The same as sentences.
        sentences: Vec<String>,
        /// What each of the changes does: its risk, and the servers, endpoints and users it reaches.
        effects: Vec<Effect>,
        /// Problems of the draft.
        problems: Vec<Problem>,
        /// Names of accounts that may publish, when the asker may not.
        publishers: Vec<String>,
        /// Open wizard drafts.
        wizards: Vec<WizardInfo>,
    }
    /// `GET /api/v1/topology/todo`: what remains for people after the newest publish.
    TodoView {
        /// The version it is about.
        version: Option<u64>,
        /// When that was published.
        at: Option<Timestamp>,
        /// What there is to do, pool by pool, each ticked when it was observed to be done.
        items: Vec<Todo>,
    }
    /// A topology draft in a list.
    DraftInfo {
        /// Its name.
        name: String,
        /// Who began it; empty for main before its first change.
        author: String,
        /// When.
        created: Timestamp,
        /// Last change.
        updated: Timestamp,
        /// Version it was begun from.
        base: Option<u64>,
        /// Another version was published since.
        moved: bool,
    }
    /// What was published since a draft was begun.
    MergeView {
        /// The newest version.
        version: u64,
        /// Every place that either side changed: base, yours, theirs.
        rows: Vec<Row>,
    }
    /// An open wizard draft in a list.
    WizardInfo {
        /// Id.
        id: String,
        /// Pool FQDN as typed so far.
        name: String,
        /// Author.
        author: String,
        /// Last change.
        updated: Timestamp,
    }
    /// `GET /api/v1/drafts/{id}` and the answer of `POST /api/v1/drafts`.
    WizardDraft {
        /// Id.
        id: String,
        /// The fields.
        draft: PoolDraft,
        /// Rises with every change.
        revision: u32,
        /// Author.
        author: String,
        /// Last change.
        updated: Timestamp,
        /// Problems by draft field (the same function that the page calls).
        problems: Vec<Problem>,
    }
    /// `PATCH /api/v1/drafts/{id}`: one field. 409 with the stored value in the message when `from` is not it.
    DraftPatch {
        /// JSON pointer into [`PoolDraft`], e.g. `/computers` or `/sql/existing`.
        path: String,
        /// What the page had read.
        from: serde_json::Value,
        /// What it shall be.
        to: serde_json::Value,
    }
    /// A published version.
    VersionInfo {
        /// Number.
        version: u64,
        /// When.
        at: Timestamp,
        /// Who.
        author: String,
        /// Why.
        comment: String,
        /// What changed against its parent.
        sentences: Vec<String>,
    }
    /// `GET /api/v1/jobs/{id}`: durable work.
    JobView {
        /// Id.
        id: String,
        /// What it does.
        title: String,
        /// `running`, `done` or `failed`.
        state: String,
        /// Who started it.
        actor: String,
        /// When.
        started: Timestamp,
        /// Steps.
        steps: Vec<JobStep>,
        /// Error when it failed.
        error: Option<String>,
    }
    /// A step of a job.
    JobStep {
        /// What it does, in one sentence.
        title: String,
        /// `waiting`, `running`, `done`, `failed` or `skipped`.
        state: String,
        /// What came of it, line by line.
        log: Vec<String>,
        /// Milliseconds it took.
        millis: Option<u64>,
        /// Milliseconds it usually takes, from earlier runs of the same kind; none when there are none.
        expected: Option<u64>,
        /// A cmdlet (name, arguments) that mends what failed, offered as a button.
        remedy: Option<(String, serde_json::Value)>,
    }
}
