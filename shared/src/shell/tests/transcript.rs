//! Golden transcripts: what scripts print. `LIFEGUARD_UPDATE=1` writes them anew.

use super::*;

/// Answers by cmdlet name, again and again.
struct Sample;

impl Host for Sample {
    async fn invoke(&self, spec: &'static Spec, inv: Invocation) -> Result<CmdletResponse, ApiError> {
        let room = |name: &str, pool: &str, privacy: &str, members: Value| json!({ "Identity": format!("{pool}\\{name}"), "Name": name, "Privacy": privacy, "Members": members, "Messages": name.len() });
        let output = match spec.name {
            "Get-CsPersistentChatRoom" => vec![
                room("Ops", "atl-gc-001.litwareinc.com", "Closed", json!(["sip:pilar@litwareinc.com"])),
                room("Helpdesk", "atl-gc-001.litwareinc.com", "Open", json!([])),
                room("Board", "dub-pc-001.litwareinc.com", "Closed", json!(["sip:a@b.c", "sip:d@b.c"])),
            ],
            "Get-CsPersistentChatState" => ["atl-gc-001", "dub-pc-001"]
                .map(|p| json!({ "Identity": format!("PersistentChatServer:{p}.litwareinc.com"), "PoolState": "Normal" }))
                .to_vec(),
            _ => Vec::new(),
        };
        let plan = Plan { sentences: vec![format!("{} would run.", spec.name)], ..Plan::default() };
        Ok(CmdletResponse {
            plan: Some(plan),
            output,
            done: inv.mode == Mode::Run,
            ..CmdletResponse::default()
        })
    }
    async fn read_password(&self, _: &str) -> Option<String> {
        Some("secret".to_owned())
    }
    async fn read_line(&self, _: &str, _: bool) -> Option<String> {
        Some("atl-gc-001.litwareinc.com".to_owned())
    }
    async fn confirm(&self, _: &str) -> bool {
        true
    }
}

/// Runs each paragraph of a script in one session and writes down what is seen.
fn transcript(script: &str, mut session: Session) -> String {
    let mut out = String::new();
    for block in script.trim().split("\n\n") {
        out.push_str("PS> ");
        out.push_str(&block.replace('\n', "\n>> "));
        out.push('\n');
        out.push_str(&printed(&now(session.run_line(&Sample, block))));
        out.push('\n');
    }
    out
}

fn golden(name: &str, script: &str, session: Session) {
    let got = transcript(script, session);
    let path = format!("{}/src/shell/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("LIFEGUARD_UPDATE").is_some() {
        std::fs::write(&path, &got).unwrap();
    }
    assert_eq!(got, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

#[test]
fn objects() {
    golden("objects", include_str!("golden/objects.ps1"), Session::new());
}

#[test]
fn a_script() {
    golden("script", include_str!("golden/script.ps1"), Session::new());
}

#[test]
fn help() {
    golden("help", include_str!("golden/help.ps1"), Session::new());
}

#[test]
fn json_for_scripts() {
    golden("json", include_str!("golden/json.ps1"), Session::json());
}
