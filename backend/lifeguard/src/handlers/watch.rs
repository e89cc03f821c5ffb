//! Stored test users and watchers. Source: cmdlets.md §11, S2.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::cmdlet::ListModifier;
use shared::cmdlets::{
    GetCsTestUserCredential, GetCsWatcherNodeConfiguration, NewCsWatcherNodeConfiguration,
    RemoveCsTestUserCredential, RemoveCsWatcherNodeConfiguration, SetCsTestUserCredential,
    SetCsWatcherNodeConfiguration, TestCsWatcherNodeConfiguration,
};
use shared::error::{ApiError, ErrorCode};
use shared::events::Topic;
use shared::identity::wildcard_match;
use shared::plan::Plan;
use shared::{Port, SipUri};
use store::management::nodes;
use store::management::watch::{self, Credential, Settings, Watcher};

use crate::door::{Cx, Handler, Outcome, plan};
use crate::probe::Resolved;
use crate::schedule::{Cron, Window};
use crate::watch::{arguments, scheduled};

/// The one test that this watcher knows.
const TEST: &str = "PersistentChatMessage";

fn sip(raw: &str, field: &str) -> Result<SipUri, ApiError> {
    SipUri::try_from(raw).map_err(|e| ApiError::invalid(field, e.0))
}

fn not_stored(address: &SipUri) -> ApiError {
    ApiError {
        field: Some("SipAddress".to_owned()),
        ..ApiError::not_found(format!("{address} is not a stored test user."))
    }
}

#[async_trait]
impl Handler for SetCsTestUserCredential {
    async fn plan(&self, _: &Cx) -> Result<Plan, ApiError> {
        let address = sip(&self.sip_address, "SipAddress")?;
        if self.credential.is_none() && (self.user_name.is_none() || self.password.is_none()) {
            return Err(ApiError::invalid("Credential", "Give -Credential, or -UserName and -Password."));
        }
        Ok(plan([format!("Store {address} as a test user; the password is sealed with the key file.")]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let address = sip(&self.sip_address, "SipAddress")?;
        let (user_name, password) = match &self.credential {
            Some(c) => (c.user_name.clone(), c.password.clone()),
            None => (self.user_name.clone().unwrap_or_default(), self.password.clone().unwrap_or_default()),
        };
        let secret = cx.app.keys.seal_text(&*cx.app.entropy, &password);
        let row = Credential { sip_address: address.to_string(), user_name, secret };
        cx.commit(&p.sentences.join(" "), |tx| Ok(watch::save_credential(tx, &row, cx.now())?))?;
        Ok(Outcome::changed(Topic::Test, "users"))
    }
}

#[async_trait]
impl Handler for GetCsTestUserCredential {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let address = sip(&self.sip_address, "SipAddress")?;
        let found = cx.read(|c| Ok(watch::credential(c, address.as_str())?))?;
        let found = found.ok_or_else(|| not_stored(&address))?;
        Ok(Outcome::objects(vec![
            json!({ "UserName": found.user_name, "Password": "System.Security.SecureString" }),
        ]))
    }
}

#[async_trait]
impl Handler for RemoveCsTestUserCredential {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let address = sip(&self.sip_address, "SipAddress")?;
        if cx.read(|c| Ok(watch::credential(c, address.as_str())?))?.is_none() {
            return Err(not_stored(&address));
        }
        Ok(plan([format!("Forget the stored credential of {address}; the account itself is untouched.")]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let address = sip(&self.sip_address, "SipAddress")?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(watch::remove_credential(tx, address.as_str())?))?;
        Ok(Outcome::changed(Topic::Test, "users"))
    }
}

fn object(w: &Watcher) -> Value {
    let s = &w.settings;
    let when = s.words();
    json!({
        "Identity": s.target, "TestUsers": s.users, "ExtendedTests": [], "TargetFqdn": s.target, "PortNumber": s.port,
        "Enabled": s.enabled, "Tests": s.tests, "Schedule": when, "ChatRoomUri": s.room, "NextRun": w.next_run,
        "Node": s.node, "JitterSeconds": s.jitter, "MaintenanceWindows": s.windows, "LastRun": w.last_run, "FailuresInARow": w.failures, "MissedRuns": w.missed,
    })
}

#[async_trait]
impl Handler for GetCsWatcherNodeConfiguration {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let all = cx.read(|c| Ok(watch::watchers(c)?))?;
        let keep = |w: &&Watcher| {
            self.identity.as_ref().is_none_or(|i| w.settings.target.eq_ignore_ascii_case(i.trim()))
                && self.filter.as_ref().is_none_or(|f| wildcard_match(f, &w.settings.target))
        };
        let out: Vec<Value> = all.iter().filter(keep).map(object).collect();
        match &self.identity {
            Some(i) if out.is_empty() => Err(unknown(i)),
            _ => Ok(Outcome::objects(out)),
        }
    }
}

