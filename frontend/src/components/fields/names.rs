//! A list of names, one a line, that offers users, groups and units of the directory while a line is typed.

use std::ops::Range;
use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::PrincipalView;
use web_sys::HtmlTextAreaElement;

use super::text::{Check, describe, verdict};
use crate::api;
use crate::components::field::{Field, FieldIds};
use crate::components::form::FieldState;
use crate::dom;
use crate::routes::segment;

/// Most names offered at once.
const OFFERED: usize = 8;
/// The directory is asked when nothing was typed for so long.
const PAUSE: Duration = Duration::from_millis(150);

/// What is offered at one field.
#[derive(Clone, Copy)]
struct Offer {
    node: NodeRef<html::Textarea>,
    value: RwSignal<String>,
    state: FieldState,
    found: RwSignal<Vec<PrincipalView>>,
    /// The one that Enter takes. None at first: Enter begins a new line, as it does everywhere else.
    active: RwSignal<Option<usize>>,
    /// Number of the last question; answers to earlier ones come too late.
    asked: StoredValue<u32>,
}

/// A field for names, one a line. What is offered is a help: whatever is typed is taken, and the portal says what
/// it does not know.
#[component]
pub fn NamesField(
    /// The label.
    #[prop(into)]
    label: String,
    /// The lines.
    value: RwSignal<String>,
    /// The parameter it fills; errors of the portal at that name stand here.
    name: &'static str,
    /// So many lines at first.
    rows: u32,
    /// The check of the lines.
    check: Check,
    /// What it is for.
    #[prop(into)]
    help: ViewFn,
) -> impl IntoView {
    let ids = FieldIds::new();
    let wrong = Signal::derive(move || value.with(|v| verdict(v, false, Some(check))));
    let state = FieldState::new(&ids.control, &label, name, wrong);
    let error = state.error();
    let described = describe(&ids, error);
    let offer = Offer {
        node: NodeRef::new(),
        value,
        state,
        found: RwSignal::new(Vec::new()),
        active: RwSignal::new(None),
        asked: StoredValue::new(0),
    };
    let id = ids.control.clone();
    let list = StoredValue::new(format!("{id}-list"));
    let option_id = move |i: usize| list.with_value(|l| format!("{l}-{i}"));
    let open = move || offer.found.with(|f| !f.is_empty());
    let title = StoredValue::new(label.clone());
    // A text area may not be called a combobox (ARIA in HTML); a text box has the same things to say of its list,
    // but for aria-expanded. That there is one now is said by the status.
    view! {
        <Field ids label help error>
            <div class="names">
                <textarea id=id name=name class="input mono" rows=rows spellcheck="false" autocapitalize="none"
                    node_ref=offer.node aria-autocomplete="list" aria-haspopup="listbox"
                    aria-controls=move || open().then(|| list.get_value())
                    aria-activedescendant=move || offer.active.get().map(option_id)
                    aria-invalid=move || error.with(Option::is_some).then_some("true") aria-describedby=described
                    prop:value=value
                    on:input=move |_| offer.typed()
                    on:keydown=move |e| offer.key(&e)
                    on:blur=move |_| { state.left.set(true); offer.close(); }
                ></textarea>
                {move || open().then(|| view! {
                    <ul class="names-list" role="listbox" id=list.get_value() aria-label=title.get_value()>
                        {offer.found.get().into_iter().enumerate().map(|(i, p)| option(offer, i, option_id(i), p)).collect_view()}
                    </ul>
                })}
                <div class="visually-hidden" role="status">{move || offer.found.with(|f| told(f.len()))}</div>
            </div>
        </Field>
    }
}

fn told(n: usize) -> String {
    match n {
        0 => String::new(),
        1 => "1 name fits. The down arrow and Enter take it.".to_owned(),
        n => format!("{n} names fit. The arrow keys and Enter take one."),
    }
}

fn option(offer: Offer, i: usize, id: String, p: PrincipalView) -> AnyView {
    let kind = match p.kind.as_str() {
        "Folder" => "Unit",
        "DC" => "Domain",
        _ if p.disabled => "Disabled user",
        kind => kind,
    };
    let kind = kind.to_owned();
    view! {
        <li role="option" id=id class="place" aria-selected=move || if offer.active.get() == Some(i) { "true" } else { "false" }
            // The field keeps the focus.
            on:mousedown=|e| e.prevent_default()
            on:click=move |_| offer.take(i)>
            <span>{p.name}</span>
            <small class="muted">{kind}</small>
            <small class="muted mono">{p.identity}</small>
        </li>
    }
    .into_any()
}

impl Offer {
    fn close(self) {
        self.asked.update_value(|n| *n += 1);
        self.active.set(None);
        if self.found.with_untracked(|f| !f.is_empty()) {
            self.found.set(Vec::new());
        }
    }

