//! Alerts reach whoever shall know: webhooks and mail, once when a problem appears and once when it is gone.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Client, Options, Server, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::receivers::{Call, Hook, Post, Smtp, Trusted};
use crate::support::{PASSWORD, Sample, admin, job, refused, run};

const SECRET: &str = "a key that only two know";
const SERVER: &str = "gc-001.litwareinc.com";

async fn webhook(client: &Client, label: &str, hook: &Hook, more: Value) -> Result<Value> {
    let mut args = json!({ "Label": label, "Kind": "Webhook", "Address": format!("http://127.0.0.1:{}/hook", hook.port) });
    if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
        args.extend(more.clone());
    }
    run(client, "New-LgAlertTarget", args).await
}

/// Waits until `hook` took a call of this state and subject.
async fn taken(hook: &Hook, state: &str, subject: &str) -> Result<Call> {
    wait::until(&format!("{state} of {subject}"), async || {
        let calls = hook.calls();
        let found = calls.iter().find(|c| c.answered == 200 && c.is(state, subject)).cloned();
        found.with_context(|| format!("{:?}", calls.iter().map(|c| c.body.to_string()).collect::<Vec<_>>()))
    })
    .await
}

fn service(verb: &str) -> (String, Value) {
    (format!("{verb}-CsWindowsService"), json!({ "ComputerName": SERVER, "Name": "RTCCHAT" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_raised_and_resolved_over_failures_and_a_restart() -> Result<()> {
    let mut s = Sample::start().await?;
    // The first two calls about the server fail.
    let hook = Hook::start(None, |before, body| {
        let about = |b: &Value| b["subject"] == SERVER && b["state"] == "raised";
        if about(body) && before.iter().filter(|c| about(&c.body)).count() < 2 { 500 } else { 200 }
    })
    .await?;
    let silent = Hook::start(None, |_, _| 200).await?;
    webhook(&s.client, "Operations", &hook, json!({ "Secret": SECRET })).await?;
    let made = webhook(&s.client, "Off", &silent, json!({ "Enabled": false })).await?;
    ensure!(made["output"][0]["Secret"].as_str().is_some_and(|k| k.len() == 64), "a key is made: {made}");

    let (stop, args) = service("Stop");
    run(&s.client, &stop, args).await?;
    let raised = taken(&hook, "raised", SERVER).await?;
    raised.verify(SECRET)?;
    ensure!(raised.verify("another").is_err(), "any key would do");
    let b = &raised.body;
    ensure!(b["code"] == "server.stopped" && b["instance"] == "Lifeguard" && b["since"].is_string(), "{b}");
    let href = b["href"].as_str().unwrap_or_default();
    ensure!(href.starts_with(s.server.url()) && href.contains("/pools/"), "{b}");
    let tries: Vec<_> = hook.calls().into_iter().filter(|c| c.is("raised", SERVER)).collect();
    ensure!(tries.len() == 3 && tries.iter().all(|t| t.delivery == raised.delivery && t.raw == raised.raw));
    wait::until("the delivery's third try in the log", async || {
        let (_, v) = s.client.get("/api/v1/alerts").await?;
        let d = v["deliveries"]
            .as_array()
            .and_then(|l| l.iter().find(|d| d["id"] == raised.delivery.as_str()))
            .cloned();
        let d = d.with_context(|| v.to_string())?;
        ensure!(d["state"] == "delivered" && d["tries"] == 3 && d["target"] == "Operations", "{d}");
        let open = v["open"].as_array().and_then(|l| l.iter().find(|a| a["problem"]["subject"] == SERVER));
        ensure!(open.is_some_and(|a| a["told"] == json!(["Operations"])), "{v}");
        Ok(())
    })
    .await?;
    let key = format!("server.stopped/{SERVER}");
    run(&s.client, "Confirm-LgAlert", json!({ "Identity": key })).await?;
    refused(&s.client, "Confirm-LgAlert", json!({ "Identity": key }), 409).await?;
    let (_, audit) = s.client.get("/api/v1/audit").await?;
    ensure!(audit.to_string().contains("Confirm-LgAlert") && !audit.to_string().contains(SECRET), "{audit}");

    s.server.kill9();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let (start, args) = service("Start");
    run(&s.client, &start, args).await?;
    let resolved = taken(&hook, "resolved", SERVER).await?;
    resolved.verify(SECRET)?;
    ensure!(resolved.body["since"] == raised.body["since"] && resolved.delivery != raised.delivery);
    let about = hook.calls().iter().filter(|c| c.is("raised", SERVER)).count();
    ensure!(about == 3, "the restart raised it again: {about}");
    ensure!(silent.calls().is_empty(), "{:?}", silent.calls());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_subject_is_told_when_the_mute_ends_and_a_redirect_is_not_followed() -> Result<()> {
    let s = Sample::start().await?;
    let hook = Hook::start(None, |_, _| 200).await?;
    webhook(&s.client, "Operations", &hook, json!({ "Secret": SECRET })).await?;
    run(&s.client, "Suspend-LgAlert", json!({ "Identity": SERVER, "Minutes": 60 })).await?;
    let (stop, args) = service("Stop");
    run(&s.client, &stop, args).await?;
    wait::until("the muted alert", async || {
        let (_, v) = s.client.get("/api/v1/alerts").await?;
        let open =
            v["open"].as_array().and_then(|l| l.iter().find(|a| a["problem"]["subject"] == SERVER)).cloned();
        let open = open.with_context(|| v.to_string())?;
        ensure!(open["muted_until"].is_string() && open["told"] == json!([]), "{open}");
        Ok(())
    })
    .await?;
    ensure!(!hook.calls().iter().any(|c| c.is("raised", SERVER)));
    run(&s.client, "Suspend-LgAlert", json!({ "Identity": SERVER, "Minutes": 0 })).await?;
    taken(&hook, "raised", SERVER).await?;

    let away = Hook::start(None, |_, _| 302).await?;
    webhook(&s.client, "Away", &away, json!({ "Enabled": false })).await?;
    let tested = run(&s.client, "Test-LgAlertTarget", json!({ "Identity": "Away" })).await?;
    let text = tested["output"][0]["Text"].as_str().unwrap_or_default();
    ensure!(
        tested["output"][0]["Result"] == "Failure" && text.contains("302") && text.contains("redirects"),
        "{tested}"
    );
    ensure!(away.calls().len() == 1, "the redirect was followed: {:?}", away.calls());
    let wrong = json!({ "Label": "x", "Kind": "Webhook", "Address": "ftp://x/" });
    ensure!(refused(&s.client, "New-LgAlertTarget", wrong, 400).await?["field"] == "Address");
    let wrong = json!({ "Label": "x", "Kind": "Mail", "Address": "ops@example.com", "SmtpServer": "m", "From": "no" });
    ensure!(refused(&s.client, "New-LgAlertTarget", wrong, 400).await?["field"] == "From");
    let twice = json!({ "Label": "AWAY", "Kind": "Webhook", "Address": "http://x/" });
    ensure!(refused(&s.client, "New-LgAlertTarget", twice, 409).await?["field"] == "Label");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_https_arrive_plain_and_secured() -> Result<()> {
    let trusted = Trusted::new()?;
    let server = Server::start(Options { env: trusted.env(), ..Options::default() }).await?;
    let (client, answer) = admin(&server, "litware").await?;
    job(&client, answer["job"].as_str().context("no job")?, "done").await?;
    let acceptor = trusted.acceptor().context("no acceptor")?;
    for (security, kind) in [
        ("None", Smtp::Plain),
        ("StartTls", Smtp::StartTls(acceptor.clone())),
        ("Tls", Smtp::Tls(acceptor.clone())),
    ] {
        let post = Post::start(kind).await?;
        let mut args = json!({
            "Label": security, "Kind": "Mail", "Address": "ops@example.com, Desk <desk@example.com>", "SmtpServer": "localhost",
            "SmtpPort": post.port, "SmtpSecurity": security, "From": "Lifeguard <lifeguard@example.com>", "Enabled": false,
        });
        if security != "None" {
            args["UserName"] = "robot".into();
            args["Password"] = "hunter2".into();
        }
        run(&client, "New-LgAlertTarget", args).await?;
        let tested = run(&client, "Test-LgAlertTarget", json!({ "Identity": security })).await?;
        ensure!(tested["output"][0]["Result"] == "Success", "{security}: {tested}");
        let mails = post.mails();
        let [mail] = mails.as_slice() else { anyhow::bail!("{security}: {mails:?}") };
        ensure!(mail.secured == (security != "None") && mail.to.len() == 2, "{mail:?}");
        ensure!(mail.log_on.is_some() == (security != "None"), "{mail:?}");
        ensure!(
            mail.text.contains("Nothing is wrong") && mail.text.contains("[Lifeguard] Test alert"),
            "{}",
            mail.text
        );
    }
    let post = Post::start(Smtp::Plain).await?;
    let args = json!({
        "Label": "Desk", "Kind": "Mail", "Address": "desk@example.com", "SmtpServer": "127.0.0.1",
        "SmtpPort": post.port, "SmtpSecurity": "None", "From": "lifeguard@example.com",
    });
    run(&client, "New-LgAlertTarget", args).await?;
    let mailed = async |word: &str| {
        let subject = format!("Subject: [Lifeguard] {word}: {SERVER}");
        wait::until(&subject, async || {
            let mails = post.mails();
            mails.iter().find(|m| m.text.contains(&subject)).cloned().with_context(|| format!("{mails:?}"))
        })
        .await
    };
    for (verb, word) in [("Stop", "Problem"), ("Start", "Resolved")] {
        let (cmdlet, args) = service(verb);
        run(&client, &cmdlet, args).await?;
        let mail = mailed(word).await?;
        ensure!(mail.text.contains("server.stopped") && mail.text.contains("/pools/"), "{}", mail.text);
    }

    let hook = Hook::start(trusted.acceptor(), |_, _| 200).await?;
    for (label, host, result) in [("named", "localhost", "Success"), ("another", "127.0.0.1", "Failure")] {
        let url = format!("https://{host}:{}/hook?key=in-the-url", hook.port);
        let args =
            json!({ "Label": label, "Kind": "Webhook", "Address": url, "Secret": SECRET, "Enabled": false });
        run(&client, "New-LgAlertTarget", args).await?;
        let tested = run(&client, "Test-LgAlertTarget", json!({ "Identity": label })).await?;
        // The certificate is for localhost only.
        ensure!(tested["output"][0]["Result"] == result, "{label}: {tested}");
        ensure!(!tested.to_string().contains("in-the-url"), "{tested}");
    }
    let [call] = hook.calls().try_into().map_err(|c| anyhow::anyhow!("{c:?}"))?;
    ensure!(call.is("test", "named"), "{call:?}");
    call.verify(SECRET)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_helpdesk_looks_and_tests_and_sees_no_secret() -> Result<()> {
    let s = Sample::start().await?;
    let hook = Hook::start(None, |_, _| 200).await?;
    webhook(&s.client, "Operations", &hook, json!({ "Secret": SECRET })).await?;
    for (name, role) in [("desk", "CsHelpDesk"), ("viewer", "CsViewOnlyAdministrator")] {
        run(&s.client, "New-LgAccount", json!({ "Name": name, "Role": role, "Password": PASSWORD })).await?;
        let c = s.server.client()?;
        c.login(name, PASSWORD).await?;
        let (status, list) = c.get("/api/v1/alert-targets").await?;
        ensure!(status == 200 && list[0]["address"] == "http://127.0.0.1/…", "{list}");
        ensure!(c.get("/api/v1/alerts").await?.0 == 200);
        let shown = run(&c, "Get-LgAlertTarget", json!({})).await?.to_string();
        ensure!(!shown.contains("/hook") && !shown.contains(SECRET), "{shown}");
        let (status, _) = c.cmdlet("Test-LgAlertTarget", json!({ "Identity": "operations" }), "run").await?;
        ensure!(status == if name == "desk" { 200 } else { 403 }, "{name}: {status}");
        refused(&c, "Suspend-LgAlert", json!({ "All": true, "Minutes": 5 }), 403).await?;
    }
    let (_, full) = s.client.get("/api/v1/alert-targets").await?;
    ensure!(
        full[0]["address"].as_str().is_some_and(|a| a.ends_with("/hook"))
            && !full.to_string().contains(SECRET)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_need_a_sign_in_and_readiness_names_a_closed_database() -> Result<()> {
    let mut s = Sample::start().await?;
    let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{t}");
    let anyone = s.server.client()?;
    ensure!(anyone.get("/metrics").await?.0 == 401);
    let (status, text) = anyone.get("/readyz").await?;
    ensure!(status == 200 && text == "ready\n", "{status} {text}");
    let wanted = [
        "lifeguard_pools{state=\"normal\"} 4\n",
        "lifeguard_pools{state=\"no_database\"} 0\n",
        "lifeguard_servers{state=\"failed\"} 0\n",
        "lifeguard_sessions{role=\"chat\"} ",
        "lifeguard_log_shipping_behind{pool=\"atl-cs-001.litwareinc.com\"} ",
        "lifeguard_log_shipping_age_seconds{pool=\"atl-cs-001.litwareinc.com\"} ",
        "lifeguard_test_message_success{pool=\"atl-cs-001.litwareinc.com\"} 1\n",
        "lifeguard_test_message_latency_seconds{pool=\"atl-cs-001.litwareinc.com\"} 0.",
        "lifeguard_problems{severity=\"error\"} 0\n",
        "lifeguard_http_requests_total{status=\"200\"} ",
        "process_resident_memory_bytes ",
    ];
    // The jobs of log shipping have their first turn within a second.
    let text = wait::until("all metrics", async || {
        let answer = s.client.request(Method::GET, "/metrics").send().await?;
        ensure!(answer.headers()["content-type"].to_str()?.starts_with("text/plain; version=0.0.4"));
        let text = answer.text().await?;
        let missing: Vec<_> = wanted.iter().filter(|w| !text.contains(**w)).collect();
        ensure!(missing.is_empty(), "{missing:?} are missing:\n{text}");
        Ok(text)
    })
    .await?;
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let value = line.rsplit_once(' ').map(|(_, v)| v.parse::<f64>());
        ensure!(value.is_some_and(|v| v.is_ok()), "not a sample: {line}");
    }
    // A database that vanished while the portal was not running.
    s.server.kill9();
    std::fs::rename(
        s.server.data_dir().join("sql/atl-sql-001.litwareinc.com"),
        s.server.data_dir().join("sql/away"),
    )?;
    s.server.restart().await?;
    let (status, text) = anyone.get("/readyz").await?;
    ensure!(
        status == 503 && text == "The database of atl-cs-001.litwareinc.com is not open.\n",
        "{status} {text}"
    );
    Ok(())
}

/// A mail server that we did not write, ended with the test.
struct MailServer(std::process::Child);

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_of_others_takes_an_alert() -> Result<()> {
    let box_of = tempfile::tempdir()?;
    let folder = box_of.path().join("mail");
    let free = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = free.local_addr()?.port();
    drop(free);
    let mut c = std::process::Command::new("aiosmtpd");
    c.args(["-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Mailbox"]).arg(&folder);
    c.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let _server = MailServer(c.spawn().context("aiosmtpd does not start: cargo xtask test installs it")?);
    wait::until("the mail server", async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        Ok(())
    })
    .await?;
    let server = Server::start(Options::default()).await?;
    let (client, _) = admin(&server, "empty").await?;
    let args = json!({
        "Label": "Desk", "Kind": "Mail", "Address": "desk@example.com", "SmtpServer": "127.0.0.1",
        "SmtpPort": port, "SmtpSecurity": "None", "From": "lifeguard@example.com",
    });
    run(&client, "New-LgAlertTarget", args).await?;
    let tested = run(&client, "Test-LgAlertTarget", json!({ "Identity": "Desk" })).await?;
    ensure!(tested["output"][0]["Result"] == "Success", "{tested}");
    let mails: Vec<_> = std::fs::read_dir(folder.join("new"))?.collect::<std::io::Result<_>>()?;
    let [mail] = mails.as_slice() else { anyhow::bail!("{} mails", mails.len()) };
    let text = std::fs::read_to_string(mail.path())?;
    ensure!(
        text.contains("Subject: [Lifeguard] Test alert") && text.contains("To: desk@example.com"),
        "{text}"
    );
    Ok(())
}

/// What the overview says of a subject.
async fn problem(s: &Sample, subject: &str, code: &str) -> Result<Value> {
    let (_, o) = s.client.get("/api/v1/overview").await?;
    let list = o["problems"].as_array().context("no problems")?;
    ensure!(list.iter().all(|p| p["next"].as_str().is_some_and(|n| !n.is_empty())), "{list:?}");
    let found = list.iter().find(|p| p["subject"] == subject && p["problem"]["code"] == code);
    found.cloned().with_context(|| format!("no {code} of {subject} in {list:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_says_since_when_what_was_tried_and_the_next_step() -> Result<()> {
    let mut s = Sample::start().await?;
    let hook = Hook::start(None, |_, _| 200).await?;
    webhook(&s.client, "Operations", &hook, json!({ "Secret": SECRET })).await?;
    let (_, pool) = s.client.get("/api/v1/pools/atl-cs-001.litwareinc.com").await?;
    let servers = pool["summary"]["servers"].as_array().context("no servers")?;
    let report = servers.iter().find(|x| x["report"]["fqdn"] == SERVER).context("no such server")?;
    let listens = report["report"]["listens"][0].as_str().context("no listener")?.to_owned();
    // Somebody else takes its port while it is stopped.
    let (stop, args) = service("Stop");
    run(&s.client, &stop, args).await?;
    problem(&s, SERVER, "server.stopped").await?;
    let taken_by_another =
        wait::until("the port", async || Ok(std::net::TcpListener::bind(&listens)?)).await?;
    // Starting it comes to nothing; what a person tried is told as well as what goes on by itself.
    let (start, args) = service("Start");
    s.client.invoke(&start, &json!({ "args": args, "confirmed": true, "reason": "test" })).await?;
    taken(&hook, "raised", SERVER).await?;
    let told = wait::until("the problem with all that is known", async || {
        let p = problem(&s, SERVER, "server.failed").await?;
        let tried = p["tried"].to_string();
        for part in ["Operations was told.", "Its host tries to start it"] {
            ensure!(tried.contains(part), "{part} is missing: {p}");
        }
        ensure!(p["since"].is_string(), "{p}");
        Ok(p)
    })
    .await?;
    s.client
        .invoke(&start, &json!({ "args": service("Start").1, "confirmed": true, "reason": "test" }))
        .await?;
    wait::until("what a person tried", async || {
        let p = problem(&s, SERVER, "server.failed").await?;
        let tried = p["tried"].as_array().context("nothing was tried")?;
        ensure!(
            tried
                .iter()
                .any(|t| t["text"].as_str().is_some_and(|t| t.contains("root")) && t["at"].is_string()),
            "{p}"
        );
        Ok(())
    })
    .await?;
    let b = Browser::start().await?;
    b.size(1280, 900).await?;
    b.goto(&format!("{}/", s.server.url())).await?;
    b.fill("Log-on name", "root").await?;
    b.fill("Password", PASSWORD).await?;
    b.click_button("Sign in").await?;
    b.wait_text("Its host tries to start it").await?;
    b.assert_accessible("a problem").await?;
    b.screenshot("overview-problem").await?;
    b.dark().await?;
    b.size(390, 900).await?;
    b.goto(&format!("{}/", s.server.url())).await?;
    b.wait_text("Its host tries to start it").await?;
    b.assert_accessible("a problem, dark and narrow").await?;
    b.screenshot("overview-problem-dark-narrow").await?;
    drop(b);
    s.server.kill9();
    s.server.restart().await?;
    s.client.login("root", PASSWORD).await?;
    let after =
        wait::until("the problem after a restart", async || problem(&s, SERVER, "server.failed").await)
            .await?;
    ensure!(after["since"] == told["since"], "{} became {}", told["since"], after["since"]);
    drop(taken_by_another);
    wait::until("the server", async || {
        ensure!(problem(&s, SERVER, "server.failed").await.is_err());
        Ok(())
    })
    .await
}
