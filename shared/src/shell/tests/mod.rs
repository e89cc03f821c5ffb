//! Lines of the source documents, and properties of the grammar.

mod language;
mod round_trip;
mod transcript;

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::cmdlet::Kind;
use crate::cmdlets;
use crate::error::ApiError;
use crate::plan::{CmdletResponse, Confirm, Invocation, Mode, Plan};

#[derive(Default)]
struct Fake {
    calls: RefCell<Vec<(String, Invocation)>>,
    answers: RefCell<Vec<Vec<Value>>>,
    asks: Confirm,
    yes: bool,
    /// Identities whose change fails.
    broken: Vec<&'static str>,
    /// What a test message prints and gives.
    report: Option<(String, Value)>,
}

impl Host for Fake {
    async fn invoke(&self, spec: &'static Spec, inv: Invocation) -> Result<CmdletResponse, ApiError> {
        let plan = Plan {
            sentences: vec![format!("{} would run.", spec.name)],
            confirm: self.asks.clone(),
            ..Plan::default()
        };
        let identity = inv.args.get("Identity").and_then(Value::as_str).unwrap_or_default();
        if let Some(b) = self.broken.iter().find(|b| **b == identity) {
            return Err(ApiError::not_found(format!("There is no {b}.")));
        }
        if let (Some((text, object)), "Test-CsPersistentChatMessage", Mode::Run) =
            (&self.report, spec.name, inv.mode)
        {
            let (text, output) = (Some(text.clone()), vec![object.clone()]);
            return Ok(CmdletResponse { text, output, done: true, ..CmdletResponse::default() });
        }
        let query = spec.nature == crate::cmdlet::Nature::Query;
        let run = inv.mode == Mode::Run;
        self.calls.borrow_mut().push((spec.name.to_owned(), inv));
        let output =
            if query && run { self.answers.borrow_mut().pop().unwrap_or_default() } else { Vec::new() };
        Ok(CmdletResponse { plan: Some(plan), output, done: run, ..CmdletResponse::default() })
    }
    async fn read_password(&self, _: &str) -> Option<String> {
        Some("secret".to_owned())
    }
    async fn read_line(&self, prompt: &str, secret: bool) -> Option<String> {
        Some(if secret { "secret".to_owned() } else { format!("typed at {prompt}") })
    }
    async fn confirm(&self, _: &str) -> bool {
        self.yes
    }
}

/// The fake host never waits, so one poll is enough.
fn now<T>(f: impl Future<Output = T>) -> T {
    match pin!(f).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(v) => v,
        Poll::Pending => panic!("the shell waited"),
    }
}

/// What a line printed, warnings and errors marked.
fn printed(r: &LineResult) -> String {
    r.output
        .iter()
        .map(|p| match p {
            OutputPart::Text(t) => t.clone(),
            OutputPart::Warning(t) => format!("WARNING: {t}\n"),
            OutputPart::Error { text, .. } => format!("ERROR: {text}\n"),
        })
        .collect()
}

/// What a script prints that needs no portal.
fn shows(script: &str) -> String {
    let r = run(&Fake::default(), script);
    printed(&r)
}

fn run(host: &Fake, line: &str) -> LineResult {
    now(Session::new().run_line(host, line))
}

/// The last call that was really made.
fn args_of(host: &Fake) -> Value {
    let calls = host.calls.borrow();
    Value::Object(
        calls.iter().rfind(|(_, i)| i.mode == Mode::Run).map(|(_, i)| i.args.clone()).unwrap_or_default(),
    )
}

