//! Certificates of servers, and the DNS records that lead clients to them.

use async_trait::async_trait;
use serde_json::json;
use shared::api::{CertificateView, DnsRecordView};
use shared::cmdlets::{GetLgCertificate, GetLgDnsRecord, RemoveLgCertificate, SetLgCertificate};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::topology::FrontEndPool;
use store::management::certificates::{
    OwnCertificate, own_certificates, remove_own_certificate, set_own_certificate,
};

use super::published;
use crate::door::{Cx, Handler, Outcome, plan};
use crate::reach;

/// The published Front End pool of this name.
fn front_end(cx: &Cx, identity: &str) -> Result<FrontEndPool, ApiError> {
    let wanted = identity.trim();
    let t = cx.read(published)?;
    let known = t.front_end_pools.iter().map(|p| p.fqdn.to_string()).collect::<Vec<_>>().join(", ");
    t.front_end_pools.into_iter().find(|p| p.fqdn.as_str().eq_ignore_ascii_case(wanted)).ok_or_else(|| {
        let text = format!("{wanted} is no published Front End pool. There are: {known}.");
        ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
    })
}

#[async_trait]
impl Handler for GetLgCertificate {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let wanted = self.identity.as_ref().map(|i| i.trim().to_lowercase());
        let keep = |c: &CertificateView| wanted.as_ref().is_none_or(|w| *w == c.server || *w == c.pool);
        let object = |c: CertificateView| {
            json!({
                "Identity": if c.server.is_empty() { "Authority" } else { &c.server }, "Pool": c.pool,
                "Own": c.own, "Subject": c.subject, "Issuer": c.issuer, "AlternativeNames": c.names,
                "NotBefore": c.not_before, "NotAfter": c.not_after, "DaysLeft": c.days_left,
                "Thumbprint": c.thumbprint,
            })
        };
        Ok(Outcome::objects(reach::certificates(&cx.app).into_iter().filter(keep).map(object).collect()))
    }
}

#[async_trait]
impl Handler for SetLgCertificate {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let pool = front_end(cx, &self.identity)?;
        let (view, warnings) = reach::check(&self.certificate, &self.private_key, &pool.fqdn, cx.now())?;
        let text = format!(
            "Show clients of {} the certificate {} of {}, valid until {}. Sessions go on.",
            pool.fqdn,
            view.subject,
            view.issuer,
            view.not_after.rfc3339()
        );
        let mut sentences = vec![text];
        sentences.extend(warnings);
        if pool.servers.iter().any(|s| matches!(s.placement, shared::topology::Placement::Node(_))) {
            sentences
                .push("Servers of this pool on nodes show it as soon as their node is connected.".to_owned());
        }
        Ok(Plan { confirm: Confirm::Ask, ..plan(sentences) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let pool = front_end(cx, &self.identity)?;
        let own = OwnCertificate {
            pool: pool.fqdn.to_string(),
            chain: self.certificate.clone(),
            key: cx.app.keys.seal_text(&*cx.app.entropy, &self.private_key),
        };
        cx.commit(&p.sentences.join(" "), |tx| Ok(set_own_certificate(tx, &own, &cx.actor.name, cx.now())?))?;
        reach::apply(&cx.app)?;
        Ok(Outcome::changed(Topic::Server, pool.fqdn.as_str()))
    }
}

#[async_trait]
impl Handler for RemoveLgCertificate {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let wanted = self.identity.trim();
        let all = cx.read(|c| Ok(own_certificates(c)?))?;
        if !all.iter().any(|o| o.pool.eq_ignore_ascii_case(wanted)) {
            let text = format!("{wanted} has no certificate of its own.");
            return Err(ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) });
        }
        let text = format!("Show clients of {wanted} the certificate of the portal's authority again.");
        Ok(Plan { confirm: Confirm::Ask, ..plan([text]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let pool = self.identity.trim().to_lowercase();
        cx.commit(&p.sentences.join(" "), |tx| Ok(remove_own_certificate(tx, &pool)?))?;
        reach::apply(&cx.app)?;
        Ok(Outcome::changed(Topic::Server, pool))
    }
}

#[async_trait]
impl Handler for GetLgDnsRecord {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let object = |r: DnsRecordView| {
            json!({
                "Type": r.kind, "Name": r.name, "Value": r.value, "Purpose": r.purpose, "Found": r.found,
                "Warning": r.warning,
            })
        };
        Ok(Outcome::objects(reach::records(&cx.app).await.into_iter().map(object).collect()))
    }
}
