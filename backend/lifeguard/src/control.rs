//! Host commands over `control.sock` (mode 0600): whoever owns the data directory may use them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::{Timestamp, roles};
use store::management::{Management, accounts, audit, people, roles as own};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy, new_id, random_hex, random_password};
use crate::keys::hash_password;
use crate::serve::Failed;
use crate::settings::Settings;

/// Longest command, bytes.
const MAX: u64 = 64 * 1024;

/// A host command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Command {
    /// Makes an API token.
    CreateToken {
        /// Role.
        role: String,
        /// Label.
        label: String,
        /// Days until it ends.
        days: Option<u32>,
    },
    /// Follows the audit's chain of hashes.
    VerifyAudit,
    /// Gives an account a new password, removes its second factor, and ends its sessions.
    ResetPassword {
        /// Log-on name.
        name: String,
    },
    /// Writes a backup.
    Backup {
        /// Where to.
        target: PathBuf,
    },
}

type Answer = Result<String, String>;

/// Makes an API token; its text is told once.
///
/// # Errors
/// When the role is unknown or the store does not answer.
pub fn create_token(
    store: &Management,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    role: &str,
    label: &str,
    days: Option<u32>,
) -> Result<String, String> {
    if days == Some(0) {
        return Err(
            "--days 0 would make a token that has ended already; give 1 or more, or leave it out.".to_owned()
        );
    }
    let own = store.read(own::roles).map_err(|e: store::management::StoreError| e.to_string())?;
    let all = || roles::STANDARD.into_iter().chain(own.iter().map(|r| r.name.as_str()));
    let role = all()
        .find(|r| r.eq_ignore_ascii_case(role.trim()))
        .ok_or_else(|| format!("'{role}' is not a role. Roles: {}.", all().collect::<Vec<_>>().join(", ")))?;
    let token = format!("lg_{}", random_hex(entropy, 24));
    let now = clock.now();
    let expires = days.map(|d| Timestamp::from_millis(now.millis() + i64::from(d) * 86_400_000));
    let entry = audit::Opened {
        op_id: new_id(entropy, now),
        actor: "host".to_owned(),
        role: "RTCUniversalServerAdmins".to_owned(),
        credential: "host".to_owned(),
        source: "local".to_owned(),
        cmdlet: "token create".to_owned(),
        line: format!("lifeguard token create --role {role} --label {label}"),
        target: label.to_owned(),
        ..audit::Opened::default()
    };
    store
        .write(|tx| {
            accounts::add_api_token(tx, &token, label, role, now, expires)?;
            audit::open(tx, &entry, now)?;
            audit::close(tx, &entry.op_id, "done", &format!("role {role}"), now)
        })
        .map_err(|e: store::management::StoreError| e.to_string())?;
    Ok(token)
}

/// Verifies the audit; its verdict, as an error when it is broken.
fn verify_audit(store: &Management) -> Answer {
    let v = store.read(audit::verify).map_err(|e: store::management::StoreError| e.to_string())?;
    match &v.broken {
        None => Ok(format!("All {} rows are what was written. Head {}", v.rows, v.head)),
        Some((seq, why)) => Err(format!("row {seq}: {why}. What stands before it is sound.")),
    }
}

