//! The draft as it is typed, and how it is kept: every change goes to the portal field by field, soon
//! after it was made; what could not be sent yet waits in the browser and survives a reload.

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::api::{DraftPatch, WizardDraft};
use shared::error::{ApiError, ErrorCode, Problem};
use shared::topology::Topology;
use shared::topology::draft::PoolDraft;
use shared::topology::wizard::Page;

use super::patches::{at, changes, document, draft as read, merge, path_of};
use super::{early, unsent};
use crate::api;
use crate::routes::segment;

/// Typing pauses this long before it is sent.
const PAUSE_MS: u32 = 500;

/// Whether the portal has what is typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Saving {
    /// It has.
    Saved,
    /// Something is about to be sent.
    Waiting,
    /// It could not be sent.
    Failed(ApiError),
}

/// A field that somebody else changed while it was changed here.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The field.
    pub path: String,
    /// What stands here.
    pub mine: Value,
    /// What stands at the portal.
    pub theirs: Value,
}

/// The wizard's state, handed to its pages by context.
#[derive(Clone, Copy)]
pub struct Wizard {
    /// Id of the draft.
    pub id: StoredValue<String>,
    /// The fields as typed.
    pub draft: RwSignal<PoolDraft>,
    /// Whether the portal has them.
    pub saving: RwSignal<Saving>,
    /// Fields that somebody else changed as well; they are not sent until somebody decides.
    pub conflicts: RwSignal<Vec<Conflict>>,
    /// Pages that were left once: their fields show what is wrong.
    pub left: RwSignal<Vec<Page>>,
    /// The topology that the pool will join.
    pub topology: Memo<Topology>,
    /// Everything wrong with the draft.
    pub problems: Memo<Vec<Problem>>,
    base: RwSignal<Value>,
    revision: RwSignal<u32>,
    sending: RwSignal<bool>,
    timer: StoredValue<Option<Timeout>, LocalStorage>,
}

impl Wizard {
    /// The state of a draft as the portal has it, with what an earlier visit could not send.
    pub fn new(stored: WizardDraft, topology: Memo<Topology>) -> Self {
        let base = document(&stored.draft);
        let draft = RwSignal::new(stored.draft);
        let wizard = Self {
            id: StoredValue::new(stored.id),
            problems: Memo::new(move |_| early::problems(&draft.read(), &topology.read())),
            draft,
            saving: RwSignal::new(Saving::Saved),
            conflicts: RwSignal::new(Vec::new()),
            left: RwSignal::new(Vec::new()),
            topology,
            base: RwSignal::new(base),
            revision: RwSignal::new(stored.revision),
            sending: RwSignal::new(false),
            timer: StoredValue::new_local(None),
        };
        wizard.take_up_unsent();
        on_cleanup(move || wizard.send_last());
        wizard
    }

    /// The value of a field, named as problems name it; reactive.
    pub fn value(self, field: &str) -> Value {
        at(&document(&self.draft.read()), &path_of(field))
    }

    /// Changes a field. A yes or no may come as the words `true` and `false`.
    pub fn put(self, field: &str, value: Value) {
        let mut doc = document(&self.draft.read_untracked());
        if let Some(slot) = doc.pointer_mut(&path_of(field)) {
            *slot = if slot.is_boolean() && value.is_string() { Value::Bool(value == "true") } else { value };
        }
        if let Some(d) = read(doc) {
            self.draft.set(d);
            self.edited();
        }
    }

    /// Changes the draft.
    pub fn edit(self, f: impl FnOnce(&mut PoolDraft)) {
        f(&mut self.draft.write());
        self.edited();
    }

    /// What blocks at a field; reactive.
    pub fn problem_at(self, field: &str) -> Option<String> {
        self.problems.read().iter().find(|p| p.blocks() && p.field == field).map(|p| p.text.clone())
    }

    /// The draft was changed; it is sent after a pause.
    fn edited(self) {
        self.keep_unsent();
        self.saving.set(Saving::Waiting);
        self.timer.set_value(Some(Timeout::new(PAUSE_MS, move || self.flush())));
    }

    /// Sends what waits, now.
    pub fn flush(self) {
        let waits = self.saving.try_with_untracked(|s| *s != Saving::Saved);
        if waits == Some(true) {
            spawn_local(async move {
                self.save().await;
            });
        }
    }