    /// Something was typed: asks for names that fit the line, after a pause.
    fn typed(self) {
        let Some(area) = self.node.get_untracked() else { return };
        let text = area.value();
        let word = text.get(line_at(&text, caret(&area))).unwrap_or_default().trim().to_owned();
        self.value.set(text);
        self.state.changed();
        if word.is_empty() {
            return self.close();
        }
        self.active.set(None);
        self.asked.update_value(|n| *n += 1);
        let question = self.asked.get_value();
        let current = move || self.asked.try_get_value() == Some(question);
        set_timeout(
            move || {
                if current() {
                    spawn_local(async move {
                        let path = format!("principals?q={}", segment(&word));
                        // Without an answer there is nothing to offer; the name can be typed all the same.
                        let all = api::get::<Vec<PrincipalView>>(&path).await.unwrap_or_default();
                        if current() {
                            self.found.set(new_ones(all, &self.value.read_untracked()));
                        }
                    });
                }
            },
            PAUSE,
        );
    }

    fn key(self, e: &KeyboardEvent) {
        let n = self.found.with_untracked(Vec::len);
        if n == 0 || e.is_composing() || e.shift_key() || e.ctrl_key() || e.alt_key() {
            return;
        }
        let at = self.active.get_untracked();
        match (e.key().as_str(), at) {
            ("ArrowDown", _) => self.point(at.map_or(0, |i| (i + 1) % n)),
            ("ArrowUp", _) => self.point(at.map_or(n - 1, |i| (i + n - 1) % n)),
            ("Enter" | "Tab", Some(i)) => self.take(i),
            ("Escape", _) => self.close(),
            _ => return,
        }
        e.prevent_default();
    }

    fn point(self, i: usize) {
        self.active.set(Some(i));
        // The list may reach below the window.
        dom::after_frame(|| {
            let here = dom::document().query_selector(".names-list [aria-selected=true]").ok().flatten();
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            if let Some(item) = here {
                item.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }

    /// Puts a name in the place of the line.
    fn take(self, i: usize) {
        let identity = self.found.with_untracked(|f| f.get(i).map(|p| p.identity.clone()));
        let (Some(area), Some(identity)) = (self.node.get_untracked(), identity) else { return };
        let text = area.value();
        let line = line_at(&text, caret(&area));
        let head = format!("{}{identity}", text.get(..line.start).unwrap_or_default());
        let whole = format!("{head}{}", text.get(line.end..).unwrap_or_default());
        area.set_value(&whole);
        let at = u32::try_from(head.encode_utf16().count()).unwrap_or(u32::MAX);
        // A browser refuses this only for fields without a selection.
        let _ = area.set_selection_range(at, at);
        self.value.set(whole);
        self.state.changed();
        self.close();
    }
}

/// Where the cursor is; the field counts UTF-16 units.
fn caret(area: &HtmlTextAreaElement) -> usize {
    area.selection_start().ok().flatten().map_or(usize::MAX, |n| n as usize)
}

/// The line around a place that is counted in UTF-16 units.
fn line_at(text: &str, units: usize) -> Range<usize> {
    let mut seen = 0;
    let before = text.chars().take_while(|c| {
        seen += c.len_utf16();
        seen <= units
    });
    let at = before.map(char::len_utf8).sum::<usize>();
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    start..text[at..].find('\n').map_or(text.len(), |i| at + i)
}

/// Those that no line names yet. The line that is typed may be one of them: then there is nothing to add.
fn new_ones(mut all: Vec<PrincipalView>, text: &str) -> Vec<PrincipalView> {
    all.retain(|p| !text.lines().any(|l| l.trim().eq_ignore_ascii_case(&p.identity)));
    all.truncate(OFFERED);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_at_the_cursor_is_found_in_any_script() {
        let text = "sip:a@x.com\nZoë 🙂 East\n\nend";
        let line = |units| &text[line_at(text, units)];
        assert_eq!(line(0), "sip:a@x.com");
        assert_eq!(line(11), "sip:a@x.com");
        // 🙂 is two units and four bytes; the last place is behind the t.
        assert_eq!(line(12), "Zoë 🙂 East");
        assert_eq!(line(23), "Zoë 🙂 East");
        assert_eq!(line(24), "");
        assert_eq!(line(usize::MAX), "end");
        assert_eq!(line_at("", 0), 0..0);
    }

    #[test]
    fn what_stands_there_is_not_offered_again() {
        let one = |identity: &str| PrincipalView {
            identity: identity.to_owned(),
            name: String::new(),
            kind: "User".to_owned(),
            disabled: false,
        };
        let all: Vec<_> = (0..20).map(|i| one(&format!("sip:u{i}@x.com"))).collect();
        let new = new_ones(all, "SIP:U0@x.com\nsip:u");
        assert_eq!((new.len(), new[0].identity.as_str()), (OFFERED, "sip:u1@x.com"));
    }
}
