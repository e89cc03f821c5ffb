//! A job as lines of text, for the shells.

use std::fmt::Write as _;

use super::JobView;

impl JobView {
    /// Its steps, a line each. What a step told stands below it where somebody must know it: of a failed step,
    /// and of a rehearsal, which is run for nothing else.
    pub fn told(&self, rehearsal: bool) -> String {
        let mut out = String::new();
        for s in &self.steps {
            #[expect(clippy::expect_used, reason = "writing to a String")]
            writeln!(out, "{:<8} {}", s.state, s.title).expect("a String takes everything");
            if rehearsal || s.state == "failed" {
                s.log.iter().for_each(|l| out.extend(["         ", l, "\n"]));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::JobView;
    use crate::api::JobStep;

    #[test]
    fn what_a_rehearsal_found_is_told_and_of_other_jobs_what_failed() {
        let step = |title: &str, state: &str, log: &str| JobStep {
            title: title.to_owned(),
            state: state.to_owned(),
            log: vec![log.to_owned()],
            millis: None,
            expected: None,
            remedy: None,
        };
        let job = JobView {
            id: String::new(),
            title: String::new(),
            state: "failed".to_owned(),
            actor: String::new(),
            started: crate::Timestamp::from_millis(0),
            steps: vec![step("Copy", "done", "12 KB"), step("Apply", "failed", "a gap")],
            error: None,
        };
        assert_eq!(job.told(false), "done     Copy\nfailed   Apply\n         a gap\n");
        assert_eq!(job.told(true), "done     Copy\n         12 KB\nfailed   Apply\n         a gap\n");
    }
}
