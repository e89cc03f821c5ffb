//! A version of its own for one pool's next hop, published by a guided run. Stores that are lost in a
//! disaster must not keep it from being published, so what it does not change is not checked.

use std::sync::Arc;

use shared::ObjectId;
use shared::api::JobView;
use shared::deployment::ServerState;
use store::management::{StoreError, jobs, topology as tstore};

use super::{Failed, Input, KIND, Log, Run, START_TIMEOUT, new_job};
use crate::app::App;

/// A publishing job that changes one next hop and nothing else.
pub struct NextHop {
    job: JobView,
    input: Input,
}

impl NextHop {
    /// The job over what is published now; none when the pool has this next hop already.
    ///
    /// # Errors
    /// When the pool or the Front End pool is not published any more.
    pub fn new(
        app: &App,
        author: &str,
        pool: &ObjectId,
        hop: &ObjectId,
        comment: String,
    ) -> Result<Option<Self>, String> {
        let published = app.store.read(tstore::published).map_err(|e: StoreError| e.to_string())?;
        let v = published.ok_or("no topology is published")?;
        let mut document = v.document;
        let found = document.front_end_pool(hop).ok_or("the Front End pool is not published any more")?;
        let title = format!("Publish the next hop {}", found.fqdn);
        let p =
            document.pools.iter_mut().find(|p| p.id == *pool).ok_or("the pool is not published any more")?;
        if p.next_hop == *hop {
            return Ok(None);
        }
        p.next_hop = hop.clone();
        let input = Input {
            draft: String::new(),
            document,
            parent: Some(v.version),
            author: author.to_owned(),
            comment,
            sample: false,
            only_next_hop: Some(hop.clone()),
        };
        let job = JobView { title, ..new_job(app, &input) };
        Ok(Some(Self { job, input }))
    }

    /// Stores it; a restart goes on with it from here on.
    ///
    /// # Errors
    /// SQLite's.
    pub fn save(&self, c: &rusqlite::Connection) -> store::management::Result<()> {
        jobs::save_job(c, &self.job, KIND, &self.input)
    }

    /// Publishes it; what was published, in a sentence.
    ///
    /// # Errors
    /// Why it could not be published.
    pub async fn publish(self, app: &Arc<App>) -> Result<String, String> {
        let id = self.job.id.clone();
        Run { app: app.clone(), job: self.job, input: self.input, rehearsal: false }.run().await;
        let text = |e: StoreError| e.to_string();
        let ended = app.store.read(|c| jobs::job(c, &id)).map_err(text)?.ok_or("its job is gone")?;
        if let Some(why) = ended.error {
            return Err(why);
        }
        let version = app.store.read(tstore::published).map_err(text)?.map_or(0, |v| v.version);
        Ok(format!("Version {version} is published (/jobs/{id})."))
    }
}

impl Run {
    /// Whether this step is none of a change of one next hop.
    pub(super) fn untouched(&self, i: usize, log: &mut Log) -> bool {
        let skip = self.input.only_next_hop.is_some() && !matches!(i, 0 | 5 | 8);
        if skip {
            log.push("Only a next hop changes: nothing of this is touched.".to_owned());
        }
        skip
    }

    /// Waits until a server of the new next hop serves.
    pub(super) async fn hop_serves(&self, hop: &ObjectId, log: &mut Log) -> Result<(), Failed> {
        self.app.redeploy().map_err(|e| e.message)?;
        let pool =
            self.input.document.front_end_pool(hop).ok_or("the Front End pool is not in the version")?;
        let mut reports = self.app.reports.clone();
        let up = |r: &shared::deployment::ServerReport| {
            r.state == ServerState::Running && pool.servers.iter().any(|s| s.fqdn == r.fqdn)
        };
        let ready = reports.wait_for(|list| list.iter().any(up));
        let found = tokio::time::timeout(START_TIMEOUT, ready).await;
        if !found.is_ok_and(|r| r.is_ok()) {
            return Err(format!("no server of {} runs", pool.fqdn).into());
        }
        log.push(format!("{} runs.", pool.fqdn));
        Ok(())
    }
}
