//! What is lent reaches no further than whoever lends it: stored test users, and rights of API tokens.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Caller, new_link, new_session, new_token, plain};
use crate::support::{POOL, Sample, run};

/// Arguments of an account, and what tokens then get at which address.
type Round = ([&'static str; 2], &'static [(&'static str, u16)]);

async fn act(s: &Sample, caller: &Caller, cmdlet: &str, args: Value) -> Result<(u16, Value)> {
    let path = format!("/api/v1/cmdlets/{cmdlet}");
    let body = json!({ "args": args, "confirmed": true });
    let answer = caller.request(s.server.url(), &Method::POST, &path)?.json(&body).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// Stores the first two users of the sample as test users.
async fn store_users(s: &Sample) -> Result<()> {
    for u in &s.users[..2] {
        let args = json!({ "SipAddress": u.sip, "UserName": u.logon, "Password": u.password });
        run(&s.client, "Set-CsTestUserCredential", args).await?;
    }
    Ok(())
}

/// Presses *Send a test message* on a shared page.
async fn press(s: &Sample, link: &str, pool: &str) -> Result<reqwest::Response> {
    let r = plain()?.post(format!("{}{link}", s.server.url()));
    let r = r.header("content-type", "application/x-www-form-urlencoded").body(format!("test={pool}"));
    Ok(r.send().await?)
}

async fn runs(s: &Sample) -> Result<usize> {
    let (_, t) = s.client.get("/api/v1/tests").await?;
    Ok(t.as_array().context("no tests")?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_test_users_sign_in_at_published_servers_only() -> Result<()> {
    let s = Sample::start().await?;
    store_users(&s).await?;
    // A link that shows all pools tests pools, not whatever somebody writes.
    let link = new_link(&s, json!({ "Label": "desk", "MayRunTest": true })).await?;
    for name in ["localhost", "127.0.0.1", "evil.example.com", "atl-fe-001.litwareinc.com", ""] {
        let answer = press(&s, &link, name).await?;
        ensure!(answer.status() == 403, "{name}: {}", answer.status());
    }
    ensure!(runs(&s).await? == 0, "a test message was sent");
    // The same for whoever may test, but not store users.
    let desk = new_session(&s, "desk", "CsHelpDesk").await?;
    for name in ["localhost", "127.0.0.1", "evil.example.com"] {
        let args = json!({ "TargetFqdn": name, "SenderSipAddress": s.users[0].sip, "ReceiverSipAddress": s.users[1].sip });
        for args in [args, json!({ "TargetFqdn": name })] {
            let (status, e) = act(&s, &desk, "Test-CsPersistentChatMessage", args).await?;
            ensure!(status == 403 && e["field"] == "TargetFqdn", "{name}: {status} {e}");
        }
    }
    let role = json!({ "Identity": "Watches", "Template": "CsServerAdministrator",
        "Cmdlets": { "Remove": ["Set-CsTestUserCredential"] } });
    run(&s.client, "New-CsAdminRole", role).await?;
    let watches = Caller::token("watches", new_token(&s, "watches", "Watches").await?);
    let users = json!({ "Replace": [s.users[0].sip, s.users[1].sip] });
    let args = json!({ "TargetFqdn": "evil.example.com", "PortNumber": 5061, "TestUsers": users });
    let (status, e) = act(&s, &watches, "New-CsWatcherNodeConfiguration", args).await?;
    ensure!(status == 403 && e["field"] == "TargetFqdn", "{status} {e}");
    ensure!(runs(&s).await? == 0, "a test message was sent");
    // Published names go on, and with credentials of one's own any name does.
    let (status, e) = act(&s, &desk, "Test-CsPersistentChatMessage", json!({ "TargetFqdn": POOL })).await?;
    ensure!(status == 200, "{status} {e}");
    let credential = |n: usize| json!({ "UserName": s.users[n].logon, "Password": s.users[n].password });
    let args = json!({ "TargetFqdn": "127.77.0.31", "TimeoutSeconds": 1,
        "SenderSipAddress": s.users[0].sip, "SenderCredential": credential(0),
        "ReceiverSipAddress": s.users[1].sip, "ReceiverCredential": credential(1) });
    let (status, e) = act(&s, &desk, "Test-CsPersistentChatMessage", args).await?;
    ensure!(status == 200, "{status} {e}");
    let form = press(&s, &link, POOL).await?;
    ensure!(form.status() == 303, "{}", form.status());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_token_never_may_more_than_its_maker_may_now() -> Result<()> {
    let s = Sample::start().await?;
    let nina = new_session(&s, "nina", "CsAdministrator").await?;
    let token = async |by: &Caller, label: &str, role: &str| -> Result<Caller> {
        let (status, made) = act(&s, by, "New-LgToken", json!({ "Label": label, "Role": role })).await?;
        ensure!(status == 200, "{label}: {status} {made}");
        Ok(Caller::token(label, made["output"][0]["Token"].as_str().context("no token")?))
    };
    let first = token(&nina, "first", "CsAdministrator").await?;
    // A token's token belongs to the same person.
    let second = token(&first, "second", "CsAdministrator").await?;
    let reads = token(&second, "reads", "CsViewOnlyAdministrator").await?;
    let get = async |c: &Caller, path: &str| -> Result<u16> {
        Ok(c.request(s.server.url(), &Method::GET, path)?.send().await?.status().as_u16())
    };
    for t in [&first, &second] {
        ensure!(get(t, "/api/v1/accounts").await? == 200, "{}", t.name);
    }
    let set = |change: Value| {
        let mut args = change;
        args["Identity"] = "nina".into();
        run(&s.client, "Set-LgAccount", args)
    };
    set(json!({ "Role": "CsHelpDesk" })).await?;
    for t in [&first, &second] {
        ensure!(get(t, "/api/v1/pools").await? == 200, "{}", t.name);
        ensure!(get(t, "/api/v1/accounts").await? == 403, "{} reads accounts", t.name);
        let args = json!({ "Name": "back", "Role": "CsAdministrator", "Password": "a password 77" });
        let (status, e) = act(&s, t, "New-LgAccount", args).await?;
        ensure!(status == 403, "{}: {status} {e}", t.name);
        let (status, e) = act(&s, t, "New-LgToken", json!({ "Label": "x", "Role": "CsHelpDesk" })).await?;
        ensure!(status == 403, "{}: {status} {e}", t.name);
    }
    ensure!(get(&reads, "/api/v1/pools").await? == 200);
    // A role of one's own with a site binds what was made before it, too.
    let role = json!({ "Identity": "Dublin", "Template": "CsPersistentChatAdministrator",
        "ConfigScopes": { "Replace": ["site:Dublin"] } });
    run(&s.client, "New-CsAdminRole", role).await?;
    set(json!({ "Role": "Dublin" })).await?;
    for (pool, expected) in [(POOL, 403), ("dub-pc-001.litwareinc.com", 200)] {
        let body = json!({ "args": { "Name": "n", "PersistentChatPoolFqdn": pool }, "mode": "what_if" });
        let path = "/api/v1/cmdlets/New-CsPersistentChatCategory";
        let answer = second.request(s.server.url(), &Method::POST, path)?.json(&body).send().await?;
        ensure!(answer.status() == expected, "{pool}: {} {}", answer.status(), answer.text().await?);
    }
    // Promoted again, they may again; disabled, none of them is worth anything.
    set(json!({ "Role": "CsAdministrator" })).await?;
    ensure!(get(&second, "/api/v1/accounts").await? == 200);
    set(json!({ "Enabled": false })).await?;
    for t in [&first, &second, &reads] {
        ensure!(get(t, "/api/v1/pools").await? == 401, "{} outlives its maker", t.name);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_not_passed_by_another_name_of_an_endpoint() -> Result<()> {
    const HERE: &str = "dub-pc-001.litwareinc.com";
    let s = Sample::start().await?;
    let role = json!({ "Identity": "Dublin", "Template": "CsPersistentChatAdministrator",
        "ConfigScopes": { "Replace": ["site:Dublin"] } });
    run(&s.client, "New-CsAdminRole", role).await?;
    let dublin = Caller::token("Dublin", new_token(&s, "dublin", "Dublin").await?);
    let try_out = async |cmdlet: &str, args: Value| -> Result<u16> {
        let body = json!({ "args": args, "mode": "what_if" });
        let path = format!("/api/v1/cmdlets/{cmdlet}");
        let answer = dublin.request(s.server.url(), &Method::POST, &path)?.json(&body).send().await?;
        Ok(answer.status().as_u16())
    };
    // A pool has one endpoint: what they are called there and here, and what may be done with which name.
    let rounds: [Round; 3] = [
        (
            ["Chat there", "Chat here"],
            &[
                ("Chat there", 403),
                ("chat THERE ", 403),
                ("sip:there@litwareinc.com", 403),
                ("nobody at all", 403),
                ("Chat here", 200),
                ("sip:here@litwareinc.com", 200),
            ],
        ),
        (["Twice", "Twice"], &[("Twice", 403), ("sip:here@litwareinc.com", 200)]),
        // Names of pools.
        ([HERE, POOL], &[(HERE, 403), ("sip:there@litwareinc.com", 403), ("sip:here@litwareinc.com", 200)]),
    ];
    for (names, wanted) in rounds {
        for (sip, name, pool) in
            [("sip:there@litwareinc.com", names[0], POOL), ("sip:here@litwareinc.com", names[1], HERE)]
        {
            if names[0] != "Chat there" {
                run(&s.client, "Remove-CsPersistentChatEndpoint", json!({ "Identity": sip })).await?;
            }
            let args = json!({ "SipAddress": sip, "DisplayName": name, "PersistentChatPoolFqdn": pool });
            run(&s.client, "New-CsPersistentChatEndpoint", args).await?;
        }
        for (name, expected) in wanted {
            let moved = json!({ "Identity": name, "PersistentChatPoolFqdn": HERE });
            let status = try_out("Move-LgPersistentChatEndpoint", moved).await?;
            // What is here already is refused for that, not for the site.
            ensure!((status == 403) == (*expected == 403), "moving {name}: {status}");
            let status = try_out("Remove-CsPersistentChatEndpoint", json!({ "Identity": name })).await?;
            ensure!(status == *expected, "removing {name}: {status}");
        }
    }
    // An endpoint that poses as a pool opens no way to that pool, nor one that has another object's name.
    for (cmdlet, args) in [
        ("Set-CsPersistentChatState", json!({ "Identity": POOL, "PoolState": "Normal" })),
        ("Set-CsPersistentChatRoom", json!({ "Identity": "Chat here", "Description": "x" })),
        (
            "Set-CsPersistentChatRoom",
            json!({ "Identity": format!("{HERE}\\x"), "Category": format!("{POOL}\\x") }),
        ),
        ("Move-LgPersistentChatEndpoint", json!({ "Identity": {}, "PersistentChatPoolFqdn": HERE })),
        (
            "Test-CsPersistentChatMessage",
            json!({ "TargetFqdn": HERE, "ChatRoomUri": format!("{POOL}\\Lobby") }),
        ),
    ] {
        let status = try_out(cmdlet, args.clone()).await?;
        ensure!(status == 403, "{cmdlet} {args}: {status}");
    }
    // A bare category is one of the pool that is named.
    let room = json!({ "Name": "n", "Category": "none such", "PersistentChatPoolFqdn": HERE });
    let status = try_out("New-CsPersistentChatRoom", room).await?;
    ensure!(status == 404, "{status}");
    Ok(())
}
