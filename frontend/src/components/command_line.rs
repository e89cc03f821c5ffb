//! The equivalent command line of an act.

use leptos::prelude::*;

use super::copy::CopyButton;

/// A command line with a copy button.
#[component]
pub fn CommandLine(
    /// The line; several lines are kept apart.
    #[prop(into)]
    line: Signal<String>,
    /// What it is, before it.
    #[prop(into, default = "As a command line".to_owned())]
    label: String,
) -> impl IntoView {
    view! {
        <div class="command">
            <span class="command-label">{label}</span>
            <div class="command-row">
                <pre class="command-text"><code>{line}</code></pre>
                <CopyButton what="the command line" text=line />
            </div>
        </div>
    }
}
