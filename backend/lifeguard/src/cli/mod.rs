//! The command line.

pub mod shell;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::control::Command as HostCommand;
use crate::serve::{Failed, ServeArgs};

/// Administration portal and chat host for Persistent Chat.
#[derive(Debug, Parser)]
#[command(name = "lifeguard", version)]
struct Cli {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    /// Runs portal and chat host.
    Serve(ServeArgs),
    /// Runs servers of a deployment on this machine; the portal is on another one.
    Node(crate::nodes::run::NodeArgs),
    /// The Management Shell against a portal.
    Shell(shell::ShellArgs),
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Portal accounts, from the host.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Writes a backup of the data directory, also while the portal runs.
    Backup {
        /// File to write; it must not exist.
        file: PathBuf,
        /// Data directory.
        #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
    },
    /// Restores a backup into an empty data directory.
    Restore {
        /// File to read.
        file: PathBuf,
        /// Data directory; empty or not there.
        #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Follows the chain of hashes; fails when a row is not what was written.
    Verify {
        /// Data directory.
        #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Gives an account a new password, printed once and changed at the first sign-in, removes its second factor, enables it, and ends its sessions.
    ResetPassword {
        /// Log-on name.
        name: String,
        /// Data directory.
        #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Makes a token and prints it once; works while the portal runs.
    Create {
        /// Data directory.
        #[arg(long, env = "LIFEGUARD_DATA_DIR", default_value = "data")]
        data_dir: PathBuf,
        /// A standard role, for example CsAdministrator.
        #[arg(long)]
        role: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        label: String,
        /// Days until it ends; never when left out.
        #[arg(long)]
        days: Option<u32>,
    },
}

/// The program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(r) => r,
        Err(e) => return fail(&e.to_string()),
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(code) => code,
        Err(e) => fail(&e.to_string()),
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("lifeguard: {text}");
    ExitCode::FAILURE
}

async fn dispatch(command: Sub) -> Result<ExitCode, Failed> {
    match command {
        Sub::Serve(args) => {
            log(&args.log_level)?;
            crate::serve::serve(args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Sub::Node(args) => {
            log(&args.log_level)?;
            crate::nodes::run::run(args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Sub::Shell(args) => shell::run(args).await,
        Sub::Token(TokenCommand::Create { data_dir, role, label, days }) => {
            println!(
                "{}",
                crate::control::run(&data_dir, HostCommand::CreateToken { role, label, days }).await?
            );
            Ok(ExitCode::SUCCESS)
        }
        Sub::Audit(AuditCommand::Verify { data_dir }) => {
            println!("{}", crate::control::run(&data_dir, HostCommand::VerifyAudit).await?);
            Ok(ExitCode::SUCCESS)
        }
        Sub::Admin(AdminCommand::ResetPassword { name, data_dir }) => {
            println!("{}", crate::control::run(&data_dir, HostCommand::ResetPassword { name }).await?);
            Ok(ExitCode::SUCCESS)
        }
        Sub::Backup { file, data_dir } => {
            let target = std::path::absolute(file)?;
            println!("{}", crate::control::run(&data_dir, HostCommand::Backup { target }).await?);
            Ok(ExitCode::SUCCESS)
        }
        Sub::Restore { file, data_dir } => {
            println!("{}", crate::backup::restore(&file, &data_dir)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn log(level: &str) -> Result<(), Failed> {
    let filter = tracing_subscriber::EnvFilter::try_new(level)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    log.try_init().map_err(|e| e.to_string().into())
}
