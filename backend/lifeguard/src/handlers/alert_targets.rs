//! Who is told of problems: webhooks and mail addresses.

use async_trait::async_trait;
use serde_json::json;
use shared::api::MailSettings;
use shared::cmdlets::{
    GetLgAlertTarget, NewLgAlertTarget, RemoveLgAlertTarget, SetLgAlertTarget, TestLgAlertTarget,
};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use store::management::alerts::{self as kept, Settings, Target};

use crate::alerts::{CHANGED, send, try_now};
use crate::clock::{new_id, random_hex};
use crate::door::{Cx, Handler, Outcome, plan};
use crate::views::alerts as views;

const MAIL: &str = "Mail";
/// The longest pause before a target is told again: a week.
const LONGEST_PAUSE: u32 = 10_080;

fn find(cx: &Cx, identity: &str) -> Result<Target, ApiError> {
    let wanted = identity.trim();
    let all = cx.read(|c| Ok(kept::targets(c)?))?;
    let known: Vec<_> = all.iter().map(|t| t.label.clone()).collect();
    all.into_iter().find(|t| t.id == wanted || t.label.eq_ignore_ascii_case(wanted)).ok_or_else(|| {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text = format!("There is no alert target {wanted}. There are: {known}.");
        ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
    })
}

#[async_trait]
impl Handler for GetLgAlertTarget {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let wanted = self.identity.as_ref().map(|i| find(cx, i)).transpose()?;
        let list = views::targets(&cx.app, &cx.actor.roles)?;
        let keep = list.into_iter().filter(|t| wanted.as_ref().is_none_or(|w| w.id == t.id));
        let object = |t: shared::api::AlertTargetView| {
            json!({
                "Identity": t.label, "Id": t.id, "Kind": t.kind, "Address": t.address,
                "SmtpServer": t.mail.as_ref().map(|m| format!("{}:{}", m.server, m.port)),
                "SmtpSecurity": t.mail.as_ref().map(|m| m.security.clone()),
                "From": t.mail.map(|m| m.from), "Enabled": t.enabled, "AfterFailures": t.after_failures,
                "RepeatMinutes": t.repeat_minutes, "LastDelivery": t.last.as_ref().map(|d| d.at),
                "LastResult": t.last.map(|d| d.error.unwrap_or(d.state)),
            })
        };
        Ok(Outcome::objects(keep.map(object).collect()))
    }
}

/// The arguments that New- and Set- share.
struct Given<'a> {
    address: Option<&'a str>,
    server: Option<&'a str>,
    port: Option<u32>,
    security: Option<&'a str>,
    from: Option<&'a str>,
    user_name: Option<&'a str>,
    after_failures: Option<u32>,
    repeat_minutes: Option<u32>,
    enabled: Option<bool>,
    secret: bool,
    password: bool,
}

macro_rules! given {
    ($a:expr, $address:expr) => {
        Given {
            address: $address,
            server: $a.smtp_server.as_deref(),
            port: $a.smtp_port,
            security: $a.smtp_security.as_deref(),
            from: $a.from.as_deref(),
            user_name: $a.user_name.as_deref(),
            after_failures: $a.after_failures,
            repeat_minutes: $a.repeat_minutes,
            enabled: $a.enabled,
            secret: $a.secret.is_some(),
            password: $a.password.is_some(),
        }
    };
}

fn webhook_url(address: &str) -> Result<String, ApiError> {
    let wrong = |why: &str| {
        ApiError::invalid("Address", format!("{why} Give a URL such as https://hooks.contoso.com/lifeguard."))
    };
    let url = reqwest::Url::parse(address.trim()).map_err(|e| wrong(&format!("This is not a URL: {e}.")))?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(url.to_string()),
        _ => Err(wrong("A webhook is called over http or https.")),
    }
}

/// Port of a kind of security.
fn usual_port(security: &str) -> u16 {
    match security {
        "None" => 25,
        "Tls" => 465,
        _ => 587,
    }
}

