//! Every route and every cmdlet × everybody who may come.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::json;
use shared::roles::{STANDARD, role_allows};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Caller, new_link, new_session, new_token, operations};
use crate::support::{Sample, run};

/// Requests at once.
const AT_ONCE: usize = 12;

/// What a route wants. Written here once more on purpose: a route that is not in this list fails the test.
enum Wants {
    /// Nothing.
    Nothing,
    /// To be signed in, whatever the role.
    SignIn,
    /// To be allowed this cmdlet.
    Right(&'static str),
}

fn wants(method: &Method, path: &str) -> Option<Wants> {
    if let Some(name) = path.strip_prefix("/cmdlets/") {
        return shared::cmdlets::find(name).map(|s| Wants::Right(s.name));
    }
    Some(match (method.as_str(), path) {
        (_, p) if p.starts_with("/status/") => Wants::Nothing,
        ("GET", "/session" | "/openapi.json" | "/healthz" | "/readyz") => Wants::Nothing,
        ("POST", "/login" | "/logout" | "/setup") => Wants::Nothing,
        ("POST", "/links/look" | "/links/use") => Wants::Nothing,
        ("GET", "/events") => Wants::SignIn,
        (_, p) if p == "/me" || p.starts_with("/me/") => Wants::SignIn,
        ("GET", "/topology/todo") => Wants::Right("Get-LgPublishToDo"),
        ("GET", "/certificates" | "/authority.pem") => Wants::Right("Get-LgCertificate"),
        ("GET", "/dns") => Wants::Right("Get-LgDnsRecord"),
        ("GET", "/deleted-rooms") => Wants::Right("Get-LgDeletedRoom"),
        ("GET", "/room-usage") => Wants::Right("Get-LgRoomUsage"),
        ("GET", "/overview" | "/pools" | "/pools/{fqdn}" | "/tests" | "/tests/{id}" | "/metrics") => {
            Wants::Right("Get-CsPersistentChatState")
        }
        ("GET", "/topology" | "/topology/versions" | "/jobs" | "/jobs/{id}" | "/drafts/{id}") => {
            Wants::Right("Get-CsTopology")
        }
        ("POST", "/drafts") | ("PATCH" | "DELETE", "/drafts/{id}") => Wants::Right("Save-LgDraft"),
        ("GET", "/tests/{id}/messages" | "/tests/{id}/messages.txt") => Wants::Right("Get-LgTestTrace"),
        ("GET", "/test-history" | "/test-history/export") => Wants::Right("Get-LgTestHistory"),
        ("GET", "/access") => Wants::Right("Get-LgSession"),
        ("GET", "/watch") => Wants::Right("Get-CsWatcherNodeConfiguration"),
        ("GET", "/endpoints") => Wants::Right("Get-CsPersistentChatEndpoint"),
        ("GET", "/groups" | "/group" | "/principals") => Wants::Right("Get-LgGroup"),
        ("GET", "/users") => Wants::Right("Get-CsUser"),
        ("GET", "/policies") => Wants::Right("Get-CsPersistentChatPolicy"),
        ("GET", "/categories") => Wants::Right("Get-CsPersistentChatCategory"),
        ("GET", "/rooms") => Wants::Right("Get-CsPersistentChatRoom"),
        ("GET", "/addins") => Wants::Right("Get-CsPersistentChatAddin"),
        ("GET", "/configurations") => Wants::Right("Get-CsPersistentChatConfiguration"),
        ("GET", "/compliance") => Wants::Right("Get-CsPersistentChatComplianceConfiguration"),
        ("GET", "/accounts") => Wants::Right("Get-LgAccount"),
        ("GET", "/shares") => Wants::Right("Get-LgShare"),
        ("GET", "/alerts") => Wants::Right("Get-LgAlert"),
        ("GET", "/alert-targets") => Wants::Right("Get-LgAlertTarget"),
        ("GET", "/nodes") => Wants::Right("Get-LgNode"),
        ("GET", "/audit" | "/audit/export") => Wants::Right("Get-LgAudit"),
        ("GET", "/backups") => Wants::Right("Get-LgBackup"),
        _ => return None,
    })
}

/// Whether a caller may run a cmdlet.
type May = fn(&Caller, &str) -> bool;

/// Sends every request of every caller, some at once; what came back that should not have.
async fn try_all(s: &Sample, callers: &[(Caller, May)]) -> Result<Vec<String>> {
    let (mut tasks, room) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    for (method, whole, path) in operations(s).await? {
        // A live stream never ends; who may open it is tried apart.
        let want =
            wants(&method, &path).with_context(|| format!("who may {method} {path}? Say it in matrix.rs"))?;
        for (caller, may) in callers {
            let expected = match want {
                Wants::Nothing => continue,
                Wants::SignIn if may(caller, "Get-CsTopology") => continue,
                Wants::SignIn => 401,
                Wants::Right(cmdlet) if may(caller, cmdlet) => 0,
                Wants::Right(_) if STANDARD.contains(&caller.name.as_str()) => 403,
                Wants::Right(_) => 401,
            };
            let mut request = caller.request(s.server.url(), &method, &whole)?;
            if method != Method::GET {
                let body = json!({ "args": {}, "mode": "what_if", "path": "/none", "from": "", "to": "" });
                request = request.json(&body);
            }
            let (room, what) = (room.clone(), format!("{method} {whole} as {}", caller.name));
            tasks.spawn(async move {
                let _turn = room.acquire().await?;
                let status = request.send().await?.status().as_u16();
                let right = if expected == 0 {
                    ![401, 403].contains(&status) && status < 500
                } else {
                    status == expected
                };
                anyhow::Ok((!right).then(|| format!("{what}: {status} instead of {expected}")))
            });
        }
    }
    let tried = tasks.len();
    ensure!(tried > 100, "only {tried} requests were tried");
    let mut wrong = Vec::new();
    while let Some(done) = tasks.join_next().await {
        wrong.extend(done??);
    }
    println!("{tried} requests");
    Ok(wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_and_cmdlet_is_closed_to_whoever_has_no_business_there() -> Result<()> {
    let s = Sample::start().await?;
    let link = new_link(&s, json!({ "Label": "desk" })).await?;
    let share = link.rsplit('/').next().context("no token")?.to_owned();
    let (expired, revoked) = (
        new_token(&s, "expired", "CsAdministrator").await?,
        new_token(&s, "revoked", "CsAdministrator").await?,
    );
    let list = run(&s.client, "Get-LgToken", json!({})).await?;
    let ids = list["output"].as_array().context("no tokens")?;
    let id = ids.iter().find(|t| t["Label"] == "revoked").context("no such token")?["Identity"].clone();
    run(&s.client, "Remove-LgToken", json!({ "Identity": id })).await?;
    let store = rusqlite::Connection::open(s.server.data_dir().join("management.db"))?;
    ensure!(store.execute("UPDATE api_token SET expires = 1000 WHERE label = 'expired'", [])? == 1);
    drop(store);
    let ended = new_session(&s, "ended", "CsAdministrator").await?;
    run(&s.client, "Remove-LgSession", json!({ "Account": "ended" })).await?;
    let nobody: May = |_, _| false;
    let callers = [
        Caller::anonymous(),
        Caller::token("a share token", share),
        Caller::token("an expired token", expired),
        Caller::token("a revoked token", revoked),
        Caller::token("no token at all", ""),
        ended,
    ];
    let wrong = try_all(&s, &callers.map(|c| (c, nobody))).await?;
    ensure!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_standard_role_may_what_its_table_says_and_nothing_else() -> Result<()> {
    let s = Sample::start().await?;
    let by_table: May = |c, cmdlet| role_allows(&c.name, cmdlet);
    let mut callers = Vec::new();
    for role in STANDARD {
        callers.push((Caller::token(role, new_token(&s, role, role).await?), by_table));
    }
    let wrong = try_all(&s, &callers).await?;
    ensure!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // A session and a token of one role are the same to the door.
    let desk = new_session(&s, "desk", "CsHelpDesk").await?;
    for (path, status) in [("/api/v1/pools", 200), ("/api/v1/audit", 403)] {
        ensure!(desk.request(s.server.url(), &Method::GET, path)?.send().await?.status() == status, "{path}");
    }
    Ok(())
}

/// Routes that the router has, read from its text, and operations of the document are the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_every_route() -> Result<()> {
    let s = Sample::start().await?;
    let text = include_str!("../../../../backend/lifeguard/src/http/mod.rs");
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut routes = Vec::new();
    for part in text.split(".route(").skip(1) {
        let path = part.split('"').nth(1).context("a route without a path")?;
        let handlers = part.split(".fallback(").next().unwrap_or(part);
        for method in ["get", "post", "patch", "delete", "put"] {
            if [format!(" {method}("), format!(".{method}("), format!("({method}(")]
                .iter()
                .any(|m| handlers.contains(m))
            {
                routes.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    ensure!(routes.len() > 40, "the routes were not found: {routes:?}");
    let documented: Vec<String> =
        operations(&s).await?.into_iter().map(|(method, _, path)| format!("{method} {path}")).collect();
    for route in routes.iter().filter(|r| !r.ends_with("/cmdlets/{name}")) {
        ensure!(documented.contains(route), "{route} is not in the OpenAPI document");
    }
    for documented in documented.iter().filter(|d| !d.contains("/cmdlets/")) {
        ensure!(routes.contains(documented), "{documented} is in the OpenAPI document and no route");
    }
    Ok(())
}
