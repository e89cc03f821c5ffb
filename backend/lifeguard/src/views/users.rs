//! Chat users, a part at a time: a directory may have a hundred thousand.

use serde::Deserialize;
use shared::SipUri;
use shared::api::{UserPage, UserView};
use shared::error::ApiError;
use shared::topology::Topology;
use store::management::directory::{self, Policy, User};

use super::lists::{published, read};
use crate::app::App;

/// Users in a part unless another number is asked for.
const PART: usize = 100;
/// Most users in a part.
const MOST: usize = 1000;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    skip: usize,
    limit: Option<usize>,
}

/// The users by SIP address in whose columns all words stand.
///
/// # Errors
/// When the store does not answer.
pub fn users(app: &App, a: &Asked) -> Result<UserPage, ApiError> {
    let words: Vec<String> = a.q.split_whitespace().map(str::to_lowercase).collect();
    let limit = a.limit.unwrap_or(PART).min(MOST);
    read(app, |c| {
        let (t, policies) = (published(c)?, directory::policies(c)?);
        let mut page = UserPage { total: 0, users: Vec::new(), none_allowed: true };
        let mut skip = a.skip;
        let all = directory::users(c)?;
        page.none_allowed = !all.is_empty();
        for u in all {
            let (allowed, by) = effective(&t, &policies, &u);
            page.none_allowed &= !allowed;
            if !words.is_empty() && !fits(&t, &u, (allowed, &by), &words) {
                continue;
            }
            page.total += 1;
            if skip > 0 {
                skip -= 1;
            } else if page.users.len() < limit {
                page.users.push(view(&t, u, (allowed, by)));
            }
        }
        Ok(page)
    })
}

/// The user of this address.
///
/// # Errors
/// When the store does not answer.
pub fn user(app: &App, sip: &str) -> Result<Option<UserView>, ApiError> {
    let Ok(sip) = SipUri::try_from(sip) else { return Ok(None) };
    read(app, |c| {
        let (t, policies) = (published(c)?, directory::policies(c)?);
        let found = directory::user(c, &sip)?;
        Ok(found.map(|u| {
            let of = effective(&t, &policies, &u);
            view(&t, u, of)
        }))
    })
}

fn effective(t: &Topology, policies: &[Policy], u: &User) -> (bool, String) {
    let site = t.front_end_pool(&u.front_end).and_then(|f| t.site(&f.site)).map(|s| s.site_id.as_str());
    directory::effective(policies, u.policy.as_deref(), site)
}

/// Whether each word stands in one of the columns of the list, as they read there.
fn fits(t: &Topology, u: &User, (allowed, by): (bool, &str), words: &[String]) -> bool {
    let home = t.front_end_pool(&u.front_end).map(|f| f.fqdn.as_str()).unwrap_or_default();
    let state = if u.enabled { "enabled" } else { "disabled" };
    let chat = if allowed { "allowed" } else { "refused" };
    let text =
        [u.sip_address.as_str(), &u.display_name, &u.logon_name, home, &u.ou, state, chat, by].join("\n");
    let text = text.to_lowercase();
    words.iter().all(|w| text.contains(w.as_str()))
}

fn view(t: &Topology, u: User, (chat_enabled, decided_by): (bool, String)) -> UserView {
    UserView {
        registrar_pool: t.front_end_pool(&u.front_end).map(|f| f.fqdn.to_string()).unwrap_or_default(),
        sip_address: u.sip_address,
        display_name: u.display_name,
        logon_name: u.logon_name,
        enabled: u.enabled,
        policy: u.policy,
        chat_enabled,
        decided_by,
        password_set: !u.secrets.is_empty(),
        ou: u.ou,
    }
}
