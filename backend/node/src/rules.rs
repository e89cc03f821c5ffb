//! Who may do what in a room: pure rules over category and room. Source: model §§12, 13, 16.

use crate::traits::{Category, Privacy, Room, RoomKind, StoreError};

/// Longest name and description. Source: T:tblnode.
pub const MAX_NAME: usize = 256;

/// Whether `principal` (an address or a SIP domain) covers the user.
pub fn covers(principal: &str, user: &str) -> bool {
    let (p, u) = (principal.trim(), user.trim());
    if p.eq_ignore_ascii_case(u) {
        return true;
    }
    let domain = u.rsplit_once('@').map(|(_, d)| d);
    !p.contains('@') && domain.is_some_and(|d| d.eq_ignore_ascii_case(p.trim_start_matches("sip:")))
}

fn any(list: &[String], user: &str) -> bool {
    list.iter().any(|p| covers(p, user))
}

/// Whether the category lets the user be a member: allowed minus denied.
pub fn allowed(c: &Category, user: &str) -> bool {
    any(&c.allowed, user) && !any(&c.denied, user)
}

/// Whether the user is a member: named, or by inheritance when the room names nobody, or the room is open.
pub fn member(c: &Category, r: &Room, user: &str) -> bool {
    allowed(c, user) && (r.privacy == Privacy::Open || r.members.is_empty() || any(&r.members, user))
}

/// Whether the user finds the room.
pub fn visible(c: &Category, r: &Room, user: &str) -> bool {
    !r.disabled && allowed(c, user) && (r.privacy != Privacy::Secret || member(c, r, user))
}

/// Whether the user must not even learn that the room exists: it is secret or disabled, and he is no member.
pub fn hidden(c: &Category, r: &Room, user: &str) -> bool {
    (r.privacy == Privacy::Secret || r.disabled) && !member(c, r, user)
}

/// Whether the user may join.
///
/// # Errors
/// Why not.
pub fn may_join(c: &Category, r: &Room, user: &str) -> Result<(), StoreError> {
    if r.disabled {
        return Err(StoreError::Disabled);
    }
    if member(c, r, user) {
        return Ok(());
    }
    Err(StoreError::Forbidden(format!("{user} is not a member of {}", r.name)))
}

/// Whether the user may post. Managers post as members; in an auditorium only presenters do.
///
/// # Errors
/// Why not.
pub fn may_post(c: &Category, r: &Room, user: &str) -> Result<(), StoreError> {
    may_join(c, r, user)?;
    if r.kind == RoomKind::Auditorium && !any(&r.presenters, user) {
        return Err(StoreError::Forbidden(format!("{} is an auditorium; only presenters post", r.name)));
    }
    Ok(())
}

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
    for p in list {
        let fine = shared::SipUri::try_from(p.as_str()).is_ok() || shared::Fqdn::try_from(p.as_str()).is_ok();
        if !fine {
            let text = format!("'{p}' is neither a SIP address (sip:user@domain) nor a SIP domain.");
            return Err(StoreError::invalid(field, text));
        }
    }
    Ok(())
}

/// Lists of a room lie within what its category allows (V21); presenters only in auditoriums (V22).
///
/// # Errors
/// What is wrong.
pub fn check_room(c: &Category, r: &Room) -> Result<(), StoreError> {
    check_name(&r.name)?;
    check_description(&r.description)?;
    for (field, list) in [("Members", &r.members), ("Managers", &r.managers), ("Presenters", &r.presenters)] {
        check_principals(field, list)?;
        if let Some(p) = list.iter().find(|p| !within(c, p)) {
            let text =
                format!("{p} is not allowed by the category {}; add it to AllowedMembers first.", c.name);
            return Err(StoreError::invalid(field, text));
        }
    }
    if r.kind == RoomKind::Normal && !r.presenters.is_empty() {
        return Err(StoreError::invalid("Presenters", "Only an auditorium has presenters."));
    }
    let named = r.privacy != Privacy::Open && !r.members.is_empty();
    if let Some(p) = r.presenters.iter().find(|p| named && !any(&r.members, p)) {
        return Err(StoreError::invalid(
            "Presenters",
            format!("{p} is not a member; add it to Members first."),
        ));
    }
    Ok(())
}

fn within(c: &Category, principal: &str) -> bool {
    if principal.contains('@') {
        return allowed(c, principal);
    }
    let same = |list: &[String]| list.iter().any(|p| p.eq_ignore_ascii_case(principal));
    same(&c.allowed) && !same(&c.denied)
}

