//! Settings of the compliance adapter. The runner sees a change at its next look and writes at once.
//! Source: model §11.

use async_trait::async_trait;
use rusqlite::Connection;
use shared::cmdlets::{
    GetCsPersistentChatComplianceConfiguration, NewCsPersistentChatComplianceConfiguration,
    RemoveCsPersistentChatComplianceConfiguration, SetCsPersistentChatComplianceConfiguration,
};
use shared::compliance::{ComplianceConfiguration, adapter_type};
use shared::configuration::effective;
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::Plan;
use shared::topology::Topology;
use store::management::configuration::{self, Kind};

use super::published;
use super::scoped::{self, Change, Settings};
use crate::compliance::folder;
use crate::door::{Cx, Fault, Handler, Outcome, plan};

impl Settings for ComplianceConfiguration {
    const KIND: Kind = Kind::PersistentChatCompliance;
    const WHAT: &'static str = "settings of the compliance adapter";

    fn check(&self) -> Result<(), (&'static str, String)> {
        self.check()
    }

    fn effects(before: &[(String, Self)], after: &[(String, Self)], t: &Topology) -> Vec<String> {
        let mut out = Vec::new();
        for p in t.pools.iter().filter(|p| p.compliance) {
            let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
            let of = |list| effective(list, site, &p.fqdn).cloned().unwrap_or_default();
            let (b, a): (Self, Self) = (of(before), of(after));
            match (b.writes_to(), a.writes_to()) {
                (b, Some(a)) if b != Some(a) => {
                    out.push(format!("Events of {} are written to {a}, those that wait at once.", p.fqdn));
                }
                (Some(_), None) => {
                    out.push(format!("Events of {} are queued and not written out any more.", p.fqdn));
                }
                _ => {}
            }
        }
        out
    }
}

fn text(given: Option<&String>, old: Option<String>) -> Option<String> {
    match given.map(|g| g.trim()) {
        None => old,
        Some("") => None,
        Some(t) => Some(t.to_owned()),
    }
}

macro_rules! applied {
    ($a:ident) => {
        |c: ComplianceConfiguration| ComplianceConfiguration {
            adapter_name: text($a.adapter_name.as_ref(), c.adapter_name),
            adapter_output_directory: text($a.adapter_output_directory.as_ref(), c.adapter_output_directory),
            adapter_type: text($a.adapter_type.as_ref(), c.adapter_type)
                .map(|t| adapter_type(&t).map_or(t, str::to_owned)),
            add_chat_room_details: $a.add_chat_room_details.unwrap_or(c.add_chat_room_details),
            add_user_details: $a.add_user_details.unwrap_or(c.add_user_details),
            create_file_attachments_manifest: $a
                .create_file_attachments_manifest
                .unwrap_or(c.create_file_attachments_manifest),
            custom_configuration: text($a.custom_configuration.as_ref(), c.custom_configuration),
            one_chat_room_per_output_file: $a
                .one_chat_room_per_output_file
                .unwrap_or(c.one_chat_room_per_output_file),
            run_interval: $a.run_interval.clone().unwrap_or(c.run_interval),
        }
    };
}

/// The folder can be written to and is the adapter's own (model §11: one folder per adapter).
fn placed(
    cx: &Cx,
    c: &Connection,
    change: Change<ComplianceConfiguration>,
) -> Result<Change<ComplianceConfiguration>, Fault> {
    let Some(wanted) = change.after.as_ref().and_then(|v| v.adapter_output_directory.as_deref()) else {
        return Ok(change);
    };
    let t = published(c)?;
    let own = |text: &str| folder(&cx.app.settings, &t, text);
    let at = own(wanted).map_err(|e| ApiError::invalid("AdapterOutputDirectory", e))?;
    for (id, v) in configuration::all::<ComplianceConfiguration>(c, ComplianceConfiguration::KIND)? {
        let theirs = v.adapter_output_directory.as_deref().map(own);
        if id != change.identity && theirs.is_some_and(|d| d.is_ok_and(|d| d == at)) {
            let text =
                format!("The adapter of {id} writes to {wanted}; each adapter has a folder of its own.");
            return Err(ApiError::invalid("AdapterOutputDirectory", text).into());
        }
    }
    Ok(change)
}

fn changed() -> Outcome {
    let mut out = Outcome::changed(Topic::Directory, "configuration");
    out.events.push((Topic::Pool, String::new()));
    out
}

#[async_trait]
impl Handler for GetCsPersistentChatComplianceConfiguration {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let (identity, filter) = (self.identity.as_deref(), self.filter.as_deref());
        Ok(Outcome::objects(scoped::list::<ComplianceConfiguration>(cx, identity, filter)?))
    }
}

#[async_trait]
impl Handler for NewCsPersistentChatComplianceConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| {
            let new = placed(cx, c, scoped::create(c, &self.identity, applied!(self))?)?;
            if self.in_memory {
                return Ok(plan([format!("Return settings for {}; nothing is stored.", new.identity)]));
            }
            new.plan(c)
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        if self.in_memory {
            let new = cx.read(|c| scoped::create(c, &self.identity, applied!(self)))?;
            let object = scoped::object(&new.identity, &new.after.unwrap_or_default());
            return Ok(Outcome::objects(vec![object]));
        }
        let made = cx.commit(&p.sentences.join(" "), |tx| {
            placed(cx, tx, scoped::create(tx, &self.identity, applied!(self))?)?.store(tx)
        })?;
        Ok(changed().with(made))
    }
}

#[async_trait]
impl Handler for SetCsPersistentChatComplianceConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| {
            let (id, object) = (self.identity.as_deref(), self.instance.as_ref());
            placed(cx, c, scoped::change(c, id, object, applied!(self))?)?.plan(c)
        })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            let (id, object) = (self.identity.as_deref(), self.instance.as_ref());
            placed(cx, tx, scoped::change(tx, id, object, applied!(self))?)?.store(tx)
        })?;
        Ok(changed())
    }
}

#[async_trait]
impl Handler for RemoveCsPersistentChatComplianceConfiguration {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        cx.read(|c| scoped::delete::<ComplianceConfiguration>(c, &self.identity)?.plan(c))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| {
            scoped::delete::<ComplianceConfiguration>(tx, &self.identity)?.store(tx)
        })?;
        Ok(changed())
    }
}
