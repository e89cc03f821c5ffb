//! The OpenAPI document, made from the types.

use axum::Json;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use shared::{api, error, plan};

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
        "/users" "Chat users" Vec<api::UserView>;
        "/policies" "Persistent Chat policies" Vec<api::PolicyView>;
        "/categories" "Categories" Vec<api::CategoryView>;
        "/rooms" "Rooms; ?q= words, ?pool=, ?category=, ?name=, ?skip=, ?limit=" api::RoomPage;
        "/addins" "Add-ins" Vec<api::AddinView>;
        "/configurations" "Settings of the chat service" Vec<api::ConfigurationView>;
        "/compliance" "Settings of the compliance adapter" Vec<api::ComplianceView>;
        "/accounts" "Portal accounts" Vec<api::AccountView>;
        "/shares" "Share links" api::ShareList;
        "/alerts" "Open alerts, mutes, latest deliveries" api::AlertsView;
        "/nodes" "Nodes: other machines that run servers" Vec<api::NodeView>;
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

fn path_parameters(path: &str) -> Vec<Value> {
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

/// The few changes that are not cmdlets: session, set-up and wizard drafts.
fn posts(g: &mut SchemaGenerator, paths: &mut Map<String, Value>, error: &schemars::Schema) {
    let login = (g.subschema_for::<api::LoginRequest>(), g.subschema_for::<api::Session>());
    let setup = (g.subschema_for::<api::SetupRequest>(), g.subschema_for::<api::SetupResponse>());
    let patch = (g.subschema_for::<api::DraftPatch>(), g.subschema_for::<api::WizardDraft>());
    for (path, method, summary, (req, res)) in [
        ("/login", "post", "Sign in", login),
        ("/setup", "post", "First visit", setup),
        ("/drafts/{id}", "patch", "Change one field", patch),
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
