//! How clients reach the deployment: the certificates that servers show, and the DNS records that lead to them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use node::ca::{Identity, details};
use shared::api::{CertificateView, DnsRecordView};
use shared::deployment::{Deployment, FrontEndHost};
use shared::error::{ApiError, Problem};
use shared::{Fqdn, Timestamp};
use store::management::certificates::own_certificates;

use crate::app::App;
use crate::door::store_error;

/// From so many days before its end on, a certificate is a problem on the overview.
const WARN_DAYS: i64 = 30;
/// Longest wait for the resolver.
const RESOLVE: Duration = Duration::from_secs(3);
/// How often certificates are looked at.
const LOOK: Duration = Duration::from_secs(3600);

/// Lets servers show what the store has; one that cannot be used is told and the authority's is shown.
///
/// # Errors
/// When the store does not answer.
pub fn apply(app: &App) -> Result<(), ApiError> {
    let mut all = Vec::new();
    for o in app.store.read(own_certificates).map_err(store_error)? {
        let made = match (Fqdn::try_from(o.pool.as_str()), app.keys.open_text(&o.key)) {
            (Ok(pool), Some(key)) => {
                Identity::from_pem(&o.chain, &key).map(|id| (pool, id)).map_err(|e| e.to_string())
            }
            (Err(e), _) => Err(e.0),
            (_, None) => Err("the key file does not open its private key".to_owned()),
        };
        match made {
            Ok(own) => all.push(own),
            Err(cause) => tracing::error!(pool = o.pool, cause, "an own certificate cannot be used"),
        }
    }
    if let Err(cause) = app.ca.set_own(&all) {
        tracing::error!(%cause, "the own certificates cannot be used");
    }
    app.ca.refresh(app.clock.now());
    Ok(())
}

/// Renews certificates before they end, as long as the portal runs.
pub async fn keep(app: Arc<App>) {
    loop {
        tokio::time::sleep(LOOK).await;
        app.ca.refresh(app.clock.now());
    }
}

/// What servers of this process show, and the authority itself, which comes first.
pub fn certificates(app: &App) -> Vec<CertificateView> {
    let now = app.clock.now();
    let mut out: Vec<CertificateView> = details(app.ca.certificate(), now).into_iter().collect();
    for p in app.ca.presented() {
        let Some((certificate, own)) = p.certificate() else { continue };
        let [server, pool] = p.names() else { continue };
        out.extend(details(&certificate, now).map(|d| CertificateView {
            server: server.to_string(),
            pool: pool.to_string(),
            own,
            ..d
        }));
    }
    // The authority has no pool, so it comes first.
    out.sort_by(|a, b| (&a.pool, &a.server).cmp(&(&b.pool, &b.server)));
    out
}

/// Certificates that end soon or have ended: `(server, problem)`.
pub fn problems(app: &App) -> Vec<(String, Problem)> {
    let mut out: Vec<(String, Problem)> = Vec::new();
    for c in certificates(app).into_iter().filter(|c| c.days_left < WARN_DAYS) {
        let whose = if c.server.is_empty() {
            "of the portal's authority".to_owned()
        } else {
            format!("of {}", c.pool)
        };
        if out.iter().any(|(w, _)| *w == whose) {
            continue;
        }
        let text = match c.days_left {
            d if d < 0 => format!("The certificate {whose} has ended; clients refuse it."),
            d => format!("The certificate {whose} ends in {d} days."),
        };
        let p = if c.days_left < 0 {
            Problem::error("certificate.ended", "", text, "")
        } else {
            Problem::warning("certificate.ending", "", text, "")
        };
        out.push((whose, p));
    }
    out
}

fn addresses(f: &FrontEndHost) -> BTreeSet<IpAddr> {
    f.servers.iter().map(|s| s.address).filter(|a| !a.is_unspecified()).collect()
}

/// The records that clients look for, without what the resolver of this host says.
pub fn wanted(d: &Deployment) -> Vec<DnsRecordView> {
    let mut out = Vec::new();
    for f in &d.front_ends {
        let mut names: Vec<(&Fqdn, BTreeSet<IpAddr>)> = vec![(&f.fqdn, addresses(f))];
        let alone = |s: &&shared::deployment::HostedServer| s.fqdn != f.fqdn && !s.address.is_unspecified();
        names.extend(f.servers.iter().filter(alone).map(|s| (&s.fqdn, BTreeSet::from([s.address]))));
        for (name, list) in names {
            for a in list {
                let text = if a.is_loopback() { "Reached from this machine only." } else { "" };
                out.push(DnsRecordView {
                    kind: if a.is_ipv4() { "A" } else { "AAAA" }.to_owned(),
                    name: name.to_string(),
                    value: a.to_string(),
                    purpose: format!("Front End {}", f.fqdn),
                    warning: text.to_owned(),
                    found: None,
                });
            }
        }
    }
    // Lync clients take the first SRV record of their domain that answers; the pool sends each user on.
    for domain in &d.sip_domains {
        for (i, f) in d.front_ends.iter().enumerate() {
            let inside = f.fqdn.as_str().ends_with(&format!(".{domain}"));
            let text = if inside {
                String::new()
            } else {
                format!(
                    "Clients of {domain} take no server of another domain without being asked to trust it."
                )
            };
            out.push(DnsRecordView {
                kind: "SRV".to_owned(),
                name: format!("_sipinternaltls._tcp.{domain}"),
                value: format!("{} 0 {} {}", i * 10, f.tls_port, f.fqdn),
                purpose: format!("Automatic sign-in of {domain}"),
                warning: text,
                found: None,
            });
        }
    }
    out
}

