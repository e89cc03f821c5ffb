//! Calls of the product's cmdlets: plan, question, call; one object of a pipeline after the other.

use serde_json::Value;

use super::{Done, Halt, Host, Output, OutputPart, Run, at};
use crate::cmdlet::{Nature, Spec};
use crate::error::{ApiError, ErrorCode};
use crate::plan::{Confirm, Invocation, Mode, Plan};
use crate::shell::bind::{Bound, bind, find, text_of};
use crate::shell::builtin;
use crate::shell::filter::property;
use crate::shell::parse::{Command, ParseError};

impl<H: Host> Run<'_, H> {
    pub(super) async fn command(&mut self, c: &Command, input: Vec<Value>, piped: bool) -> Done<Output> {
        if let Some(own) = builtin::find(&c.name) {
            return self.builtin(own, c, input, piped).await;
        }
        let spec = find(c)?;
        // Arguments first, so that commands in parentheses run once.
        let mut values = Vec::new();
        for a in &c.args {
            values.push(match &a.value {
                Some(e) => Some(self.eval(e).await.map_err(|h| at(h, a.span))?),
                None => None,
            });
        }
        let bound = bind(c, values)?;
        // An identity in the line stands for itself, however much is piped.
        let named = spec.params.iter().any(|p| p.pipe.is_some() && bound.args.contains_key(p.name));
        if !piped || named {
            return match self.invoke(&bound, c).await {
                Ok(o) => Ok(o),
                Err(h) => self.give_up(h, &bound).map(|()| Output::default()),
            };
        }
        // One object that fails does not keep the others.
        let mut all = Output::default();
        for object in input {
            let mut one = bound.clone();
            let done = match from_pipe(&mut one, spec, &object) {
                Ok(()) => self.invoke(&one, c).await,
                Err(text) => Err(ParseError::new(text, c.span.0, c.span.1).into()),
            };
            match done {
                Ok(o) => all.append(o),
                Err(h) => self.settle(h, bound.error_action)?,
            }
        }
        Ok(all)
    }

    /// An error of a call that stands alone ends its statement: what depends on it must not run.
    fn give_up(&mut self, h: Halt, b: &Bound) -> Done<()> {
        use super::ErrorAction::{Continue, Silent, Stop};
        match b.error_action.unwrap_or_else(|| self.preference()) {
            Silent if !h.line => Ok(()),
            Stop => Err(Halt { line: true, ..h }),
            Continue | Silent => Err(h),
        }
    }

    async fn invoke(&mut self, b: &Bound, c: &Command) -> Done<Output> {
        let wrong = |text: String| Halt::from(ParseError::new(text, c.span.0, c.span.1));
        let mut inv = Invocation { args: b.args.clone(), ..Invocation::default() };
        if b.spec.nature != Nature::Query {
            inv.mode = Mode::WhatIf;
            let asked = self.host.invoke(b.spec, inv.clone()).await.map_err(|e| wrong(error_text(e)))?;
            let plan = asked.plan.unwrap_or_default();
            if b.what_if {
                self.problems(&plan);
                if let Some(b) = plan.blockers.first() {
                    return Err(wrong(format!("It would be refused: {}", b.text)));
                }
                return Ok(Output::text(plan.sentences.iter().map(|s| format!("What if: {s}\n")).collect()));
            }
            let asks = plan.confirm != Confirm::None
                && plan.blockers.is_empty()
                && !b.force
                && b.confirm != Some(false);
            if (asks || b.confirm == Some(true)) && !self.host.confirm(&question(&plan)).await {
                return Err(wrong("Not confirmed; nothing was done.".to_owned()));
            }
            inv.mode = Mode::Run;
            inv.confirmed = true;
            inv.fingerprint = Some(plan.fingerprint);
        }
        let answer = self.host.invoke(b.spec, inv).await.map_err(|e| wrong(error_text(e)))?;
        if b.spec.starts_test_message()
            && let Some(run) = &answer.job
        {
            self.note_run(b, run, &answer.output).await;
        }
        if !b.no_warnings {
            self.out.extend(answer.warnings.into_iter().map(OutputPart::Warning));
        }
        Ok(Output { objects: answer.output, text: answer.text })
    }

    fn problems(&mut self, plan: &Plan) {
        let all = plan.blockers.iter().chain(&plan.warnings);
        self.out.extend(all.map(|p| OutputPart::Warning(p.text.clone())));
        if let Some((name, text)) = &plan.acknowledge {
            self.out.push(OutputPart::Warning(format!("{text} (-{name} accepts this)")));
        }
    }
}

fn error_text(e: ApiError) -> String {
    let id = e.request_id.map(|i| format!(" (request {i})")).unwrap_or_default();
    let more = e.problems.iter().skip(1).filter(|_| e.code != ErrorCode::Forbidden);
    format!("{}{}{id}", e.message, more.map(|p| format!("\n{}", p.text)).collect::<String>())
}

/// Takes what a piped object gives: `-Instance` is not needed when the identity is.
fn from_pipe(b: &mut Bound, spec: &'static Spec, object: &Value) -> Result<(), String> {
    let mut taken = false;
    for p in spec.params {
        let Some(name) = p.pipe else { continue };
        let v = if object.is_object() { property(object, name) } else { object.clone() };
        if let Some(t) = text_of(&v).filter(|t| !t.is_empty()) {
            b.args.insert(p.name.to_owned(), t.into());
            taken = true;
        }
    }
    // Without an identity some cmdlets would change "the global one".
    if taken { Ok(()) } else { Err(format!("{} can take nothing of the piped object.", spec.name)) }
}

fn question(plan: &Plan) -> String {
    let warnings: String = plan.warnings.iter().map(|w| format!("\nWARNING: {}", w.text)).collect();
    let loss = plan.acknowledge.as_ref().map(|(_, t)| format!("\nWARNING: {t}")).unwrap_or_default();
    format!("Confirm\n{}{warnings}{loss}", plan.sentences.join("\n"))
}
