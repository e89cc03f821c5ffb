//! Topologies that a number made, not a person: what breaks no rule is published and really runs, whatever it
//! looks like; what breaks one is refused by the rehearsal too.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Options, Server, wait};
use serde_json::{Value, json};
use shared::topology::Topology;
use shared::topology::made::{Size, made, mutated};
use shared::topology::validate::validate;

use crate::support::{admin, job, run};

/// Seeds of the topologies that are started; `LIFEGUARD_SEEDS=1,2,3` takes others.
fn seeds() -> Vec<u64> {
    let given = std::env::var("LIFEGUARD_SEEDS").unwrap_or_else(|_| "11,2013,77".to_owned());
    given.split(',').filter_map(|s| s.trim().parse().ok()).collect()
}

async fn empty() -> Result<(Server, Client)> {
    let server = Server::start(Options::default()).await?;
    let (client, _) = admin(&server, "empty").await?;
    Ok((server, client))
}

async fn import(client: &Client, t: &Topology) -> Result<()> {
    let document = serde_json::to_string(t)?;
    run(client, "Import-LgTopology", json!({ "Document": document })).await?;
    Ok(())
}

/// The checks of the rehearsal: which, and whether it succeeded.
async fn rehearse(client: &Client) -> Result<Vec<(String, bool)>> {
    let a = run(client, "Test-CsTopology", json!({})).await?;
    let list = a["output"].as_array().context("no checks")?;
    Ok(list
        .iter()
        .map(|c| (c["Check"].as_str().unwrap_or_default().to_owned(), c["Result"] == "Success"))
        .collect())
}

/// Makes the folders of shares that run here; those that are there already are no fault.
async fn shares(client: &Client, t: &Topology) -> Result<()> {
    for f in &t.file_stores {
        let body = json!({ "args": { "Identity": f.label() }, "confirmed": true });
        let (status, answer) = client.invoke("New-LgFileShare", &body).await?;
        ensure!(status == 200 || status == 409, "{answer}");
    }
    Ok(())
}

async fn publish(client: &Client) -> Result<()> {
    let a = run(client, "Publish-CsTopology", json!({ "Comment": "made" })).await?;
    job(client, a["job"].as_str().context("no job")?, "done").await?;
    Ok(())
}

/// Waits until what runs is what the document says: every server, every pool's database.
async fn runs(client: &Client, t: &Topology) -> Result<()> {
    wait::until("everything to run", async || {
        let (_, o) = client.get("/api/v1/overview").await?;
        let pools = o["pools"].as_array().context("no pools")?;
        ensure!(pools.len() == t.pools.len(), "{} pools instead of {}", pools.len(), t.pools.len());
        let chat =
            pools.iter().flat_map(|p| p["servers"].as_array().into_iter().flatten()).map(|s| &s["report"]);
        let all: Vec<&Value> = chat.chain(o["front_ends"].as_array().into_iter().flatten()).collect();
        let expected = t.front_end_pools.iter().map(|p| p.servers.len()).sum::<usize>()
            + t.pools.iter().map(|p| p.computers.len()).sum::<usize>();
        ensure!(all.len() == expected, "{} servers instead of {expected}", all.len());
        if let Some(other) = all.iter().find(|r| r["state"]["state"] != "running") {
            anyhow::bail!("not running: {other}");
        }
        let closed = pools.iter().find(|p| p["converged"] != true);
        ensure!(closed.is_none(), "no database in use: {closed:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn made_topologies_are_published_and_run_and_so_are_their_changes() -> Result<()> {
    for seed in seeds() {
        let (_server, client) = empty().await?;
        let first = made(seed, Size::SMALL);
        import(&client, &first).await?;
        shares(&client, &first).await?;
        publish(&client).await.with_context(|| format!("seed {seed}"))?;
        runs(&client, &first).await.with_context(|| format!("seed {seed}"))?;
        // Changes of it until one breaks no rule: that one is published too.
        let mut changed = false;
        for n in 0..40 {
            let second = mutated(&first, n);
            if second == first || validate(&second).iter().any(|p| p.blocks()) {
                continue;
            }
            import(&client, &second).await?;
            if rehearse(&client).await?.iter().all(|(_, good)| *good) {
                publish(&client).await.with_context(|| format!("seed {seed}, change {n}"))?;
                runs(&client, &second).await.with_context(|| format!("seed {seed}, change {n}"))?;
                changed = true;
                break;
            }
        }
        ensure!(changed, "no change of seed {seed} could be published");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rehearsal_finds_what_the_rules_find() -> Result<()> {
    let (_server, client) = empty().await?;
    let (mut good, mut bad) = (0, 0);
    for n in 0..24 {
        let t = mutated(&made(n, Size::SMALL), n.wrapping_mul(7));
        import(&client, &t).await?;
        let blocked = validate(&t).iter().any(|p| p.blocks());
        let checks = rehearse(&client).await?;
        let (_, rules) = checks.first().context("no check")?;
        ensure!(*rules != blocked, "document {n}: {:?} but {checks:?}", validate(&t));
        if blocked { bad += 1 } else { good += 1 }
    }
    ensure!(good > 2 && bad > 2, "{good} good, {bad} bad: not a test");
    Ok(())
}
