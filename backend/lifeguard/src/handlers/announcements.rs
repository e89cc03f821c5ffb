//! Announcements and planned maintenance.

use async_trait::async_trait;
use serde_json::{Value, json};
use shared::Timestamp;
use shared::api::AnnouncementView;
use shared::cmdlets::{GetLgAnnouncement, NewLgAnnouncement, RemoveLgAnnouncement};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::time::parse_day;
use store::management::announcements as kept;

use crate::clock::new_id;
use crate::door::{Cx, Handler, Outcome, plan};

fn object(a: &AnnouncementView) -> Value {
    json!({
        "Identity": a.id, "Kind": a.kind, "Text": a.text, "From": a.begins, "Until": a.ends, "CreatedBy": a.created_by,
    })
}

fn find(cx: &Cx, id: &str) -> Result<AnnouncementView, ApiError> {
    let all = cx.read(|c| Ok(kept::announcements(c, cx.now())?))?;
    all.into_iter()
        .find(|a| a.id == id.trim())
        .ok_or_else(|| ApiError::not_found(format!("There is no announcement {id}.")))
}

#[async_trait]
impl Handler for GetLgAnnouncement {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let list = match &self.identity {
            Some(id) => vec![find(cx, id)?],
            None => cx.read(|c| Ok(kept::announcements(c, cx.now())?))?,
        };
        Ok(Outcome::objects(list.iter().map(object).collect()))
    }
}

/// What the arguments mean.
fn meant(a: &NewLgAnnouncement, cx: &Cx) -> Result<AnnouncementView, ApiError> {
    let text = a.text.trim();
    if text.is_empty() || text.chars().count() > 500 {
        return Err(ApiError::invalid("Text", "The words are 1 to 500 characters."));
    }
    let time = |raw: &Option<String>, field: &str, end: bool| -> Result<Option<Timestamp>, ApiError> {
        let Some(raw) = raw.as_deref().filter(|r| !r.trim().is_empty()) else { return Ok(None) };
        let text = format!("'{raw}' is not a time. Write it like 2026-12-01T20:00:00Z.");
        parse_day(raw, end).map(Some).ok_or_else(|| ApiError::invalid(field, text))
    };
    let (from, until) = (time(&a.from, "From", false)?, time(&a.until, "Until", true)?);
    let maintenance = a.kind.as_deref() == Some("Maintenance");
    if maintenance && from.is_none() {
        return Err(ApiError::invalid("From", "Say when the maintenance begins."));
    }
    if maintenance && until.is_none() {
        return Err(ApiError::invalid("Until", "Say when the maintenance ends."));
    }
    let begins = from.unwrap_or_else(|| cx.now());
    if until.is_some_and(|u| u <= begins || u <= cx.now()) {
        return Err(ApiError::invalid("Until", "The end lies after the beginning and is not past."));
    }
    Ok(AnnouncementView {
        id: new_id(&*cx.app.entropy, cx.now()),
        kind: if maintenance { "Maintenance" } else { "Announcement" }.to_owned(),
        text: text.to_owned(),
        begins,
        ends: until,
        created_by: cx.actor.name.clone(),
    })
}

#[async_trait]
impl Handler for NewLgAnnouncement {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let a = meant(self, cx)?;
        let until =
            a.ends.map_or_else(|| "until it is removed".to_owned(), |u| format!("until {}", u.rfc3339()));
        // The moment of the plan is not named: a plan without -From would be another one each time.
        let from = self.from.as_ref().map(|_| format!("from {} ", a.begins.rfc3339())).unwrap_or_default();
        let what = if a.kind == "Maintenance" { "planned maintenance" } else { "an announcement" };
        Ok(plan([format!("Show {what} on the overview and on every status link, {from}{until}: {}", a.text)]))
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let a = meant(self, cx)?;
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::add(tx, &a, cx.now())?))?;
        Ok(Outcome::changed(Topic::Directory, "announcements").with(object(&a)))
    }
}

#[async_trait]
impl Handler for RemoveLgAnnouncement {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let a = find(cx, &self.identity)?;
        Ok(Plan { confirm: Confirm::Ask, ..plan([format!("Take away: {}", a.text)]) })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        cx.commit(&p.sentences.join(" "), |tx| Ok(kept::remove(tx, self.identity.trim())?))?;
        Ok(Outcome::changed(Topic::Directory, "announcements"))
    }
}
