//! What a category cuts from the lists of its rooms.

use shared::dn;

use super::checks::{check_description, check_name, check_principals};
use super::may::{any, same};
use crate::members::{Members, Person};
use crate::traits::{Category, Room, StoreError};

/// What a category allows, ready to be asked for many: addresses are looked up, not compared one by one.
pub struct Cut {
    allowed: Ready,
    denied: Ready,
}

/// A list of principals by kind.
#[derive(Default)]
pub(super) struct Ready {
    addresses: std::collections::HashSet<String>,
    others: Vec<String>,
    /// A SIP domain is among them.
    domain: bool,
    /// A group or unit is.
    whole: bool,
}

impl Ready {
    pub(super) fn new(list: &[String]) -> Self {
        let mut out = Self::default();
        for p in list {
            if p.contains('@') {
                out.addresses.insert(p.trim().to_lowercase());
            } else {
                out.domain |= !dn::is(p);
                out.whole |= dn::is(p);
                out.others.push(p.clone());
            }
        }
        out
    }

    fn covers(&self, user: &(impl Person + ?Sized)) -> bool {
        any(&self.others, user) || self.addresses.contains(&user.uri().trim().to_lowercase())
    }

    /// Whether the right of a principal may depend on this list.
    pub(super) fn concerns(&self, principal: &str, members: &Members) -> bool {
        if principal.contains('@') {
            return if self.whole { self.covers(&members.who(principal)) } else { self.covers(principal) };
        }
        // A domain that goes may have let groups in; they are few.
        self.domain
            || self.names(&if dn::is(principal) {
                members.within(principal)
            } else {
                vec![principal.to_owned()]
            })
    }

    fn names(&self, own: &[String]) -> bool {
        self.others.iter().any(|p| own.iter().any(|o| same(o, p)))
    }
}

impl Cut {
    /// Of a category.
    pub fn new(c: &Category) -> Self {
        Self { allowed: Ready::new(&c.allowed), denied: Ready::new(&c.denied) }
    }

    /// Whether the category lets the user be a member.
    pub fn allowed(&self, user: &(impl Person + ?Sized)) -> bool {
        self.allowed.covers(user) && !self.denied.covers(user)
    }

    /// Whether a principal may stand in the lists of a room (V21). A group or unit may where the category
    /// names it, or something that it is in, or a whole SIP domain: who of its people may enter is decided
    /// person by person.
    pub fn within(&self, principal: &str, members: &Members) -> bool {
        if principal.contains('@') {
            if self.allowed.whole || self.denied.whole {
                return self.allowed(&members.who(principal));
            }
            return self.allowed(principal);
        }
        if !dn::is(principal) {
            let own = [principal.to_owned()];
            return self.allowed.names(&own) && !self.denied.names(&own);
        }
        let own = members.within(principal);
        (self.allowed.domain || self.allowed.names(&own)) && !self.denied.names(&own)
    }
}

/// A category: names and lists; creators are within allowed minus denied.
///
/// # Errors
/// What is wrong.
pub fn check_category(c: &Category, old: Option<&Category>, members: &Members) -> Result<(), StoreError> {
    check_name(&c.name)?;
    check_description(&c.description)?;
    check_principals("AllowedMembers", &c.allowed)?;
    check_principals("DeniedMembers", &c.denied)?;
    check_principals("Creators", &c.creators)?;
    let (cut, before) = (Cut::new(c), old.map(Cut::new));
    let stood = |p: &str| {
        old.is_some_and(|o| o.creators.iter().any(|x| x == p))
            && before.as_ref().is_some_and(|b| !b.within(p, members))
    };
    match c.creators.iter().find(|p| !cut.within(p, members) && !stood(p)) {
        Some(p) => Err(StoreError::invalid("Creators", format!("{p} is not among the allowed members."))),
        None => Ok(()),
    }
}

/// The room with its lists cut to what the category allows, and who was cut.
/// Source: L:moving-a-chat-room-from-one-category-to-another.
pub fn cut_to(c: &Category, r: &Room, members: &Members) -> (Room, Vec<String>) {
    let allows = Cut::new(c);
    let mut cut: Vec<String> = Vec::new();
    let mut keep = |list: &[String]| -> Vec<String> {
        let (stay, go): (Vec<String>, Vec<String>) =
            list.iter().cloned().partition(|p| allows.within(p, members));
        for p in go {
            if !cut.iter().any(|x| x.eq_ignore_ascii_case(&p)) {
                cut.push(p);
            }
        }
        stay
    };
    let room = Room {
        category_id: c.id.clone(),
        members: keep(&r.members),
        managers: keep(&r.managers),
        presenters: keep(&r.presenters),
        ..r.clone()
    };
    (room, cut)
}
