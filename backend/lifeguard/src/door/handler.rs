//! What a handler is and gives back.

use async_trait::async_trait;
use serde_json::{Map, Value};
use shared::cmdlet::{Cmdlet, read_args};
use shared::error::{ApiError, Problem};
use shared::events::Topic;
use shared::plan::Plan;

use super::cx::Cx;

/// What a handler gives back.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects returned.
    pub output: Vec<Value>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Job or test run started.
    pub job: Option<String>,
    /// What changed, for the live page.
    pub events: Vec<(Topic, String)>,
    /// Whether servers must be told (deployment rebuilt).
    pub redeploy: bool,
}

impl Outcome {
    /// Objects of a query.
    pub fn objects(output: Vec<Value>) -> Self {
        Self { output, ..Self::default() }
    }

    /// Something changed.
    pub fn changed(topic: Topic, subject: impl Into<String>) -> Self {
        Self { events: vec![(topic, subject.into())], ..Self::default() }
    }

    /// Servers must be told.
    pub fn redeploy(mut self) -> Self {
        self.redeploy = true;
        self
    }

    /// Returns an object.
    pub fn with(mut self, object: Value) -> Self {
        self.output.push(object);
        self
    }
}

/// A cmdlet's behaviour. Pure rules are called from `shared`; this reads, plans and applies.
#[async_trait]
pub trait Handler: Cmdlet {
    /// What it would do; queries have no plan.
    async fn plan(&self, _cx: &Cx) -> Result<Plan, ApiError> {
        Ok(Plan::default())
    }

    /// Does it. The plan has been confirmed and holds, because the door admits one change at a time.
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError>;
}

/// A handler with its argument type erased.
#[async_trait]
pub trait AnyHandler: Send + Sync {
    /// What it would do.
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError>;
    /// Does it.
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError>;
}

#[async_trait]
impl<H: Handler> AnyHandler for H {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        Handler::plan(self, cx).await
    }
    async fn run(&self, cx: &Cx, plan: &Plan) -> Result<Outcome, ApiError> {
        Handler::run(self, cx, plan).await
    }
}

/// Reads arguments into a boxed handler.
pub fn boxed<H: Handler>(args: &Map<String, Value>) -> Result<Box<dyn AnyHandler>, ApiError> {
    Ok(Box::new(read_args::<H>(args)?))
}

/// A plan of sentences.
pub fn plan(sentences: impl IntoIterator<Item = String>) -> Plan {
    Plan { sentences: sentences.into_iter().collect(), ..Plan::default() }
}

/// A plan that cannot be carried out.
pub fn blocked(mut plan: Plan, code: &str, field: &str, text: impl Into<String>, source: &str) -> Plan {
    plan.blockers.push(Problem::error(code, field, text, source));
    plan
}
