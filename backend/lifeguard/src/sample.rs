//! The sample deployment: publishes it, then makes its users, policy, categories and rooms.

use std::sync::Arc;

use node::traits::{Category, Databases, Room};
use serde::Serialize;
use shared::api::GeneratedCredential;
use shared::cmdlets::NewLgUser;
use shared::error::{ApiError, ErrorCode};
use shared::sample::litware;
use store::management::directory::{self, Policy};
use store::management::set_setting;

use crate::app::App;
use crate::clock::{new_id, random_hex, random_password};
use crate::door::Fault;

const POLICY: &str = "LitwarePersistentChat";

/// What was begun.
#[derive(Serialize)]
pub struct Begun {
    /// Job that publishes.
    pub job: String,
    /// Users' credentials, told once.
    pub credentials: Vec<GeneratedCredential>,
}

/// SIP user, display name, log-on name, home pool, granted.
const USERS: [(&str, &str, &str, &str, bool); 3] = [
    ("sip:pilar@litwareinc.com", "Pilar Ackerman", "litwareinc\\pilar", "atl-fe-001.litwareinc.com", true),
    ("sip:kenmyer@litwareinc.com", "Ken Myer", "litwareinc\\kenmyer", "atl-fe-001.litwareinc.com", true),
    ("sip:guest@litwareinc.com", "Guest", "litwareinc\\guest", "atl-fe-001.litwareinc.com", false),
];

/// Whether a topology with pools is published already.
///
/// # Errors
/// When the store does not answer.
pub fn published(app: &App) -> Result<bool, ApiError> {
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    Ok(!t.pools.is_empty())
}

/// Whether there is a deployment already: one is published, or the sample was begun.
///
/// # Errors
/// When the store does not answer.
pub fn is_there(app: &App) -> Result<bool, ApiError> {
    let begun = app.store.read(|c| store::management::setting(c, "sample.secrets"));
    Ok(begun.map_err(crate::door::store_error)?.is_some() || published(app)?)
}

/// Starts publishing the sample. The generated passwords are sealed in the store until the directory
/// can be made (it needs the published topology), and told here once.
///
/// # Errors
/// When something is published already, or the store does not answer.
pub fn begin(app: &Arc<App>, author: &str) -> Result<Begun, ApiError> {
    if published(app)? {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "A topology is published already; the sample is for an empty deployment.",
        ));
    }
    let credentials: Vec<GeneratedCredential> = USERS
        .iter()
        .map(|(sip, _, logon, ..)| GeneratedCredential {
            sip_address: (*sip).to_owned(),
            logon_name: (*logon).to_owned(),
            password: random_password(&*app.entropy),
        })
        .collect();
    let sealed: Vec<(String, String)> = credentials
        .iter()
        .map(|c| {
            let sip = shared::SipUri::try_from(c.sip_address.as_str())
                .expect("the sample's addresses are well formed");
            (
                c.sip_address.clone(),
                hex::encode(app.keys.seal_secrets(&*app.entropy, &sip, &c.logon_name, &c.password)),
            )
        })
        .collect();
    let text =
        serde_json::to_string(&sealed).map_err(|e| ApiError::new(ErrorCode::Internal, e.to_string()))?;
    app.store.write(|tx| set_setting(tx, "sample.secrets", &text)).map_err(crate::door::store_error)?;
    let job = crate::publish::start_sample(app, litware(), author)?;
    Ok(Begun { job, credentials })
}

/// Makes policy and users; may be run again.
///
/// # Errors
/// When the store does not answer.
pub fn directory(app: &App) -> Result<(), ApiError> {
    let now = app.clock.now();
    app.store
        .write(|tx| {
            let text = store::management::setting(tx, "sample.secrets")?.unwrap_or_else(|| "[]".to_owned());
            let sealed: Vec<(String, String)> = serde_json::from_str(&text).unwrap_or_default();
            directory::save_policy(
                tx,
                &Policy {
                    identity: POLICY.to_owned(),
                    description: "Sample policy".to_owned(),
                    enable: true,
                },
            )?;
            for (sip, name, logon, pool, granted) in USERS {
                let uri = shared::SipUri::try_from(sip).expect("the sample's addresses are well formed");
                if directory::user(tx, &uri)?.is_some() {
                    continue;
                }
                let args = NewLgUser {
                    sip_address: sip.to_owned(),
                    display_name: name.to_owned(),
                    logon_name: logon.to_owned(),
                    registrar_pool: pool.to_owned(),
                    ..NewLgUser::default()
                };
                let mut user = crate::handlers::new_user(tx, &args, now)?;
                let secrets =
                    sealed.iter().find(|(s, _)| s == sip).map(|(_, h)| h.as_str()).unwrap_or_default();
                user.secrets = hex::decode(secrets).unwrap_or_default();
                user.policy = granted.then(|| POLICY.to_owned());
                directory::save_user(tx, &user)?;
            }
            Ok::<_, Fault>(())
        })
        .map_err(|f| f.0)
}

/// Makes a category and a room on each pool; may be run again.
///
/// # Errors
/// When a database does not come up.
pub async fn rooms(app: &App) -> Result<(), ApiError> {
    let t = app.store.read(crate::handlers::published).map_err(|f| f.0)?;
    for p in &t.pools {
        app.fleet
            .converged(&p.id, std::time::Duration::from_secs(30))
            .await
            .map_err(|e| ApiError::new(ErrorCode::Unavailable, e))?;
        let Some(s) = app.fleet.current(&p.id) else { continue };
        if !s.categories().await.map_err(crate::handlers::chat_error)?.is_empty() {
            continue;
        }
        let mut raw = [0; 16];
        app.entropy.fill(&mut raw);
        let category = Category {
            id: random_hex(&*app.entropy, 8),
            name: "General".to_owned(),
            description: "For everyone at Litware".to_owned(),
            chat_history: true,
            allowed: vec!["litwareinc.com".to_owned()],
            ..Category::default()
        };
        let room = Room {
            id: uuid::Builder::from_random_bytes(raw).into_uuid().to_string(),
            category_id: category.id.clone(),
            name: "Lobby".to_owned(),
            description: "The first room of this pool".to_owned(),
            invitations: true,
            ..Room::default()
        };
        let op = || new_id(&*app.entropy, app.clock.now());
        s.create_category(&op(), category).await.map_err(crate::handlers::chat_error)?;
        s.create_room(&op(), room).await.map_err(crate::handlers::chat_error)?;
    }
    Ok(())
}
