//! `lifeguard shell`: the source documents' lines as printed, against the sample.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Options, Server, target_dir, wait};

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
        let made = Command::new(binary())
            .args(["token", "create", "--role", "CsAdministrator", "--data-dir"])
            .arg(server.data_dir())
            .output()?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let token = String::from_utf8(made.stdout)?.trim().to_owned();
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
        c.args(["shell", "--portal", self.server.url(), "--credential-file"]);
        c.arg(self.server.data_dir().join("sample-credentials.json")).env("LIFEGUARD_TOKEN", &self.token);
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
