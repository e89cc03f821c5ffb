//! Acts: the one way by which the page changes anything. A press asks the portal for the plan; when the
//! plan wants nothing of the person it is carried out, otherwise the plan dialog shows it first.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Confirm, Invocation, Mode, Plan};

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use crate::app::app;
use crate::routes::Route;
use crate::{api, dom, session};

/// Properties of a returned object that are shown once and never again.
const SHOWN_ONCE: [&str; 5] = ["Password", "Link", "Token", "Secret", "Command"];

/// Called after an act was carried out.
pub type OnDone = Arc<dyn Fn(&CmdletResponse) + Send + Sync>;
/// Called when the plan was refused; `true` when the error is shown where it belongs.
pub type OnError = Arc<dyn Fn(&ApiError) -> bool + Send + Sync>;

/// Something a person wants done.
#[derive(Clone)]
pub struct Act {
    /// The cmdlet.
    pub cmdlet: String,
    /// Its arguments.
    pub args: Map<String, Value>,
    /// Verb and object, as on the button: "Fail over atl-cs-001".
    pub label: String,
    /// Weight of the dialog's button.
    pub kind: ButtonKind,
    /// Shows the plan even when it wants no confirmation.
    pub review: bool,
    /// Called after it was carried out.
    pub on_done: Option<OnDone>,
    /// Called when the plan was refused.
    pub on_error: Option<OnError>,
}

impl Act {
    /// An act with a plain button.
    pub fn new(cmdlet: impl Into<String>, args: Map<String, Value>, label: impl Into<String>) -> Self {
        Self {
            cmdlet: cmdlet.into(),
            args,
            label: label.into(),
            kind: ButtonKind::Primary,
            review: false,
            on_done: None,
            on_error: None,
        }
    }
}

/// Arguments from pairs; empty texts are left out, as on a command line.
pub fn args<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    let keep = |v: &Value| !(v.is_null() || v.as_str().is_some_and(|s| s.trim().is_empty()));
    pairs.into_iter().filter(|(_, v)| keep(v)).map(|(k, v)| (k.to_owned(), v)).collect()
}

/// The act under way and what the dialog shows of it.
#[derive(Clone, Copy)]
pub struct Acts {
    /// The act; none when nothing is under way.
    pub act: RwSignal<Option<Act>>,
    /// Whether the dialog is open.
    pub open: RwSignal<bool>,
    /// The plan.
    pub plan: RwSignal<Option<Plan>>,
    /// Losses that the person may accept: parameter, text, accepted.
    pub acknowledge: RwSignal<Option<(String, String, bool)>>,
    /// Why it was refused or could not be done.
    pub error: RwSignal<Option<ApiError>>,
    /// The plan changed while it was shown.
    pub moved: RwSignal<bool>,
    /// A request is under way.
    pub busy: RwSignal<bool>,
    /// Values that are shown once.
    pub once: RwSignal<Vec<(String, String)>>,
    op_id: RwSignal<String>,
}

impl Default for Acts {
    fn default() -> Self {
        Self {
            act: RwSignal::new(None),
            open: RwSignal::new(false),
            plan: RwSignal::new(None),
            acknowledge: RwSignal::new(None),
            error: RwSignal::new(None),
            moved: RwSignal::new(false),
            busy: RwSignal::new(false),
            once: RwSignal::new(Vec::new()),
            op_id: RwSignal::new(String::new()),
        }
    }
}

impl Acts {
    /// Starts an act.
    pub fn start(self, act: Act) {
        if self.busy.get_untracked() {
            return;
        }
        self.plan.set(None);
        self.acknowledge.set(None);
        self.error.set(None);
        self.moved.set(false);
        self.once.set(Vec::new());
        let review = act.review;
        self.act.set(Some(act));
        spawn_local(async move {
            self.read_plan().await;
            let quiet = self.plan.with_untracked(|p| p.as_ref().is_some_and(wants_nothing));
            if quiet && !review {
                self.carry_out(String::new(), String::new()).await;
            } else if self.act.with_untracked(Option::is_some) {
                self.open.set(true);
            }
        });
    }

    /// Closes the dialog; nothing is done.
    pub fn cancel(self) {
        if !self.busy.get_untracked() {
            self.open.set(false);
            self.act.set(None);
        }
    }

    /// Accepts or rejects the loss that the plan states, and reads the plan that follows from it.
    pub fn set_acknowledged(self, yes: bool) {
        self.acknowledge.update(|a| {
            if let Some(a) = a {
                a.2 = yes;
            }
        });
        spawn_local(self.read_plan());
    }

    /// The arguments with what was acknowledged.
    fn arguments(self) -> Map<String, Value> {
        let mut args = self.act.with_untracked(|a| a.as_ref().map(|a| a.args.clone()).unwrap_or_default());
        if let Some((parameter, _, true)) = self.acknowledge.get_untracked() {
            args.insert(parameter, Value::Bool(true));
        }
        args
    }

