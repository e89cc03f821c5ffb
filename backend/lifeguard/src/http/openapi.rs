//! The OpenAPI document, made from the types.

use axum::Json;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use shared::{api, error, people, plan};

/// Path, summary, and the schema's name and value of a resource.
struct Resource {
    path: &'static str,
    summary: &'static str,
    schema: schemars::Schema,
}

fn resources(g: &mut SchemaGenerator) -> Vec<Resource> {
    macro_rules! list {
        ($($path:literal $summary:literal $ty:ty;)*) => {
            vec![$(Resource { path: $path, summary: $summary, schema: g.subschema_for::<$ty>() }),*]
        };
    }
    list! {
        "/session" "Who is signed in" api::Session;
        "/overview" "What is wrong, pools, latest tests" api::Overview;
        "/pools" "Persistent Chat pools" Vec<api::PoolSummary>;
        "/pools/{fqdn}" "One pool" api::PoolDetail;
        "/topology" "Published topology and a draft; ?draft= its name" api::TopologyView;
        "/topology/versions" "Published versions" Vec<api::VersionInfo>;
        "/topology/todo" "What remains for people after the newest publish" api::TodoView;
        "/drafts/{id}" "A wizard draft" api::WizardDraft;
        "/jobs" "Latest jobs" Vec<api::JobView>;
        "/jobs/{id}" "A job with its steps" api::JobView;
        "/tests" "Latest test messages" Vec<api::TestSummary>;
        "/tests/{id}" "A test message's run" api::TestRun;
        "/tests/{id}/messages" "The messages of a test message's run" shared::trace::TestTrace;
        "/test-history" "Earlier test messages with filters (pool, result, cause, actor, from, to, skip, limit) and numbers" api::TestHistory;
        "/access" "Sessions, API tokens and roles of one's own" api::AccessView;
        "/watch" "Stored test users and test messages that run by themselves" api::WatchView;
        "/endpoints" "Legacy endpoints" Vec<api::EndpointView>;
        "/users" "Chat users; ?q= words, ?skip=, ?limit=" api::UserPage;
        "/groups" "Groups of the directory" Vec<api::GroupView>;
        "/group" "A group; ?identity= its name, ?q= words that its members match" api::GroupDetail;
        "/principals" "Users, groups and units that match ?q= words, for completion" Vec<api::PrincipalView>;
        "/policies" "Persistent Chat policies" Vec<api::PolicyView>;
        "/categories" "Categories" Vec<api::CategoryView>;
        "/deleted-rooms" "Rooms that were deleted and can still be restored" Vec<api::DeletedRoomView>;
        "/room-usage" "How much rooms are used; ?q= words, ?pool=, ?hint= Empty, Dead, Large or Disabled, ?skip=, ?limit=" api::RoomUsagePage;
        "/rooms" "Rooms; ?q= words, ?pool=, ?category=, ?name=, ?skip=, ?limit=" api::RoomPage;
        "/addins" "Add-ins" Vec<api::AddinView>;
        "/configurations" "Settings of the chat service" Vec<api::ConfigurationView>;
        "/compliance" "Settings of the compliance adapter" Vec<api::ComplianceView>;
        "/accounts" "Portal accounts" Vec<api::AccountView>;
        "/me" "One's own account: sessions, second factor, API tokens" people::MyAccount;
        "/shares" "Share links" api::ShareList;
        "/alerts" "Open alerts, mutes, latest deliveries" api::AlertsView;
        "/certificates" "Certificates that servers show" Vec<api::CertificateView>;
        "/dns" "DNS records that clients need" Vec<api::DnsRecordView>;
        "/nodes" "Nodes: other machines that run servers" Vec<api::NodeView>;
        "/backups" "When the portal backs itself up, and what is kept" api::BackupsView;
        "/alert-targets" "Who is told of problems" Vec<api::AlertTargetView>;
        "/audit" "Audit, newest first" Vec<api::AuditView>;
    }
}

fn body(schema: &schemars::Schema) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

fn answers(schema: &schemars::Schema, error: &schemars::Schema) -> Value {
    let mut ok = body(schema);
    ok["description"] = "The answer".into();
    let mut bad = body(error);
    bad["description"] = "What is wrong and what to do".into();
    json!({ "200": ok, "default": bad })
}

pub(super) fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'))
        .map(|n| json!({ "name": n, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

/// The document.
pub fn build() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut g = settings.into_generator();
    let error = g.subschema_for::<error::ApiError>();
    let mut paths = Map::new();
    for r in resources(&mut g) {
        let op = json!({
            "operationId": format!("get{}", r.path.replace(['/', '{', '}'], "_")),
            "summary": r.summary, "parameters": path_parameters(r.path), "responses": answers(&r.schema, &error),
        });
        paths.insert(r.path.to_owned(), json!({ "get": op }));
    }
    let response = g.subschema_for::<plan::CmdletResponse>();
    let invocation = g.subschema_for::<plan::Invocation>();
    for (spec, args) in crate::registry::schemas(&mut g) {
        let request = json!({ "allOf": [invocation, { "type": "object", "properties": { "args": args } }] });
        let op = json!({
            "operationId": spec.name, "summary": spec.synopsis.trim(),
            "parameters": [{ "name": "X-Lifeguard-Csrf", "in": "header", "required": true, "schema": { "const": "1" } }],
            "requestBody": { "required": true, "content": { "application/json": { "schema": request } } },
            "responses": answers(&response, &error),
        });
        paths.insert(format!("/cmdlets/{}", spec.name), json!({ "post": op }));
    }
    posts(&mut g, &mut paths, &error);
    texts(&mut paths);
    let (draft, session) = (g.subschema_for::<api::WizardDraft>(), g.subschema_for::<api::Session>());
    super::openapi_more::add(&mut paths, &error, &draft, &session);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Lifeguard", "version": env!("CARGO_PKG_VERSION"),
                  "description": "Every act is a cmdlet; every list is a resource." },
        "servers": [{ "url": "/api/v1" }],
        "paths": paths,
        "components": {
            "schemas": g.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    })
}

