//! Resources and the door.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use shared::api::{
    AccessView, AccountView, AddinView, AlertTargetView, AlertsView, BackupsView, CategoryView,
    CertificateView, ComplianceView, ConfigurationView, DeletedRoomView, DnsRecordView, EndpointView,
    GroupDetail, GroupView, JobView, NodeView, Overview, PolicyView, PoolDetail, PoolSummary, PrincipalView,
    RoomPage, RoomUsagePage, ShareList, TestRun, TestSummary, TodoView, TopologyView, UserPage, VersionInfo,
    WatchView,
};
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Invocation};
use shared::roles;
use store::management::jobs as jobstore;

use super::auth::SignedIn;
use super::error::{Answer, Body, HttpError};
use crate::app::App;
use crate::door::{Actor, execute, store_error};
use crate::views::{
    alerts as alerts_view, groups as groups_view, lists, overview as views, room_life, rooms as rooms_view,
    users as users_view,
};

type Shared = State<Arc<App>>;

/// `POST /api/v1/cmdlets/{name}`.
pub async fn cmdlet(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Path(name): Path<String>,
    Body(inv): Body<Invocation>,
) -> Answer<CmdletResponse> {
    Ok(Json(execute(&app, actor, &name, inv).await?))
}

/// A resource is readable by whoever may run the query that lists the same.
pub(super) fn may(actor: &Actor, cmdlet: &str) -> Result<(), ApiError> {
    roles::can(cmdlet, &actor.roles).map_err(|why| ApiError::new(ErrorCode::Forbidden, why))
}

