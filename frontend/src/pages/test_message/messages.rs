//! What went over the wire in a run, shown when somebody asks for it.

use leptos::prelude::*;
use shared::trace::{TestTrace, TraceMessage};

use super::layout::role_word;
use crate::api::{Current, use_data};
use crate::components::{Button, ButtonKind, Icon, Section, Shown};
use crate::routes::segment;
use crate::time::millis_of_us;

/// The section; the messages are read at the press of the button.
#[component]
pub fn Messages(
    /// Id of the run.
    id: String,
) -> impl IntoView {
    let path = format!("tests/{}/messages", segment(&id));
    let file = format!("/api/v1/{path}.txt");
    let open = RwSignal::new(false);
    view! {
        <Section title="Messages">
            {move || if open.get() {
                view! { <List path=path.clone() /> <p><a href=file.clone() download>"Save the messages as text"</a></p> }.into_any()
            } else {
                view! {
                    <p class="muted">"The SIP and XCCOS messages of this run. Passwords and keys are blanked; what other people said is left out."</p>
                    <Button label="Show the messages" kind=ButtonKind::Plain icon=Some(Icon::Down) on_press=move |()| open.set(true) />
                }.into_any()
            }}
        </Section>
    }
}

#[component]
fn List(path: String) -> impl IntoView {
    let data = use_data::<TestTrace>(move || path.clone(), &[]);
    view! {
        <Shown data lines=8 let:trace>
            <Lines trace />
        </Shown>
    }
}

#[component]
fn Lines(trace: Current<TestTrace>) -> impl IntoView {
    let line = |m: &TraceMessage| {
        let way = if m.sent { "sent" } else { "received" };
        let class = if m.sent { "message-way" } else { "message-way message-in" };
        view! {
            <details class="message">
                <summary>
                    <span class="number muted">{millis_of_us(m.at_us)}</span>
                    <span class="message-who">{role_word(m.role)}</span>
                    <span class=class>{Icon::Arrow.draw()}<span>{way}</span></span>
                    <span class="mono message-line">{m.first_line().to_owned()}</span>
                </summary>
                <pre class="message-text" tabindex="0">{m.text.trim_end().replace("\r\n", "\n")}</pre>
            </details>
        }
        .into_any()
    };
    move || {
        trace.with(|t| {
            let left = (t.left_out > 0).then(
                || view! { <p class="muted">{format!("{} more messages were not kept.", t.left_out)}</p> },
            );
            view! { <div class="card messages">{t.messages.iter().map(line).collect_view()}</div> {left} }
                .into_any()
        })
    }
}