    /// Sends what waits; `true` once the portal has everything.
    pub async fn save(self) -> bool {
        self.timer.try_set_value(None);
        if self.sending.try_get_untracked() != Some(false) {
            return false;
        }
        self.sending.set(true);
        let result = self.send_all().await;
        let _ = self.sending.try_set(false);
        let _ = self.saving.try_set(match &result {
            Ok(()) => Saving::Saved,
            Err(e) => Saving::Failed(e.clone()),
        });
        result.is_ok()
    }

    /// One field after the other, until nothing differs. Ends early when the page is gone.
    async fn send_all(self) -> Result<(), ApiError> {
        while let Some(patch) = self.next_patch() {
            let path = self.api_path();
            match api::patch::<WizardDraft>(&path, &patch).await {
                Ok(stored) => self.take(&stored),
                Err(e) if e.code == ErrorCode::Conflict => {
                    let stored: WizardDraft = api::get(&path).await?;
                    let theirs = at(&document(&stored.draft), &patch.path);
                    let conflict = Conflict { path: patch.path, mine: patch.to, theirs };
                    let _ = self.conflicts.try_update(|c| c.push(conflict));
                    self.take(&stored);
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn next_patch(self) -> Option<DraftPatch> {
        self.pending()?.into_iter().find(|p| {
            self.conflicts.try_with_untracked(|c| c.iter().all(|c| c.path != p.path)).unwrap_or(false)
        })
    }

    /// What the portal does not have yet; none when the page is gone.
    fn pending(self) -> Option<Vec<DraftPatch>> {
        let now = self.draft.try_with_untracked(document)?;
        self.base.try_with_untracked(|base| changes(base, &now))
    }

    fn api_path(self) -> String {
        self.id.try_with_value(|id| format!("drafts/{}", segment(id))).unwrap_or_default()
    }

    /// Takes what the portal has, unless it is older than what is known.
    pub fn take(self, stored: &WizardDraft) {
        if self.revision.try_get_untracked().is_none_or(|r| stored.revision < r) {
            return;
        }
        let theirs = document(&stored.draft);
        let mine = document(&self.draft.read_untracked());
        let merged = merge(&self.base.read_untracked(), &theirs, &mine);
        self.revision.set(stored.revision);
        self.base.set(theirs);
        if merged != mine
            && let Some(d) = read(merged)
        {
            self.draft.set(d);
        }
        self.keep_unsent();
    }

    /// Ends a conflict: with what stands here, or with what the portal has.
    pub fn decide(self, conflict: &Conflict, mine: bool) {
        self.conflicts.update(|c| c.retain(|x| x.path != conflict.path));
        if !mine {
            let mut doc = document(&self.draft.read_untracked());
            if let Some(slot) = doc.pointer_mut(&conflict.path) {
                *slot = conflict.theirs.clone();
            }
            if let Some(d) = read(doc) {
                self.draft.set(d);
            }
        }
        self.keep_unsent();
        self.saving.set(Saving::Waiting);
        self.flush();
    }

    fn keep_unsent(self) {
        if let Some(pending) = self.pending() {
            self.id.with_value(|id| unsent::keep(id, &pending));
        }
    }

    fn take_up_unsent(self) {
        let kept = self.id.with_value(|id| unsent::read(id));
        if kept.is_empty() {
            return;
        }
        let mut doc = document(&self.draft.read_untracked());
        for p in kept {
            let stored = at(&doc, &p.path);
            if stored == p.to {
                continue;
            }
            if stored != p.from {
                self.conflicts.update(|c| {
                    c.push(Conflict { path: p.path.clone(), mine: p.to.clone(), theirs: stored });
                });
            }
            if let Some(slot) = doc.pointer_mut(&p.path) {
                *slot = p.to;
            }
        }
        if let Some(d) = read(doc) {
            self.draft.set(d);
            self.saving.set(Saving::Waiting);
            self.flush();
        }
    }

    /// The page goes away: what waits is sent without it.
    fn send_last(self) {
        let pending = self.pending().unwrap_or_default();
        let path = self.api_path();
        if pending.is_empty() || path.is_empty() {
            return;
        }
        let id = self.id.get_value();
        spawn_local(async move {
            for patch in &pending {
                match api::patch::<WizardDraft>(&path, patch).await {
                    Ok(_) => {}
                    // Finished or discarded meanwhile: there is nothing to keep it for.
                    Err(e) if e.code == ErrorCode::NotFound => break,
                    // It is still kept in the browser and taken up at the next visit.
                    Err(_) => return,
                }
            }
            unsent::keep(&id, &[]);
        });
    }
}
