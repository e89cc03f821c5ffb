//! The rest of the OpenAPI document: queries of lists, files, streams, the shared page. A test compares the
//! document with the routes.

use serde_json::{Map, Value, json};

/// What a list may be asked for: path, then `name kind` of each parameter.
const QUERIES: [(&str, &[(&str, &str)]); 9] = [
    (
        "/rooms",
        &[
            ("q", "string"),
            ("pool", "string"),
            ("category", "string"),
            ("name", "string"),
            ("skip", "integer"),
            ("limit", "integer"),
        ],
    ),
    (
        "/room-usage",
        &[("q", "string"), ("pool", "string"), ("hint", "string"), ("skip", "integer"), ("limit", "integer")],
    ),
    ("/topology", &[("draft", "string")]),
    ("/group", &[("identity", "string"), ("q", "string")]),
    ("/principals", &[("q", "string")]),
    ("/audit", AUDIT),
    ("/audit/export", AUDIT),
    ("/test-history", HISTORY),
    ("/test-history/export", HISTORY),
];
const AUDIT: &[(&str, &str)] = &[
    ("limit", "integer"),
    ("actor", "string"),
    ("cmdlet", "string"),
    ("target", "string"),
    ("outcome", "string"),
    ("from", "string"),
    ("until", "string"),
    ("text", "string"),
    ("format", "string"),
];
const HISTORY: &[(&str, &str)] = &[
    ("pool", "string"),
    ("result", "string"),
    ("cause", "string"),
    ("actor", "string"),
    ("from", "string"),
    ("to", "string"),
    ("skip", "integer"),
    ("limit", "integer"),
    ("format", "string"),
];

fn text(kinds: &[&str]) -> Value {
    let schema = json!({ "schema": { "type": "string" } });
    kinds.iter().map(|k| ((*k).to_owned(), schema.clone())).collect::<Map<_, _>>().into()
}

fn operation(path: &str, method: &str, summary: &str, ok: &Value, bad: &Value) -> Value {
    let name = path.replace(['/', '{', '}', '.'], "_");
    json!({
        "operationId": format!("{method}{name}"), "summary": summary, "parameters": super::openapi::path_parameters(path),
        "responses": { "200": { "description": "The answer", "content": ok }, "default": bad },
    })
}

/// Adds them; `error` is the schema of the one error.
pub(super) fn add(
    paths: &mut Map<String, Value>,
    error: &schemars::Schema,
    draft: &schemars::Schema,
    session: &schemars::Schema,
) {
    let bad = json!({
        "description": "What is wrong and what to do", "content": { "application/json": { "schema": error } },
    });
    let json_of = |schema: &schemars::Schema| json!({ "application/json": { "schema": schema } });
    let anything = json!({ "application/json": {} });
    let mut put = |path: &str, method: &str, op: Value| {
        paths.entry(path.to_owned()).or_insert_with(|| json!({}))[method] = op;
    };
    for (path, kinds, summary) in [
        ("/tests/{id}/messages.txt", &["text/plain"][..], "The messages of a run as text"),
        ("/authority.pem", &["application/x-pem-file"], "The certificate of the portal's authority"),
        ("/audit/export", &["text/csv", "application/json"], "The audit as a file"),
        ("/test-history/export", &["text/csv", "application/json"], "The history of test messages as a file"),
        ("/events", &["text/event-stream"], "What changes, as it happens; ends with the session"),
    ] {
        let mut content = text(kinds);
        if content["application/json"].is_object() {
            content["application/json"] = json!({});
        }
        put(path, "get", operation(path, "get", summary, &content, &bad));
    }
    put("/openapi.json", "get", open(operation("/openapi.json", "get", "This document", &anything, &bad)));
    put("/logout", "post", open(operation("/logout", "post", "Sign out", &json_of(session), &bad)));
    let mut create = operation("/drafts", "post", "Begin a wizard draft", &json_of(draft), &bad);
    let wanted = json!({ "type": "object", "properties": { "site": { "type": "string" } } });
    create["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": wanted } } });
    put("/drafts", "post", create);
    let null = json!({ "application/json": { "schema": { "type": "null" } } });
    put("/drafts/{id}", "delete", operation("/drafts/{id}", "delete", "Discard a wizard draft", &null, &bad));
    outside(&mut put, &bad);
    for (path, list) in QUERIES {
        let parameters = list.iter().map(|(name, kind)| {
            let schema = if *kind == "integer" {
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
            } else {
                json!({ "type": kind })
            };
            json!({ "name": name, "in": "query", "schema": schema })
        });
        paths[path]["get"]["parameters"] = parameters.collect();
    }
    paths["/metrics"]["get"]["responses"]["401"] = bad.clone();
    paths["/metrics"]["get"]["responses"]["403"] = bad;
    for (path, item) in paths.iter_mut() {
        if !path.starts_with("/cmdlets/") && !path.starts_with("/status/") {
            header_of_changes(item);
        }
    }
}

/// What stands outside of `/api/v1` and wants no sign-in.
fn outside(put: &mut impl FnMut(&str, &str, Value), bad: &Value) {
    let html = text(&["text/html"]);
    for (path, method, summary, content) in [
        ("/healthz", "get", "Whether the process serves", text(&["text/plain"])),
        ("/status/{token}", "get", "The shared page", html.clone()),
        ("/status/{token}", "post", "Passphrase, or *Send a test message*", html),
        (
            "/status/{token}/status.json",
            "get",
            "What the shared page shows",
            json!({ "application/json": {} }),
        ),
        ("/status/{token}/data", "get", "The same", json!({ "application/json": {} })),
        ("/status/{token}/events", "get", "When to read the shared page again", text(&["text/event-stream"])),
    ] {
        let mut op = open(operation(path, method, summary, &content, bad));
        if path.starts_with("/status/{token}") {
            op["responses"]["default"]["content"]["text/html"] = json!({ "schema": { "type": "string" } });
        }
        if method == "post" {
            let form = json!({ "type": "object", "properties": { "passphrase": { "type": "string" }, "test": { "type": "string" } } });
            op["requestBody"] = json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": form } } });
        }
        op["servers"] = json!([{ "url": "/" }]);
        put(path, method, op);
    }
}

fn open(mut op: Value) -> Value {
    op["security"] = json!([]);
    op
}

/// Changes want the header against forged requests.
fn header_of_changes(item: &mut Value) {
    let wanted =
        json!({ "name": "X-Lifeguard-Csrf", "in": "header", "required": true, "schema": { "const": "1" } });
    for method in ["post", "patch", "delete"] {
        let Some(op) = item.get_mut(method) else { continue };
        match op.get_mut("parameters").and_then(Value::as_array_mut) {
            Some(list) => list.push(wanted.clone()),
            None => op["parameters"] = json!([wanted]),
        }
    }
}
