//! Rooms for nodes of an earlier version, which know neither groups nor units: the lists name the people
//! instead, so that such a node lets in and keeps out the same people.

use node::members::Membership as _;
use node::remote::Reply;
use node::rules;
use node::traits::{Category, Room, StoreError};
use shared::dn;
use store::management::{StoreError as Fault, directory};

use crate::app::App;

/// Most people that lists are spelt out to; a room of more is refused until the node is updated.
const MOST: usize = 50_000;

/// The answer as such a node understands it.
pub fn out(app: &App, result: Result<Reply, StoreError>) -> Result<Reply, StoreError> {
    let mut reply = result?;
    match &mut reply {
        Reply::Room(Some(pair)) => spell(app, std::slice::from_mut(&mut **pair))?,
        Reply::Found(list) => spell(app, list)?,
        _ => {}
    }
    Ok(reply)
}

fn spell(app: &App, list: &mut [(Room, Category)]) -> Result<(), StoreError> {
    let names = |r: &Room, c: &Category| {
        [&r.members, &r.managers, &r.presenters, &c.allowed, &c.denied]
            .iter()
            .any(|l| l.iter().any(|p| dn::is(p)))
    };
    if !list.iter().any(|(r, c)| names(r, c)) {
        return Ok(());
    }
    let users = app.store.read(|c| Ok::<_, Fault>(directory::users(c)?));
    let users = users.map_err(|e| StoreError::Database(e.to_string()))?;
    let members = app.store.current();
    let who: Vec<_> = users.iter().map(|u| members.who(u.sip_address.as_str())).collect();
    let mut left = MOST;
    for (r, c) in list {
        for l in [
            &mut r.members,
            &mut r.managers,
            &mut r.presenters,
            &mut c.allowed,
            &mut c.denied,
            &mut c.creators,
        ] {
            let (wholes, mut people): (Vec<String>, Vec<String>) =
                std::mem::take(l).into_iter().partition(|p| dn::is(p));
            for w in &who {
                if wholes.iter().any(|p| rules::covers(p, w)) {
                    people.push(w.uri.clone());
                    left = left.checked_sub(1).ok_or_else(|| {
                        StoreError::Forbidden(
                            "the groups of the room are too large for this version of the node".to_owned(),
                        )
                    })?;
                }
            }
            // An empty list would mean everyone; the group of nobody means nobody.
            if people.is_empty() && !wholes.is_empty() {
                people = wholes;
            }
            *l = people;
        }
    }
    Ok(())
}
