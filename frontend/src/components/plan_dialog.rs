//! The one dialog of every act: what will change, what stands in the way, and the button that does it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::plan::{Confirm, Plan};

use super::act::Acts;
use super::button::{Button, ButtonKind};
use super::copy::CopyButton;
use super::dialog::Dialog;
use super::fields::TextField;
use super::load_error::LoadError;
use super::notice::{Notice, NoticeKind};
use super::plan_view::PlanView;
use super::show::Skeleton;
use crate::app::app;
use crate::dom;

/// The dialog; stands once, at the root of the signed-in page.
#[component]
pub fn PlanDialog() -> impl IntoView {
    let acts = app().acts;
    let title =
        Signal::derive(move || acts.act.with(|a| a.as_ref().map(|a| a.label.clone()).unwrap_or_default()));
    view! {
        <Dialog open=acts.open on_close=move |()| acts.cancel() title>
            {move || if acts.once.with(Vec::is_empty) {
                view! { <Confirmation acts /> }.into_any()
            } else {
                view! { <ShownOnce acts /> }.into_any()
            }}
        </Dialog>
    }
}

#[component]
fn Confirmation(acts: Acts) -> impl IntoView {
    let reason = RwSignal::new(String::new());
    let typed = RwSignal::new(String::new());
    let wanted = Memo::new(move |_| acts.plan.with(|p| p.as_ref().and_then(name_to_type)));
    let blocked = Signal::derive(move || why_not(acts, wanted.get().as_deref(), &typed.read()));
    let label =
        Signal::derive(move || acts.act.with(|a| a.as_ref().map(|a| a.label.clone()).unwrap_or_default()));
    let danger = acts.act.with_untracked(|a| a.as_ref().is_some_and(|a| a.kind == ButtonKind::Danger));
    let go = move |()| {
        acts.moved.set(false);
        spawn_local(acts.carry_out(reason.get_untracked(), typed.get_untracked()));
    };
    view! {
        <form
            class="plan"
            novalidate=true
            on:submit=move |e| {
                e.prevent_default();
                if acts.busy.get_untracked() {
                    return;
                }
                if blocked.with_untracked(Option::is_none) {
                    go(());
                } else {
                    let field = dom::document().query_selector(".dialog-foot input").ok().flatten();
                    dom::focus(field);
                }
            }
        >
            <div class="plan-body">
                {move || acts.moved.get().then(|| view! {
                    <Notice kind=NoticeKind::Warning alert=true>
                        <p>"Something changed since this plan was shown. This is the new plan."</p>
                    </Notice>
                })}
                {move || acts.plan.get().map_or_else(
                    || acts.busy.get().then(|| view! { <Skeleton /> }.into_any()),
                    |plan| Some(view! { <PlanView plan /> }.into_any()),
                )}
                <Acknowledge acts />
                {move || acts.plan.with(|p| p.as_ref().is_some_and(|p| p.confirm != Confirm::None && p.blockers.is_empty())).then(|| view! {
                    <TextField label="Reason" value=reason help=|| "Stands in the audit beside your name." />
                })}
                {move || acts.error.get().map(|error| view! {
                    <LoadError error on_retry=move |()| spawn_local(acts.read_plan()) />
                })}
            </div>
            // What is missing stays in sight with the button, however long the plan is.
            <footer class="dialog-foot">
                {move || wanted.get().map(|name| view! {
                    <TextField label=format!("Type {name} to confirm") value=typed required=true mono=true />
                })}
                {move || acts.plan.with(Option::is_some).then(|| blocked.get()).flatten().map(|why| view! {
                    <p class="dialog-why" aria-hidden="true">{why}</p>
                })}
                <Button label="Cancel" on_press=move |()| acts.cancel() />
                <Button label kind=if danger { ButtonKind::Danger } else { ButtonKind::Primary } blocked busy=acts.busy submit=true on_press=|()| () />
            </footer>
        </form>
    }
}

fn name_to_type(plan: &Plan) -> Option<String> {
    match &plan.confirm {
        Confirm::TypeName(name) if plan.blockers.is_empty() => Some(name.clone()),
        _ => None,
    }
}

/// Why the plan cannot be carried out yet. Reactive.
fn why_not(acts: Acts, wanted: Option<&str>, typed: &str) -> Option<String> {
    let plan_says = acts.plan.with(|p| match p {
        None => Some("There is no plan yet.".to_owned()),
        Some(p) => p.blockers.first().map(|b| b.text.clone()),
    });
    let loss = || {
        let open = acts.acknowledge.with(|a| a.as_ref().is_some_and(|a| !a.2));
        open.then(|| "Accept what is lost first.".to_owned())
    };
    let name = || {
        let differs = wanted.is_some_and(|w| !typed.trim().eq_ignore_ascii_case(w));
        differs.then(|| format!("Type {} first.", wanted.unwrap_or_default()))
    };
    plan_says.or_else(loss).or_else(name)
}

/// The loss that must be accepted in words.
#[component]
fn Acknowledge(acts: Acts) -> impl IntoView {
    move || {
        acts.acknowledge.get().map(|(_, text, yes)| {
            view! {
                <Notice kind=NoticeKind::Danger>
                    <p>{text}</p>
                    <label class="check">
                        <input type="checkbox" prop:checked=yes on:change=move |e| acts.set_acknowledged(event_target_checked(&e)) />
                        <span>"I accept this loss"</span>
                    </label>
                </Notice>
            }
        })
    }
}

/// Values that the portal keeps no copy of.
#[component]
fn ShownOnce(acts: Acts) -> impl IntoView {
    view! {
        <div class="plan-body">
            <Notice kind=NoticeKind::Warning>
                <p>"This is shown once. The portal keeps no copy; put it where it is needed before you close this."</p>
            </Notice>
            <dl class="once">
                {move || acts.once.get().into_iter().map(|(word, value)| view! {
                    <dt>{word.clone()}</dt>
                    <dd>
                        <code class="mono once-value">{value.clone()}</code>
                        <CopyButton what=format!("the {}", word.to_lowercase()) text=value />
                    </dd>
                }).collect_view()}
            </dl>
        </div>
        <footer class="dialog-foot">
            <Button label="Close" kind=ButtonKind::Primary on_press=move |()| acts.cancel() />
        </footer>
    }
}
