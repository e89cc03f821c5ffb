//! Whether a category or room may be as it is wanted: names, lists, what stays.

use shared::dn;

use super::cut::{Cut, Ready};
use super::may::{any, same};
use super::{MAX_LIST, MAX_NAME};
use crate::members::Members;
use crate::traits::{Category, Privacy, Room, RoomKind, StoreError};

/// A name of a category or room (V20).
///
/// # Errors
/// What is wrong.
pub fn check_name(name: &str) -> Result<(), StoreError> {
    let n = name.chars().count();
    if name.trim().is_empty() || n > MAX_NAME || name.chars().any(char::is_control) || name.contains('\\') {
        return Err(StoreError::invalid(
            "Name",
            "A name has 1 to 256 characters, without \\ and control characters.",
        ));
    }
    Ok(())
}

/// A description.
///
/// # Errors
/// What is wrong.
pub fn check_description(text: &str) -> Result<(), StoreError> {
    if text.chars().count() > MAX_NAME {
        return Err(StoreError::invalid("Description", "A description has 256 characters at most."));
    }
    Ok(())
}

/// A list of principals.
///
/// # Errors
/// What is wrong with the first bad one.
pub fn check_principals(field: &str, list: &[String]) -> Result<(), StoreError> {
    if list.len() > MAX_LIST {
        let text = format!(
            "{} entries are more than the {MAX_LIST} that a list takes. Put these people into a group, and name the group.",
            list.len()
        );
        return Err(StoreError::invalid(field, text));
    }
    for p in list {
        let fine = shared::SipUri::try_from(p.as_str()).is_ok()
            || shared::Fqdn::try_from(p.as_str()).is_ok()
            || dn::check(p).is_ok_and(|one| one == *p);
        if !fine {
            let text = format!(
                "'{p}' is neither a SIP address (sip:user@domain) nor a SIP domain, nor the distinguished name of a group or organizational unit."
            );
            return Err(StoreError::invalid(field, text));
        }
    }
    Ok(())
}

/// Lists of a room lie within what its category allows (V21); presenters only in auditoriums (V22).
///
/// # Errors
/// What is wrong.
pub fn check_room(c: &Category, r: &Room, members: &Members) -> Result<(), StoreError> {
    check_change(c, None, r, members)
}

/// The same for a room that is there: entries that its lists had before are not asked for again. Whom a group
/// or unit lets in changes without the room, and that must not stand in the way of other changes.
///
/// # Errors
/// What is wrong.
pub fn check_change(c: &Category, old: Option<&Room>, r: &Room, members: &Members) -> Result<(), StoreError> {
    check_name(&r.name)?;
    check_description(&r.description)?;
    let old = old.filter(|o| o.category_id == r.category_id);
    for (field, list, had) in [
        ("Members", &r.members, old.map(|o| &o.members)),
        ("Managers", &r.managers, old.map(|o| &o.managers)),
        ("Presenters", &r.presenters, old.map(|o| &o.presenters)),
    ] {
        check_principals(field, list)?;
        let had: std::collections::HashSet<&String> = had.into_iter().flatten().collect();
        let cut = Cut::new(c);
        if let Some(p) = list.iter().find(|p| !had.contains(p) && !cut.within(p, members)) {
            let text =
                format!("{p} is not allowed by the category {}; add it to AllowedMembers first.", c.name);
            return Err(StoreError::invalid(field, text));
        }
    }
    if r.kind == RoomKind::Normal && !r.presenters.is_empty() {
        return Err(StoreError::invalid("Presenters", "Only an auditorium has presenters."));
    }
    let named = r.privacy != Privacy::Open && !r.members.is_empty();
    if let Some(p) = r.presenters.iter().find(|p| named && !named_by(&r.members, p, members)) {
        return Err(StoreError::invalid(
            "Presenters",
            format!("{p} is not a member; add it to Members first."),
        ));
    }
    Ok(())
}

/// What a change of a category takes from its allowed members or adds to the denied ones.
pub fn touched_by(old: &Category, new: &Category) -> Vec<String> {
    let less = |a: &[String], b: &[String]| -> Vec<String> {
        let b: std::collections::HashSet<&String> = b.iter().collect();
        a.iter().filter(|p| !b.contains(p)).cloned().collect()
    };
    [less(&old.allowed, &new.allowed), less(&new.denied, &old.denied)].concat()
}

/// Whether a change of a category leaves the lists of a room as they are: what was within it stays within it.
///
/// # Errors
/// What is not.
pub fn check_kept(old: &Category, new: &Category, r: &Room, members: &Members) -> Result<(), StoreError> {
    let (before, after) = (Cut::new(old), Cut::new(new));
    let touched = Ready::new(&touched_by(old, new));
    for (field, list) in [("Members", &r.members), ("Managers", &r.managers), ("Presenters", &r.presenters)] {
        let lost = |p: &&String| {
            touched.concerns(p, members) && !after.within(p, members) && before.within(p, members)
        };
        if let Some(p) = list.iter().find(lost) {
            let text =
                format!("{p} is not allowed by the category {}; add it to AllowedMembers first.", new.name);
            return Err(StoreError::invalid(field, text));
        }
    }
    Ok(())
}

fn named_by(list: &[String], principal: &str, members: &Members) -> bool {
    if principal.contains('@') {
        return any(list, &members.who(principal));
    }
    let own = if dn::is(principal) { members.within(principal) } else { vec![principal.to_owned()] };
    list.iter().any(|p| own.iter().any(|o| same(o, p)))
}
