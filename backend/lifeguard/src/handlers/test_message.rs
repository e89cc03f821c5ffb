//! `Test-CsPersistentChatMessage`: plans, then starts a run; the run itself stands in `crate::probe`.

use async_trait::async_trait;
use shared::cmdlets::TestCsPersistentChatMessage;
use shared::error::{ApiError, ErrorCode};
use shared::plan::Plan;

use super::test_room::Setup;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::probe::Resolved;

/// Names of variables are written without $, as the documents say.
trait Variables {
    fn check_variables(&self) -> Result<(), ApiError>;
}

impl Variables for TestCsPersistentChatMessage {
    fn check_variables(&self) -> Result<(), ApiError> {
        for (field, v) in [
            ("OutLoggerVariable", &self.out_logger_variable),
            ("OutVerboseVariable", &self.out_verbose_variable),
        ] {
            let wrong = |n: &str| n.is_empty() || n.contains(|c: char| !c.is_alphanumeric() && c != '_');
            if v.as_deref().is_some_and(wrong) {
                let text = "The name of a variable is written without $, of letters, digits and underscores.";
                return Err(ApiError::invalid(field, text));
            }
        }
        Ok(())
    }
}

/// Why the node that is named cannot send it now.
fn away(r: &Resolved, cx: &Cx) -> Result<Option<String>, ApiError> {
    let trouble = r.node.as_ref().map(|n| crate::nodes::trouble(&cx.app, n)).transpose()?.flatten();
    Ok(trouble.map(|why| format!("{why} The test message was not sent, also not from here.")))
}

#[async_trait]
impl Handler for TestCsPersistentChatMessage {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        self.check_variables()?;
        if self.setup == Some(true) {
            return Ok(Setup::read(self, cx)?.plan());
        }
        let r = crate::probe::resolve(self, &cx.app, &cx.actor.roles)?;
        if let Some(why) = away(&r, cx)? {
            return Err(ApiError {
                field: Some("Node".to_owned()),
                ..ApiError::new(ErrorCode::Unavailable, why)
            });
        }
        let from = r.node.as_ref().map(|n| format!("From node {n}: ")).unwrap_or_default();
        let room = self.chat_room_uri.as_deref().unwrap_or("the test room or the first room both may see");
        let mut p = plan([format!(
            "{from}Sign on {} and {} at {}:{}, join {room}, exchange two messages, leave and sign off.",
            r.sender.sip_uri, r.receiver.sip_uri, r.registrar, r.port
        )]);
        p.warnings = r.warnings;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if self.setup == Some(true) {
            return Setup::read(self, cx)?.make(cx).await;
        }
        let r = crate::probe::resolve(self, &cx.app, &cx.actor.roles)?;
        let warnings = r.warnings.iter().map(|w| w.text.clone()).collect();
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        let id = crate::probe::start(r, cx);
        Ok(Outcome { job: Some(id), warnings, ..Outcome::default() })
    }
}