/// A category: names and lists; creators are within allowed minus denied.
///
/// # Errors
/// What is wrong.
pub fn check_category(c: &Category) -> Result<(), StoreError> {
    check_name(&c.name)?;
    check_description(&c.description)?;
    check_principals("AllowedMembers", &c.allowed)?;
    check_principals("DeniedMembers", &c.denied)?;
    check_principals("Creators", &c.creators)?;
    match c.creators.iter().find(|p| !within(c, p)) {
        Some(p) => Err(StoreError::invalid("Creators", format!("{p} is not among the allowed members."))),
        None => Ok(()),
    }
}

/// The room with its lists cut to what the category allows, and who was cut.
/// Source: L:moving-a-chat-room-from-one-category-to-another.
pub fn cut_to(c: &Category, r: &Room) -> (Room, Vec<String>) {
    let mut cut: Vec<String> = Vec::new();
    let mut keep = |list: &[String]| -> Vec<String> {
        let (stay, go): (Vec<String>, Vec<String>) = list.iter().cloned().partition(|p| within(c, p));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn category() -> Category {
        Category {
            name: "c".into(),
            allowed: vec!["litwareinc.com".into()],
            denied: vec!["sip:guest@litwareinc.com".into()],
            ..Category::default()
        }
    }

    #[test]
    fn domains_cover_their_users_and_denial_wins() {
        let c = category();
        assert!(allowed(&c, "sip:Pilar@litwareinc.com"));
        assert!(!allowed(&c, "sip:guest@litwareinc.com") && !allowed(&c, "sip:a@contoso.com"));
    }

    #[test]
    fn membership_privacy_and_auditorium() {
        let c = category();
        let (pilar, ken) = ("sip:pilar@litwareinc.com", "sip:kenmyer@litwareinc.com");
        let mut r = Room {
            name: "r".into(),
            members: vec![pilar.into()],
            privacy: Privacy::Secret,
            ..Room::default()
        };
        assert!(may_join(&c, &r, pilar).is_ok() && may_join(&c, &r, ken).is_err());
        assert!(visible(&c, &r, pilar) && !visible(&c, &r, ken));
        r.privacy = Privacy::Open;
        assert!(may_join(&c, &r, ken).is_ok());
        r.kind = RoomKind::Auditorium;
        assert!(may_post(&c, &r, pilar).is_err());
        r.presenters = vec![pilar.into()];
        assert!(may_post(&c, &r, pilar).is_ok() && check_room(&c, &r).is_ok());
        r.disabled = true;
        assert_eq!(may_join(&c, &r, pilar), Err(StoreError::Disabled));
        assert!(!hidden(&c, &r, pilar) && hidden(&c, &r, "sip:guest@litwareinc.com"));
    }

    #[test]
    fn moving_a_room_cuts_its_lists() {
        let c = Category { id: "new".into(), ..category() };
        let (pilar, guest) = ("sip:pilar@litwareinc.com", "sip:guest@litwareinc.com");
        let r = Room {
            name: "r".into(),
            members: vec![pilar.into(), guest.into(), "contoso.com".into()],
            managers: vec![guest.into()],
            ..Room::default()
        };
        let (moved, cut) = cut_to(&c, &r);
        assert_eq!((moved.category_id.as_str(), moved.members.as_slice()), ("new", &[pilar.to_owned()][..]));
        assert!(moved.managers.is_empty() && check_room(&c, &moved).is_ok());
        assert_eq!(cut, [guest.to_owned(), "contoso.com".to_owned()]);
    }

    #[test]
    fn names_have_256_characters_at_most() {
        assert!(check_name(&"ä".repeat(256)).is_ok());
        for bad in ["ä".repeat(257), " ".to_owned(), "a\\b".to_owned()] {
            assert!(check_name(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_stay_within_the_category() {
        let c = category();
        let r = Room { name: "r".into(), members: vec!["sip:a@contoso.com".into()], ..Room::default() };
        assert!(matches!(check_room(&c, &r), Err(StoreError::Invalid { field, .. }) if field == "Members"));
        let (pilar, ken) = ("sip:pilar@litwareinc.com".to_owned(), "sip:kenmyer@litwareinc.com".to_owned());
        let mut r = Room { name: "r".into(), members: vec![pilar], ..Room::default() };
        r.kind = RoomKind::Auditorium;
        r.presenters = vec![ken.clone()];
        assert!(
            matches!(check_room(&c, &r), Err(StoreError::Invalid { field, .. }) if field == "Presenters")
        );
        r.members.push(ken);
        assert!(check_room(&c, &r).is_ok());
    }
}