/// The way back in when nobody can sign in: a new password, told once. Whoever owns the data directory
/// counts as RTCUniversalServerAdmins.
fn reset_password(store: &Management, clock: &dyn Clock, entropy: &dyn Entropy, name: &str) -> Answer {
    let text = |e: store::management::StoreError| e.to_string();
    let found = store.read(|c| accounts::account(c, name)).map_err(text)?;
    let mut account = found.ok_or_else(|| format!("There is no account {name}."))?;
    let password = random_password(entropy);
    account.enabled = true;
    let hash = hash_password(entropy, &password);
    let now = clock.now();
    let entry = audit::Opened {
        op_id: new_id(entropy, now),
        actor: "host".to_owned(),
        role: "RTCUniversalServerAdmins".to_owned(),
        credential: "host".to_owned(),
        source: "local".to_owned(),
        cmdlet: "admin reset-password".to_owned(),
        line: format!("lifeguard admin reset-password {}", account.name),
        target: account.name.clone(),
        ..audit::Opened::default()
    };
    store
        .write(|tx| {
            audit::open(tx, &entry, now)?;
            accounts::save_account(tx, &account, now)?;
            people::set_password(tx, &account.name, &hash, true)?;
            people::remove_factor(tx, &account.name)?;
            accounts::end_sessions_of(tx, &account.name)?;
            audit::close(tx, &entry.op_id, "done", "a new password, no second factor; its sessions end", now)
        })
        .map_err(text)?;
    Ok(format!("{} signs in with {password}", account.name))
}

async fn act(app: &Arc<App>, c: Command) -> Answer {
    match c {
        Command::CreateToken { role, label, days } => {
            create_token(&app.store, &*app.clock, &*app.entropy, &role, &label, days)
        }
        Command::VerifyAudit => verify_audit(&app.store),
        Command::ResetPassword { name } => reset_password(&app.store, &*app.clock, &*app.entropy, &name),
        Command::Backup { target } => {
            let fetched = crate::nodes::copies::fetch(app).await?;
            let app = app.clone();
            tokio::task::spawn_blocking(move || {
                let done =
                    crate::backup::write(&app.settings.data_dir, Some(&app.store), Some(&fetched), &target);
                let _ = std::fs::remove_dir_all(&fetched);
                done
            })
            .await
            .unwrap_or_else(|e| Err(e.to_string()))
        }
    }
}

async fn talk(app: Arc<App>, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(MAX)).read_line(&mut line).await?;
    let answer: Answer = match serde_json::from_str(&line) {
        Ok(c) => act(&app, c).await,
        Err(e) => Err(format!("the command was not understood: {e}")),
    };
    write.write_all(serde_json::to_string(&answer)?.as_bytes()).await
}

/// Listens; the socket of an earlier run is replaced, because the lock proves that it is dead.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(app: Arc<App>) -> Result<JoinHandle<()>, Failed> {
    let path = Settings::control_socket(&app.settings.data_dir);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let app = app.clone();
            tokio::spawn(async move {
                if let Err(e) = talk(app, stream).await {
                    tracing::warn!(cause = %e, "a host command failed");
                }
            });
        }
    }))
}

/// Sends a command to the portal of this data directory; none when no portal runs there.
async fn send(data_dir: &Path, c: &Command) -> Option<Answer> {
    let mut stream = UnixStream::connect(Settings::control_socket(data_dir)).await.ok()?;
    let text = serde_json::to_string(c).ok()? + "\n";
    stream.write_all(text.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    serde_json::from_str(&answer).ok()
}

/// Runs a host command: through the running portal, else on the locked data directory.
///
/// # Errors
/// What the command says.
pub async fn run(data_dir: &Path, c: Command) -> Result<String, Failed> {
    if let Some(answer) = send(data_dir, &c).await {
        return answer.map_err(Into::into);
    }
    let path = data_dir.join("management.db");
    if !path.exists() {
        return Err(format!("{} is not a data directory of lifeguard.", data_dir.display()).into());
    }
    let _lock = crate::serve::lock(data_dir)?;
    let store = Management::open(&path)?;
    let answer = match c {
        Command::CreateToken { role, label, days } => {
            create_token(&store, &SystemClock, &SystemEntropy, &role, &label, days)
        }
        Command::VerifyAudit => verify_audit(&store),
        Command::ResetPassword { name } => reset_password(&store, &SystemClock, &SystemEntropy, &name),
        Command::Backup { target } => crate::backup::write(data_dir, Some(&store), None, &target),
    };
    answer.map_err(Into::into)
}
