//! `lifeguard shell`: the source documents' lines as printed, against the sample.

use std::process::{Command, Output};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Options, Server, target_dir, wait};
use serde_json::{Value, json};

use crate::support::Sample;

fn binary() -> std::path::PathBuf {
    std::env::var_os("LIFEGUARD_BIN").map_or_else(|| target_dir().join("debug/lifeguard"), Into::into)
}

struct Shell {
    server: Server,
    token: String,
}

impl Shell {
    /// The sample as scripts start it: `serve --sample litware`.
    async fn start() -> Result<Self> {
        let server = Server::start(Options::litware()).await?;
        let token = token(&server)?;
        let shell = Self { server, token };
        wait::until("the sample", async || {
            let out = shell.run(&["Get-CsPersistentChatRoom | Measure-Object"])?;
            ensure!(text(&out).contains("Count : 4"), "{}", text(&out));
            Ok(())
        })
        .await?;
        Ok(shell)
    }

    fn run(&self, lines: &[&str]) -> Result<Output> {
        let mut c = Command::new(binary());
        c.args(["shell", "--portal", self.server.url()]).env("LIFEGUARD_TOKEN", &self.token);
        let credentials = self.server.data_dir().join("sample-credentials.json");
        if credentials.exists() {
            c.arg("--credential-file").arg(credentials);
        }
        for l in lines {
            c.arg("-c").arg(l);
        }
        Ok(c.stdin(std::process::Stdio::null()).output()?)
    }
}

