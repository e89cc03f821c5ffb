//! The rules, one by one.

use super::*;
use crate::members::Members;
use crate::traits::{Category, Privacy, Room, RoomKind, StoreError};

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
    let mut r =
        Room { name: "r".into(), members: vec![pilar.into()], privacy: Privacy::Secret, ..Room::default() };
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
