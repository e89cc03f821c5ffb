//! What several tests begin with.

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Client, Options, Server, wait};
use serde_json::{Value, json};

/// Password of the administrator that [`admin`] makes.
pub const PASSWORD: &str = "correct horse 12";

/// The administrator of a fresh server.
pub async fn admin(server: &Server, deployment: &str) -> Result<(Client, Value)> {
    let client = server.client()?;
    let body = json!({ "token": server.setup_token().await?, "name": "root", "password": PASSWORD, "deployment": deployment });
    let (status, answer) = client.post("/api/v1/setup", &body).await?;
    ensure!(status == 200, "set-up: {status} {answer}");
    Ok((client, answer))
}

/// A chat user's credential.
#[derive(Clone)]
pub struct User {
    pub sip: String,
    pub logon: String,
    pub password: String,
}

/// A server with the sample published, its administrator, and the users pilar, kenmyer, guest.
pub struct Sample {
    pub server: Server,
    pub client: Client,
    pub users: Vec<User>,
}

impl Sample {
    pub async fn start() -> Result<Self> {
        Self::with(Options::default()).await
    }

    /// With options of the server.
    pub async fn with(options: Options) -> Result<Self> {
        let server = Server::start(options).await?;
        let (client, answer) = admin(&server, "litware").await?;
        let text = |v: &Value, k: &str| v[k].as_str().unwrap_or_default().to_owned();
        let user = |v: &Value| User {
            sip: text(v, "sip_address"),
            logon: text(v, "logon_name"),
            password: text(v, "password"),
        };
        let users = answer["credentials"].as_array().context("no credentials")?.iter().map(user).collect();
        job(&client, answer["job"].as_str().context("no job")?, "done").await?;
        Ok(Self { server, client, users })
    }

    /// Runs a test message between two users and returns the finished run.
    pub async fn test(&self, sender: &User, receiver: &User, more: Value) -> Result<Value> {
        let mut args = json!({
            "TargetFqdn": "atl-fe-001.litwareinc.com",
            "SenderSipAddress": sender.sip,
            "SenderCredential": { "UserName": sender.logon, "Password": sender.password },
            "ReceiverSipAddress": receiver.sip,
            "ReceiverCredential": { "UserName": receiver.logon, "Password": receiver.password },
        });
        if let (Some(args), Some(more)) = (args.as_object_mut(), more.as_object()) {
            args.extend(more.clone());
        }
        let answer = run(&self.client, "Test-CsPersistentChatMessage", args).await?;
        let id = answer["job"].as_str().context("no run")?.to_owned();
        wait::until("the test message's end", async || {
            let (_, t) = self.client.get(&format!("/api/v1/tests/{id}")).await?;
            ensure!(t["summary"]["state"] != "running", "{t}");
            Ok(t)
        })
        .await
    }
}

/// The sample's pool with a backup, compliance and six computers.
pub const POOL: &str = "atl-cs-001.litwareinc.com";

/// What the page of [`POOL`] reads.
pub async fn detail(s: &Sample) -> Result<Value> {
    let (status, p) = s.client.get(&format!("/api/v1/pools/{POOL}")).await?;
    ensure!(status == 200, "{p}");
    Ok(p)
}

/// A test message puts two messages into [`POOL`].
pub async fn two_messages(s: &Sample) -> Result<()> {
    wait::until("a test message", async || {
        let t = s.test(&s.users[0], &s.users[1], json!({ "ChatRoomUri": format!("{POOL}\\Lobby") })).await?;
        ensure!(t["summary"]["state"] == "success", "{}", t["printed"]);
        Ok(())
    })
    .await
}

/// Runs a cmdlet with everything confirmed; its answer.
pub async fn run(client: &Client, name: &str, args: Value) -> Result<Value> {
    let (status, answer) =
        client.invoke(name, &json!({ "args": args, "confirmed": true, "reason": "test" })).await?;
    ensure!(status == 200, "{name}: {status} {answer}");
    Ok(answer)
}

/// Runs a cmdlet that must be refused with this status; the error.
pub async fn refused(client: &Client, name: &str, args: Value, status: u16) -> Result<Value> {
    let (got, answer) = client.invoke(name, &json!({ "args": args, "confirmed": true })).await?;
    ensure!(got == status, "{name}: {got} instead of {status}: {answer}");
    ensure!(
        answer["request_id"].is_string() && answer["message"].as_str().is_some_and(|m| !m.is_empty()),
        "{answer}"
    );
    Ok(answer)
}

/// Waits until a job has ended as `state`.
pub async fn job(client: &Client, id: &str, state: &str) -> Result<Value> {
    wait::until("the job's end", async || {
        let (_, j) = client.get(&format!("/api/v1/jobs/{id}")).await?;
        ensure!(j["state"] != "running", "{j}");
        ensure!(j["state"] == state, "ended as {}: {j}", j["state"]);
        Ok(j)
    })
    .await
}

/// Waits until everything of the pool is on the side that its log is shipped to; the pool then.
pub async fn shipped(s: &Sample) -> Result<Value> {
    wait::until("log shipping to catch up", async || {
        let p = detail(s).await?;
        let x = &p["shipping"];
        let caught_up = x["problem"].is_null()
            && x["behind"] == 0
            && x["messages_behind"] == 0
            && x["applied"].is_u64()
            && x["applied"] == x["shipped"];
        ensure!(caught_up, "{x}");
        Ok(p)
    })
    .await
}
