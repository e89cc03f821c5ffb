//! What prints, asks, or makes texts: Format-, Out-, Write-, Read-Host, Get-Credential, ConvertTo-Json.

use serde_json::{Value, json};

use super::{Given, Own};
use crate::shell::eval::{Done, Host, Output, OutputPart, Run};
use crate::shell::print;
use crate::shell::value::secure;

impl<H: Host> Run<'_, H> {
    pub(super) async fn output_cmdlet(
        &mut self,
        own: &Own,
        g: &Given<'_>,
        input: Vec<Value>,
        piped: bool,
    ) -> Done<Output> {
        Ok(match own.name {
            "Format-List" => Output::text(print::list(&self.chosen(g, input).await?)),
            "Format-Table" => {
                let header = !self.switch(g, "HideTableHeaders").await?;
                Output::text(print::table(&self.chosen(g, input).await?, header))
            }
            "Out-Null" => Output::default(),
            "Out-Host" => {
                self.out.push(OutputPart::Text(print::list(&input)));
                Output::default()
            }
            "Out-String" => Output::objects(vec![print::list(&input).into()]),
            "ConvertTo-Json" => {
                let mut all = if piped { input } else { self.values(g, "InputObject").await? };
                let compress = self.switch(g, "Compress").await?;
                // One object is written as itself, several as a list.
                let v = if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
                Output::objects(vec![print::json(&v, compress).into()])
            }
            "Write-Output" => {
                Output::objects(if piped { input } else { self.values(g, "InputObject").await? })
            }
            "Write-Host" => {
                let sign = self.word(g, "Separator").await?.unwrap_or_else(|| " ".to_owned());
                let values = if piped { input } else { self.values(g, "Object").await? };
                let mut text = values.iter().map(print::words).collect::<Vec<_>>().join(&sign);
                if !self.switch(g, "NoNewline").await? {
                    text.push('\n');
                }
                self.out.push(OutputPart::Text(text));
                Output::default()
            }
            "Write-Warning" => {
                let text = self.texts(g, "Message").await?.join(" ");
                self.out.push(OutputPart::Warning(text));
                Output::default()
            }
            "Write-Error" => return Err(g.wrong(self.texts(g, "Message").await?.join(" "))),
            "Read-Host" => self.read_host(g).await?,
            _ => self.get_credential(g).await?,
        })
    }

    async fn read_host(&mut self, g: &Given<'_>) -> Done<Output> {
        let prompt = self.texts(g, "Prompt").await?.join(" ");
        let keeps = self.switch(g, "AsSecureString").await?;
        let hidden = keeps || self.switch(g, "MaskInput").await?;
        let text = self.host.read_line(&prompt, hidden).await;
        let text = text.ok_or_else(|| g.wrong("Nobody could be asked; nothing was typed."))?;
        Ok(Output::objects(vec![if keeps { secure(text) } else { text.into() }]))
    }

    async fn get_credential(&mut self, g: &Given<'_>) -> Done<Output> {
        let name = if g.expr("UserName").is_some() { "UserName" } else { "Credential" };
        let mut user = self.word(g, name).await?.unwrap_or_default();
        if user.is_empty() {
            let typed = self.host.read_line("User", false).await;
            user = typed.ok_or_else(|| g.wrong("Get-Credential needs a user name."))?;
        }
        let password = self.host.read_password(&user).await;
        let password = password.ok_or_else(|| g.wrong(format!("No password was given for {user}.")))?;
        Ok(Output::objects(vec![json!({ "UserName": user, "Password": password })]))
    }
}