#[test]
fn lines_of_the_seeds_bind_as_printed() {
    let lines = [
        (
            r#"Set-CsPersistentChatState -Identity "PersistentChatServer:atl-gc-001.litwareinc.com" -PoolState "FailedOver""#,
            json!({ "Identity": "PersistentChatServer:atl-gc-001.litwareinc.com", "PoolState": "FailedOver" }),
        ),
        (
            "Set-CsPersistentChatState -Identity \"service:atl-cs-001.litwareinc.com\" –PoolState FailedOver",
            json!({ "Identity": "service:atl-cs-001.litwareinc.com", "PoolState": "FailedOver" }),
        ),
        (
            "New-CsPersistentChatEndpoint -SipAddress sip:persistentchat@contoso.com -PersistentChatPoolFqdn pcpool.contoso.com",
            json!({ "SipAddress": "sip:persistentchat@contoso.com", "PersistentChatPoolFqdn": "pcpool.contoso.com" }),
        ),
        (
            r#"Set-CsPersistentChatActiveServer -Identity "global" -ActiveServers @{Add="atl-gc-001.litwareinc.com"}"#,
            json!({ "Identity": "global", "ActiveServers": { "Add": ["atl-gc-001.litwareinc.com"] } }),
        ),
        (
            r#"Set-CsPersistentChatActiveServer -Identity "global" -ActiveServers $Null"#,
            json!({ "Identity": "global", "ActiveServers": { "Replace": [] } }),
        ),
        (r#"Get-CsPersistentChatState -Filter "*.litwareinc.com""#, json!({ "Filter": "*.litwareinc.com" })),
    ];
    for (line, expected) in lines {
        let host = Fake { yes: true, ..Fake::default() };
        let r = run(&host, line);
        assert!(r.ok, "{line}: {r:?}");
        assert_eq!(args_of(&host), expected, "{line}");
    }
}

#[test]
fn the_test_message_of_seed_002() {
    let host = Fake::default();
    let script = "$cred1 = Get-Credential \"litwareinc\\pilar\"\n$cred2 = Get-Credential \"litwareinc\\kenmyer\"\n\nTest-CsPersistentChatMessage -TargetFqdn atl-persistentchat-001.litwareinc.com -SenderSipAddress \"sip:pilar@litwareinc.com\" -SenderCredential $cred1 -ReceiverSipAddress \"sip:kenmyer@litwareinc.com\" -ReceiverCredential $cred2";
    assert!(run(&host, script).ok);
    let a = args_of(&host);
    assert_eq!(a["SenderCredential"], json!({ "UserName": "litwareinc\\pilar", "Password": "secret" }));
    assert_eq!(
        (a["TargetFqdn"].as_str(), a["ReceiverSipAddress"].as_str()),
        (Some("atl-persistentchat-001.litwareinc.com"), Some("sip:kenmyer@litwareinc.com"))
    );
}

#[test]
fn roles_are_filtered_by_the_documents_line() {
    let roles = vec![
        json!({ "Identity": "CsAdministrator", "Cmdlets": ["Get-CsUser", "Set-CsPersistentChatState"] }),
        json!({ "Identity": "CsHelpDesk", "Cmdlets": ["Get-CsUser"] }),
    ];
    for line in [
        "Get-CsAdminRole | Where-Object {$_.Cmdlets –match \"Set-CsPersistentChatState\"}",
        "Get-CsAdminRole | ? { $_.Cmdlets -contains 'set-cspersistentchatstate' } | Select-Object Identity",
        "Get-CsAdminRole | Where-Object Identity -eq CsAdministrator",
    ] {
        let host = Fake { answers: RefCell::new(vec![roles.clone()]), ..Fake::default() };
        let r = run(&host, line);
        let OutputPart::Text(t) = &r.output[0] else { panic!("{r:?}") };
        assert!(t.contains("CsAdministrator") && !t.contains("CsHelpDesk"), "{line}: {t}");
    }
}

#[test]
fn objects_flow_through_pipelines_and_instance() {
    let states = vec![json!({ "Identity": "PersistentChatServer:a.b.c", "PoolState": "FailedOver" })];
    let host = Fake { answers: RefCell::new(vec![states.clone()]), yes: true, ..Fake::default() };
    assert!(run(&host, "Get-CsPersistentChatState | Where-Object {$_.PoolState -eq \"FailedOver\"} | Set-CsPersistentChatState -PoolState Normal").ok);
    assert_eq!(args_of(&host), json!({ "Identity": "PersistentChatServer:a.b.c", "PoolState": "Normal" }));
    let host = Fake { answers: RefCell::new(vec![states.clone()]), yes: true, ..Fake::default() };
    assert!(run(&host, "$x = Get-CsPersistentChatState; Set-CsPersistentChatState -Instance $x").ok);
    assert_eq!(args_of(&host)["Instance"], states[0]);
    let host = Fake { answers: RefCell::new(vec![states]), yes: true, ..Fake::default() };
    assert!(run(&host, "Get-CsPersistentChatState | ForEach-Object { Set-CsPersistentChatActiveServer -Identity $_.Identity -Swap }").ok);
    assert_eq!(args_of(&host), json!({ "Identity": "PersistentChatServer:a.b.c", "Swap": true }));
}

#[test]
fn what_if_confirm_and_force() {
    let asks = || Fake { asks: Confirm::Ask, ..Fake::default() };
    let ran = |h: &Fake| h.calls.borrow().iter().any(|(_, i)| i.mode == Mode::Run);
    let host = asks();
    let r = run(&host, "Remove-LgShare x -WhatIf");
    assert_eq!(r.output, vec![OutputPart::Text("What if: Remove-LgShare would run.\n".to_owned())]);
    assert!(!ran(&host));
    let host = asks();
    run(&host, "Remove-LgShare x");
    assert!(!ran(&host), "answered no");
    for line in ["Remove-LgShare x -Force", "Remove-LgShare x -Confirm:$false"] {
        let host = asks();
        assert!(run(&host, line).ok && ran(&host), "{line}");
    }
}

#[test]
fn wrong_lines_say_what_and_where() {
    for (line, text, piece) in [
        (
            "Set-CsPersistentChatStat",
            "There is no cmdlet Set-CsPersistentChatStat",
            "Set-CsPersistentChatStat",
        ),
        ("Get-CsPersistentChatState -Idenity x", "has no parameter -Idenity", "-Idenity x"),
        ("Get-CsPersistentChatEndpoint -PoolFqdn \"a.b\"", "-PersistentChatPoolFqdn", "-PoolFqdn \"a.b\""),
        (
            "Set-CsPersistentChatState -PoolState Broken",
            "is not one of Normal, FailedOver",
            "-PoolState Broken",
        ),
        ("Get-CsUser \"abc", "closing quote", "\""),
    ] {
        let r = run(&Fake::default(), line);
        let [OutputPart::Error { text: t, position: Some((a, b)) }] = r.output.as_slice() else {
            panic!("{line}: {r:?}")
        };
        assert!(t.contains(text), "{t}");
        assert!(line[*a..*b].starts_with(piece), "{line}: {}", &line[*a..*b]);
        assert!(!r.ok);
    }
}

#[test]
fn what_could_hurt_does_not() {
    // A switch does not swallow the identity behind it.
    let host = Fake { yes: true, ..Fake::default() };
    assert!(run(&host, "Set-CsPersistentChatPolicy -Force Redmond -EnablePersistentChat $true").ok);
    assert_eq!(args_of(&host), json!({ "Identity": "Redmond", "EnablePersistentChat": true }));
    // An empty identity is refused, not taken for the global one; a failed assignment leaves nothing behind.
    for line in [
        "Set-CsPersistentChatPolicy -Identity $null -EnablePersistentChat $true",
        "$p = 'old'; $p = Get-Nothing; Remove-LgShare -Identity $p -Force",
    ] {
        let host = Fake { yes: true, ..Fake::default() };
        assert!(!run(&host, line).ok);
        assert_eq!(args_of(&host), json!({}), "{line}");
    }
    // A credential is never printed.
    for line in [
        "$c = Get-Credential a\\b; $c",
        "Get-Credential a\\b | fl",
        "$c = Get-Credential a\\b; \"$c\"",
        "Get-Credential a\\b | ft",
    ] {
        assert!(!format!("{:?}", run(&Fake::default(), line)).contains("secret"), "{line}");
    }
    // No answer is a failure for scripts.
    assert!(!run(&Fake { asks: Confirm::Ask, ..Fake::default() }, "Remove-LgShare x").ok);
    let long = format!("Get-CsUser | ? {{ $_.a{} }}", " -or $_.a".repeat(9000));
    assert!(!run(&Fake::default(), &long).ok);
}

fn value_for(kind: Kind, text: &str, list: &[String], n: u32) -> Value {
    match kind {
        Kind::Text | Kind::Clearable => json!(text),
        Kind::Switch => json!(true),
        Kind::Bool => json!(n.is_multiple_of(2)),
        Kind::Int => json!(n),
        Kind::List => json!(list),
        Kind::ListModifier if n.is_multiple_of(3) => json!({ "Replace": [] }),
        Kind::ListModifier => json!({ "Add": [text], "Remove": ["x"] }),
        Kind::Choice(words) => json!(words[n as usize % words.len()]),
        Kind::Object | Kind::Credential | Kind::Secret => Value::Null,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn arguments_survive_the_line(text in "[ -~äß\u{2013}\u{201c}\n\t]{1,24}", list in prop::collection::vec("[ -~]{1,8}", 1..4), n in 0u32..5000) {
        for spec in cmdlets::ALL {
            let args: Map<String, Value> = spec.params.iter()
                .map(|p| (p.name.to_owned(), value_for(p.kind, &text, &list, n)))
                .filter(|(_, v)| !v.is_null()).collect();
            let line = line_for(spec, &args);
            let (found, back) = parse_args(&line).map_err(|e| TestCaseError::fail(format!("{line}: {e}")))?;
            prop_assert_eq!(found.name, spec.name);
            prop_assert_eq!(back, args, "{}", line);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(line in "[ -~$@{}()|;'\"`\n\u{2013}\u{201c}]{0,80}") {
        let _ = run(&Fake { yes: true, ..Fake::default() }, &line);
    }
}