    /// Reads the plan (`-WhatIf`).
    pub async fn read_plan(self) {
        let Some(act) = self.act.get_untracked() else { return };
        self.busy.set(true);
        let invocation = Invocation { args: self.arguments(), mode: Mode::WhatIf, ..Invocation::default() };
        let answer = api::cmdlet(&act.cmdlet, &invocation).await;
        self.busy.set(false);
        match answer {
            Ok(response) => {
                let plan = response.plan.unwrap_or_default();
                if let Some((parameter, text)) = &plan.acknowledge
                    && self.acknowledge.with_untracked(Option::is_none)
                {
                    self.acknowledge.set(Some((parameter.clone(), text.clone(), false)));
                }
                self.error.set(None);
                self.op_id.set(dom::random_uuid());
                self.plan.set(Some(plan));
            }
            Err(e) if act.on_error.as_ref().is_some_and(|f| f(&e)) => {
                self.open.set(false);
                self.act.set(None);
            }
            Err(e) => self.error.set(Some(e)),
        }
    }

    /// Carries the shown plan out.
    pub async fn carry_out(self, reason: String, typed_name: String) {
        let (Some(act), Some(plan)) = (self.act.get_untracked(), self.plan.get_untracked()) else { return };
        let text = |s: String| (!s.trim().is_empty()).then_some(s);
        let invocation = Invocation {
            args: self.arguments(),
            mode: Mode::Run,
            fingerprint: Some(plan.fingerprint),
            reason: text(reason),
            typed_name: text(typed_name),
            confirmed: false,
            op_id: Some(self.op_id.get_untracked()),
        };
        self.busy.set(true);
        let answer = api::cmdlet(&act.cmdlet, &invocation).await;
        self.busy.set(false);
        match answer {
            Ok(response) => self.done(&act, &response),
            Err(e) if e.code == ErrorCode::PlanChanged => {
                self.read_plan().await;
                self.moved.set(true);
                self.open.set(true);
            }
            Err(e) => {
                // A new attempt after an answer is a new act; after none it is the same one.
                if e.code != ErrorCode::Unavailable {
                    self.op_id.set(dom::random_uuid());
                }
                self.error.set(Some(e));
                self.open.set(true);
            }
        }
    }

    fn done(self, act: &Act, response: &CmdletResponse) {
        let toasts = app().toasts;
        match response.job.as_deref() {
            // A run and a test message show themselves, where the page goes there.
            Some(_) if act.on_done.is_some() => {}
            Some(job) => {
                let started = format!("Started: {}.", act.label);
                toasts.say_with_link(started, "Show the run", Route::Job(job.to_owned()).href());
            }
            None => toasts.say(format!("Done: {}.", act.label)),
        }
        for warning in &response.warnings {
            toasts.warn(warning.clone());
        }
        let once: Vec<_> = response.output.iter().flat_map(once_of).collect();
        self.open.set(!once.is_empty());
        self.once.set(once);
        if let Some(f) = &act.on_done {
            f(response);
        }
        if !self.open.get_untracked() {
            self.act.set(None);
        }
    }
}

fn wants_nothing(p: &Plan) -> bool {
    p.confirm == Confirm::None && p.blockers.is_empty() && p.acknowledge.is_none()
}

fn once_of(object: &Value) -> Vec<(String, String)> {
    SHOWN_ONCE.iter().filter_map(|k| Some(((*k).to_owned(), object.get(*k)?.as_str()?.to_owned()))).collect()
}

/// A button that starts an act; disabled with the reason when the role lacks the cmdlet.
#[component]
pub fn ActButton(
    /// The cmdlet.
    #[prop(into)]
    cmdlet: String,
    /// Its arguments at the time of the press.
    #[prop(into)]
    args: Signal<Map<String, Value>>,
    /// Verb and object.
    #[prop(into)]
    label: Signal<String>,
    /// Shorter words on the button itself, where the object stands beside it; the dialog has `label`.
    #[prop(optional, into)]
    short: Option<String>,
    /// Weight.
    #[prop(optional)]
    kind: ButtonKind,
    /// An icon before the words.
    #[prop(optional_no_strip)]
    icon: Option<Icon>,
    /// Shows the plan even when it wants no confirmation.
    #[prop(optional)]
    review: bool,
    /// Why it cannot be done now, besides the role.
    #[prop(optional, into)]
    blocked: Signal<Option<String>>,
    /// Called after it was carried out.
    #[prop(optional)]
    on_done: Option<OnDone>,
) -> impl IntoView {
    let name = cmdlet.clone();
    let why = Signal::derive(move || session::allowed(&name).err().or_else(|| blocked.get()));
    let press = move |()| {
        let weight = if kind == ButtonKind::Danger { ButtonKind::Danger } else { ButtonKind::Primary };
        app().acts.start(Act {
            kind: weight,
            review,
            on_done: on_done.clone(),
            ..Act::new(cmdlet.clone(), args.get_untracked(), label.get_untracked())
        });
    };
    // *Delete* in a row of a list says of what.
    let brief = short.clone();
    let spoken = Signal::derive(move || {
        let whole = label.get();
        brief.as_ref().is_some_and(|s| whole.starts_with(s.as_str())).then_some(whole)
    });
    let words = Signal::derive(move || short.clone().unwrap_or_else(|| label.get()));
    view! { <Button label=words spoken kind icon blocked=why busy=app().acts.busy on_press=press /> }
}
