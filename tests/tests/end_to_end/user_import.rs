//! Chat users from a table: what each row does, what is wrong with it, all or nothing.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Sample, refused, run};

const HEAD: &str = "SIP address;Display name;Log-on name;Home pool;State\n";
const POOL: &str = "atl-fe-001.litwareinc.com";

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().chain([&0, &0]).take(3).fold(0_u32, |n, b| n << 8 | u32::from(*b));
        for i in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * i) & 63) as usize];
            out.push(if i > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

async fn plan(s: &Sample, args: Value) -> Result<Value> {
    let (status, answer) = s.client.cmdlet("Import-LgUser", args, "what_if").await?;
    ensure!(status == 200, "{status} {answer}");
    Ok(answer["plan"].clone())
}

async fn users(s: &Sample) -> Result<Vec<Value>> {
    Ok(s.client.get("/api/v1/users").await?.1["users"].as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_says_what_each_row_does_and_what_is_wrong() -> Result<()> {
    let s = Sample::start().await?;
    let text = format!(
        "{HEAD}sip:nina@litwareinc.com;Nina Vietzen;LITWAREINC\\nina;{POOL};x\n\
         SIP:NINA@litwareinc.com;Nina again;LITWAREINC\\nina2;{POOL};\n\
         ola@litwareinc.com;=HYPERLINK(1);LITWAREINC\\NINA;;\n\
         sip:pilar@litwareinc.com;Pilar;litwareinc\\Pilar;{POOL};\n\
         sip:x@fabrikam.example.com;X;no domain;nowhere.litwareinc.com;\n"
    );
    let p = plan(&s, json!({ "Csv": text })).await?;
    let problems: Vec<(&str, &str)> = p["blockers"]
        .as_array()
        .context("no problems")?
        .iter()
        .map(|b| (b["field"].as_str().unwrap_or(""), b["text"].as_str().unwrap_or("")))
        .collect();
    for (field, words) in [
        ("Rows.3.SipAddress", "Row 3, SIP address: sip:nina@litwareinc.com stands in row 2 already"),
        ("Rows.4.DisplayName", "Row 4, Display name: It begins like a formula"),
        ("Rows.4.LogonName", "stands in row 2 already"),
        ("Rows.4.RegistrarPool", "No Front End pool is given"),
        ("Rows.5.SipAddress", "sip:pilar@litwareinc.com exists already"),
        ("Rows.5.LogonName", "is in use"),
        ("Rows.6.SipAddress", "fabrikam.example.com is not a SIP domain"),
        ("Rows.6.LogonName", "DOMAIN\\user"),
        ("Rows.6.RegistrarPool", "There is no Front End pool nowhere.litwareinc.com"),
    ] {
        ensure!(
            problems.iter().any(|(f, t)| *f == field && t.contains(words)),
            "{field} {words}: {problems:?}"
        );
    }
    ensure!(problems.len() == 9, "{problems:?}");
    ensure!(p["warnings"][0]["text"].as_str().is_some_and(|t| t.contains("'State' is not used")), "{p}");
    ensure!(
        p["changes"][0]["property"] == "Row 2" && p["changes"][0]["target"] == "sip:nina@litwareinc.com",
        "{p}"
    );
    refused(&s.client, "Import-LgUser", json!({ "Csv": text }), 422).await?;
    ensure!(users(&s).await?.len() == 3, "nothing of a table with problems is kept");
    for (args, words) in [
        (json!({ "Csv": "a;b\n1;2\n" }), "Not found: SipAddress, DisplayName, LogonName"),
        (json!({ "Csv": "Sip,Sip uri,Name,Login\na,b,c,d\n" }), "Two columns are SipAddress"),
        (json!({ "File": "%%%" }), "not base64"),
        (json!({}), "either -Csv or -File"),
    ] {
        let e = refused(&s.client, "Import-LgUser", args, 400).await?;
        ensure!(e["message"].as_str().is_some_and(|m| m.contains(words)), "{e}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_alike_are_refused_with_both_rows() -> Result<()> {
    let s = Sample::start().await?;
    // A Cyrillic e, a and o stand where they look like Latin ones; in the first pair it comes first.
    let text = format!(
        "{HEAD}sip:a1@litwareinc.com;Nina Vi\u{435}tzen;LITWAREINC\\a1;{POOL};\n\
         sip:a2@litwareinc.com;Nina Vietzen;LITWAREINC\\a2;{POOL};\n\
         sip:a3@litwareinc.com;Ola;LITWAREINC\\ola;{POOL};\n\
         sip:a4@litwareinc.com;Ola;LITWAREINC\\\u{43e}la;{POOL};\n\
         sip:a5@litwareinc.com;Pil\u{430}r Ackerman;litwareinc\\pil\u{430}r;{POOL};\n"
    );
    let p = plan(&s, json!({ "Csv": text })).await?;
    let said: Vec<(&str, &str)> = ["blockers", "warnings"]
        .iter()
        .flat_map(|k| p[k].as_array().into_iter().flatten())
        .map(|b| (b["field"].as_str().unwrap_or(""), b["text"].as_str().unwrap_or("")))
        .filter(|(_, t)| t.contains("looks like"))
        .collect();
    for (field, words) in [
        (
            "Rows.3.DisplayName",
            "Row 3, Display name: It looks like the name Nina Vi\u{435}tzen, which stands in row 2",
        ),
        (
            "Rows.5.LogonName",
            "Row 5, Log-on name: It looks like the name LITWAREINC\\ola, which stands in row 4",
        ),
        ("Rows.6.LogonName", "It looks like the name litwareinc\\pilar, which is there already"),
        ("Rows.6.DisplayName", "It looks like the name Pilar Ackerman, which is there already"),
    ] {
        ensure!(said.iter().any(|(f, t)| *f == field && t.contains(words)), "{field} {words}: {said:?}");
    }
    // Two people may be called Ola; a display name like one that is there is a warning, as with New-LgUser.
    ensure!(said.len() == 4 && p["blockers"].as_array().is_some_and(|b| b.len() == 3), "{p}");
    refused(&s.client, "Import-LgUser", json!({ "Csv": text }), 422).await?;
    ensure!(users(&s).await?.len() == 3, "nothing of it is kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_imported_with_links_of_their_own_and_sign_on() -> Result<()> {
    let s = Sample::start().await?;
    let text = "sip;name;login\nsip:zoe@litwareinc.com;Zoë “Z” Ünal;LITWAREINC\\zoe\nguest@litwareinc.com;Guest;LITWAREINC\\other\n";
    let bytes: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let file = format!("data:text/csv;base64,{}", base64(&bytes));
    let args = json!({ "File": file, "RegistrarPool": POOL, "SkipExisting": true, "OneTimeLink": true });
    let p = plan(&s, args.clone()).await?;
    ensure!(
        p["blockers"] == json!([])
            && p["sentences"][0].as_str().is_some_and(|t| t.contains("UTF-16LE, separated by semicolons")),
        "{p}"
    );
    ensure!(p["changes"][1]["after"] == "stays as it is" && p["confirm"]["level"] == "ask", "{p}");
    // Another table under the same name is not what was looked at.
    let fingerprint = p["fingerprint"].clone();
    let other = json!({ "File": base64(text.replace("Zo", "Xo").as_bytes()), "RegistrarPool": POOL, "SkipExisting": true, "OneTimeLink": true });
    let (status, e) =
        s.client.invoke("Import-LgUser", &json!({ "args": other, "fingerprint": fingerprint })).await?;
    ensure!(status == 409 && e["code"] == "plan_changed", "{status} {e}");
    let (status, made) =
        s.client.invoke("Import-LgUser", &json!({ "args": args, "fingerprint": fingerprint })).await?;
    ensure!(status == 200, "{status} {made}");
    let made = made["output"].as_array().context("no output")?;
    ensure!(made.len() == 1 && made[0]["DisplayName"] == "Zoë “Z” Ünal", "{made:?}");
    let all = users(&s).await?;
    let zoe = all.iter().find(|u| u["display_name"] == "Zoë “Z” Ünal").context("not imported")?;
    ensure!(all.len() == 4 && zoe["password_set"] == false && zoe["registrar_pool"] == POOL, "{zoe}");
    let token = made[0]["Link"].as_str().and_then(|l| l.split_once('#')).context("no link")?.1;
    let used = json!({ "token": token, "password": "zoe's own 7" });
    ensure!(s.server.client()?.post("/api/v1/links/use", &used).await?.0 == 200);
    run(
        &s.client,
        "Grant-CsPersistentChatPolicy",
        json!({ "Identity": "sip:zoe@litwareinc.com", "PolicyName": "LitwarePersistentChat" }),
    )
    .await?;
    let user = crate::support::User {
        sip: "sip:zoe@litwareinc.com".to_owned(),
        logon: "LITWAREINC\\zoe".to_owned(),
        password: "zoe's own 7".to_owned(),
    };
    let t = s.test(&user, &s.users[0], json!({})).await?;
    ensure!(t["summary"]["state"] == "success", "{}", t["printed"].as_str().unwrap_or_default());
    let (_, audit) = s.client.get("/api/v1/audit?cmdlet=Import-LgUser").await?;
    let text = audit.to_string();
    ensure!(
        text.contains("sip:zoe@litwareinc.com") && text.contains("-File (Read-Host -AsSecureString)"),
        "{text}"
    );
    ensure!(!text.contains(token) && !text.contains(&file[40..80]), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_one_act() -> Result<()> {
    let s = Sample::start().await?;
    run(
        &s.client,
        "New-LgAccount",
        json!({ "Name": "people", "Role": "CsUserAdministrator", "Password": PASSWORD }),
    )
    .await?;
    let people = s.server.client()?;
    people.login("people", PASSWORD).await?;
    let mut text = HEAD.to_owned();
    for i in 0..10_000 {
        writeln!(text, "sip:user{i}@litwareinc.com;User number {i};LITWAREINC\\user{i};{POOL};")?;
    }
    let utf16: Vec<u8> =
        [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let args = json!({ "File": base64(&utf16), "OneTimeLink": true });
    let begun = Instant::now();
    let (status, p) = people.cmdlet("Import-LgUser", args.clone(), "what_if").await?;
    let looked = begun.elapsed();
    ensure!(status == 200, "{status} {p}");
    ensure!(
        p["plan"]["changes"].as_array().is_some_and(|c| c.len() == 10_000)
            && p["plan"]["blockers"] == json!([])
    );
    let body = json!({ "args": args, "fingerprint": p["plan"]["fingerprint"] });
    let (status, made) = people.invoke("Import-LgUser", &body).await?;
    println!("10,000 rows: preview {looked:?}, preview and import {:?}", begun.elapsed());
    let made = made["output"].as_array().with_context(|| format!("{status}"))?;
    let links: std::collections::HashSet<_> = made.iter().filter_map(|u| u["Link"].as_str()).collect();
    let total = s.client.get("/api/v1/users?q=&limit=1").await?.1["total"].as_u64();
    ensure!(links.len() == 10_000 && total == Some(10_003), "{total:?}");
    // The same again: every row is a problem, the first of them in words.
    let (_, p) = people.cmdlet("Import-LgUser", args, "what_if").await?;
    let blockers = p["plan"]["blockers"].as_array().context("no blockers")?;
    ensure!(
        blockers.len() == 201 && blockers[200]["text"] == "And 19800 problems more.",
        "{}",
        blockers.len()
    );
    Ok(())
}
