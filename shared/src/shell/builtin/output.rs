//! What prints, asks, or makes texts: Format-, Out-, Write-, Read-Host, Get-Credential, ConvertTo-Json.

use serde_json::{Value, json};

use super::{Given, Own};
use crate::shell::eval::{Done, Host, Output, OutputPart, Run};
use crate::shell::print;
use crate::shell::value::secure;

/// Runs one of them; what is printed at once goes to `out`.
pub fn run(
    out: &mut Vec<OutputPart>,
    own: &Own,
    g: &Given<'_>,
    input: Vec<Value>,
    piped: bool,
) -> Done<Output> {
    Ok(match own.name {
        "Format-List" => Output::text(print::list(&input)),
        "Format-Table" => {
            let header = !g.switch("HideTableHeaders");
            Output::text(print::table(&input, header))
        }
        "Out-Null" => Output::default(),
        "Out-Host" => {
            out.push(OutputPart::Text(print::list(&input)));
            Output::default()
        }
        "Out-String" => Output::objects(vec![print::list(&input).into()]),
        "ConvertTo-Json" => {
            let mut all = if piped { input } else { g.values("InputObject") };
            let compress = g.switch("Compress");
            // One object is written as itself, several as a list.
            let v = if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
            Output::objects(vec![print::json(&v, compress).into()])
        }
        "Write-Output" => Output::objects(if piped { input } else { g.values("InputObject") }),
        "Write-Host" => {
            let sign = g.word("Separator").unwrap_or_else(|| " ".to_owned());
            let values = if piped { input } else { g.values("Object") };
            let mut text = values.iter().map(print::words).collect::<Vec<_>>().join(&sign);
            if !g.switch("NoNewline") {
                text.push('\n');
            }
            out.push(OutputPart::Text(text));
            Output::default()
        }
        "Write-Warning" => {
            let text = g.texts("Message").join(" ");
            out.push(OutputPart::Warning(text));
            Output::default()
        }
        "Write-Error" => return Err(g.wrong(g.texts("Message").join(" "))),
        _ => Output::default(),
    })
}

impl<H: Host> Run<'_, H> {
    /// Read-Host and Get-Credential.
    pub(super) async fn ask(&mut self, own: &Own, g: &Given<'_>) -> Done<Output> {
        if own.name == "Read-Host" { self.read_host(g).await } else { self.get_credential(g).await }
    }

    async fn read_host(&mut self, g: &Given<'_>) -> Done<Output> {
        let prompt = g.texts("Prompt").join(" ");
        let keeps = g.switch("AsSecureString");
        let hidden = keeps || g.switch("MaskInput");
        let text = self.host.read_line(&prompt, hidden).await;
        let text = text.ok_or_else(|| g.wrong("Nobody could be asked; nothing was typed."))?;
        Ok(Output::objects(vec![if keeps { secure(text) } else { text.into() }]))
    }

    async fn get_credential(&mut self, g: &Given<'_>) -> Done<Output> {
        let name = if g.arg("UserName").is_some() { "UserName" } else { "Credential" };
        let mut user = g.word(name).unwrap_or_default();
        if user.is_empty() {
            let typed = self.host.read_line("User", false).await;
            user = typed.ok_or_else(|| g.wrong("Get-Credential needs a user name."))?;
        }
        let password = self.host.read_password(&user).await;
        let password = password.ok_or_else(|| g.wrong(format!("No password was given for {user}.")))?;
        Ok(Output::objects(vec![json!({ "UserName": user, "Password": password })]))
    }
}
