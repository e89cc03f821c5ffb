//! Mirroring of the pools' databases. Source: cmdlets.md §9, procedures §4.

mod failover;
mod install;
mod relation;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::cmdlets::GetCsDatabaseMirrorState;
use shared::error::ApiError;
use shared::plan::Plan;

use self::relation::same;
use super::find_pool;
use crate::door::{Cx, Handler, Outcome};

const SOURCE: &str = "L:deploying-sql-mirroring-for-back-end-server-high-availability";
/// How long servers may take to follow.
const CONVERGENCE: Duration = Duration::from_secs(60);
/// What the documents print for a database without a mirror.
const NONE: &str = "DatabaseInaccessibleOrMirroringNotEnabled";

fn state_object(name: &str, view: Option<&shared::api::MirrorView>) -> Value {
    let known = view.filter(|v| v.installed);
    let (first, second, status) = match known {
        None => (NONE, NONE, String::new()),
        Some(v) if v.state == "suspended" => (NONE, NONE, v.state.clone()),
        Some(v) if v.on_mirror => ("Mirror", "Principal", v.state.clone()),
        Some(v) => ("Principal", "Mirror", v.state.clone()),
    };
    json!({
        "DatabaseName": name, "StateOnPrimary": first, "StateOnMirror": second,
        "MirroringStatusOnPrimary": status, "MirroringStatusOnSecondary": status,
    })
}

#[async_trait]
impl Handler for GetCsDatabaseMirrorState {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = cx.topology()?;
        let pool = find_pool(&t, &self.pool_fqdn, "PoolFqdn")?;
        let view = crate::views::mirror::view(&cx.app, &t, &pool).await?;
        let wanted = |d: &str| self.database_type.as_deref().is_none_or(|w| same(d, w));
        let mut out = Vec::new();
        if wanted("PersistentChat") {
            out.push(state_object("mgc", view.as_ref()));
        }
        if pool.compliance && wanted("PersistentChatCompliance") {
            let view = crate::views::mirror::queue_view(&cx.app, &t, &pool).await?;
            out.push(state_object("mgccomp", view.as_ref()));
        }
        // Databases of other roles are not here; the value says so, as the documents print it.
        let others: &[&str] = match self.database_type.as_deref() {
            Some("Monitoring") => &["lcscdr", "qoemetrics"],
            Some("User") => &["rtcxds", "rtcshared", "rtcab"],
            Some("Archiving") => &["lcslog"],
            Some("PersistentChatCompliance") if !pool.compliance => &["mgccomp"],
            _ => &[],
        };
        out.extend(others.iter().map(|n| state_object(n, None)));
        Ok(Outcome::objects(out))
    }
}