/// The records, with what the resolver of this host finds for names.
pub async fn records(app: &App) -> Vec<DnsRecordView> {
    let mut list = wanted(&app.deployment.borrow().clone());
    let names: BTreeSet<String> = list.iter().filter(|r| r.kind != "SRV").map(|r| r.name.clone()).collect();
    let mut asked = tokio::task::JoinSet::new();
    for name in names {
        asked.spawn(async move {
            let found = tokio::time::timeout(RESOLVE, tokio::net::lookup_host((name.as_str(), 0))).await;
            let all = found.ok().and_then(Result::ok).map(|l| l.map(|a| a.ip()).collect::<BTreeSet<_>>());
            (name, all.unwrap_or_default())
        });
    }
    for (name, found) in asked.join_all().await {
        for r in list.iter_mut().filter(|r| r.name == name && r.kind != "SRV") {
            r.found = Some(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        }
    }
    list
}

/// What an administrator sets is looked at before it is taken: names, dates, key.
///
/// # Errors
/// What is wrong, at its parameter.
pub fn check(
    chain: &str,
    key: &str,
    pool: &Fqdn,
    now: Timestamp,
) -> Result<(CertificateView, Vec<String>), ApiError> {
    let id = Identity::from_pem(chain, key).map_err(|e| {
        let text = e.to_string();
        let field = if text.contains("key") { "PrivateKey" } else { "Certificate" };
        ApiError::invalid(field, format!("It cannot be used: {text}."))
    })?;
    let view = id.certificate().and_then(|c| details(c, now));
    let view = view.ok_or_else(|| ApiError::invalid("Certificate", "This is not an X.509 certificate."))?;
    let covers = |n: &str| {
        n == pool.as_str()
            || n.strip_prefix("*.")
                .is_some_and(|d| pool.as_str().split_once('.').is_some_and(|(_, r)| r == d))
    };
    if !view.names.iter().any(|n| covers(n)) {
        let names = if view.names.is_empty() { "no DNS name".to_owned() } else { view.names.join(", ") };
        let text = format!("It is for {names}, not for {pool}; clients would refuse it.");
        return Err(ApiError::invalid("Certificate", text));
    }
    if view.not_after <= now || view.not_before > now {
        let text = format!(
            "It is valid from {} to {}, not now.",
            view.not_before.rfc3339(),
            view.not_after.rfc3339()
        );
        return Err(ApiError::invalid("Certificate", text));
    }
    let mut warnings = Vec::new();
    if view.days_left < WARN_DAYS {
        warnings.push(format!("It ends in {} days.", view.days_left));
    }
    if view.subject == view.issuer {
        warnings.push("It is signed by itself: each client must be told to trust it.".to_owned());
    }
    Ok((view, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_lead_to_front_ends_and_say_what_hinders() {
        let mut d = Deployment::default();
        let name = |n: &str| Fqdn::try_from(n).unwrap();
        d.sip_domains = vec![name("contoso.com"), name("fabrikam.com")];
        let server = |fqdn: &str, address: &str| shared::deployment::HostedServer {
            fqdn: name(fqdn),
            address: address.parse().unwrap(),
            runs_here: true,
            node: None,
            unreachable: false,
        };
        d.front_ends = vec![FrontEndHost {
            id: shared::ObjectId::try_from("fe").unwrap(),
            fqdn: name("fe.contoso.com"),
            servers: vec![server("fe1.contoso.com", "192.0.2.10"), server("fe2.contoso.com", "127.9.0.2")],
            tls_port: 5061,
            tcp_port: 5060,
        }];
        let all = wanted(&d);
        let line = |r: &DnsRecordView| format!("{} {} {} {}", r.kind, r.name, r.value, !r.warning.is_empty());
        assert_eq!(
            all.iter().map(line).collect::<Vec<_>>(),
            [
                "A fe.contoso.com 127.9.0.2 true",
                "A fe.contoso.com 192.0.2.10 false",
                "A fe1.contoso.com 192.0.2.10 false",
                "A fe2.contoso.com 127.9.0.2 true",
                "SRV _sipinternaltls._tcp.contoso.com 0 0 5061 fe.contoso.com false",
                "SRV _sipinternaltls._tcp.fabrikam.com 0 0 5061 fe.contoso.com true",
            ]
        );
    }
}
