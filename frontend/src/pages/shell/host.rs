//! Where the shell runs: cmdlets go to the portal, questions to the person.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use shared::api::{JobView, TestRun};
use shared::cmdlet::Spec;
use shared::error::{ApiError, ErrorCode};
use shared::plan::{CmdletResponse, Invocation};
use shared::shell::Host;
use shared::synthetic::TestReport;

use crate::api;

/// How often a running test or job is looked at, milliseconds.
const LOOK: u32 = 200;

/// How a question is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes or no.
    Yes,
    /// A line.
    Line,
    /// A password, typed without echo.
    Secret,
}

/// A question that waits for its answer.
#[derive(Clone)]
pub struct Ask {
    /// What is asked.
    pub text: String,
    /// How it is answered.
    pub how: Answer,
    /// The answer; none inside for "no".
    pub answer: RwSignal<Option<Option<String>>>,
}

/// The page as a host.
pub struct Portal {
    /// Where questions are shown.
    pub ask: RwSignal<Option<Ask>>,
}

impl Portal {
    async fn question(&self, text: String, how: Answer) -> Option<String> {
        let answer = RwSignal::new(None);
        self.ask.set(Some(Ask { text, how, answer }));
        loop {
            // The page may be left while a question stands: the signal is gone then.
            match answer.try_get_untracked() {
                None => return None,
                Some(Some(a)) => return a,
                Some(None) => TimeoutFuture::new(50).await,
            }
        }
    }

    async fn wait(&self, spec: &Spec, id: &str, answer: &mut CmdletResponse) -> Result<(), ApiError> {
        loop {
            let ended = if spec.starts_test_message() {
                let run: TestRun = api::get(&format!("tests/{id}")).await?;
                answer.warnings = run.report.as_ref().map(|r| r.warnings.clone()).unwrap_or_default();
                answer.output = run.report.iter().map(TestReport::object).collect();
                answer.text = run.printed;
                (run.summary.state != "running").then(|| answer.text.is_none().then_some(run.summary.verdict))
            } else {
                let job: JobView = api::get(&format!("jobs/{id}")).await?;
                let steps = job.told(spec.name == "Test-LgFailover");
                let ended = (job.state != "running").then(|| job.error.map(|e| format!("{e}\n{steps}")));
                answer.text = Some(steps);
                ended
            };
            match ended {
                None => TimeoutFuture::new(LOOK).await,
                Some(None) => return Ok(()),
                Some(Some(error)) => return Err(ApiError::new(ErrorCode::Unavailable, error)),
            }
        }
    }
}

impl Host for Portal {
    async fn invoke(&self, spec: &'static Spec, invocation: Invocation) -> Result<CmdletResponse, ApiError> {
        let mut answer = api::cmdlet(spec.name, &invocation).await?;
        if let Some(id) = answer.job.clone() {
            self.wait(spec, &id, &mut answer).await?;
        }
        Ok(answer)
    }

    async fn read_password(&self, user: &str) -> Option<String> {
        self.question(format!("Password for {user}"), Answer::Secret).await
    }

    async fn read_line(&self, prompt: &str, secret: bool) -> Option<String> {
        let prompt = if prompt.is_empty() { "Value" } else { prompt };
        self.question(prompt.to_owned(), if secret { Answer::Secret } else { Answer::Line }).await
    }

    async fn confirm(&self, question: &str) -> bool {
        self.question(question.to_owned(), Answer::Yes).await.is_some()
    }
}