fn text(o: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_lines_run_as_printed() -> Result<()> {
    let s = Shell::start().await?;
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(s.server.data_dir().join("sample-credentials.json"))?.permissions(),
    );
    ensure!(mode & 0o777 == 0o600, "{mode:o}");
    // Seed 000; nobody can be asked here, so the confirmation is given in the line.
    let out = s.run(&["Set-CsPersistentChatState -Identity \"PersistentChatServer:atl-gc-001.litwareinc.com\" -PoolState \"FailedOver\" -Confirm:$false"])?;
    ensure!(out.status.success(), "{}", text(&out));
    // Seed 001, step 5, with the document's en dash.
    let out = s.run(&["Set-CsPersistentChatState -Identity \"service:atl-cs-001.litwareinc.com\" –PoolState FailedOver -Force"])?;
    ensure!(out.status.success(), "{}", text(&out));
    let out = s.run(&["Get-CsPersistentChatState | Where-Object {$_.PoolState -eq \"FailedOver\"}"])?;
    ensure!(text(&out) == include_str!("golden/failed_over.txt"), "{}", text(&out));
    // Seed 002.
    let out = s.run(&[
        "$cred1 = Get-Credential \"litwareinc\\pilar\"",
        "$cred2 = Get-Credential \"litwareinc\\kenmyer\"",
        "Test-CsPersistentChatMessage -TargetFqdn atl-persistentchat-001.litwareinc.com -SenderSipAddress \"sip:pilar@litwareinc.com\" -SenderCredential $cred1 -ReceiverSipAddress \"sip:kenmyer@litwareinc.com\" -ReceiverCredential $cred2",
    ])?;
    let printed = text(&out);
    ensure!(
        out.status.success()
            && printed
                .contains("Target Fqdn   : atl-persistentchat-001.litwareinc.com\nResult        : Success"),
        "{printed}"
    );
    ensure!(
        printed.starts_with("WARNING: atl-persistentchat-001.litwareinc.com is a Persistent Chat pool"),
        "{printed}"
    );
    // Seeds 000 and 002: who may run it.
    let out = s.run(&["Get-CsAdminRole | Where-Object {$_.Cmdlets –match \"Set-CsPersistentChatState\"} | Select-Object Identity"])?;
    ensure!(
        text(&out).contains("CsPersistentChatAdministrator") && !text(&out).contains("CsHelpDesk"),
        "{}",
        text(&out)
    );
    // Seed 004, against a pool of the sample.
    let out = s.run(&["New-CsPersistentChatEndpoint -SipAddress sip:persistentchat@contoso.com -PersistentChatPoolFqdn atl-gc-001.litwareinc.com", "Get-CsPersistentChatEndpoint"])?;
    ensure!(text(&out).contains("SipAddress             : sip:persistentchat@contoso.com"), "{}", text(&out));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_ends_with_status_one() -> Result<()> {
    let s = Shell::start().await?;
    for (line, expected) in [
        ("Set-CsPersistentChatState -PoolState FailedOver -Force", "There are 4 Persistent Chat pools"),
        ("Get-CsPersistentChatState -Idenity x", "has no parameter -Idenity"),
        ("Get-CsPersistentChatEndpoint -PoolFqdn \"atl-gc-001.litwareinc.com\"", "-PersistentChatPoolFqdn"),
        (
            "Set-CsPersistentChatState -Identity dub-pc-001.litwareinc.com -PoolState FailedOver -Force",
            "no backup SQL Server store",
        ),
    ] {
        let out = s.run(&[line])?;
        ensure!(out.status.code() == Some(1) && text(&out).contains(expected), "{line}: {}", text(&out));
    }
    let out =
        s.run(&["Set-CsPersistentChatState -Identity atl-gc-001.litwareinc.com -PoolState FailedOver"])?;
    ensure!(
        out.status.code() == Some(1) && text(&out).contains("nothing was done"),
        "nobody could be asked: {}",
        text(&out)
    );
    let out = s.run(&[
        "Set-CsPersistentChatState -Identity atl-gc-001.litwareinc.com -PoolState FailedOver -WhatIf",
    ])?;
    ensure!(
        out.status.success() && text(&out).starts_with("What if: Posts to atl-gc-001.litwareinc.com stop"),
        "{}",
        text(&out)
    );
    let state = s.run(&["(Get-CsPersistentChatState -Identity atl-gc-001.litwareinc.com).PoolState"])?;
    ensure!(text(&state).trim() == "Normal", "{}", text(&state));
    let root = s.server.url();
    ensure!(!root.is_empty(), "the portal has an address");
    let nobody = Command::new(binary())
        .args(["shell", "--portal", root, "-c", "Get-CsUser"])
        .env("LIFEGUARD_TOKEN", "lg_wrong")
        .output()
        .context("the shell")?;
    ensure!(nobody.status.code() == Some(1) && text(&nobody).contains("not valid"), "{}", text(&nobody));
    Ok(())
}

/// A token of the administrator for a running server.
fn token(server: &Server) -> Result<String> {
    let made = Command::new(binary())
        .args(["token", "create", "--role", "CsAdministrator", "--data-dir"])
        .arg(server.data_dir())
        .output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

/// The line of every plan, read again, gives the very same plan (the fingerprint covers all of it).
#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_plan_gives_the_same_plan() -> Result<()> {
    let s = Sample::start().await?;
    let shell = Shell { token: token(&s.server)?, server: s.server };
    let pool = "atl-gc-001.litwareinc.com";
    let (_, rooms) =
        s.client.post("/api/v1/cmdlets/Get-CsPersistentChatRoom", &json!({ "args": {} })).await?;
    let room = rooms["output"][0]["Identity"].as_str().context("no room")?.to_owned();
    let (_, cats) =
        s.client.post("/api/v1/cmdlets/Get-CsPersistentChatCategory", &json!({ "args": {} })).await?;
    let category = cats["output"][0]["Identity"].as_str().context("no category")?.to_owned();
    let instance = json!({ "Identity": format!("PersistentChatServer:{pool}"), "PoolState": "FailedOver" });
    for (name, args) in [
        ("Set-CsPersistentChatState", json!({ "Instance": instance })),
        ("Set-CsPersistentChatState", json!({ "Identity": pool, "PoolState": "FailedOver" })),
        ("Set-CsPersistentChatActiveServer", json!({ "Identity": pool, "ActiveServers": { "Replace": [] } })),
        ("Set-CsPersistentChatActiveServer", json!({ "Identity": pool, "Swap": true })),
        (
            "New-CsPersistentChatEndpoint",
            json!({ "SipAddress": "sip:chat@contoso.com", "PersistentChatPoolFqdn": pool, "DisplayName": "Chat \"1\" $x" }),
        ),
        (
            "New-CsPersistentChatPolicy",
            json!({ "Identity": "Night shift", "Description": "O'Brien – nights", "EnablePersistentChat": true }),
        ),
        ("Set-CsPersistentChatPolicy", json!({ "EnablePersistentChat": false })),
        ("Grant-CsPersistentChatPolicy", json!({ "Identity": "sip:pilar@litwareinc.com" })),
        (
            "Set-CsPersistentChatRoom",
            json!({ "Identity": room, "Disabled": true, "Members": { "Add": ["sip:pilar@litwareinc.com"], "Remove": [] } }),
        ),
        ("Remove-CsPersistentChatRoom", json!({ "Identity": room })),
        ("Set-CsPersistentChatCategory", json!({ "Identity": category, "Description": "a\nb" })),
        (
            "New-LgSqlStore",
            json!({ "Fqdn": "sql9.litwareinc.com", "Instance": "rtc", "Placement": "RunHere" }),
        ),
        ("Publish-CsTopology", json!({ "Comment": "second; try" })),
    ] {
        let path = format!("/api/v1/cmdlets/{name}");
        let what_if = async |args: &Value| -> Result<Value> {
            let (status, answer) = s.client.post(&path, &json!({ "args": args, "mode": "what_if" })).await?;
            ensure!(status == 200, "{name} {args}: {status} {answer}");
            Ok(answer["plan"].clone())
        };
        let plan = what_if(&args).await?;
        let line = plan["line"].as_str().context("no line")?;
        let (spec, again) = shared::shell::parse_args(line).map_err(|e| anyhow::anyhow!("{line}: {e}"))?;
        ensure!(spec.name == name, "{line}");
        let second = what_if(&Value::Object(again)).await?;
        ensure!(plan["fingerprint"] == second["fingerprint"], "{line}\n{plan}\n{second}");
        // And what the shell prints of that line is the plan.
        let out = shell.run(&[&format!("{line} -WhatIf")])?;
        let sentences = plan["sentences"].as_array().context("no sentences")?;
        let blocked = plan["blockers"].as_array().is_some_and(|b| !b.is_empty());
        for sentence in sentences.iter().filter_map(Value::as_str).filter(|_| !blocked) {
            ensure!(text(&out).contains(&format!("What if: {sentence}")), "{line}: {}", text(&out));
        }
        ensure!(out.status.success() != blocked, "{line}: {}", text(&out));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_json_results_and_progress() -> Result<()> {
    let s = Shell::start().await?;
    let run = |args: &[&str]| -> Result<Output> {
        Ok(Command::new(binary())
            .args(["shell", "--portal", s.server.url(), "--credential-file"])
            .arg(s.server.data_dir().join("sample-credentials.json"))
            .args(args)
            .env("LIFEGUARD_TOKEN", &s.token)
            .stdin(std::process::Stdio::null())
            .output()?)
    };
    let out =
        run(&["--format", "json", "-c", "Get-CsPersistentChatState -Identity atl-gc-001.litwareinc.com"])?;
    let list: Value = serde_json::from_slice(&out.stdout).context("standard output is JSON")?;
    ensure!(list[0]["PoolState"] == "Normal" && out.status.success(), "{list}");
    // A failing member does not keep the others; the status tells.
    let out = s.run(&["'nobody','atl-gc-001.litwareinc.com' | Get-CsPersistentChatState"])?;
    ensure!(out.status.code() == Some(1) && text(&out).contains("PoolState : Normal"), "{}", text(&out));
    let out = s.run(&[
        "'nobody','atl-gc-001.litwareinc.com' | Get-CsPersistentChatState -ErrorAction Stop; 'next'",
    ])?;
    ensure!(out.status.code() == Some(1) && out.stdout.is_empty(), "{}", text(&out));
    // The result of a test message is an object.
    let out = s.run(&[
        "$a = Get-Credential \"litwareinc\\pilar\"; $b = Get-Credential \"litwareinc\\kenmyer\"",
        "(Test-CsPersistentChatMessage -TargetFqdn atl-fe-001.litwareinc.com -SenderSipAddress sip:pilar@litwareinc.com -SenderCredential $a -ReceiverSipAddress sip:kenmyer@litwareinc.com -ReceiverCredential $b).Result",
    ])?;
    ensure!(text(&out).trim() == "Success", "{}", text(&out));
    // Progress stands on standard error.
    let out = s.run(&[
        "Set-CsPersistentChatState -Identity atl-gc-001.litwareinc.com -PoolState FailedOver -Force",
    ])?;
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(
        out.status.success() && told.contains("atl-gc-001.litwareinc.com: FailedOver, backup database"),
        "{told}"
    );
    let out = s.run(&["New-LgSite Dublin-2 | Out-Null; Publish-CsTopology -Force"])?;
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(out.status.success() && told.contains("done     "), "{} {told}", text(&out));
    Ok(())
}

/// A TLS proxy before the portal, with a certificate that only `ca.pem` speaks for.
#[tokio::test(flavor = "multi_thread")]
async fn a_portals_own_authority_is_trusted_with_ca() -> Result<()> {
    let s = Shell::start().await?;
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, made.cert.pem())?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
    let key = key.map_err(|e| anyhow::anyhow!(e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let portal = s.server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, portal) = (acceptor.clone(), portal.clone());
            tokio::spawn(async move {
                if let (Ok(mut a), Ok(mut b)) =
                    (acceptor.accept(tcp).await, tokio::net::TcpStream::connect(portal).await)
                {
                    // Ends when either side closes.
                    let _ = tokio::io::copy_bidirectional(&mut a, &mut b).await;
                }
            });
        }
    });
    let token = s.token.clone();
    let run = async |ca: Option<&std::path::Path>| -> Result<Output> {
        let mut c = Command::new(binary());
        c.args(["shell", "--portal", &format!("https://localhost:{port}"), "-c", "(Get-CsUser).Count"]);
        if let Some(f) = ca {
            c.arg("--ca").arg(f);
        }
        c.env("LIFEGUARD_TOKEN", &token).stdin(std::process::Stdio::null());
        Ok(tokio::task::spawn_blocking(move || c.output()).await??)
    };
    let out = run(None).await?;
    ensure!(out.status.code() == Some(1) && text(&out).contains("does not answer"), "{}", text(&out));
    let out = run(Some(&file)).await?;
    ensure!(out.status.success(), "{}", text(&out));
    let wrong = dir.path().join("empty.pem");
    std::fs::write(&wrong, "nothing")?;
    let out = run(Some(&wrong)).await?;
    ensure!(out.status.code() == Some(1) && text(&out).contains("no certificate"), "{}", text(&out));
    Ok(())
}

