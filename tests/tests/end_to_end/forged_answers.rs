//! Answers in dialogs of others, and dialogs whose numbers are nearly used up.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use wire::sip::{Message, NameAddr, Response};

use crate::hostile::{Present, sample};
use crate::support::{POOL, Sample};

/// Sessions of the chat servers of [`POOL`].
async fn sessions(s: &Sample) -> Result<u64> {
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let pools = o["pools"].as_array().context("no pools")?;
    let pool = pools.iter().find(|p| p["fqdn"] == POOL).context("no pool")?;
    let servers = pool["servers"].as_array().context("no servers")?;
    Ok(servers.iter().filter_map(|s| s["report"]["sessions"].as_u64()).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_dialog_of_another_client_ends_nothing() -> Result<()> {
    let s = sample().await?;
    let mut victim = Present::enter(&s, &s.users[1]).await?;
    // Sessions go around the servers of the pool: one of these is where the victim's is.
    let mut attackers = Vec::new();
    for _ in 0..4 {
        attackers.push(Present::enter(&s, &s.users[0]).await?);
    }
    let own = NameAddr::parse(&victim.dialog.from).and_then(|n| n.param("tag").map(str::to_owned));
    let own = own.context("no tag")?;
    for status in [481, 487] {
        let text = format!("before {status}");
        ensure!(victim.post(&text, None).await?.status == 200);
        for a in &mut attackers {
            let info = a.sip.request("INFO").await?;
            // In a transaction that is really the attacker's.
            let mut forged = Response::reply_to(&info, status, "Gone");
            forged.headers.set("Call-ID", victim.dialog.call.clone());
            forged.headers.set("To", format!("<{}>;tag={own}", s.users[1].sip));
            a.sip.send(&Message::Response(forged)).await?;
            // What the same connection sends next is read after it.
            ensure!(a.post(&format!("after {status}"), None).await?.status == 200);
        }
        for _ in 0..attackers.len() {
            victim.sip.told(&format!("after {status}")).await?;
        }
    }
    ensure!(victim.post("still here", None).await?.status == 200, "the victim's dialog was ended");
    attackers[0].sip.told("still here").await?;
    // An answer in one's own dialog counts: whoever says that it is gone is put out of the room.
    let before = sessions(&s).await?;
    let info = attackers[1].sip.request("INFO").await?;
    attackers[1].sip.send(&Message::Response(Response::reply_to(&info, 481, "Gone"))).await?;
    wait::until("the end of the attacker's own dialog", async || {
        let now = sessions(&s).await?;
        ensure!(now < before, "{now} sessions, {before} before");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_with_large_numbers_ends_with_its_client() -> Result<()> {
    let s = sample().await?;
    let before = sessions(&s).await?;
    let mut present = Present::enter(&s, &s.users[1]).await?;
    for number in [(1 << 30) + 5, (1_u32 << 31) - 2] {
        present.dialog.cseq = number;
        ensure!(present.post("counted far", None).await?.status == 200);
    }
    wait::until("the session in the report", async || {
        let now = sessions(&s).await?;
        ensure!(now > before, "{now} sessions, {before} before");
        Ok(())
    })
    .await?;
    drop(present);
    wait::until("the end of the sessions", async || {
        let now = sessions(&s).await?;
        ensure!(now == before, "{now} sessions, {before} before");
        Ok(())
    })
    .await
}
