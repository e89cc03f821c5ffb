//! Stages of a long run: each timed, each reported, a failed one stopping only what needs it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::exec::shown;

/// Tests that ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
}

/// How a stage ended.
enum Outcome {
    Passed,
    Failed(String),
    /// The stage that it needs did not pass.
    Blocked(&'static str),
}

/// A stage that was or would have been run.
struct Stage {
    name: &'static str,
    time: Duration,
    outcome: Outcome,
}

/// The stages so far.
#[derive(Default)]
pub struct Stages {
    stages: Vec<Stage>,
    tally: Tally,
}

impl Stages {
    /// Runs a stage unless one that it needs did not pass.
    pub fn stage(
        &mut self,
        name: &'static str,
        needs: &[&'static str],
        work: impl FnOnce(&mut Tally) -> Result<()>,
    ) {
        let passed =
            |need: &str| self.stages.iter().any(|s| s.name == need && matches!(s.outcome, Outcome::Passed));
        if let Some(need) = needs.iter().find(|need| !passed(need)) {
            self.stages.push(Stage { name, time: Duration::ZERO, outcome: Outcome::Blocked(need) });
            return;
        }
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match work(&mut self.tally) {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                eprintln!("error: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        self.stages.push(Stage { name, time: start.elapsed(), outcome });
    }

    /// Prints times and outcomes and, as the last line, `N passed, N failed`: tests, or where none failed the
    /// stages that did not pass. Returns whether all passed.
    pub fn finish(mut self) -> bool {
        println!("\n== summary");
        for stage in &self.stages {
            let text = match &stage.outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(error) => format!("FAILED: {}", error.lines().next().unwrap_or_default()),
                Outcome::Blocked(need) => format!("not run: {need} did not pass"),
            };
            println!("{:<14}{:>7.1} s  {text}", stage.name, stage.time.as_secs_f64());
        }
        let total: Duration = self.stages.iter().map(|stage| stage.time).sum();
        println!("{:<14}{:>7.1} s", "all", total.as_secs_f64());
        let broken = self.stages.iter().filter(|stage| !matches!(stage.outcome, Outcome::Passed)).count();
        if broken > 0 && self.tally.failed == 0 {
            self.tally.failed = broken as u64;
        }
        println!("{} passed, {} failed", self.tally.passed, self.tally.failed);
        broken == 0
    }
}

/// Runs `cargo test`, passes its output on and counts.
///
/// # Errors
/// A test failed, the tests do not compile, or there was none.
pub fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let line = shown(command);
    eprintln!("$ {line}");
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let output = child.stdout.take().context("no pipe to the tests")?;
    let mut here = Tally::default();
    for text in BufReader::new(output).lines() {
        let text = text?;
        println!("{text}");
        if let Some(found) = result_line(&text) {
            here.passed += found.passed;
            here.failed += found.failed;
        }
    }
    let status = child.wait()?;
    tally.passed += here.passed;
    tally.failed += here.failed;
    if !status.success() {
        bail!("`{line}` failed ({status}), {} of its tests", here.failed);
    }
    if here.passed == 0 {
        bail!("`{line}` ran no test");
    }
    Ok(())
}

/// Reads `test result: ok. 3 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count =
        |word: &str| counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse::<u64>().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_a_test_binary() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(result_line(line), Some(Tally { passed: 12, failed: 3 }));
        assert_eq!(result_line("test a ... ok"), None);
    }

    #[test]
    fn a_failed_stage_blocks_only_what_needs_it() {
        let mut ran = Vec::new();
        let mut stages = Stages::default();
        stages.stage("a", &[], |_| bail!("broken"));
        stages.stage("b", &["a"], |_| {
            ran.push("b");
            Ok(())
        });
        stages.stage("c", &[], |_| {
            ran.push("c");
            Ok(())
        });
        assert!(!stages.finish());
        assert_eq!(ran, ["c"]);
    }

    #[test]
    fn all_passed_is_no_error() {
        let mut stages = Stages::default();
        stages.stage("a", &[], |tally| {
            tally.passed = 1;
            Ok(())
        });
        stages.stage("b", &["a"], |_| Ok(()));
        assert!(stages.finish());
    }
}