fn unknown(target: &str) -> ApiError {
    let text = format!("No watcher watches {target}. Define one with New-CsWatcherNodeConfiguration.");
    ApiError { field: Some("Identity".to_owned()), ..ApiError::not_found(text) }
}

/// `HH:MM` in UTC as the minute of the day.
fn minute_of_day(text: &str) -> Result<u32, ApiError> {
    let wrong = || ApiError::invalid("DailyAt", "A time of day is written HH:MM, in UTC, for example 06:00.");
    let (h, m) = text.trim().split_once(':').ok_or_else(wrong)?;
    let (h, m): (u32, u32) = (h.parse().map_err(|_| wrong())?, m.parse().map_err(|_| wrong())?);
    if h < 24 && m < 60 { Ok(h * 60 + m) } else { Err(wrong()) }
}

/// When a watcher shall run, as both New- and Set- take it.
struct When<'a> {
    every: Option<u32>,
    daily: Option<&'a str>,
    cron: Option<&'a str>,
    jitter: Option<u32>,
    windows: Option<&'a ListModifier>,
}

/// New- and Set- have the same parameters for it in types of their own.
macro_rules! when {
    ($a:expr) => {
        When {
            every: $a.every_minutes,
            daily: $a.daily_at.as_deref(),
            cron: $a.cron.as_deref(),
            jitter: $a.jitter_seconds,
            windows: $a.maintenance_windows.as_ref(),
        }
    };
}

fn fill_when(s: &mut Settings, w: &When<'_>) -> Result<(), ApiError> {
    let given = [w.every.is_some(), w.daily.is_some(), w.cron.is_some()];
    if given.iter().filter(|g| **g).count() > 1 {
        return Err(ApiError::invalid("EveryMinutes", "Use one of -EveryMinutes, -DailyAt and -Cron."));
    }
    if let Some(n) = w.every {
        if !(1..=1440).contains(&n) {
            return Err(ApiError::invalid("EveryMinutes", "Minutes are a whole number from 1 to 1440."));
        }
        (s.every, s.cron) = (Some(n), None);
    }
    if let Some(t) = w.daily {
        s.daily = minute_of_day(t)?;
        (s.every, s.cron) = (None, None);
    }
    if let Some(line) = w.cron {
        Cron::parse(line).map_err(|e| ApiError::invalid("Cron", e))?;
        (s.every, s.cron) = (None, Some(line.trim().to_owned()));
    }
    if let Some(n) = w.jitter {
        if n > 3600 {
            return Err(ApiError::invalid("JitterSeconds", "Seconds are a whole number from 0 to 3600."));
        }
        s.jitter = n;
    }
    if let Some(m) = w.windows {
        s.windows = m.apply(&s.windows);
        for text in &s.windows {
            Window::parse(text).map_err(|e| ApiError::invalid("MaintenanceWindows", e))?;
        }
    }
    Ok(())
}

