//! One-time links with which a person sets a password: made with an account or a chat user, listed, taken back.

use async_trait::async_trait;
use rusqlite::Transaction;
use serde_json::{Value, json};
use shared::Timestamp;
use shared::cmdlets::{GetLgPasswordLink, RemoveLgPasswordLink};
use shared::error::ApiError;
use shared::events::Topic;
use shared::plan::{Confirm, Plan};
use shared::roles;
use store::management::people::{self, Kind, PasswordLink};

use crate::app::App;
use crate::clock::{new_id, random_hex};
use crate::door::{Cx, Fault, Handler, Outcome, plan};

const HOUR_MS: i64 = 3_600_000;
const DEFAULT_HOURS: u32 = 24;
const MAX_HOURS: u32 = 720;

/// What a cmdlet was asked for: a link, and for how many hours; none without one.
///
/// # Errors
/// A password and a link at once, or hours out of range.
pub fn wanted(link: bool, hours: Option<u32>, password: Option<&str>) -> Result<Option<u32>, ApiError> {
    if !link {
        return match hours {
            Some(_) => {
                Err(ApiError::invalid("LinkHours", "Give -OneTimeLink too; without it there is no link."))
            }
            None => Ok(None),
        };
    }
    if password.is_some() {
        let text = "Give either a password or -OneTimeLink: with the link the person sets the password.";
        return Err(ApiError::invalid("Password", text));
    }
    let hours = hours.unwrap_or(DEFAULT_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(ApiError::invalid("LinkHours", format!("A link works for 1 to {MAX_HOURS} hours.")));
    }
    Ok(Some(hours))
}

/// A link that is about to be made.
pub struct NewLink {
    token: String,
    made: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
}

impl NewLink {
    /// A link for so many hours; it opens something only once it was kept.
    pub fn new(cx: &Cx, hours: u32) -> Self {
        let made = cx.now();
        let ends = Timestamp::from_millis(made.millis() + i64::from(hours) * HOUR_MS);
        Self { token: random_hex(&*cx.app.entropy, 32), made, ends }
    }

    /// Keeps it; an earlier one of the same person is dead.
    pub fn keep(&self, cx: &Cx, tx: &Transaction<'_>, kind: Kind, subject: &str) -> Result<(), Fault> {
        let link = PasswordLink {
            id: new_id(&*cx.app.entropy, self.made),
            kind,
            subject: subject.to_owned(),
            created: self.made,
            created_by: cx.actor.name.clone(),
            expires: self.ends,
        };
        Ok(people::add_link(tx, &link, &self.token)?)
    }

    /// The link. What stands behind `#` is not sent with a request, so it stands in no log on the way.
    pub fn url(&self, app: &App) -> String {
        format!("{}/set-password#{}", app.settings.public_url(), self.token)
    }

    /// Adds link and end to a returned object.
    pub fn show(&self, app: &App, object: &mut Value) {
        object["Link"] = self.url(app).into();
        object["Ends"] = json!(self.ends);
    }
}

/// The sentence of a plan.
pub fn sentence(name: &str, hours: u32) -> String {
    format!("Make a link with which {name} sets a password, once, within {hours} hours.")
}

/// Links that the actor may see: those of accounts are for who administers accounts.
fn visible(cx: &Cx, identity: Option<&str>) -> Result<Vec<PasswordLink>, ApiError> {
    let accounts = roles::can("Get-LgAccount", &cx.actor.roles).is_ok();
    let all = cx.read(|c| Ok(people::links(c, cx.now())?))?;
    let same = |l: &PasswordLink| {
        identity.is_none_or(|i| [&l.id, &l.subject].iter().any(|n| n.eq_ignore_ascii_case(i.trim())))
    };
    Ok(all.into_iter().filter(|l| (accounts || l.kind == Kind::User) && same(l)).collect())
}

#[async_trait]
impl Handler for GetLgPasswordLink {
    async fn run(&self, cx: &Cx, _: &Plan) -> Result<Outcome, ApiError> {
        let object = |l: &PasswordLink| {
            json!({
                "Identity": l.id, "Kind": l.kind.word(), "Subject": l.subject, "Created": l.created,
                "CreatedBy": l.created_by, "Ends": l.expires,
            })
        };
        let list = visible(cx, self.identity.as_deref())?;
        Ok(Outcome::objects(list.iter().map(object).collect()))
    }
}

#[async_trait]
impl Handler for RemoveLgPasswordLink {
    async fn plan(&self, cx: &Cx) -> Result<Plan, ApiError> {
        let found = visible(cx, Some(&self.identity))?;
        if found.is_empty() {
            return Err(ApiError::not_found(format!("There is no open one-time link {}.", self.identity)));
        }
        let p = plan(found.iter().map(|l| format!("The one-time link of {} is dead at once.", l.subject)));
        Ok(Plan { confirm: Confirm::Ask, ..p })
    }

    async fn run(&self, cx: &Cx, p: &Plan) -> Result<Outcome, ApiError> {
        let found = visible(cx, Some(&self.identity))?;
        cx.commit(&p.sentences.join(" "), |tx| {
            for l in &found {
                people::remove_link(tx, &l.id)?;
            }
            Ok(())
        })?;
        Ok(Outcome::changed(Topic::Directory, "links"))
    }
}
