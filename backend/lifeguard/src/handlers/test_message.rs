//! `Test-CsPersistentChatMessage`: plans, then starts a run; the run itself stands in `crate::probe`.

use async_trait::async_trait;
use shared::cmdlets::TestCsPersistentChatMessage;
use shared::error::ApiError;
use shared::plan::Plan;

use crate::door::{Cx, Handler, Outcome, plan};

#[async_trait]
impl Handler for TestCsPersistentChatMessage {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let r = crate::probe::resolve(self, &cx.app)?;
        let room = self.chat_room_uri.as_deref().unwrap_or("the first room both may see");
        let mut p = plan([format!(
            "Sign on {} and {} at {}:{}, join {room}, exchange two messages, leave and sign off.",
            r.sender.sip_uri, r.receiver.sip_uri, r.registrar, r.port
        )]);
        p.warnings = r.warnings;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let r = crate::probe::resolve(self, &cx.app)?;
        let warnings = r.warnings.iter().map(|w| w.text.clone()).collect();
        cx.commit(&p.sentences.join(" "), |_| Ok(()))?;
        let id = crate::probe::start(r, cx);
        Ok(Outcome { job: Some(id), warnings, ..Outcome::default() })
    }
}
