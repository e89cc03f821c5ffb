//! The portal as the shell's host.

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use shared::api::{GeneratedCredential, JobView, PoolSummary, TestRun};
use shared::cmdlet::Spec;
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Invocation, Mode};
use shared::shell::Host;

use super::ShellArgs;
use super::progress::{Pools, Steps};
use crate::serve::Failed;

/// How often running work is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// A portal that is talked to with a token.
pub struct Portal {
    http: reqwest::Client,
    base: String,
    credentials: Vec<(String, String)>,
}

fn unreachable(e: &reqwest::Error) -> ApiError {
    ApiError::new(ErrorCode::Unavailable, format!("The portal does not answer: {e}"))
}

async fn read<T: DeserializeOwned>(r: Result<reqwest::Response, reqwest::Error>) -> Result<T, ApiError> {
    let r = r.map_err(|e| unreachable(&e))?;
    let ok = r.status().is_success();
    let body = r.bytes().await.map_err(|e| unreachable(&e))?;
    let text = |e: serde_json::Error| {
        ApiError::new(ErrorCode::Internal, format!("The portal's answer was not understood: {e}"))
    };
    if ok {
        serde_json::from_slice(&body).map_err(text)
    } else {
        Err(serde_json::from_slice(&body).map_err(text)?)
    }
}

