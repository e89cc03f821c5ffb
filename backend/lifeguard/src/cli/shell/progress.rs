//! What is told on standard error while work runs.

use std::collections::BTreeMap;

use shared::api::{JobView, PoolSummary};

/// The steps of a job that were told.
#[derive(Default)]
pub struct Steps {
    told: Vec<String>,
}

impl Steps {
    /// A line for each step whose state is another than the last time.
    pub fn news(&mut self, job: &JobView) -> Vec<String> {
        let mut out = Vec::new();
        for (i, s) in job.steps.iter().enumerate() {
            if self.told.get(i) == Some(&s.state) {
                continue;
            }
            if i < self.told.len() {
                self.told[i].clone_from(&s.state);
            } else {
                self.told.push(s.state.clone());
            }
            if s.state == "waiting" {
                continue;
            }
            let took = s.millis.map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
            out.push(format!("{:<8} {}{took}", s.state, s.title));
            if s.state == "failed" {
                out.extend(s.log.iter().map(|l| format!("         {l}")));
            }
        }
        out
    }
}

/// What the pools looked like when they were told last.
#[derive(Default)]
pub struct Pools {
    told: BTreeMap<String, String>,
}

impl Pools {
    /// A line for each pool that looks another way than the last time; none the first time.
    pub fn news(&mut self, pools: &[PoolSummary]) -> Vec<String> {
        let mut out = Vec::new();
        for p in pools {
            let open: Vec<String> = p
                .databases
                .iter()
                .filter(|d| d.in_use && d.database == "mgc")
                .map(|d| format!("{} database on {}", d.role, d.store))
                .collect();
            let open = if open.is_empty() { "no database".to_owned() } else { open.join(", ") };
            let follows = if p.converged { "all servers follow" } else { "servers are following" };
            let now = format!("{}: {}, {open} in use, {follows}", p.fqdn, p.state.word());
            if let Some(before) = self.told.insert(p.fqdn.to_string(), now.clone())
                && before != now
            {
                out.push(now);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use shared::api::{JobStep, JobView};

    use super::Steps;

    #[test]
    fn a_step_is_told_when_its_state_changes() {
        let step = |title: &str, state: &str| JobStep {
            title: title.to_owned(),
            state: state.to_owned(),
            log: vec!["port 5041 is taken".to_owned()],
            millis: (state == "done").then_some(12),
            expected: None,
            remedy: None,
        };
        let job = |states: [&str; 2]| JobView {
            id: String::new(),
            title: String::new(),
            state: "running".to_owned(),
            actor: String::new(),
            started: shared::time::Timestamp::from_millis(0),
            steps: vec![step("Check", states[0]), step("Servers", states[1])],
            error: None,
        };
        let mut s = Steps::default();
        assert_eq!(s.news(&job(["running", "waiting"])), ["running  Check"]);
        assert_eq!(s.news(&job(["running", "waiting"])), Vec::<String>::new());
        assert_eq!(s.news(&job(["done", "running"])), ["done     Check (12 ms)", "running  Servers"]);
        assert_eq!(s.news(&job(["done", "failed"])), ["failed   Servers", "         port 5041 is taken"]);
    }
}
