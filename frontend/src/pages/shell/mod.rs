//! The Management Shell: the same evaluator as `lifeguard shell`, run here, so variables and credentials
//! never leave the page but for the cmdlet that takes them.

mod host;

use std::cell::RefCell;
use std::rc::Rc;

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use shared::shell::{Completion, LineResult, OutputPart, Session, complete};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use crate::components::Page;
use crate::dom;
use host::{Answer, Ask, Portal};

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

/// Shows the newest line of the transcript.
fn to_the_end() {
    if let Some(log) = dom::document().get_element_by_id("shell-transcript") {
        log.set_scroll_top(log.scroll_height());
    }
}

fn focus(id: &'static str) {
    dom::after_frame(move || dom::focus(dom::document().get_element_by_id(id)));
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
    /// The completions that Tab goes through, and which one stands in the line.
    cycle: RwSignal<Option<(Completion, usize)>>,
    choices: RwSignal<String>,
}

impl Shell {
    fn run(self) {
        let line = self.line.get_untracked();
        if line.trim().is_empty() || self.busy.get_untracked() {
            return;
        }
        self.line.set(String::new());
        self.forget_choices();
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
            dom::after_frame(to_the_end);
        });
    }

    fn key(self, e: &KeyboardEvent) {
        let step = match e.key().as_str() {
            // Shift+Tab always goes back, and Tab goes on where nothing can be completed: no trap.
            "Tab" if !e.shift_key() && !e.alt_key() && !e.ctrl_key() => {
                if self.complete(e) {
                    e.prevent_default();
                }
                return;
            }
            "ArrowUp" => -1,
            "ArrowDown" => 1,
            "Escape" => return self.forget_choices(),
            _ => return,
        };
        self.forget_choices();
        e.prevent_default();
        let n = self.history.with_untracked(Vec::len);
        let at = self.at.get_untracked().saturating_add_signed(step).min(n);
        self.at.set(at);
        self.line.set(self.history.with_untracked(|h| h.get(at).cloned().unwrap_or_default()));
    }
}

impl Shell {
    fn forget_choices(self) {
        self.cycle.set(None);
        self.choices.set(String::new());
    }

    /// Puts the next completion into the line; whether there was one.
    fn complete(self, e: &KeyboardEvent) -> bool {
        let line = self.line.get_untracked();
        let next = self.cycle.get_untracked().map(|(c, n)| {
            let n = (n + 1) % c.choices.len().max(1);
            (c, n)
        });
        let (found, n) = next.unwrap_or_else(|| {
            // The field counts UTF-16 units.
            let field = e.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
            let units =
                field.and_then(|f| f.selection_start().ok().flatten()).map_or(usize::MAX, |n| n as usize);
            let mut seen = 0;
            let before = line.chars().take_while(|c| {
                seen += c.len_utf16();
                seen <= units
            });
            let cursor = before.map(char::len_utf8).sum();
            (complete(&self.session.get_value().borrow(), &line, cursor), 0)
        });
        let Some(choice) = found.choices.get(n) else { return false };
        let Some(head) = line.get(..found.start) else { return false };
        // A word that is whole and could be no other: Tab goes on to the next thing on the page.
        if let [only] = found.choices.as_slice()
            && line.get(found.start..).is_some_and(|rest| {
                rest.strip_prefix(only.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(' '))
            })
        {
            self.forget_choices();
            return false;
        }
        let tail_at = match self.cycle.get_untracked() {
            // What stands behind the cursor stays: the last choice ends there.
            Some((c, old)) => found.start + c.choices.get(old).map_or(0, String::len),
            None => found.end,
        };
        let tail = line.get(tail_at..).unwrap_or_default();
        self.line.set(format!("{head}{choice}{tail}"));
        self.choices.set(found.choices.join("  "));
        self.cycle.set(Some((found, n)));
        true
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
        cycle: RwSignal::new(None),
        choices: RwSignal::new(String::new()),
    };
    let submit = move |e: SubmitEvent| {
        e.prevent_default();
        shell.run();
    };
    // A question is answered where the keys go: what is typed next must not stand in the command line.
    Effect::new(move |before: Option<bool>| {
        let open = shell.ask.with(Option::is_some);
        if open {
            focus("shell-answer");
        } else if before == Some(true) {
            focus("shell-input");
        }
        open
    });
    view! {
        <Page title="Management Shell" lead="The command lines of the documents run as printed. Get-Command lists what there is, Get-Help explains one. Tab completes names and values, the arrow keys bring back earlier lines.">
            <div class="shell">
                <div class="shell-transcript" id="shell-transcript" role="log" aria-label="Transcript" tabindex="0">
                    {move || shell.transcript.get().into_iter().map(|(class, text)| view! { <pre class=class>{text}</pre> }).collect_view()}
                </div>
                {move || shell.ask.get().map(|a| view! { <Question ask=a open=shell.ask /> })}
                <form class="shell-form" on:submit=submit>
                    <label for="shell-input">"Command line"</label>
                    <div class="shell-row">
                        <input id="shell-input" class="input mono" autocomplete="off" spellcheck="false"
                            prop:value=shell.line
                            on:input=move |e| {
                                shell.forget_choices();
                                shell.line.set(event_target_value(&e));
                            }
                            on:keydown=move |e| shell.key(&e) />
                        <button class="button button-primary" type="submit" disabled=shell.busy>"Run"</button>
                    </div>
                    <pre class="shell-choices" role="status">{shell.choices}</pre>
                </form>
            </div>
        </Page>
    }
}

/// A password, a line or a yes-or-no question of the running line.
#[component]
fn Question(ask: Ask, open: RwSignal<Option<Ask>>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let typed = ask.how != Answer::Yes;
    // The keys are at "No" first, as at the prompt of `lifeguard shell`: a key held too long does nothing.
    let no = (!typed).then_some("shell-answer");
    let kind = if ask.how == Answer::Secret { "password" } else { "text" };
    let answer = move |a: Option<String>| {
        ask.answer.set(Some(a));
        open.set(None);
    };
    let submit = move |e: SubmitEvent| {
        e.prevent_default();
        answer(Some(if typed { text.get_untracked() } else { "y".to_owned() }));
    };
    view! {
        <form class="shell-question" on:submit=submit>
            <pre id="shell-question">{ask.text}</pre>
            <div class="shell-row">
                {typed.then(|| view! {
                    <input id="shell-answer" class="input" type=kind autocomplete="off" aria-labelledby="shell-question"
                        on:input=move |e| text.set(event_target_value(&e)) />
                })}
                <button class="button button-primary" type="submit">{if typed { "Continue" } else { "Yes" }}</button>
                <button id=no class="button" type="button" aria-describedby=no.map(|_| "shell-question") on:click=move |_| answer(None)>{if typed { "Cancel" } else { "No" }}</button>
            </div>
        </form>
    }
}
