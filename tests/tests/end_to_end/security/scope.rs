//! A role of one's own that is confined to a site.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::cmdlet::Nature;

use super::{Caller, new_token};
use crate::support::{Sample, run};

const HERE: &str = "dub-pc-001.litwareinc.com";
const THERE: &str = "atl-cs-001.litwareinc.com";
/// Parameters that may name a pool.
const NAMING: [&str; 5] = ["Identity", "Instance", "PersistentChatPoolFqdn", "TargetFqdn", "Category"];

async fn try_out(s: &Sample, caller: &Caller, cmdlet: &str, args: &Value) -> Result<(u16, String)> {
    let path = format!("/api/v1/cmdlets/{cmdlet}");
    let body = json!({ "args": args, "mode": "what_if" });
    let answer = caller.request(s.server.url(), &Method::POST, &path)?.json(&body).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_confined_to_a_site_changes_nothing_elsewhere_however_it_is_named() -> Result<()> {
    let s = Sample::start().await?;
    let role = json!({
        "Identity": "Dublin", "Template": "CsPersistentChatAdministrator", "ConfigScopes": { "Replace": ["site:Dublin"] },
    });
    run(&s.client, "New-CsAdminRole", role).await?;
    let caller = Caller::token("Dublin", new_token(&s, "dublin", "Dublin").await?);
    let endpoint = json!({ "SipAddress": "sip:pce@litwareinc.com", "PersistentChatPoolFqdn": THERE });
    run(&s.client, "New-CsPersistentChatEndpoint", endpoint).await?;
    let (mut tried, mut inside) = (0, 0);
    for spec in shared::cmdlets::ALL {
        if spec.nature == Nature::Query {
            continue;
        }
        let allowed = shared::roles::role_allows("CsPersistentChatAdministrator", spec.name);
        let named: Vec<&str> =
            NAMING.into_iter().filter(|n| spec.params.iter().any(|p| p.name == *n)).collect();
        let naming = |pool: &dyn Fn(usize) -> &'static str| -> Value {
            let one = |(i, n): (usize, &&str)| {
                let value = if *n == "Instance" { json!({ "Identity": pool(i) }) } else { json!(pool(i)) };
                ((*n).to_owned(), value)
            };
            named.iter().enumerate().map(one).collect::<Map<_, _>>().into()
        };
        // Nothing named; there; and each parameter there while all the others are here.
        let mut refusals = vec![json!({}), naming(&|_| THERE)];
        refusals.extend((0..named.len()).map(|n| naming(&|i| if i == n { THERE } else { HERE })));
        for args in refusals {
            let (status, text) = try_out(&s, &caller, spec.name, &args).await?;
            ensure!(status == 403, "{} {args}: {status} {text}", spec.name);
            tried += 1;
        }
        if allowed && !named.is_empty() {
            let (status, text) = try_out(&s, &caller, spec.name, &naming(&|_| HERE)).await?;
            ensure!(status != 403 && status != 401 && status < 500, "{}: {status} {text}", spec.name);
            inside += 1;
        }
    }
    ensure!(tried > 100 && inside > 10, "{tried} tried, {inside} inside");
    // An endpoint belongs to the pool that it leaves, too.
    let moved = json!({ "Identity": "sip:pce@litwareinc.com", "PersistentChatPoolFqdn": HERE });
    let (status, text) = try_out(&s, &caller, "Move-LgPersistentChatEndpoint", &moved).await?;
    ensure!(status == 403 && text.contains("site:Redmond"), "{status} {text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_one_cmdlet_reads_nothing_else() -> Result<()> {
    let s = Sample::start().await?;
    let all: Vec<&str> = shared::roles::cmdlets_of("CsHelpDesk");
    let rest: Vec<&str> = all.into_iter().filter(|c| *c != "Get-CsPersistentChatPolicy").collect();
    let role = json!({ "Identity": "Policies", "Template": "CsHelpDesk", "Cmdlets": { "Remove": rest } });
    run(&s.client, "New-CsAdminRole", role).await?;
    let caller = Caller::token("Policies", new_token(&s, "policies", "Policies").await?);
    let (_, made) = s.client.post("/api/v1/drafts", &json!({})).await?;
    let draft = format!("/api/v1/drafts/{}", made["id"].as_str().context("no draft")?);
    for (path, expected) in [
        ("/api/v1/policies", 200),
        ("/api/v1/pools", 403),
        ("/api/v1/topology", 403),
        ("/api/v1/users", 403),
        ("/metrics", 403),
        (&draft, 403),
    ] {
        let status = caller.request(s.server.url(), &Method::GET, path)?.send().await?.status();
        ensure!(status == expected, "{path}: {status}");
    }
    Ok(())
}
