//! `lifeguard shell`: the Management Shell against a portal.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use shared::api::{GeneratedCredential, JobView, TestRun};
use shared::cmdlet::Spec;
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Invocation};
use shared::shell::{Host, LineResult, OutputPart, Session};

use crate::serve::Failed;
use crate::settings::DEFAULT_PORTAL;

/// Options of `shell`.
#[derive(Debug, Clone, Args)]
pub struct ShellArgs {
    /// Base of the portal.
    #[arg(long, env = "LIFEGUARD_PORTAL", default_value = DEFAULT_PORTAL)]
    pub portal: String,
    /// File with the API token; else LIFEGUARD_TOKEN.
    #[arg(long)]
    pub token_file: Option<PathBuf>,
    /// Passwords for Get-Credential in scripts: JSON as `serve --sample` writes it, or lines `DOMAIN\user=password`.
    #[arg(long)]
    pub credential_file: Option<PathBuf>,
    /// A line to run (may be repeated).
    #[arg(short = 'c')]
    pub lines: Vec<String>,
    /// A script; standard input when there is neither file nor line.
    pub file: Option<PathBuf>,
}

struct Portal {
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

    /// Waits for a test message and gives its printed block.
    async fn test(&self, id: &str, answer: &mut CmdletResponse) -> Result<(), ApiError> {
        loop {
            let run: TestRun = self.get(&format!("/tests/{id}")).await?;
            if let (Some(text), Some(report)) = (run.printed, run.report) {
                answer.warnings = report.warnings;
                answer.text = Some(text);
                return Ok(());
            }
            if run.summary.state != "running" {
                return Err(ApiError::new(ErrorCode::Unavailable, run.summary.verdict));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for a job, telling its steps.
    async fn job(&self, id: &str, answer: &mut CmdletResponse) -> Result<(), ApiError> {
        loop {
            let job: JobView = self.get(&format!("/jobs/{id}")).await?;
            if job.state == "running" {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let steps: String = job.steps.iter().map(|s| format!("{:<8} {}\n", s.state, s.title)).collect();
            answer.text = Some(steps);
            return match job.error {
                None => Ok(()),
                Some(e) => Err(ApiError::new(ErrorCode::Unavailable, e)),
            };
        }
    }
}

impl Host for Portal {
    async fn invoke(&self, spec: &'static Spec, inv: Invocation) -> Result<CmdletResponse, ApiError> {
        let url = format!("{}/api/v1/cmdlets/{}", self.base, spec.name);
        let mut answer: CmdletResponse = read(self.http.post(url).json(&inv).send().await).await?;
        if let Some(id) = answer.job.clone() {
            if spec.name.starts_with("Test-") {
                self.test(&id, &mut answer).await?;
            } else {
                self.job(&id, &mut answer).await?;
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

    async fn confirm(&self, question: &str) -> bool {
        if !std::io::stdin().is_terminal() {
            eprintln!("{question}\nNobody can be asked here: use -Confirm:$false or -Force.");
            return false;
        }
        eprint!("{question}\n[Y] Yes  [N] No (default is \"N\"): ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok() && answer.trim().to_lowercase().starts_with('y')
    }
}

fn credentials(path: &PathBuf) -> Result<Vec<(String, String)>, Failed> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    if let Ok(list) = serde_json::from_str::<Vec<GeneratedCredential>>(&text) {
        return Ok(list.into_iter().map(|c| (c.logon_name, c.password)).collect());
    }
    let pair = |l: &str| l.split_once('=').map(|(u, p)| (u.trim().to_owned(), p.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

fn portal(args: &ShellArgs) -> Result<Portal, Failed> {
    let token = match &args.token_file {
        Some(f) => std::fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()))?,
        None => std::env::var("LIFEGUARD_TOKEN").map_err(
            |_| "give a token: --token-file FILE, or LIFEGUARD_TOKEN. `lifeguard token create` makes one.",
        )?,
    };
    let mut headers = HeaderMap::new();
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    headers.insert("x-lifeguard-csrf", HeaderValue::from_static("1"));
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::client_config())
        .default_headers(headers)
        .no_proxy()
        .build()?;
    let credentials = args.credential_file.as_ref().map(credentials).transpose()?.unwrap_or_default();
    Ok(Portal { http, base: args.portal.trim_end_matches('/').to_owned(), credentials })
}

/// Prints a line's result; PowerShell's shape of errors.
fn print(line: &str, result: &LineResult) {
    for part in &result.output {
        match part {
            OutputPart::Text(t) => print!("{t}"),
            OutputPart::Warning(t) => println!("WARNING: {t}"),
            OutputPart::Error { text, position } => {
                eprintln!("{text}");
                if let Some((start, end)) = position {
                    let before = &line[..*start];
                    let row = before.matches('\n').count() + 1;
                    let column = before.chars().rev().take_while(|c| *c != '\n').count();
                    let shown = line.lines().nth(row - 1).unwrap_or_default();
                    let width = line[*start..*end].lines().next().map_or(1, |l| l.chars().count().max(1));
                    eprintln!(
                        "At line:{row} char:{}\n+ {shown}\n+ {}{}",
                        column + 1,
                        " ".repeat(column),
                        "~".repeat(width)
                    );
                }
            }
        }
    }
    // A closed pipe ends the program at the next write anyway.
    let _ = std::io::stdout().flush();
}

async fn interactive(host: &Portal) -> bool {
    let mut session = Session::new();
    let mut ok = true;
    loop {
        eprint!("PS> ");
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            Ok(n) if n > 0 => {}
            _ => return ok,
        }
        if matches!(line.trim(), "exit" | "quit") {
            return ok;
        }
        let result = session.run_line(host, &line).await;
        ok &= result.ok;
        print(&line, &result);
    }
}

/// Runs the shell; exit status 1 when a line failed.
///
/// # Errors
/// When token, files or portal address cannot be used.
pub async fn run(args: ShellArgs) -> Result<ExitCode, Failed> {
    let host = Arc::new(portal(&args)?);
    let scripts: Vec<String> = match (&args.file, args.lines.is_empty()) {
        (_, false) => args.lines.clone(),
        (Some(f), true) => vec![std::fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()))?],
        (None, true) if std::io::stdin().is_terminal() => {
            return Ok(if interactive(&host).await { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        (None, true) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            vec![text]
        }
    };
    let mut session = Session::new();
    let mut ok = true;
    for s in &scripts {
        let result = session.run_line(&*host, s).await;
        ok &= result.ok;
        print(s, &result);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
