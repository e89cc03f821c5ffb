//! The generated credentials of the sample's users, shown once.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::api::{GeneratedCredential, LoginRequest, SetupResponse};
use shared::error::ApiError;

use super::enter;
use crate::components::{Button, ButtonKind, CopyButton, Icon, LoadError, Notice, NoticeKind};
use crate::dom;

/// What set-up made, and the way into the portal.
#[component]
pub fn Credentials(
    /// The portal's answer.
    response: SetupResponse,
    /// How to sign in.
    login: LoginRequest,
) -> impl IntoView {
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let list = response.credentials;
    let some = !list.is_empty();
    let go = move |()| {
        busy.set(true);
        let login = login.clone();
        spawn_local(async move {
            let answer = enter(login).await;
            busy.set(false);
            error.set(answer.err());
        });
    };
    dom::after_frame(|| dom::focus(dom::document().query_selector("main h1").ok().flatten()));
    view! {
        <div class="stack-s">
            <h1 tabindex="-1">"The portal is set up"</h1>
            <p class="muted">
                {if response.job.is_some() {
                    "The sample is being published now; its servers start one after the other."
                } else {
                    "Nothing is defined yet. The overview leads through the first steps."
                }}
            </p>
        </div>
        {some.then(|| view! { <Table list /> })}
        {move || error.get().map(|error| view! { <LoadError error /> })}
        <div class="form-foot">
            <Button label="Go to the overview" kind=ButtonKind::Primary icon=Some(Icon::Arrow) busy on_press=go />
        </div>
    }
}

#[component]
fn Table(list: Vec<GeneratedCredential>) -> impl IntoView {
    let text = as_text(&list);
    let saved = text.clone();
    let row = |c: GeneratedCredential| {
        view! {
            <tr>
                <th scope="row" class="mono" data-label="SIP address">{c.sip_address}</th>
                <td class="mono" data-label="Log-on name">{c.logon_name}</td>
                <td data-label="Password">
                    <span>
                        <code class="mono">{c.password.clone()}</code>
                        <CopyButton what="the password" text=c.password />
                    </span>
                </td>
            </tr>
        }
    };
    view! {
        <Notice kind=NoticeKind::Warning>
            <p>"These passwords are shown once; the portal keeps no readable copy. They sign the sample's chat users on, for example in a test message."</p>
        </Notice>
        <div class="table-box">
            <table class="table">
                <caption class="visually-hidden">"Chat users of the sample"</caption>
                <thead><tr><th scope="col">"SIP address"</th><th scope="col">"Log-on name"</th><th scope="col">"Password"</th></tr></thead>
                <tbody>{list.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        <div class="row">
            <Button label="Save as a file" icon=Some(Icon::Download)
                on_press=move |()| dom::download("lifeguard-sample-users.txt", "text/plain", &saved) />
            <span>"Copy all "<CopyButton what="all credentials" text=text /></span>
        </div>
    }
}

/// `DOMAIN\user=password`, a line each: what `lifeguard shell --credential-file` reads.
fn as_text(list: &[GeneratedCredential]) -> String {
    list.iter().map(|c| format!("{}={}\n", c.logon_name, c.password)).collect()
}
