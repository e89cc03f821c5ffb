//! The sample deployment for measurements.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{Client, Options, Server, wait};

/// A server with the sample running, its administrator, and the credentials of the chat users.
///
/// # Errors
/// The server does not start, or the sample does not come up in time.
pub async fn sample() -> Result<(Server, Client, Value)> {
    let server = Server::start(Options::default()).await?;
    let client = server.client()?;
    let body = json!({ "token": server.setup_token().await?, "name": "root", "password": "correct horse 12", "deployment": "litware" });
    let (status, answer) = client.post("/api/v1/setup", &body).await?;
    ensure!(status == 200, "{answer}");
    let id = answer["job"].as_str().context("no job")?.to_owned();
    wait::until("the sample", async || {
        let (_, j) = client.get(&format!("/api/v1/jobs/{id}")).await?;
        ensure!(j["state"] == "done", "{j}");
        Ok(())
    })
    .await?;
    Ok((server, client, answer["credentials"].clone()))
}
