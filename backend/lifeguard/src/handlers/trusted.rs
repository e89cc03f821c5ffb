//! Authorities of others that test messages trust.

use async_trait::async_trait;
use node::ca::{Described, certificates, described};
use serde_json::{Value, json};
use shared::cmdlets::{GetLgTrustedCertificate, NewLgTrustedCertificate, RemoveLgTrustedCertificate};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use store::management::trusted::{self, Trusted};

use crate::door::{Cx, Handler, Outcome, plan};

/// Longest text that is taken: a chain, not a whole store.
const LONGEST: usize = 64 * 1024;

fn all(cx: &Cx) -> Result<Vec<Trusted>, ApiError> {
    cx.read(|c| Ok(trusted::all(c)?))
}

fn find(cx: &Cx, identity: &str) -> Result<Trusted, ApiError> {
    let wanted = identity.trim();
    all(cx)?.into_iter().find(|t| t.name.eq_ignore_ascii_case(wanted)).ok_or_else(|| {
        let text = format!("There is no trusted certificate {wanted}. Get-LgTrustedCertificate lists them.");
        ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
    })
}

/// What is in a stored text; it was checked when it was stored.
fn facts(pem: &str) -> Vec<Described> {
    certificates(pem).unwrap_or_default().iter().filter_map(|c| described(c)).collect()
}

fn object(t: &Trusted) -> Value {
    let facts = facts(&t.pem);
    let list = |of: fn(&Described) -> Value| -> Vec<Value> { facts.iter().map(of).collect() };
    json!({
        "Identity": t.name, "Subject": list(|d| json!(d.subject)), "Thumbprint": list(|d| json!(d.thumbprint)),
        "NotAfter": list(|d| json!(d.not_after)), "Added": t.added, "AddedBy": t.added_by,
    })
}

#[async_trait]
impl Handler for GetLgTrustedCertificate {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let list = match &self.identity {
            Some(i) => vec![find(cx, i)?],
            None => all(cx)?,
        };
        Ok(Outcome::objects(list.iter().map(object).collect()))
    }
}

fn checked(a: &NewLgTrustedCertificate, cx: &Cx) -> Result<(Trusted, Vec<Described>), ApiError> {
    let name = a.name.trim();
    if name.is_empty() || name.len() > 64 {
        return Err(ApiError::invalid("Name", "A name has 1 to 64 characters."));
    }
    if all(cx)?.iter().any(|t| t.name.eq_ignore_ascii_case(name)) {
        let text = format!("There is a trusted certificate {name} already; remove it first.");
        return Err(ApiError { field: Some("Name".to_owned()), ..ApiError::new(ErrorCode::Conflict, text) });
    }
    if a.certificate.len() > LONGEST {
        return Err(ApiError::invalid("Certificate", "The text is longer than 64 kB."));
    }
    let list = certificates(&a.certificate)
        .map_err(|e| ApiError::invalid("Certificate", format!("The text cannot be used: {e}.")))?;
    let facts = list.iter().filter_map(|c| described(c)).collect();
    let row = Trusted {
        name: name.to_owned(),
        pem: a.certificate.clone(),
        added: cx.now(),
        added_by: cx.actor.name.clone(),
    };
    Ok((row, facts))
}

#[async_trait]
impl Handler for NewLgTrustedCertificate {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (row, facts) = checked(self, cx)?;
        let day = |d: &Described| d.not_after.rfc3339().get(..10).unwrap_or_default().to_owned();
        let says = |d: &Described| {
            let over = if d.not_after < cx.now() { "; it has expired" } else { "" };
            format!("It is {} (SHA-256 {}), valid until {}{over}.", d.subject, d.thumbprint, day(d))
        };
        let mut sentences =
            vec![format!("Test messages trust servers whose certificate comes from {}.", row.name)];
        sentences.extend(facts.iter().map(says));
        Ok(plan(sentences))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let (row, _) = checked(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(trusted::add(tx, &row)?))?;
        Ok(Outcome::changed(Topic::Test, "trusted").with(object(&row)))
    }
}

#[async_trait]
impl Handler for RemoveLgTrustedCertificate {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = find(cx, &self.identity)?;
        let text = format!("Test messages do not trust certificates of {} any more.", t.name);
        Ok(Plan { confirm: Confirm::Ask, ..plan([text]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = find(cx, &self.identity)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(trusted::remove(tx, &t.name)?))?;
        Ok(Outcome::changed(Topic::Test, "trusted"))
    }
}
