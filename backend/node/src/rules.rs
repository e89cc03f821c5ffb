//! Who may do what in a room: pure rules over category and room. Source: model §§12, 13, 16.

use shared::dn;

use crate::members::{Members, Person};
use crate::traits::{Category, Privacy, Room, RoomKind, StoreError};

/// Longest name and description. Source: T:tblnode.
pub const MAX_NAME: usize = 256;

/// Most entries of one list. More people than this are put into a group.
pub const MAX_LIST: usize = 20_000;

fn same(a: &str, b: &str) -> bool {
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

fn any(list: &[String], user: &(impl Person + ?Sized)) -> bool {
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

/// What a category allows, ready to be asked for many: addresses are looked up, not compared one by one.
pub struct Cut {
    allowed: Ready,
    denied: Ready,
}

/// A list of principals by kind.
#[derive(Default)]
struct Ready {
    addresses: std::collections::HashSet<String>,
    others: Vec<String>,
    /// A SIP domain is among them.
    domain: bool,
    /// A group or unit is.
    whole: bool,
}

impl Ready {
    fn new(list: &[String]) -> Self {
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
    fn concerns(&self, principal: &str, members: &Members) -> bool {
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
        assert!(may_post(&c, &r, pilar).is_ok() && check_room(&c, &r, &Members::default()).is_ok());
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
        let (moved, cut) = cut_to(&c, &r, &Members::default());
        assert_eq!((moved.category_id.as_str(), moved.members.as_slice()), ("new", &[pilar.to_owned()][..]));
        assert!(moved.managers.is_empty() && check_room(&c, &moved, &Members::default()).is_ok());
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
        assert!(
            matches!(check_room(&c, &r, &Members::default()), Err(StoreError::Invalid { field, .. }) if field == "Members")
        );
        let (pilar, ken) = ("sip:pilar@litwareinc.com".to_owned(), "sip:kenmyer@litwareinc.com".to_owned());
        let mut r = Room { name: "r".into(), members: vec![pilar], ..Room::default() };
        r.kind = RoomKind::Auditorium;
        r.presenters = vec![ken.clone()];
        assert!(
            matches!(check_room(&c, &r, &Members::default()), Err(StoreError::Invalid { field, .. }) if field == "Presenters")
        );
        r.members.push(ken);
        assert!(check_room(&c, &r, &Members::default()).is_ok());
    }

    #[test]
    fn groups_and_units_let_in_and_keep_out() {
        let (sales, all) = ("CN=Sales,DC=litwareinc,DC=com", "CN=All,DC=litwareinc,DC=com");
        let pairs = [(sales, "sip:ken@litwareinc.com"), (all, sales), (all, "sip:amy@litwareinc.com")];
        let owned = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        let unit = [("sip:zoe@litwareinc.com", "OU=East,OU=Field,DC=litwareinc,DC=com")];
        let m = Members::new(pairs.map(owned), unit.map(owned));
        let who = |name: &str| m.who(&format!("sip:{name}@litwareinc.com"));
        let c = Category {
            allowed: vec![all.into(), "OU=Field,DC=litwareinc,DC=com".into()],
            denied: vec![sales.into()],
            ..Category::default()
        };
        assert!(allowed(&c, &who("amy")) && allowed(&c, &who("zoe")));
        assert!(!allowed(&c, &who("ken")), "denied by the group within the group");
        assert!(!allowed(&c, "sip:amy@litwareinc.com"), "who is not looked up belongs to nothing");
        let room = |p: &str| Room { name: "r".into(), members: vec![p.into()], ..Room::default() };
        assert!(check_room(&c, &room(all), &m).is_ok());
        assert!(check_room(&c, &room(sales), &m).is_err());
        assert!(check_room(&c, &room("OU=East,OU=Field,DC=litwareinc,DC=com"), &m).is_ok());
        assert!(check_room(&c, &room("DC=litwareinc,DC=com"), &m).is_err(), "more than is allowed");
        // What stood in the list stays when its group changed, and can be taken out.
        let old = room("sip:ken@litwareinc.com");
        let new = Room { description: "new".into(), ..old.clone() };
        assert!(check_room(&c, &new, &m).is_err() && check_change(&c, Some(&old), &new, &m).is_ok());
        assert!(check_kept(&c, &Category { denied: vec![], ..c.clone() }, &room(sales), &m).is_ok());
        assert!(check_kept(&c, &Category { allowed: vec![], ..c.clone() }, &room(all), &m).is_err());
        assert_eq!(cut_to(&c, &room(sales), &m).1, [sales]);
        let wide = Category { allowed: vec!["litwareinc.com".into()], ..Category::default() };
        assert!(check_room(&wide, &room(sales), &m).is_ok(), "its people are of the SIP domains");
    }

    #[test]
    fn a_list_has_its_limit() {
        let list = |n: usize| (0..n).map(|i| format!("sip:u{i}@a.com")).collect::<Vec<_>>();
        assert!(check_principals("Members", &list(MAX_LIST)).is_ok());
        let e = check_principals("Members", &list(MAX_LIST + 1)).unwrap_err();
        assert!(e.to_string().contains("group"), "{e}");
    }
}
