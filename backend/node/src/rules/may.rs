//! Who may see a room, join it and post in it.

use shared::dn;

use crate::members::Person;
use crate::traits::{Category, Privacy, Room, RoomKind, StoreError};

pub(super) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || !a.is_ascii() && a.to_lowercase() == b.to_lowercase()
}

/// Whether `principal` (an address, a SIP domain, a group, a unit) covers the user.
pub fn covers(principal: &str, user: &(impl Person + ?Sized)) -> bool {
    let (p, u) = (principal.trim(), user.uri().trim());
    if p.eq_ignore_ascii_case(u) {
        return true;
    }
    if p.contains('@') {
        return false;
    }
    if dn::is(p) {
        return user.principals().iter().any(|own| same(own, p));
    }
    let domain = u.rsplit_once('@').map(|(_, d)| d);
    domain.is_some_and(|d| d.eq_ignore_ascii_case(p.trim_start_matches("sip:")))
}

pub(super) fn any(list: &[String], user: &(impl Person + ?Sized)) -> bool {
    list.iter().any(|p| covers(p, user))
}

/// Whether the category lets the user be a member: allowed minus denied.
pub fn allowed(c: &Category, user: &(impl Person + ?Sized)) -> bool {
    any(&c.allowed, user) && !any(&c.denied, user)
}

/// Whether the user is a member: named, or by inheritance when the room names nobody, or the room is open.
pub fn member(c: &Category, r: &Room, user: &(impl Person + ?Sized)) -> bool {
    allowed(c, user) && (r.privacy == Privacy::Open || r.members.is_empty() || any(&r.members, user))
}

/// Whether the user finds the room.
pub fn visible(c: &Category, r: &Room, user: &(impl Person + ?Sized)) -> bool {
    !r.disabled && allowed(c, user) && (r.privacy != Privacy::Secret || member(c, r, user))
}

/// Whether the user must not even learn that the room exists: it is secret or disabled, and he is no member.
pub fn hidden(c: &Category, r: &Room, user: &(impl Person + ?Sized)) -> bool {
    (r.privacy == Privacy::Secret || r.disabled) && !member(c, r, user)
}

/// Whether the user may join.
///
/// # Errors
/// Why not.
pub fn may_join(c: &Category, r: &Room, user: &(impl Person + ?Sized)) -> Result<(), StoreError> {
    if r.disabled {
        return Err(StoreError::Disabled);
    }
    if member(c, r, user) {
        return Ok(());
    }
    Err(StoreError::Forbidden(format!("{} is not a member of {}", user.uri(), r.name)))
}

/// Whether the user may post. Managers post as members; in an auditorium only presenters do.
///
/// # Errors
/// Why not.
pub fn may_post(c: &Category, r: &Room, user: &(impl Person + ?Sized)) -> Result<(), StoreError> {
    may_join(c, r, user)?;
    if r.kind == RoomKind::Auditorium && !any(&r.presenters, user) {
        return Err(StoreError::Forbidden(format!("{} is an auditorium; only presenters post", r.name)));
    }
    Ok(())
}