/// The node that runs the tests, which must have been added; empty is the portal.
fn fill_node(cx: &Cx, s: &mut Settings, name: Option<&str>) -> Result<(), ApiError> {
    let Some(name) = name.map(|n| n.trim().to_lowercase()) else { return Ok(()) };
    if !name.is_empty() && cx.read(|c| Ok(nodes::node(c, &name)?))?.is_none() {
        let text = format!("There is no node {name}; add it with New-LgNode.");
        return Err(ApiError::invalid("Node", text));
    }
    s.node = Some(name).filter(|n| !n.is_empty());
    Ok(())
}

/// What both New- and Set- check and fill in.
fn fill(
    cx: &Cx,
    s: &mut Settings,
    users: Option<&ListModifier>,
    tests: Option<&ListModifier>,
) -> Result<(), ApiError> {
    if let Some(m) = users {
        s.users = m.apply(&s.users);
    }
    for u in &mut s.users {
        *u = sip(u, "TestUsers")?.to_string();
        if cx.read(|c| Ok(watch::credential(c, u)?))?.is_none() {
            let text =
                format!("{u} is not a stored test user. Store it with Set-CsTestUserCredential first.");
            return Err(ApiError::invalid("TestUsers", text));
        }
    }
    s.users.dedup();
    if s.users.len() < 2 {
        return Err(ApiError::invalid("TestUsers", "A watcher needs two test users at least."));
    }
    if let Some(m) = tests {
        // The documented words of the original, whose key is unique.
        if let Some(twice) = m.add.iter().find(|a| s.tests.iter().any(|t| t.eq_ignore_ascii_case(a))) {
            return Err(ApiError::invalid(
                "Tests",
                format!(
                    "There is a duplicate key sequence '{twice}' for the 'urn:schema:Microsoft.Rtc.Management.Settings.WatcherNode.2010:TestName' key or unique identity constraint."
                ),
            ));
        }
        let after = m.apply(&s.tests);
        if let Some(other) = after.iter().find(|t| !t.eq_ignore_ascii_case(TEST)) {
            return Err(ApiError::invalid(
                "Tests",
                format!("{other} is not a test that runs here; {TEST} is."),
            ));
        }
        s.tests = after;
    }
    Ok(())
}

fn port(n: u32) -> Result<u16, ApiError> {
    let found = u16::try_from(n).ok().and_then(|p| Port::try_from(p).ok());
    found
        .map(Port::get)
        .ok_or_else(|| ApiError::invalid("PortNumber", "A port is a whole number from 1 to 65535."))
}

fn new_settings(a: &NewCsWatcherNodeConfiguration, cx: &Cx) -> Result<Settings, ApiError> {
    let target = match (&a.identity, &a.target_fqdn) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("TargetFqdn", "Use either -Identity or -TargetFqdn."));
        }
        (Some(t), None) | (None, Some(t)) => t.trim().to_lowercase(),
        (None, None) => return Err(ApiError::invalid("TargetFqdn", "Give the FQDN of the pool to watch.")),
    };
    shared::Fqdn::try_from(target.as_str()).map_err(|e| ApiError::invalid("TargetFqdn", e.0))?;
    crate::probe::lends(&cx.app, &target, &cx.actor.roles)?;
    if cx.read(|c| Ok(watch::watchers(c)?))?.iter().any(|w| w.settings.target == target) {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            format!("{target} is watched already; change that with Set-CsWatcherNodeConfiguration."),
        ));
    }
    let mut s = Settings {
        target,
        port: port(a.port_number)?,
        users: Vec::new(),
        tests: vec![TEST.to_owned()],
        enabled: a.enabled.unwrap_or(true),
        every: None,
        daily: 6 * 60,
        room: a.chat_room_uri.clone(),
        cron: None,
        jitter: 0,
        windows: Vec::new(),
        node: None,
    };
    fill_node(cx, &mut s, a.node.as_deref())?;
    fill_when(&mut s, &when!(a))?;
    fill(cx, &mut s, a.test_users.as_ref(), None)?;
    Ok(s)
}

