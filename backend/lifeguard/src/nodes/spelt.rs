//! Rooms for nodes of an earlier version, which know neither groups nor units: the lists name the people
//! instead, so that such a node lets in and keeps out the same people.

use node::members::{Membership as _, Who};
use node::remote::Reply;
use node::rules;
use node::traits::{Category, Room, StoreError};
use shared::dn;
use store::management::directory;

use crate::app::App;

/// Most people that lists are spelt out to; a room of more is refused until the node is updated.
const MOST: usize = 50_000;

/// The answer as such a node understands it.
pub fn out(app: &App, result: Result<Reply, StoreError>) -> Result<Reply, StoreError> {
    let mut reply = result?;
    let list = match &mut reply {
        Reply::Room(Some(pair)) => std::slice::from_mut(&mut **pair),
        Reply::Found(list) => list.as_mut_slice(),
        _ => return Ok(reply),
    };
    if list.iter().any(|(r, c)| names_any(r, c)) {
        let users = app.store.read(directory::users);
        let users = users.map_err(|e| StoreError::Database(e.to_string()))?;
        let members = app.store.current();
        let who: Vec<Who> = users.iter().map(|u| members.who(u.sip_address.as_str())).collect();
        spell(&who, list)?;
    }
    Ok(reply)
}

fn names_any(r: &Room, c: &Category) -> bool {
    let lists = [&r.members, &r.managers, &r.presenters, &c.allowed, &c.denied, &c.creators];
    lists.iter().any(|l| l.iter().any(|p| dn::is(p)))
}

fn spell(who: &[Who], list: &mut [(Room, Category)]) -> Result<(), StoreError> {
    let mut left = MOST;
    for (r, c) in list {
        let lists = [
            &mut r.members,
            &mut r.managers,
            &mut r.presenters,
            &mut c.allowed,
            &mut c.denied,
            &mut c.creators,
        ];
        for l in lists {
            let (wholes, mut people): (Vec<String>, Vec<String>) =
                std::mem::take(l).into_iter().partition(|p| dn::is(p));
            for w in who.iter().filter(|w| wholes.iter().any(|p| rules::covers(p, *w))) {
                people.push(w.uri.clone());
                left = left.checked_sub(1).ok_or_else(|| {
                    let text = "the groups of the room are too large for this version of the node";
                    StoreError::Forbidden(text.to_owned())
                })?;
            }
            // An empty list would mean everyone; the group of nobody means nobody.
            if people.is_empty() {
                people = wholes;
            }
            *l = people;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::members::Members;

    #[test]
    fn a_node_that_knows_no_groups_lets_in_and_keeps_out_the_same_people() {
        let (sales, empty) = ("CN=Sales,DC=a,DC=com", "CN=Empty,DC=a,DC=com");
        let owned = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        let m = Members::new(
            [(sales, "sip:ken@a.com")].map(owned),
            [("sip:amy@a.com", "OU=East,DC=a,DC=com")].map(owned),
        );
        let who: Vec<Who> = ["sip:ken@a.com", "sip:amy@a.com", "sip:zoe@a.com"].map(|u| m.who(u)).to_vec();
        let room = |p: &str| Room { members: vec![p.to_owned()], ..Room::default() };
        let category = |denied: &[&str]| Category {
            allowed: vec!["a.com".to_owned()],
            denied: denied.iter().map(|d| (*d).to_owned()).collect(),
            ..Category::default()
        };
        for (room, category) in [
            (room(sales), category(&[])),
            (room(empty), category(&[])),
            (Room::default(), category(&[sales, "OU=East,DC=a,DC=com"])),
            (room("a.com"), category(&[empty])),
        ] {
            let mut spelt = [(room.clone(), category.clone())];
            spell(&who, &mut spelt).unwrap();
            let (r, c) = &spelt[0];
            for w in &who {
                // Such a node knows nothing of what a user belongs to.
                let there = rules::may_join(c, r, w.uri.as_str()).is_ok();
                assert_eq!(
                    there,
                    rules::may_join(&category, &room, w).is_ok(),
                    "{} in {room:?} {category:?}",
                    w.uri
                );
            }
        }
        let many: Vec<Who> = (0..=MOST)
            .map(|i| Who { uri: format!("sip:u{i}@a.com"), principals: vec![sales.to_lowercase()] })
            .collect();
        assert!(spell(&many, &mut [(room(sales), category(&[]))]).is_err(), "refused rather than let in");
    }
}
