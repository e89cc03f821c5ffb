//! The chat service through real sockets: test messages, failover, active servers, endpoints, refusals.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::wait;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Sample, refused, run};

fn cause(t: &Value) -> &str {
    t["report"]["diagnosis"]["cause"].as_str().unwrap_or("none")
}

fn succeeded(t: &Value) -> Result<()> {
    ensure!(t["summary"]["state"] == "success", "{}", t["printed"].as_str().unwrap_or_default());
    ensure!(
        t["report"]["warnings"]
            .as_array()
            .is_some_and(|w| w.iter().all(|w| !w.as_str().unwrap_or("").contains("failed"))),
        "{t}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_succeeds_on_every_pool_and_says_the_path() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    for (target, server) in [
        ("atl-fe-001.litwareinc.com", "gc-00"),
        ("dub-fe-001.litwareinc.com", "dub-pc-001"),
        ("atl-persistentchat-001.litwareinc.com", "atl-pcs-00"),
        ("atl-gc-001.litwareinc.com", "atl-gcs-00"),
    ] {
        let t = s.test(pilar, ken, json!({ "TargetFqdn": target })).await?;
        succeeded(&t)?;
        let hops = t["report"]["hops"].as_array().context("no trace")?;
        ensure!(hops.len() == 2 && hops[0]["port"] == 5061 && hops[1]["port"] == 5041, "{hops:?}");
        ensure!(hops[1]["to"].as_str().is_some_and(|h| h.starts_with(server)), "{hops:?}");
        ensure!(t["report"]["latency_us"].as_u64().is_some_and(|l| l > 0));
        let printed = t["printed"].as_str().context("nothing printed")?;
        ensure!(
            printed.starts_with(&format!(
                "Target Fqdn   : {target}\nResult        : Success\nLatency       : 00:00:00."
            )),
            "{printed}"
        );
    }
    // A log-on name is sent as typed; the registrar does not tell case apart.
    let shouted =
        json!({ "SenderCredential": { "UserName": pilar.logon.to_uppercase(), "Password": pilar.password } });
    let t = s.test(pilar, ken, shouted).await?;
    succeeded(&t)?;
    let steps = t["report"]["steps"].as_array().context("no steps")?;
    ensure!(steps[0]["phase"] == "resolve" && steps[0]["ok"] == true, "{steps:?}");
    ensure!(
        t["report"]["steps"]
            .to_string()
            .contains(&format!("signed in as {}", pilar.logon.to_uppercase()).replace('\\', "\\\\")),
        "{steps:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_cause_in_plain_words() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken, guest) = (&s.users[0], &s.users[1], &s.users[2]);
    let credential = |user: &str, password: &str| json!({ "SenderCredential": { "UserName": user, "Password": password } });
    // A fixed address, because the printed block wraps by its length.
    let silent = TcpListener::bind("127.77.0.9:25061").await?;
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((c, _)) = silent.accept().await {
            kept.push(c);
        }
    });
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let cases = [
        (credential(&pilar.logon, "wrong"), "wrong_password"),
        (credential(&ken.logon, &ken.password), "credential_of_another_account"),
        (json!({ "SenderSipAddress": "sip:nobody@litwareinc.com" }), "unknown_user"),
        (
            json!({ "SenderSipAddress": guest.sip, "SenderCredential": { "UserName": guest.logon, "Password": guest.password } }),
            "no_policy",
        ),
        (json!({ "ChatRoomUri": "atl-cs-001.litwareinc.com\\No such room" }), "no_room"),
        (json!({ "TargetFqdn": "127.0.0.1", "RegistrarPort": closed.port() }), "nothing_listening"),
        (json!({ "TargetFqdn": "nowhere.invalid" }), "name_not_resolved"),
        (json!({ "TargetFqdn": "127.77.0.9", "RegistrarPort": 25061, "TimeoutSeconds": 1 }), "no_answer"),
    ];
    for (more, expected) in cases {
        let t = s.test(pilar, ken, more.clone()).await?;
        ensure!(t["summary"]["state"] == "failure" && cause(&t) == expected, "{more}: {}\n{t}", cause(&t));
        ensure!(!t["report"]["diagnosis"]["check_next"].as_str().unwrap_or_default().is_empty());
        if expected == "no_answer" {
            let printed = t["printed"].as_str().unwrap_or_default();
            ensure!(printed == include_str!("golden/no_answer.txt"), "{printed}");
        }
        if expected == "name_not_resolved" {
            let text = t["report"]["warnings"].to_string();
            ensure!(
                text.contains("Using default Registrar port number")
                    && text.contains("No matching cluster found in topology"),
                "{text}"
            );
        }
    }
    run(&s.client, "Set-LgUser", json!({ "Identity": pilar.sip, "Enabled": false })).await?;
    let t = s.test(pilar, ken, json!({})).await?;
    ensure!(cause(&t) == "user_disabled", "{t}");
    Ok(())
}

