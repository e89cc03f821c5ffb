//! The `lifeguard` program: one binary for portal, chat host, shell and host commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    lifeguard::cli::main()
}
