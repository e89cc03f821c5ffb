//! A dialog: the browser's own, so that focus stays inside and comes back afterwards.

use leptos::html;
use leptos::prelude::*;

use crate::dom;

/// A modal dialog. What stands in it exists only while it is open.
#[component]
pub fn Dialog(
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Called when the person closes it (Escape); none: it cannot be closed that way.
    #[prop(optional, into)]
    on_close: Option<Callback<()>>,
    /// Heading.
    #[prop(into)]
    title: Signal<String>,
    /// What stands in it.
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let labelled_by = dom::uid("dialog");
    let title_id = labelled_by.clone();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if open.get() && !dialog.open() {
            if dialog.show_modal().is_err() {
                leptos::logging::warn!("the dialog could not be opened");
            }
            // A screen reader starts at the heading; a form in the dialog names its first field instead.
            dom::after_frame(move || {
                let first = dialog.query_selector("[data-first], .dialog-title").ok().flatten();
                dom::focus(first);
            });
        } else if !open.get() && dialog.open() {
            dialog.close();
            // The browser gives the focus back to what had it; when that is gone, the page's heading takes it.
            dom::after_frame(|| {
                if dom::document().active_element().is_none_or(|e| e.tag_name() == "BODY") {
                    dom::focus_heading();
                }
            });
        }
    });
    view! {
        <dialog
            class="dialog"
            node_ref=node
            aria-labelledby=labelled_by
            on:cancel=move |e: leptos::ev::Event| {
                // The state decides whether it is open; the browser must not close it past that.
                e.prevent_default();
                if let Some(close) = on_close {
                    close.run(());
                }
            }
        >
            <Show when=move || open.get()>
                <div class="dialog-body">
                    <h2 class="dialog-title" id=title_id.clone() tabindex="-1">{title}</h2>
                    {children()}
                </div>
            </Show>
        </dialog>
    }
}