/// The documents' examples for configuration, rooms, messages and add-ins, as they print them. Where a
/// question would be asked, `-Confirm:$False` answers it, as the documents' own examples do.
#[tokio::test(flavor = "multi_thread")]
async fn examples_for_settings_and_rooms_run_as_printed() -> Result<()> {
    let s = Shell::start().await?;
    let pool = "atl-cs-001.litwareinc.com";
    let made = s.run(&[
        "New-CsPersistentChatCategory -Name \"IT\" -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\"",
        "New-CsPersistentChatCategory -Name \"HelpDesk\" -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\" -EnableFileUpload",
        "Set-CsPersistentChatCategory -Identity \"IT\" -AllowedMembers @{Add=\"litwareinc.com\"} -Creators @{Add=\"sip:kenmyer@litwareinc.com\"}",
        "New-CsPersistentChatRoom -Name \"ITChatRoom\" -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\" -Category \"IT\"",
        "New-CsPersistentChatRoom -Name \"HelpDeskChatRoom\" -PersistentChatPoolFqdn \"atl-persistentchat-001.litwareinc.com\" -Category \"General\" -Type Auditorium",
        "New-CsPersistentChatAddin -Name \"ITPersistentChatAddin\" -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\" -Url \"http://atl-cs-001.litwareinc.com/itchat\"",
        "New-CsPersistentChatConfiguration -Identity \"site:Redmond\" -ParticipantUpdateLimit 100",
    ])?;
    ensure!(made.status.success(), "{}", text(&made));
    for (line, expected) in [
        ("Get-CsPersistentChatConfiguration -Identity \"site:Redmond\"", "ParticipantUpdateLimit : 100"),
        ("Get-CsPersistentChatConfiguration -Filter \"service:*\" | Measure-Object", "Count : 0"),
        ("Set-CsPersistentChatConfiguration -Identity \"global\" -DefaultChatHistory 100", ""),
        (
            "Get-CsPersistentChatConfiguration | Where-Object {$_.DefaultChatHistory -gt 30}",
            "Identity               : Global",
        ),
        (
            "Get-CsPersistentChatConfiguration | Where-Object {$_.RoomManagementUrl -eq $Null} | Measure-Object",
            "Count : 2",
        ),
        (
            "Get-CsPersistentChatConfiguration -Filter \"site:*\" | Set-CsPersistentChatConfiguration -DefaultChatHistory 100",
            "",
        ),
        (
            "Get-CsPersistentChatConfiguration | Where-Object {$_.DefaultChatHistory -gt 99} | Set-CsPersistentChatConfiguration -DefaultChatHistory 100",
            "",
        ),
        (
            "$c = New-CsPersistentChatConfiguration -Identity \"site:Dublin\" -DefaultChatHistory 9 -InMemory; Set-CsPersistentChatConfiguration -Instance $c; (Get-CsPersistentChatConfiguration -Identity \"site:Dublin\").DefaultChatHistory",
            "9",
        ),
        (
            "Set-CsPersistentChatConfiguration -RoomManagementUrl \"https://rooms.litwareinc.com\"; Set-CsPersistentChatConfiguration -RoomManagementUrl $Null",
            "",
        ),
        ("Remove-CsPersistentChatConfiguration -Identity \"site:Redmond\"", ""),
        ("Get-CsPersistentChatConfiguration -Filter \"site:*\" | Remove-CsPersistentChatConfiguration", ""),
        (
            "Get-CsPersistentChatConfiguration | Where-Object {$_.DefaultChatHistory -gt 30} | Remove-CsPersistentChatConfiguration; (Get-CsPersistentChatConfiguration).DefaultChatHistory",
            "30",
        ),
        (
            "New-CsPersistentChatComplianceConfiguration -Identity \"site:Redmond\" -AddUserDetails $True -AddChatRoomDetails $True; Set-CsPersistentChatComplianceConfiguration -Identity \"site:Redmond\" -RunInterval \"00:30:00\"; Get-CsPersistentChatComplianceConfiguration -Identity \"site:Redmond\"",
            "RunInterval                   : 00:30:00",
        ),
        ("Set-CsPersistentChatComplianceConfiguration -Identity \"global\" -RunInterval \"00:10:00\"", ""),
        (
            "Get-CsPersistentChatComplianceConfiguration | Set-CsPersistentChatComplianceConfiguration  -RunInterval \"00:10:00\"",
            "",
        ),
        (
            "Get-CsPersistentChatComplianceConfiguration | Where-Object {$_.OneChatRoomPerOutputFile -eq $True} | Measure-Object",
            "Count : 0",
        ),
        (
            "Get-CsPersistentChatComplianceConfiguration | Where-Object {$_.CustomConfiguration -ne $Null} | Measure-Object",
            "Count : 0",
        ),
        (
            "Get-CsPersistentChatComplianceConfiguration -Filter \"site:*\" | Remove-CsPersistentChatComplianceConfiguration; Get-CsPersistentChatComplianceConfiguration | Measure-Object",
            "Count : 1",
        ),
        ("Get-CsPersistentChatCategory | Where-Object {$_.Invites -eq $False} | Measure-Object", "Count : 6"),
        (
            "Get-CsPersistentChatCategory -AsObject | Where-Object {$_.Creators -contains \"Ken Myer\"}",
            "Name           : IT",
        ),
        (
            "Set-CsPersistentChatCategory -Identity \"atl-cs-001.litwareinc.com\\helpdesk\" -FileUpload $False",
            "",
        ),
        ("Get-CsPersistentChatCategory | Set-CsPersistentChatCategory -FileUpload $False", ""),
        (
            "Get-CsPersistentChatRoom -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\" | Measure-Object",
            "Count : 2",
        ),
        ("Set-CsPersistentChatRoom -Identity \"atl-cs-001.litwareinc.com\\ITChatRoom\" -Disabled $True", ""),
        (
            "$room = Get-CsPersistentChatRoom -Identity \"atl-cs-001.litwareinc.com\\ITChatRoom\"; Set-CsPersistentChatRoom -Instance $room -Disabled $False -Addin ITPersistentChatAddin",
            "",
        ),
        (
            "Clear-CsPersistentChatRoom -Identity \"atl-cs-001.litwareinc.com\\ITChatRoom\" -EndDate \"3/1/2012\"",
            "",
        ),
        ("Get-CsPersistentChatRoom | Clear-CsPersistentChatRoom -EndDate \"3/1/2012\" -Confirm:$False", ""),
        (
            "Remove-CsPersistentChatMessage -Identity \"atl-cs-001.litwareinc.com\\ITChatRoom\" -EndDate \"4/1/2012\"",
            "",
        ),
        (
            "Remove-CsPersistentChatMessage -Identity \"atl-cs-001.litwareinc.com\\ITChatRoom\" -UserUri \"sip:kenmyer@litwareinc.com\" -ReplaceMessage \"This message is no longer available.\"",
            "",
        ),
        (
            "Get-CsPersistentChatAddin -Identity \"atl-cs-001.litwareinc.com\\ITPersistentChatAddin\"",
            "/itchat",
        ),
        (
            "Set-CsPersistentChatAddin -Identity \"atl-cs-001.litwareinc.com\\ITPersistentChatAddin\" -Url \"http://atl-cs-001.litwareinc.com/itchat2\"; (Get-CsPersistentChatAddin -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\").Url",
            "http://atl-cs-001.litwareinc.com/itchat2",
        ),
        ("Get-CsPersistentChatAddin | Remove-CsPersistentChatAddin -Force", ""),
        (
            "Get-CsPersistentChatEligiblePrincipal -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\" -Category \"IT\" -ResultSize 2 | Measure-Object",
            "Count : 2",
        ),
        (
            "Get-CsPersistentChatEligiblePrincipal -PersistentChatPoolFqdn \"atl-persistentchat-001.litwareinc.com\" -Room \"HelpDeskChatRoom\" -Presenters | Where-Object {$_.PersistentChatPrincipalType -ne \"user\"}",
            "DC",
        ),
        (
            "Get-CsPersistentChatRoom -Privacy \"Closed\" | Remove-CsPersistentChatRoom -Confirm:$False; Get-CsPersistentChatRoom | Measure-Object",
            "Count : 0",
        ),
        (
            "Get-CsPersistentChatCategory | Remove-CsPersistentChatCategory -Confirm:$False; Get-CsPersistentChatCategory | Measure-Object",
            "Count : 0",
        ),
    ] {
        let out = s.run(&[line])?;
        ensure!(out.status.success() && text(&out).contains(expected), "{line}: {}", text(&out));
    }
    let out = s.run(&[&format!("Get-CsPersistentChatRoom -Identity \"{pool}\\ITChatRoom\"")])?;
    ensure!(out.status.code() == Some(1) && text(&out).contains("There is no room"), "{}", text(&out));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_its_log_in_variables() -> Result<()> {
    let s = Shell::start().await?;
    let sign_on = |more: &str| {
        format!(
            "Test-CsPersistentChatMessage -TargetFqdn atl-fe-001.litwareinc.com -SenderSipAddress \"sip:pilar@litwareinc.com\" -SenderCredential (Get-Credential \"litwareinc\\pilar\") -ReceiverSipAddress \"sip:kenmyer@litwareinc.com\" -ReceiverCredential (Get-Credential \"litwareinc\\kenmyer\") {more}"
        )
    };
    let test = sign_on("-Verbose -OutLoggerVariable Log -OutVerboseVariable lines");
    let out =
        s.run(&[&test, "$lines.Count", "$log.Activities[0].Activity", "$log.ToXML()", "$log.ToHTML()"])?;
    let printed = text(&out);
    ensure!(out.status.success(), "{printed}");
    ensure!(printed.contains("VERBOSE: +") && printed.contains("Sign on, Success after"), "{printed}");
    ensure!(printed.contains("Result        : Success"), "{printed}");
    ensure!(printed.contains("\nResolve the name\n"), "{printed}");
    ensure!(printed.contains("<TestLog>") && printed.contains("<Text>REGISTER sip:"), "{printed}");
    ensure!(printed.contains("<h2>Messages</h2>") && printed.contains("(blanked)"), "{printed}");
    let secrets = std::fs::read_to_string(s.server.data_dir().join("sample-credentials.json"))?;
    for c in serde_json::from_str::<Vec<Value>>(&secrets)? {
        ensure!(!printed.contains(c["password"].as_str().context("no password")?), "a password is printed");
    }
    let out = s.run(&[&sign_on("-OutLoggerVariable '$log'")])?;
    ensure!(!out.status.success() && text(&out).contains("written without $"), "{}", text(&out));
    let out = s.run(&["$x = Get-CsPersistentChatState", "$x.ToHTML()"])?;
    ensure!(text(&out).contains("Only a log has ToHTML()"), "{}", text(&out));
    Ok(())
}
