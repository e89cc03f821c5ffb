//! The runbook of a pool on guided SQL Servers.

use async_trait::async_trait;
use serde_json::json;
use shared::cmdlets::GetLgRunbook;
use shared::deployment::PoolState;
use shared::error::ApiError;
use shared::plan::Plan;
use shared::runbook::{Choices, DISCLAIMER, runbook};
use store::management::pools;

use super::find_pool;
use crate::door::{Cx, Handler, Outcome};

#[async_trait]
impl Handler for GetLgRunbook {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let pool = find_pool(&t, &self.identity, "Identity")?;
        let state = cx.read(|c| Ok(pools::state(c, &pool.id)?))?.map(|s| s.state).unwrap_or_default();
        let to = match self.procedure.as_deref() {
            Some(p) if p.eq_ignore_ascii_case("Failover") => PoolState::FailedOver,
            Some(_) => PoolState::Normal,
            None => crate::fleet::other(state),
        };
        let active = crate::failover::near(&t, &pool, to).iter().map(|c| c.fqdn.to_string()).collect();
        let choices =
            Choices { log_share: self.log_share.clone(), copy_folder: self.copy_folder.clone(), active };
        let book =
            runbook(&t, &pool, to, &choices).map_err(|e| ApiError::invalid("Identity", e.to_string()))?;
        if self.markdown {
            let object = json!({ "Title": book.title, "Markdown": book.markdown() });
            return Ok(Outcome::objects(vec![object]));
        }
        let step = |(i, s): (usize, &shared::runbook::Step)| {
            json!({
                "Number": i + 1, "Title": s.title, "Place": s.place, "Language": s.language, "Text": s.text,
                "Note": s.note,
            })
        };
        let mut out = Outcome::objects(book.steps.iter().enumerate().map(step).collect());
        out.warnings.push(DISCLAIMER.to_owned());
        Ok(out)
    }
}
