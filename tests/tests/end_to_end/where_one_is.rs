//! Where one is: breadcrumbs and navigation of runs, and the draft that a tab comes back to.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, By, Client, wait};
use serde_json::json;

use crate::page::sign_in;
use crate::support::{POOL, Sample, run};

/// Waits until the breadcrumbs read so, and this is current in the navigation.
async fn crumbs(b: &Browser, wanted: &[&str], current: &str) -> Result<()> {
    wait::until("the breadcrumbs", async || {
        let read = "return [
            [...document.querySelectorAll('.crumbs li')].map(l => l.innerText),
            [...document.querySelectorAll('nav[aria-label=Main] [aria-current]')].map(a => a.title)];";
        let now = b.script(read, vec![]).await?;
        ensure!(now == json!([wanted, [current]]), "{now}");
        Ok(())
    })
    .await
}

/// Waits for the end of a rehearsal, whatever it found.
pub async fn rehearsed(c: &Client, id: &str) -> Result<()> {
    wait::until("the rehearsal's end", async || {
        let (_, j) = c.get(&format!("/api/v1/jobs/{id}")).await?;
        ensure!(j["state"] != "running", "{j}");
        Ok(())
    })
    .await
}

/// Waits until the page shows this draft.
async fn shows(b: &Browser, draft: &str) -> Result<()> {
    wait::until(&format!("the draft {draft}"), async || {
        let name = "return document.querySelector('.switcher summary strong')?.innerText ?? null;";
        let name = b.script(name, vec![]).await?;
        ensure!(name == draft, "{name}");
        Ok(())
    })
    .await
}

async fn navigate(b: &Browser, page: &str) -> Result<()> {
    let link = format!("nav[aria-label=Main] a[title={page:?}]");
    Ok(b.driver().find(By::Css(link.as_str())).await?.click().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_pool_stands_under_the_pool() -> Result<()> {
    let s = Sample::start().await?;
    let started = run(&s.client, "Test-LgFailover", json!({ "Identity": POOL })).await?;
    let rehearsal = started["job"].as_str().context("no run")?;
    rehearsed(&s.client, rehearsal).await?;
    let (_, jobs) = s.client.get("/api/v1/jobs").await?;
    let all = jobs.as_array().context("no jobs")?;
    let published = all.iter().find(|j| j["title"] == "Publish the topology").context("not published")?;
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    let url = |id: &str| format!("{}/jobs/{id}", s.server.url());
    b.goto(&url(rehearsal)).await?;
    crumbs(&b, &["Pools", POOL, "Run"], "Pools").await?;
    b.click_link(POOL).await?;
    b.wait_text("Rehearsals on a copy").await?;
    crumbs(&b, &["Pools", POOL], "Pools").await?;
    b.goto(&url(published["id"].as_str().context("no id")?)).await?;
    b.wait_text("Save the report").await?;
    crumbs(&b, &["Topology", "Publish", "Run"], "Topology").await?;
    ensure!(b.console_errors().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_comes_back_to_the_draft_it_was_in() -> Result<()> {
    let s = Sample::start().await?;
    for name in ["east", "west"] {
        run(&s.client, "New-LgTopologyDraft", json!({ "Name": name })).await?;
    }
    let b = Browser::start().await?;
    sign_in(&b, &s).await?;
    let at = async |query: &str| {
        wait::until(&format!("the topology{query}"), async || {
            let url = b.driver().current_url().await?;
            ensure!(url.path() == "/topology" && url.query().unwrap_or_default() == query, "{url}");
            Ok(())
        })
        .await
    };
    b.goto(&format!("{}/topology?draft=west", s.server.url())).await?;
    shows(&b, "west").await?;
    navigate(&b, "Pools").await?;
    b.wait_text("atl-gc-001").await?;
    // What the link says is where it leads; a reload in between changes nothing.
    b.driver().refresh().await?;
    b.wait_text("atl-gc-001").await?;
    navigate(&b, "Topology").await?;
    at("draft=west").await?;
    shows(&b, "west").await?;
    // Links elsewhere mean what they say.
    b.goto(&format!("{}/topology?draft=main", s.server.url())).await?;
    shows(&b, "main").await?;
    navigate(&b, "Pools").await?;
    b.wait_text("atl-gc-001").await?;
    navigate(&b, "Topology").await?;
    at("").await?;
    // One that somebody drops meanwhile is said once, with the way out.
    b.goto(&format!("{}/topology?draft=east", s.server.url())).await?;
    shows(&b, "east").await?;
    navigate(&b, "Pools").await?;
    b.wait_text("atl-gc-001").await?;
    run(&s.client, "Remove-LgTopologyDraft", json!({ "Identity": "east" })).await?;
    navigate(&b, "Topology").await?;
    b.click_link("Show the draft main").await?;
    shows(&b, "main").await?;
    navigate(&b, "Pools").await?;
    b.wait_text("atl-gc-001").await?;
    navigate(&b, "Topology").await?;
    at("").await
}
