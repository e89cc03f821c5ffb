//! The application: what all parts share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::Fqdn;
use shared::deployment::{Deployment, ServerReport};
use shared::error::ApiError;
use store::management::Management;
use tokio::sync::{Mutex, watch};

use crate::alerts::Alerts;
use crate::bus::Bus;
use crate::clock::{Clock, Entropy};
use crate::compliance::Adapters;
use crate::deploy;
use crate::fleet::Fleet;
use crate::http::limits::LoginLimits;
use crate::http::metrics::Requests;
use crate::keys::Keys;
use crate::settings::Settings;

/// Everything that handlers, pages and runners need.
pub struct App {
    /// Settings.
    pub settings: Settings,
    /// Management store.
    pub store: Management,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Key file.
    pub keys: Arc<Keys>,
    /// Live events.
    pub bus: Bus,
    /// One change at a time.
    pub turn: Mutex<()>,
    /// Chat databases.
    pub fleet: Arc<Fleet>,
    /// What hosts shall run.
    pub deployment: watch::Sender<Arc<Deployment>>,
    /// What hosts report.
    pub reports: watch::Receiver<Vec<ServerReport>>,
    /// Who is in which room.
    pub rosters: Arc<node::roster::Rosters>,
    /// Nodes that are connected.
    pub nodes: crate::nodes::Nodes,
    /// Certification authority of the local servers.
    pub ca: Arc<node::ca::LocalCa>,
    /// One-time token of the first visit; none when an administrator exists.
    pub setup_token: std::sync::Mutex<Option<String>>,
    /// Failed log-ons.
    pub login_limits: LoginLimits,
    /// What the parts of alerts share.
    pub alerts: Alerts,
    /// Summaries of all pools that many ask for at once.
    pub recent: crate::views::recent::Recent,
    /// Requests that were answered, by status.
    pub requests: Requests,
    /// Compliance adapters at work.
    pub adapters: Adapters,
    /// Test messages under way.
    pub running: crate::running::Running,
    /// Backups by schedule at work.
    pub backups: crate::backups::Backups,
    /// Live viewers of shared pages.
    pub viewers: crate::http::viewers::Viewers,
    /// Rises with every rebuilt deployment.
    pub generation: AtomicU64,
    /// What was found at disks and folders.
    pub looks: crate::looks::Looks,
    /// Held while the deployment is rebuilt, so that an older picture never comes after a newer one.
    pub deploying: std::sync::Mutex<()>,
}

impl App {
    /// Rebuilds the deployment from the store and tells hosts and databases.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn redeploy(&self) -> Result<(), ApiError> {
        let _one = self.deploying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        let mut d = self.store.read(|c| deploy::build(c, &self.settings, generation)).map_err(|f| f.0)?;
        self.nodes.mark(&mut d);
        self.fleet.wanted(self.store.read(|c| crate::fleet::wanted(c, &self.settings)).map_err(|f| f.0)?);
        self.fleet.elsewhere().follow(&d);
        self.fleet.apart().follow(&d);
        self.deployment.send_replace(Arc::new(d));
        Ok(())
    }

    /// Report of a computer, when its host has sent one; of two roles on one computer the one that does not run.
    pub fn report(&self, fqdn: &Fqdn) -> Option<ServerReport> {
        let reports = self.reports.borrow();
        let own = reports.iter().filter(|r| r.fqdn == *fqdn);
        own.min_by_key(|r| r.state == shared::deployment::ServerState::Running).cloned()
    }

    /// Open sessions at a computer, in all its roles.
    pub fn sessions_of(&self, fqdn: &Fqdn) -> u32 {
        self.reports.borrow().iter().filter(|r| r.fqdn == *fqdn).map(|r| r.sessions).sum()
    }
}
