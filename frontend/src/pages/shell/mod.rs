//! The Management Shell: the same evaluator as `lifeguard shell`, run here, so variables and credentials
//! never leave the page but for the cmdlet that takes them.

mod host;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use shared::shell::{LineResult, OutputPart, Session};
use wasm_bindgen_futures::spawn_local;

use crate::components::Page;
use host::{Ask, Portal};

/// Lines kept for the arrow keys.
const HISTORY: usize = 200;

/// A piece of the transcript: its class and its text.
type Piece = (&'static str, String);

fn pieces(line: &str, result: LineResult) -> Vec<Piece> {
    let mut out = vec![("shell-line", format!("PS> {line}"))];
    for part in result.output {
        out.push(match part {
            OutputPart::Text(t) => ("shell-text", t),
            OutputPart::Warning(t) => ("shell-warning", format!("WARNING: {t}")),
            OutputPart::Error { text, position } => {
                let place = position
                    .and_then(|(a, b)| line.get(a..b))
                    .map(|p| format!("\nAt: {p}"))
                    .unwrap_or_default();
                ("shell-error", format!("{text}{place}"))
            }
        });
    }
    out
}

/// What the page keeps between lines.
#[derive(Clone, Copy)]
struct Shell {
    transcript: RwSignal<Vec<Piece>>,
    history: RwSignal<Vec<String>>,
    at: RwSignal<usize>,
    line: RwSignal<String>,
    busy: RwSignal<bool>,
    ask: RwSignal<Option<Ask>>,
    session: StoredValue<Rc<RefCell<Session>>, LocalStorage>,
}

impl Shell {
    fn run(self) {
        let line = self.line.get_untracked();
        if line.trim().is_empty() || self.busy.get_untracked() {
            return;
        }
        self.line.set(String::new());
        self.history.update(|h| {
            h.retain(|old| *old != line);
            h.push(line.clone());
            h.drain(..h.len().saturating_sub(HISTORY));
        });
        self.at.set(self.history.with_untracked(Vec::len));
        self.busy.set(true);
        let session = self.session.get_value();
        spawn_local(async move {
            // Taken out while the line runs; `busy` keeps a second one away.
            let mut own = session.take();
            let result = own.run_line(&Portal { ask: self.ask }, &line).await;
            session.replace(own);
            self.transcript.update(|t| t.extend(pieces(&line, result)));
            self.busy.set(false);
        });
    }

    fn key(self, e: &KeyboardEvent) {
        let step = match e.key().as_str() {
            "ArrowUp" => -1,
            "ArrowDown" => 1,
            _ => return,
        };
        e.prevent_default();
        let n = self.history.with_untracked(Vec::len);
        let at = self.at.get_untracked().saturating_add_signed(step).min(n);
        self.at.set(at);
        self.line.set(self.history.with_untracked(|h| h.get(at).cloned().unwrap_or_default()));
    }
}

/// The page.
#[component]
pub fn ShellPage() -> impl IntoView {
    let shell = Shell {
        transcript: RwSignal::new(Vec::new()),
        history: RwSignal::new(Vec::new()),
        at: RwSignal::new(0),
        line: RwSignal::new(String::new()),
        busy: RwSignal::new(false),
        ask: RwSignal::new(None),
        session: StoredValue::new_local(Rc::default()),
    };
    let submit = move |e: SubmitEvent| {
        e.prevent_default();
        shell.run();
    };
    view! {
        <Page title="Management Shell" lead="The command lines of the documents run as printed. Get-Command lists what there is, Get-Help explains one.">
            <div class="shell">
                <div class="shell-transcript" role="log" aria-label="Transcript" tabindex="0">
                    {move || shell.transcript.get().into_iter().map(|(class, text)| view! { <pre class=class>{text}</pre> }).collect_view()}
                </div>
                {move || shell.ask.get().map(|a| view! { <Question ask=a open=shell.ask /> })}
                <form class="shell-form" on:submit=submit>
                    <label for="shell-input">"Command line"</label>
                    <div class="shell-row">
                        <input id="shell-input" class="input mono" autocomplete="off" spellcheck="false"
                            prop:value=shell.line
                            on:input=move |e| shell.line.set(event_target_value(&e))
                            on:keydown=move |e| shell.key(&e) />
                        <button class="button button-primary" type="submit" disabled=shell.busy>"Run"</button>
                    </div>
                </form>
            </div>
        </Page>
    }
}

/// A password or a yes-or-no question of the running line.
#[component]
fn Question(ask: Ask, open: RwSignal<Option<Ask>>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let secret = ask.secret;
    let answer = move |a: Option<String>| {
        ask.answer.set(Some(a));
        open.set(None);
    };
    let submit = move |e: SubmitEvent| {
        e.prevent_default();
        answer(Some(if secret { text.get_untracked() } else { "y".to_owned() }));
    };
    view! {
        <form class="shell-question" on:submit=submit>
            <pre id="shell-question">{ask.text}</pre>
            <div class="shell-row">
                {secret.then(|| view! {
                    <input class="input" type="password" autocomplete="off" aria-labelledby="shell-question" autofocus=true
                        on:input=move |e| text.set(event_target_value(&e)) />
                })}
                <button class="button button-primary" type="submit">{if secret { "Continue" } else { "Yes" }}</button>
                <button class="button" type="button" on:click=move |_| answer(None)>{if secret { "Cancel" } else { "No" }}</button>
            </div>
        </form>
    }
}