fn fill_mail(m: &mut MailSettings, g: &Given<'_>) -> Result<(), ApiError> {
    let before = usual_port(&m.security);
    if let Some(s) = g.server {
        s.trim().clone_into(&mut m.server);
    }
    if m.server.is_empty() {
        return Err(ApiError::invalid("SmtpServer", "Mail needs the name of an SMTP server."));
    }
    if let Some(s) = g.security {
        s.clone_into(&mut m.security);
        if m.port == before {
            m.port = usual_port(s);
        }
    }
    if let Some(p) = g.port {
        m.port = u16::try_from(p)
            .ok()
            .filter(|p| *p > 0)
            .ok_or_else(|| ApiError::invalid("SmtpPort", "A port is a whole number from 1 to 65535."))?;
    }
    if let Some(f) = g.from {
        f.trim().clone_into(&mut m.from);
    }
    match send::mailboxes(&m.from).as_deref() {
        Ok([_]) => {}
        Ok(_) => return Err(ApiError::invalid("From", "Mail has one sender.")),
        Err(e) => return Err(ApiError::invalid("From", e.clone())),
    }
    if let Some(u) = g.user_name {
        m.user_name = Some(u.trim().to_owned()).filter(|u| !u.is_empty());
    }
    Ok(())
}

fn fill(s: &mut Settings, g: &Given<'_>) -> Result<(), ApiError> {
    if let Some(a) = g.address {
        s.address = if s.kind == MAIL {
            send::mailboxes(a).map_err(|e| ApiError::invalid("Address", e))?;
            a.trim().to_owned()
        } else {
            webhook_url(a)?
        };
    }
    match &mut s.mail {
        Some(m) => fill_mail(m, g)?,
        None => {
            let mail_only = [
                ("SmtpServer", g.server.is_some()),
                ("SmtpPort", g.port.is_some()),
                ("SmtpSecurity", g.security.is_some()),
                ("From", g.from.is_some()),
                ("UserName", g.user_name.is_some()),
                ("Password", g.password),
            ];
            if let Some((name, _)) = mail_only.iter().find(|(_, given)| *given) {
                return Err(ApiError::invalid(*name, format!("-{name} is for mail; a webhook has none.")));
            }
        }
    }
    if s.mail.is_some() && g.secret {
        return Err(ApiError::invalid("Secret", "-Secret signs webhooks; mail has -Password."));
    }
    if let Some(n) = g.after_failures {
        if !(1..=100).contains(&n) {
            return Err(ApiError::invalid(
                "AfterFailures",
                "Failures in a row are a whole number from 1 to 100.",
            ));
        }
        s.after_failures = n;
    }
    if let Some(n) = g.repeat_minutes {
        if n > LONGEST_PAUSE {
            return Err(ApiError::invalid("RepeatMinutes", "Minutes are a whole number from 0 to 10080."));
        }
        s.repeat_minutes = n;
    }
    if let Some(on) = g.enabled {
        s.enabled = on;
    }
    Ok(())
}

fn label(cx: &Cx, text: &str, own: Option<&str>) -> Result<String, ApiError> {
    let label = text.trim();
    if label.is_empty() || label.chars().count() > 100 {
        return Err(ApiError::invalid("Label", "A label has 1 to 100 characters."));
    }
    let taken = cx.read(|c| Ok(kept::targets(c)?))?;
    if taken.iter().any(|t| t.label.eq_ignore_ascii_case(label) && Some(t.id.as_str()) != own) {
        let text = format!("There is an alert target {label} already; change it with Set-LgAlertTarget.");
        return Err(ApiError { field: Some("Label".to_owned()), ..ApiError::new(ErrorCode::Conflict, text) });
    }
    Ok(label.to_owned())
}

fn sentence(label: &str, s: &Settings) -> String {
    let how = match &s.mail {
        Some(m) => format!("mail to {} over {}:{} ({})", s.address, m.server, m.port, m.security),
        None => "a signed POST to its URL".to_owned(),
    };
    let off = if s.enabled { "" } else { " It is switched off." };
    let again = match s.repeat_minutes {
        0 => "once".to_owned(),
        n => format!("and again every {n} minutes until somebody acknowledges it"),
    };
    format!(
        "Tell {label} by {how} when a problem appears, {again}, and when it is gone; of a failed test message after {} in a row.{off}",
        s.after_failures
    )
}