async fn messages(s: &Sample, pool: &str) -> Result<u64> {
    let (_, p) = s.client.get(&format!("/api/v1/pools/{pool}")).await?;
    let used =
        p["summary"]["databases"].as_array().and_then(|l| l.iter().find(|d| d["in_use"] == true)).cloned();
    used.and_then(|d| d["messages"].as_u64()).context("no database in use")
}

async fn set_state(s: &Sample, identity: &str, state: &str) -> Result<Value> {
    run(&s.client, "Set-CsPersistentChatState", json!({ "Identity": identity, "PoolState": state })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_over_and_back_loses_no_message() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken, pool) = (&s.users[0], &s.users[1], "atl-cs-001.litwareinc.com");
    succeeded(&s.test(pilar, ken, json!({})).await?)?;
    ensure!(messages(&s, pool).await? == 2);
    let (status, plan) = s
        .client
        .cmdlet(
            "Set-CsPersistentChatState",
            json!({ "Identity": pool, "PoolState": "FailedOver" }),
            "what_if",
        )
        .await?;
    ensure!(
        status == 200
            && plan["done"] == false
            && plan["plan"]["sentences"].to_string().contains("No message is lost"),
        "{plan}"
    );
    let (_, unchanged) = s.client.get(&format!("/api/v1/pools/{pool}")).await?;
    ensure!(unchanged["summary"]["state"] == "Normal");
    let answer = set_state(&s, &format!("service:{pool}"), "FailedOver").await?;
    ensure!(answer["warnings"] == json!([]), "{answer}");
    ensure!(messages(&s, pool).await? == 2, "the backup has what the primary had");
    succeeded(&s.test(pilar, ken, json!({})).await?)?;
    set_state(&s, &format!("service: {pool}"), "Normal").await?;
    ensure!(messages(&s, pool).await? == 4, "the primary has what was written on the backup");
    succeeded(&s.test(pilar, ken, json!({})).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_without_backup_cannot_fail_over_and_a_lost_primary_wants_acknowledgement() -> Result<()> {
    let mut s = Sample::start().await?;
    let e = refused(
        &s.client,
        "Set-CsPersistentChatState",
        json!({ "Identity": "dub-pc-001.litwareinc.com", "PoolState": "FailedOver" }),
        422,
    )
    .await?;
    ensure!(e["message"].as_str().is_some_and(|m| m.contains("no backup")), "{e}");
    let pool = "atl-gc-001.litwareinc.com";
    // The first switch makes the backup; back on the primary, the primary is then destroyed.
    set_state(&s, pool, "FailedOver").await?;
    set_state(&s, pool, "Normal").await?;
    let sql = s.server.data_dir().join("sql/atl-sql-002.litwareinc.com");
    s.server.stop().await?;
    std::fs::remove_dir_all(&sql)?;
    s.server.restart().await?;
    s.client.login("root", crate::support::PASSWORD).await?;
    let args = json!({ "Identity": pool, "PoolState": "FailedOver" });
    let e = refused(&s.client, "Set-CsPersistentChatState", args, 428).await?;
    ensure!(
        e["field"] == "AcknowledgeLoss" && e["message"].as_str().is_some_and(|m| m.contains("are lost")),
        "{e}"
    );
    run(
        &s.client,
        "Set-CsPersistentChatState",
        json!({ "Identity": pool, "PoolState": "FailedOver", "AcknowledgeLoss": true }),
    )
    .await?;
    succeeded(&s.test(&s.users[0], &s.users[1], json!({ "TargetFqdn": pool })).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn inactive_servers_refuse_new_sessions() -> Result<()> {
    let s = Sample::start().await?;
    let (pilar, ken) = (&s.users[0], &s.users[1]);
    run(
        &s.client,
        "Set-CsPersistentChatActiveServer",
        json!({ "Identity": "global", "ActiveServers": { "Remove": ["gc-001.litwareinc.com"] } }),
    )
    .await?;
    for _ in 0..3 {
        let t = s.test(pilar, ken, json!({})).await?;
        succeeded(&t)?;
        ensure!(t["report"]["hops"][1]["to"] == "gc-002.litwareinc.com", "{}", t["report"]["hops"]);
    }
    run(
        &s.client,
        "Set-CsPersistentChatActiveServer",
        json!({ "Identity": "atl-cs-001.litwareinc.com", "ActiveServers": { "Replace": [] } }),
    )
    .await?;
    let t = s.test(pilar, ken, json!({})).await?;
    ensure!(cause(&t) == "pool_unavailable", "{t}");
    let five = ["gc-001", "gc-002", "gc-003", "gc-004", "gc-005"].map(|n| format!("{n}.litwareinc.com"));
    let e = refused(
        &s.client,
        "Set-CsPersistentChatActiveServer",
        json!({ "Identity": "atl-cs-001.litwareinc.com", "ActiveServers": { "Replace": five } }),
        422,
    )
    .await?;
    ensure!(e["problems"][0]["code"] == "V5", "{e}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_next_hop_may_talk_to_5041() -> Result<()> {
    let s = Sample::start().await?;
    let (_, p) = s.client.get("/api/v1/pools/atl-cs-001.litwareinc.com").await?;
    let at: SocketAddr =
        p["summary"]["servers"][0]["report"]["listens"][0].as_str().context("not listening")?.parse()?;
    // Plain TCP: the server speaks TLS only, and ends the connection.
    let mut c = TcpStream::connect(at).await?;
    tokio::io::AsyncWriteExt::write_all(&mut c, b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(15), c.read_to_end(&mut answer)).await??;
    ensure!(!answer.windows(7).any(|w| w == b"SIP/2.0"), "a plain client was answered");
    // TLS without a certificate, with one of another authority, and with one of a server that is not the next hop.
    for identity in [
        None,
        Some(crate::support_tls::stranger()?),
        Some(crate::support_tls::other_server(s.server.data_dir())?),
    ] {
        let spoke =
            crate::support_tls::speaks(at, "gc-001.litwareinc.com", s.server.data_dir(), identity).await?;
        ensure!(!spoke, "a client that is not the next hop was answered");
    }
    let hop = crate::support_tls::next_hop(s.server.data_dir())?;
    ensure!(
        crate::support_tls::speaks(at, "gc-001.litwareinc.com", s.server.data_dir(), Some(hop)).await?,
        "the next hop was refused"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_reaches_its_pool_and_can_be_moved() -> Result<()> {
    let s = Sample::start().await?;
    let new = |sip: &str, pool: &str| json!({ "SipAddress": sip, "PersistentChatPoolFqdn": pool });
    run(
        &s.client,
        "New-CsPersistentChatEndpoint",
        new("sip:persistentchat@contoso.com", "atl-gc-001.litwareinc.com"),
    )
    .await?;
    for (sip, pool, status) in [
        ("sip:persistentchat@contoso.com", "dub-pc-001.litwareinc.com", 422),
        ("sip:second@contoso.com", "atl-gc-001.litwareinc.com", 422),
        ("sip:pilar@litwareinc.com", "dub-pc-001.litwareinc.com", 422),
        ("persistentchat@contoso.com", "dub-pc-001.litwareinc.com", 400),
        ("sip:x@fabrikam.com", "dub-pc-001.litwareinc.com", 400),
        ("sip:x@contoso.com", "nopool.contoso.com", 404),
    ] {
        refused(&s.client, "New-CsPersistentChatEndpoint", new(sip, pool), status).await?;
    }
    let reached = async |expected: &str| -> Result<()> {
        let hop = crate::sip_client::invite(&s, "sip:persistentchat@contoso.com").await?;
        ensure!(hop.contains(expected), "reached {hop} instead of {expected}");
        Ok(())
    };
    reached("atl-gcs-00").await?;
    run(
        &s.client,
        "Move-LgPersistentChatEndpoint",
        new_move("sip:persistentchat@contoso.com", "dub-pc-001.litwareinc.com"),
    )
    .await?;
    reached("dub-pc-001").await?;
    run(
        &s.client,
        "Remove-CsPersistentChatEndpoint",
        json!({ "Identity": "sip:persistentchat@contoso.com" }),
    )
    .await?;
    let gone = wait::until("the endpoint's end", async || {
        Ok(crate::sip_client::invite(&s, "sip:persistentchat@contoso.com").await)
    })
    .await?;
    ensure!(gone.is_err_and(|e| e.to_string().contains("404")));
    Ok(())
}

fn new_move(sip: &str, pool: &str) -> Value {
    json!({ "Identity": sip, "PersistentChatPoolFqdn": pool })
}
