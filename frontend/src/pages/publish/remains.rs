//! What remains for people after a publish, ticked off live by what the server observes.

use leptos::prelude::*;
use shared::api::TodoView;
use shared::events::Topic;
use shared::topology::todo::{Task, Todo};

use crate::api::use_data;
use crate::components::{Button, ButtonKind, Icon, Section, Shown};
use crate::routes::{Route, SettingsTab};

/// Most lines that are drawn at first.
const FIRST: usize = 30;
/// What the list is made of.
const SEEN_BY: &[Topic] = &[Topic::Topology, Topic::Pool, Topic::Rooms, Topic::Test, Topic::Directory];

/// The list of the newest version; nothing when there is nothing in it.
#[component]
pub fn Remains() -> impl IntoView {
    let data = use_data::<TodoView>(|| "topology/todo".to_owned(), SEEN_BY);
    let all = RwSignal::new(false);
    let some = Memo::new(move |_| data.value.with(|v| v.as_ref().is_some_and(|v| !v.items.is_empty())));
    let title = Signal::derive(move || data.value.with(|v| v.as_ref().map(title).unwrap_or_default()));
    move || {
        some.get().then(|| {
            view! {
                <Section title>
                    <Shown data lines=4 let:view>
                        <ul class="card todo" role="list">{move || view.with(|v| lines(v, all.get()))}</ul>
                        {move || {
                            let n = view.with(|v| v.items.len());
                            (n > FIRST && !all.get()).then(|| view! {
                                <Button label=format!("Show all {n}") kind=ButtonKind::Quiet on_press=move |()| all.set(true) />
                            })
                        }}
                    </Shown>
                </Section>
            }
        })
    }
}

fn title(v: &TodoView) -> String {
    let open = v.items.iter().filter(|t| !t.done && !t.optional).count();
    let version = v.version.unwrap_or_default();
    match open {
        0 => format!("Nothing remains to do after version {version}"),
        n => format!("What remains after version {version}: {n} to do"),
    }
}

/// What is open first, then what may be left out, then what is done.
fn lines(v: &TodoView, all: bool) -> Vec<AnyView> {
    let mut list: Vec<&Todo> = v.items.iter().collect();
    list.sort_by_key(|t| (t.done, t.optional));
    let shown = if all { list.len() } else { FIRST };
    list.into_iter().take(shown).map(line).collect()
}

fn line(t: &Todo) -> AnyView {
    let (class, icon, word) = match (t.done, t.optional) {
        (true, _) => ("todo-line todo-done", Icon::Tick, "Done"),
        (false, true) => ("todo-line", Icon::Question, "Optional"),
        (false, false) => ("todo-line todo-open", Icon::Stop, "To do"),
    };
    let text = t.text.clone();
    let text = if t.done { text.into_any() } else { view! { <a href=place(t.task)>{text}</a> }.into_any() };
    view! {
        <li class=class>
            <span class="todo-mark">{icon.draw()}<span>{word}</span></span>
            <span class="todo-text">{text}<small class="muted">{t.seen.clone()}" "{(!t.done).then(|| t.why.clone())}</small></span>
        </li>
    }
    .into_any()
}

/// Where it is done.
fn place(task: Task) -> String {
    match task {
        Task::Name => Route::Topology,
        Task::Adapter => Route::Settings(SettingsTab::Chat),
        Task::Category => Route::CategoryNew,
        Task::Room => Route::RoomNew,
        Task::Policy => Route::Policies,
        Task::Test => Route::Tests,
        Task::Endpoint => Route::Endpoints,
    }
    .href()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_counts_what_has_to_be_done() {
        let item = |done, optional| Todo {
            task: Task::Test,
            pool: shared::Fqdn::try_from("a.contoso.com").unwrap(),
            text: String::new(),
            why: String::new(),
            done,
            seen: String::new(),
            optional,
        };
        let mut v =
            TodoView { version: Some(4), at: None, items: vec![item(true, false), item(false, true)] };
        assert_eq!(title(&v), "Nothing remains to do after version 4");
        v.items.push(item(false, false));
        assert_eq!(title(&v), "What remains after version 4: 1 to do");
    }
}