/// The few changes that are not cmdlets: session, set-up, one's own account, one-time links, wizard drafts.
fn posts(g: &mut SchemaGenerator, paths: &mut Map<String, Value>, error: &schemars::Schema) {
    let login = (g.subschema_for::<api::LoginRequest>(), g.subschema_for::<api::Session>());
    let setup = (g.subschema_for::<api::SetupRequest>(), g.subschema_for::<api::SetupResponse>());
    let password = (g.subschema_for::<people::PasswordChange>(), g.subschema_for::<api::Session>());
    let offer = (g.subschema_for::<people::WithPassword>(), g.subschema_for::<people::FactorOffer>());
    let confirm = (g.subschema_for::<people::WithCode>(), g.subschema_for::<people::RecoveryCodes>());
    let remove = (g.subschema_for::<people::WithPassword>(), g.subschema_for::<people::MyAccount>());
    let end = (g.subschema_for::<people::EndOwn>(), g.subschema_for::<api::Session>());
    let look = (g.subschema_for::<people::LinkToken>(), g.subschema_for::<people::LinkView>());
    let used = (g.subschema_for::<people::LinkUse>(), g.subschema_for::<people::LinkView>());
    let patch = (g.subschema_for::<api::DraftPatch>(), g.subschema_for::<api::WizardDraft>());
    for (path, method, summary, (req, res)) in [
        ("/login", "post", "Sign in", login),
        ("/setup", "post", "First visit", setup),
        ("/drafts/{id}", "patch", "Change one field", patch),
        ("/me/password", "post", "Change one's own password", password),
        ("/me/second-factor", "post", "A secret for an authenticator app", offer),
        ("/me/second-factor/confirm", "post", "The first code: the second factor counts", confirm),
        ("/me/second-factor/remove", "post", "Remove one's own second factor", remove),
        ("/me/end", "post", "End a session or an API token of one's own", end),
        ("/links/look", "post", "Whose password a one-time link sets", look),
        ("/links/use", "post", "Set the password of a one-time link", used),
    ] {
        let mut request = body(&req);
        request["required"] = true.into();
        let op = json!({ "summary": summary, "parameters": path_parameters(path), "requestBody": request, "responses": answers(&res, error) });
        let entry = paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        entry[method] = op;
    }
}

/// What stands outside of `/api/v1` and answers in plain text.
fn texts(paths: &mut Map<String, Value>) {
    for (path, summary, failure, open) in [
        ("/readyz", "Whether the store answers and every wanted database is open", "503", true),
        ("/metrics", "Numbers in Prometheus' text format", "401", false),
    ] {
        let text = |d: &str| json!({ "description": d, "content": { "text/plain": { "schema": { "type": "string" } } } });
        let mut op = json!({
            "operationId": format!("get{}", path.replace('/', "_")), "summary": summary,
            "responses": { "200": text("The answer"), failure: text("What is wrong") },
        });
        if open {
            op["security"] = json!([]);
        }
        paths.insert(path.to_owned(), json!({ "servers": [{ "url": "/" }], "get": op }));
    }
}

/// `GET /api/v1/openapi.json`.
pub async fn document() -> Json<Value> {
    Json(build())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// JSON with a line for each operation and each type, so that a difference is short.
    fn lines(document: &Value) -> String {
        let list = |v: &Value| {
            let lines = v.as_object().unwrap().iter().map(|(k, v)| format!("    {k:?}: {v}"));
            lines.collect::<Vec<_>>().join(",\n")
        };
        let mut rest = document.clone();
        let (paths, schemas) = (rest["paths"].take(), rest["components"]["schemas"].take());
        let rest = rest.as_object().unwrap().iter().filter(|(_, v)| !v.is_null());
        let rest: Vec<_> = rest.map(|(k, v)| format!("  {k:?}: {v}")).collect();
        let (paths, schemas) = (list(&paths), list(&schemas));
        let types = format!("\"schemas\":{{\n{schemas}\n  }}");
        let rest = rest.join(",\n").replace("\"schemas\":null", &types);
        format!("{{\n{rest},\n  \"paths\": {{\n{paths}\n  }}\n}}\n")
    }

    /// Whoever changes what the API says of itself looks at the difference.
    #[test]
    fn the_document_is_what_was_reviewed() {
        let text = lines(&super::build());
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        let differs = text.lines().zip(reviewed.lines()).position(|(a, b)| a != b);
        let at = differs.map_or_else(|| "its length".to_owned(), |n| format!("line {}", n + 1));
        assert!(
            text == reviewed,
            "docs/openapi.json differs from {at} on; BLESS=1 writes it anew; review the difference"
        );
    }
}
