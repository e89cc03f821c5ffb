//! `cargo xtask test`: what CI runs.

use std::process::Command;

use anyhow::Context as _;

use crate::exec::cargo;
use crate::site::Manifest;
use crate::stages::{Stages, run_tests};
use crate::{check, page, server, tools};

/// Runs everything, from tools to end-to-end tests; returns whether all passed.
pub fn run(release: bool) -> bool {
    let mut stages = Stages::default();
    let mut browser = None;
    stages.stage("tools", &[], |_| {
        browser = Some(tools::browser()?);
        tools::peers()
    });
    stages.stage("check", &[], |_| check::run(check::Width::Whole));
    stages.stage("page", &[], |_| {
        page::build(page::Kind::Release)?;
        let manifest = Manifest::read()?;
        println!("{}", manifest.table());
        manifest.check_budget()
    });
    stages.stage("server", &["page"], |_| server::build(release).map(drop));
    stages.stage("unit", &[], |tally| {
        let mut command = test_command(release);
        command.args(server::packages()?);
        run_tests(&mut command, tally)?;
        // The page's own tests need no browser: they run as this machine's code, apart from the server's so that
        // neither is built anew for the other's features.
        let mut command = test_command(release);
        command.args(["--package", "frontend", "--lib"]);
        run_tests(&mut command, tally)
    });
    stages.stage("end-to-end", &["tools", "server"], |tally| {
        let browser = browser.as_ref().context("the tools are not there")?;
        let mut command = test_command(release);
        command
            .args(["--package", server::END_TO_END])
            .env("LIFEGUARD_BIN", server::path(release))
            .envs(browser.variables());
        run_tests(&mut command, tally)
    });
    stages.finish()
}

/// Runs the tests with real clients that `run` leaves out; returns whether all passed.
pub fn interop(release: bool) -> bool {
    let mut stages = Stages::default();
    stages.stage("tools", &[], |_| tools::peers().and_then(|()| tools::clients()));
    stages.stage("page", &[], |_| page::build(page::Kind::of(release)));
    stages.stage("server", &["page"], |_| server::build(release).map(drop));
    stages.stage("interop", &["tools", "server"], |tally| {
        let mut command = test_command(release);
        command
            .args(["--package", server::END_TO_END, "--test", "end_to_end"])
            .args(["--", "--include-ignored", "--test-threads", "1", "finch::", "interop::"])
            .env("LIFEGUARD_BIN", server::path(release));
        run_tests(&mut command, tally)
    });
    stages.finish()
}

fn test_command(release: bool) -> Command {
    let mut command = cargo("test");
    command.arg("--no-fail-fast").env("LIFEGUARD_SITE_DIR", page::site_dir());
    if release {
        command.arg("--release");
    }
    command
}