/// What a person should know of how mail leaves.
fn warnings(s: &Settings) -> Vec<String> {
    let open = s.mail.as_ref().is_some_and(|m| m.security == "None" && m.user_name.is_some());
    let text = "The password goes to the SMTP server unencrypted. Use -SmtpSecurity StartTls or Tls.";
    open.then(|| text.to_owned()).into_iter().collect()
}

fn new_target(a: &NewLgAlertTarget, cx: &Cx) -> Result<(String, Settings), ApiError> {
    let label = label(cx, &a.label, None)?;
    let security = a.smtp_security.clone().unwrap_or_else(|| "StartTls".to_owned());
    let mail = (a.kind == MAIL).then(|| MailSettings {
        server: String::new(),
        port: usual_port(&security),
        security,
        from: String::new(),
        user_name: None,
    });
    let mut s = Settings {
        kind: a.kind.clone(),
        address: String::new(),
        mail,
        enabled: true,
        after_failures: 1,
        repeat_minutes: 1_440,
    };
    fill(&mut s, &given!(a, Some(a.address.as_str())))?;
    Ok((label, s))
}

#[async_trait]
impl Handler for NewLgAlertTarget {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let (label, s) = new_target(self, cx)?;
        Ok(plan([sentence(&label, &s)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let (label, settings) = new_target(self, cx)?;
        let made =
            (settings.mail.is_none() && self.secret.is_none()).then(|| random_hex(&*cx.app.entropy, 32));
        let secret = made.as_ref().or(self.secret.as_ref()).or(self.password.as_ref());
        let now = cx.now();
        let t = Target {
            id: new_id(&*cx.app.entropy, now),
            label,
            secret: secret.map(|s| cx.app.keys.seal_text(&*cx.app.entropy, s)),
            settings,
        };
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::save_target(tx, &t, now)?))?;
        let mut object = json!({ "Identity": t.label, "Id": t.id });
        if let Some(s) = made {
            object["Secret"] = s.into();
        }
        let mut out = Outcome::changed(Topic::Alert, CHANGED).with(object);
        out.warnings = warnings(&t.settings);
        Ok(out)
    }
}

fn changed(a: &SetLgAlertTarget, cx: &Cx) -> Result<Target, ApiError> {
    let mut t = find(cx, &a.identity)?;
    if let Some(l) = &a.label {
        t.label = label(cx, l, Some(&t.id))?;
    }
    fill(&mut t.settings, &given!(a, a.address.as_deref()))?;
    Ok(t)
}

#[async_trait]
impl Handler for SetLgAlertTarget {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = changed(self, cx)?;
        Ok(plan([sentence(&t.label, &t.settings)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let mut t = changed(self, cx)?;
        if let Some(s) = self.secret.as_ref().or(self.password.as_ref()) {
            t.secret = Some(cx.app.keys.seal_text(&*cx.app.entropy, s));
        }
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::save_target(tx, &t, cx.now())?))?;
        let mut out = Outcome::changed(Topic::Alert, CHANGED);
        out.warnings = warnings(&t.settings);
        Ok(out)
    }
}

#[async_trait]
impl Handler for RemoveLgAlertTarget {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let t = find(cx, &self.identity)?;
        let mut p =
            plan([format!("Tell {} nothing any more. What still waits for it is given up.", t.label)]);
        p.confirm = Confirm::Ask;
        Ok(p)
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let t = find(cx, &self.identity)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::remove_target(tx, &t.id)?))?;
        Ok(Outcome::changed(Topic::Alert, CHANGED))
    }
}

#[async_trait]
impl Handler for TestLgAlertTarget {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let t = find(cx, &self.identity)?;
        let (result, text) = match try_now(&cx.app, &t).await? {
            Ok(took) => ("Success", format!("{} took the test alert in {} ms.", t.label, took.as_millis())),
            Err(why) => ("Failure", why),
        };
        // A query by nature, but somebody was told something.
        cx.note(if result == "Success" { "done" } else { "failed" }, &text);
        Ok(Outcome::objects(vec![json!({ "Identity": t.label, "Result": result, "Text": text })]))
    }
}
