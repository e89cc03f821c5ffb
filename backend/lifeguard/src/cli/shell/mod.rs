//! `lifeguard shell`: the Management Shell against a portal.

mod portal;
mod progress;

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use shared::shell::{LineResult, OutputPart, Session};

use crate::serve::Failed;
use crate::settings::DEFAULT_PORTAL;
use portal::{Portal, portal};

/// How objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As PowerShell prints them.
    Text,
    /// A JSON list for each statement; warnings go to standard error.
    Json,
}

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
    /// Certificate authorities to trust (PEM) instead of the system's.
    #[arg(long, env = "LIFEGUARD_CA")]
    pub ca: Option<PathBuf>,
    /// How objects are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// A line to run (may be repeated).
    #[arg(short = 'c')]
    pub lines: Vec<String>,
    /// A script; standard input when there is neither file nor line.
    pub file: Option<PathBuf>,
}

/// Prints a line's result; PowerShell's shape of errors.
fn print(line: &str, result: &LineResult, format: Format) {
    for part in &result.output {
        match part {
            OutputPart::Text(t) => print!("{t}"),
            OutputPart::Warning(t) if format == Format::Json => eprintln!("WARNING: {t}"),
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

async fn interactive(host: &Portal, mut session: Session, format: Format) -> bool {
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
        print(&line, &result, format);
    }
}

/// Runs the shell; exit status 1 when a line failed.
///
/// # Errors
/// When token, files or portal address cannot be used.
pub async fn run(args: ShellArgs) -> Result<ExitCode, Failed> {
    let host = portal(&args)?;
    let mut session = if args.format == Format::Json { Session::json() } else { Session::new() };
    let scripts: Vec<String> = match (&args.file, args.lines.is_empty()) {
        (_, false) => args.lines.clone(),
        (Some(f), true) => vec![std::fs::read_to_string(f).map_err(|e| format!("{}: {e}", f.display()))?],
        (None, true) if std::io::stdin().is_terminal() => {
            return Ok(if interactive(&host, session, args.format).await {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        (None, true) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            vec![text]
        }
    };
    let mut ok = true;
    for s in &scripts {
        let result = session.run_line(&host, s).await;
        ok &= result.ok;
        print(s, &result, args.format);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