fn sentence(s: &Settings) -> String {
    let when = s.words();
    let who = s.users.iter().take(2).cloned().collect::<Vec<_>>().join(" and ");
    let off = if s.enabled { "" } else { " It is switched off." };
    format!("Send a test message at {}:{} {when}, as {who}.{off}", s.target, s.port)
}

#[async_trait]
impl Handler for NewCsWatcherNodeConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        Ok(plan([sentence(&new_settings(self, cx)?)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let s = new_settings(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| {
            Ok(watch::save_watcher(tx, &s, scheduled(&s, &*cx.app.entropy, cx.now()))?)
        })?;
        Ok(Outcome::changed(Topic::Test, "watch"))
    }
}

fn changed_settings(a: &SetCsWatcherNodeConfiguration, cx: &Cx) -> Result<Settings, ApiError> {
    let all = cx.read(|c| Ok(watch::watchers(c)?))?;
    let named = a.instance.as_ref().and_then(|i| i.get("Identity")).and_then(Value::as_str);
    let found = match a.identity.as_deref().or(named) {
        Some(i) => {
            all.iter().find(|w| w.settings.target.eq_ignore_ascii_case(i.trim())).ok_or_else(|| unknown(i))?
        }
        None => match all.as_slice() {
            [one] => one,
            _ => return Err(ApiError::invalid("Identity", "Name the pool whose watcher is changed.")),
        },
    };
    let mut s = found.settings.clone();
    if let Some(n) = a.port_number {
        s.port = port(n)?;
    }
    if let Some(on) = a.enabled {
        s.enabled = on;
    }
    if let Some(room) = &a.chat_room_uri {
        s.room = Some(room.clone()).filter(|r| !r.trim().is_empty());
    }
    fill_node(cx, &mut s, a.node.as_deref())?;
    fill_when(&mut s, &when!(a))?;
    fill(cx, &mut s, a.test_users.as_ref(), a.tests.as_ref())?;
    Ok(s)
}

#[async_trait]
impl Handler for SetCsWatcherNodeConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        Ok(plan([sentence(&changed_settings(self, cx)?)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let s = changed_settings(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| {
            Ok(watch::save_watcher(tx, &s, scheduled(&s, &*cx.app.entropy, cx.now()))?)
        })?;
        Ok(Outcome::changed(Topic::Test, "watch"))
    }
}

#[async_trait]
impl Handler for RemoveCsWatcherNodeConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let all = cx.read(|c| Ok(watch::watchers(c)?))?;
        let found = all.iter().find(|w| w.settings.target.eq_ignore_ascii_case(self.identity.trim()));
        let w = found.ok_or_else(|| unknown(&self.identity))?;
        Ok(plan([format!("Stop watching {}; its earlier test messages are kept.", w.settings.target)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| Ok(watch::remove_watcher(tx, self.identity.trim())?))?;
        Ok(Outcome::changed(Topic::Test, "watch"))
    }
}

#[async_trait]
impl Handler for TestCsWatcherNodeConfiguration {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let mut out = Vec::new();
        for w in cx.read(|c| Ok(watch::watchers(c)?))? {
            let ready = arguments(&cx.app, &w.settings).and_then(|a| crate::probe::resolve(&a, &cx.app, &[]));
            let (result, text) = match ready {
                Ok(Resolved { node: Some(n), .. }) if crate::nodes::trouble(&cx.app, &n)?.is_some() => {
                    ("Failure", crate::nodes::gone(&cx.app.store, &n))
                }
                Ok(r) => (
                    "Success",
                    format!(
                        "{} and {} are stored; {}:{} is the registrar.",
                        r.sender.sip_uri, r.receiver.sip_uri, r.registrar, r.port
                    ),
                ),
                Err(e) => ("Failure", e.message),
            };
            out.push(json!({ "Target": w.settings.target, "Result": result, "Text": text }));
        }
        Ok(Outcome::objects(out))
    }
}