macro_rules! resource {
    ($($(#[$doc:meta])* $name:ident ($cmdlet:literal) -> $out:ty = |$app:ident, $actor:ident| $body:expr;)*) => {$(
        $(#[$doc])*
        pub async fn $name(State($app): Shared, SignedIn($actor): SignedIn) -> Answer<$out> {
            may(&$actor, $cmdlet)?;
            Ok(Json($body))
        }
    )*};
}

/// `GET /api/v1/authority.pem`: the certificate of the portal's authority, for clients to trust.
pub async fn authority(State(app): Shared, SignedIn(actor): SignedIn) -> Result<Response, HttpError> {
    may(&actor, "Get-LgCertificate")?;
    let pem = app.ca.pem();
    let headers = [
        (header::CONTENT_TYPE, "application/x-pem-file"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lifeguard-authority.pem\""),
    ];
    Ok((headers, pem).into_response())
}

resource! {
    /// `GET /api/v1/certificates`.
    certificates("Get-LgCertificate") -> Vec<CertificateView> = |app, actor| crate::reach::certificates(&app);
    /// `GET /api/v1/deleted-rooms`.
    deleted_rooms("Get-LgDeletedRoom") -> Vec<DeletedRoomView> = |app, actor| room_life::deleted(&app).await?;
    /// `GET /api/v1/dns`.
    dns("Get-LgDnsRecord") -> Vec<DnsRecordView> = |app, actor| crate::reach::records(&app).await;
    /// `GET /api/v1/overview`.
    overview("Get-CsPersistentChatState") -> Overview = |app, actor| views::overview(&app).await?;
    /// `GET /api/v1/pools`.
    pools("Get-CsPersistentChatState") -> Vec<PoolSummary> = |app, actor| (*views::pools(&app).await?).clone();
    /// `GET /api/v1/topology/versions`.
    versions("Get-CsTopology") -> Vec<VersionInfo> = |app, actor| lists::versions(&app)?;
    /// `GET /api/v1/topology/todo`.
    todo("Get-LgPublishToDo") -> TodoView = |app, actor| crate::views::todo::view(&app).await?;
    /// `GET /api/v1/endpoints`.
    endpoints("Get-CsPersistentChatEndpoint") -> Vec<EndpointView> = |app, actor| lists::endpoints(&app)?;
    /// `GET /api/v1/groups`.
    groups("Get-LgGroup") -> Vec<GroupView> = |app, actor| groups_view::groups(&app)?;
    /// `GET /api/v1/policies`.
    policies("Get-CsPersistentChatPolicy") -> Vec<PolicyView> = |app, actor| lists::policies(&app)?;
    /// `GET /api/v1/categories`.
    categories("Get-CsPersistentChatCategory") -> Vec<CategoryView> = |app, actor| lists::categories(&app).await?;
    /// `GET /api/v1/addins`.
    addins("Get-CsPersistentChatAddin") -> Vec<AddinView> = |app, actor| lists::addins(&app).await?;
    /// `GET /api/v1/configurations`.
    configurations("Get-CsPersistentChatConfiguration") -> Vec<ConfigurationView> = |app, actor| lists::configurations(&app)?;
    /// `GET /api/v1/compliance`.
    compliance("Get-CsPersistentChatComplianceConfiguration") -> Vec<ComplianceView> = |app, actor| lists::compliance(&app)?;
    /// `GET /api/v1/accounts`.
    accounts("Get-LgAccount") -> Vec<AccountView> = |app, actor| lists::accounts(&app)?;
    /// `GET /api/v1/shares`.
    shares("Get-LgShare") -> ShareList = |app, actor| lists::shares(&app)?;
    /// `GET /api/v1/alerts`.
    alerts("Get-LgAlert") -> AlertsView = |app, actor| alerts_view::alerts(&app, 50)?;
    /// `GET /api/v1/alert-targets`.
    alert_targets("Get-LgAlertTarget") -> Vec<AlertTargetView> = |app, actor| alerts_view::targets(&app, &actor.roles)?;
    /// `GET /api/v1/nodes`.
    nodes("Get-LgNode") -> Vec<NodeView> = |app, actor| crate::nodes::views(&app)?;
    /// `GET /api/v1/backups`.
    backups("Get-LgBackup") -> BackupsView = |app, actor| crate::backups::view(&app)?;
    /// `GET /api/v1/jobs`.
    jobs("Get-CsTopology") -> Vec<JobView> = |app, actor| app.store.read(|c| jobstore::jobs(c, 20)).map_err(store_error)?;
    /// `GET /api/v1/access`.
    access("Get-LgSession") -> AccessView = |app, actor| lists::access(&app)?;
    /// `GET /api/v1/watch`.
    watch("Get-CsWatcherNodeConfiguration") -> WatchView = |app, actor| lists::watch(&app)?;
    /// `GET /api/v1/tests`.
    tests("Get-CsPersistentChatState") -> Vec<TestSummary> = |app, actor| {
        let runs = app.store.read(|c| jobstore::tests(c, 100)).map_err(store_error)?;
        runs.into_iter().map(|r: TestRun| r.summary).collect()
    };
}

/// `GET /api/v1/room-usage?q=WORDS&pool=FQDN&hint=WORD&skip=N&limit=N`.
pub async fn room_usage(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<room_life::UsageAsked>,
) -> Answer<RoomUsagePage> {
    may(&actor, "Get-LgRoomUsage")?;
    Ok(Json(room_life::usage_part(&app, &q).await?))
}

/// `GET /api/v1/users?q=WORDS&skip=N&limit=N`.
pub async fn users(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<users_view::Asked>,
) -> Answer<UserPage> {
    may(&actor, "Get-CsUser")?;
    Ok(Json(users_view::users(&app, &q)?))
}

/// `GET /api/v1/group?identity=DN&q=WORDS`.
pub async fn group(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<groups_view::GroupAsked>,
) -> Answer<GroupDetail> {
    may(&actor, "Get-LgGroup")?;
    Ok(Json(groups_view::group(&app, &q).await?))
}

/// `GET /api/v1/principals?q=WORDS`.
pub async fn principals(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<groups_view::PrincipalsAsked>,
) -> Answer<Vec<PrincipalView>> {
    may(&actor, "Get-LgGroup")?;
    Ok(Json(groups_view::principals(&app, &q)?))
}

/// Which draft.
#[derive(serde::Deserialize)]
pub struct OfDraft {
    draft: Option<String>,
}

/// `GET /api/v1/topology?draft=NAME`.
pub async fn topology(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<OfDraft>,
) -> Answer<TopologyView> {
    may(&actor, "Get-CsTopology")?;
    Ok(Json(lists::topology_view(&app, &actor.roles, q.draft.as_deref())?))
}

/// `GET /api/v1/rooms?q=WORDS&pool=FQDN&category=NAME&name=NAME&skip=N&limit=N`.
pub async fn rooms(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Query(q): Query<rooms_view::Asked>,
) -> Answer<RoomPage> {
    may(&actor, "Get-CsPersistentChatRoom")?;
    Ok(Json(rooms_view::rooms(&app, &q).await?))
}

/// `GET /api/v1/pools/{fqdn}`.
pub async fn pool(
    State(app): Shared,
    SignedIn(actor): SignedIn,
    Path(fqdn): Path<String>,
) -> Answer<PoolDetail> {
    may(&actor, "Get-CsPersistentChatState")?;
    Ok(Json(views::pool(&app, &fqdn).await?))
}

/// `GET /api/v1/jobs/{id}`.
pub async fn job(State(app): Shared, SignedIn(actor): SignedIn, Path(id): Path<String>) -> Answer<JobView> {
    may(&actor, "Get-CsTopology")?;
    let found = app.store.read(|c| jobstore::job(c, &id)).map_err(store_error)?;
    Ok(Json(found.ok_or_else(|| ApiError::not_found("There is no such job."))?))
}

/// `GET /api/v1/tests/{id}`.
pub async fn test(State(app): Shared, SignedIn(actor): SignedIn, Path(id): Path<String>) -> Answer<TestRun> {
    may(&actor, "Get-CsPersistentChatState")?;
    Ok(Json(crate::probe::get(&app, &id)?))
}