impl Portal {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        read(self.http.get(format!("{}/api/v1{path}", self.base)).send().await).await
    }

    /// Waits for a test message and gives its printed block. Ctrl+C stops it; then it cleans up and ends as
    /// cancelled.
    async fn test(&self, id: &str, answer: &mut CmdletResponse) -> Result<(), ApiError> {
        let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
        let mut stopped = false;
        loop {
            let run: TestRun = self.get(&format!("/tests/{id}")).await?;
            if let (Some(text), Some(report)) = (run.printed, run.report) {
                answer.output = vec![report.object()];
                answer.warnings = report.warnings;
                answer.text = Some(text);
                return Ok(());
            }
            if run.summary.state != "running" {
                return Err(ApiError::new(ErrorCode::Unavailable, run.summary.verdict));
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
                pressed = &mut interrupt, if !stopped => {
                    stopped = true;
                    if pressed.is_ok() {
                        self.stop_test(id).await?;
                    }
                }
            }
        }
    }

    async fn stop_test(&self, id: &str) -> Result<(), ApiError> {
        let Some(spec) = shared::cmdlets::find("Stop-LgTestMessage") else { return Ok(()) };
        let args = [("Identity".to_owned(), id.into())].into_iter().collect();
        match self.send(spec, &Invocation { args, ..Invocation::default() }).await {
            // It ended by itself meanwhile.
            Err(e) if e.code == ErrorCode::Conflict => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Waits for a job, telling its steps as they go.
    async fn job(&self, spec: &Spec, id: &str, answer: &mut CmdletResponse) -> Result<(), ApiError> {
        let mut told = Steps::default();
        loop {
            let job: JobView = self.get(&format!("/jobs/{id}")).await?;
            for line in told.news(&job) {
                eprintln!("{line}");
            }
            if job.state == "running" {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let rehearsal = spec.name == "Test-LgFailover";
            let steps = job.told(rehearsal);
            return match job.error {
                None => {
                    answer.text = Some(steps);
                    Ok(())
                }
                // What a rehearsal found is the answer, also when a run would not go well.
                Some(e) if rehearsal => Err(ApiError::new(ErrorCode::Unavailable, format!("{e}\n{steps}"))),
                Some(e) => Err(ApiError::new(ErrorCode::Unavailable, e)),
            };
        }
    }
}

impl Portal {
    async fn send(&self, spec: &Spec, inv: &Invocation) -> Result<CmdletResponse, ApiError> {
        let url = format!("{}/api/v1/cmdlets/{}", self.base, spec.name);
        read(self.http.post(url).json(inv).send().await).await
    }

    /// The same, telling meanwhile what the pools' databases do.
    async fn send_watching(&self, spec: &Spec, inv: &Invocation) -> Result<CmdletResponse, ApiError> {
        let look = async |pools: &mut Pools| {
            // What cannot be seen is not told; the act itself says what went wrong.
            if let Ok(list) = self.get::<Vec<PoolSummary>>("/pools").await {
                for line in pools.news(&list) {
                    eprintln!("{line}");
                }
            }
        };
        let mut pools = Pools::default();
        look(&mut pools).await;
        let mut sent = std::pin::pin!(self.send(spec, inv));
        loop {
            match tokio::time::timeout(LOOK, &mut sent).await {
                Err(_) => look(&mut pools).await,
                Ok(answer) => {
                    look(&mut pools).await;
                    return answer;
                }
            }
        }
    }
}

/// A line of standard input, after a prompt on standard error.
fn typed(prompt: &str) -> Option<String> {
    if std::io::stdin().is_terminal() && !prompt.is_empty() {
        eprint!("{prompt}: ");
    }
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(n) if n > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
        _ => None,
    }
}

impl Host for Portal {
    async fn invoke(&self, spec: &'static Spec, inv: Invocation) -> Result<CmdletResponse, ApiError> {
        let switches = spec.name == "Set-CsPersistentChatState" && inv.mode == Mode::Run;
        let mut answer =
            if switches { self.send_watching(spec, &inv).await? } else { self.send(spec, &inv).await? };
        if let Some(id) = answer.job.clone() {
            if spec.starts_test_message() {
                self.test(&id, &mut answer).await?;
            } else {
                self.job(spec, &id, &mut answer).await?;
            }
        }
        Ok(answer)
    }

    async fn read_password(&self, user: &str) -> Option<String> {
        let known =
            self.credentials.iter().find(|(u, _)| u.eq_ignore_ascii_case(user)).map(|(_, p)| p.clone());
        if known.is_some() || !std::io::stdin().is_terminal() {
            return known;
        }
        rpassword::prompt_password(format!("Password for {user}: ")).ok()
    }

    async fn read_line(&self, prompt: &str, secret: bool) -> Option<String> {
        if secret && std::io::stdin().is_terminal() {
            let prompt = if prompt.is_empty() { "Password" } else { prompt };
            return rpassword::prompt_password(format!("{prompt}: ")).ok();
        }
        typed(prompt)
    }

    async fn confirm(&self, question: &str) -> bool {
        if !std::io::stdin().is_terminal() {
            eprintln!("{question}\nNobody can be asked here: use -Confirm:$false or -Force.");
            return false;
        }
        eprint!("{question}\n[Y] Yes  [N] No (default is \"N\"): ");
        typed("").is_some_and(|answer| answer.trim().to_lowercase().starts_with('y'))
    }
}

fn credentials(path: &Path) -> Result<Vec<(String, String)>, Failed> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    if let Ok(list) = serde_json::from_str::<Vec<GeneratedCredential>>(&text) {
        return Ok(list.into_iter().map(|c| (c.logon_name, c.password)).collect());
    }
    let pair = |l: &str| l.split_once('=').map(|(u, p)| (u.trim().to_owned(), p.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// A client that trusts the system's authorities, or those of `--ca` alone.
fn client(args: &ShellArgs, token: &str) -> Result<reqwest::Client, Failed> {
    let mut headers = HeaderMap::new();
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    headers.insert("x-lifeguard-csrf", HeaderValue::from_static("1"));
    // Refused only when there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder().default_headers(headers).no_proxy();
    if let Some(file) = &args.ca {
        let text = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let list = reqwest::Certificate::from_pem_bundle(&text).unwrap_or_default();
        if list.is_empty() {
            return Err(format!("{}: there is no certificate (PEM) in it", file.display()).into());
        }
        builder = builder.tls_certs_only(list);
    }
    Ok(builder.build()?)
}

/// The portal that the options name.
///
/// # Errors
/// When token or files cannot be used.
pub fn portal(args: &ShellArgs) -> Result<Portal, Failed> {
    let token = match &args.token_file {
        Some(f) => std::fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()))?,
        None => std::env::var("LIFEGUARD_TOKEN").map_err(
            |_| "give a token: --token-file FILE, or LIFEGUARD_TOKEN. `lifeguard token create` makes one.",
        )?,
    };
    let credentials = args.credential_file.as_deref().map(credentials).transpose()?.unwrap_or_default();
    Ok(Portal {
        http: client(args, &token)?,
        base: args.portal.trim_end_matches('/').to_owned(),
        credentials,
    })
}
