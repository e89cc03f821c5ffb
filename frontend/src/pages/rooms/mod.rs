//! Categories and chat rooms. Source: model §§12, 13.

mod addins;
mod category;
mod life;
mod list;
mod messages;
mod new;
mod room;
mod room_people;

use shared::SipUri;
use shared::api::{AddinView, CategoryView, RoomPage, RoomView};
use shared::events::Topic;

pub use self::category::CategoryPage;
pub use self::list::RoomsPage;
pub use self::new::{NewCategoryPage, NewRoomPage};
pub use self::room::RoomPage;
use crate::api::{Data, use_data};
use crate::components::badge::Badge;
use crate::components::{Icon, Tone};

const TOPICS: &[Topic] = &[Topic::Rooms, Topic::Topology, Topic::Pool];

/// Rooms that a query picks, a part of them.
fn use_rooms(query: impl Fn() -> String + Send + Sync + 'static) -> Data<RoomPage> {
    use_data(move || format!("rooms?{}", query()), TOPICS)
}

fn use_categories() -> Data<Vec<CategoryView>> {
    use_data(|| "categories".to_owned(), TOPICS)
}

fn use_addins() -> Data<Vec<AddinView>> {
    use_data(|| "addins".to_owned(), TOPICS)
}

/// The principals of a text, one per line.
fn principals(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

/// The check of such a text: each line is a SIP address, a SIP domain, a group or a unit. Whether a group is
/// there, the portal knows.
fn check_principals(text: &str) -> Result<(), String> {
    let wrong = |l: &String| l.contains('@') && SipUri::try_from(l.as_str()).is_err();
    let lines = principals(text);
    if let Some(l) = lines.iter().find(|l| wrong(l)) {
        return Err(format!("'{l}' is no SIP address (sip:user@domain)."));
    }
    lines
        .iter()
        .filter(|l| shared::dn::is(l))
        .try_for_each(|l| shared::dn::check(l).map(drop).map_err(|e| e.0))
}

/// A room's state: who sees it, and whether it is in use.
fn of_room(r: &RoomView) -> Badge {
    if r.disabled {
        Badge::new("Disabled", Tone::Neutral, Icon::Stop)
    } else {
        Badge::new("Enabled", Tone::Good, Icon::Tick)
    }
}

/// What a privacy means.
fn privacy_words(privacy: &str) -> &'static str {
    match privacy {
        "Open" => "Anyone whom the category allows may enter.",
        "Secret" => "Only members may enter, and only members find it.",
        _ => "Only members may enter; everyone whom the category allows finds it.",
    }
}

/// Privacies for a choice.
fn privacies() -> Vec<(String, String, String)> {
    ["Open", "Closed", "Secret"].map(|p| (p.to_owned(), p.to_owned(), privacy_words(p).to_owned())).to_vec()
}

/// Types for a choice.
fn types() -> Vec<(String, String, String)> {
    let choice = |v: &str, text: &str| (v.to_owned(), v.to_owned(), text.to_owned());
    vec![
        choice("Normal", "Every member may post."),
        choice("Auditorium", "Only presenters post; all members read."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_stand_one_per_line() {
        assert_eq!(
            principals(" sip:pilar@litwareinc.com \n\nlitwareinc.com"),
            ["sip:pilar@litwareinc.com", "litwareinc.com"]
        );
        assert!(check_principals("sip:pilar@litwareinc.com\nlitwareinc.com\n").is_ok());
        assert!(check_principals("pilar@litwareinc.com").unwrap_err().contains("pilar@litwareinc.com"));
        assert!(
            check_principals("Sales\nOU=East,DC=a,DC=com").is_ok() && check_principals("OU=East").is_err()
        );
        assert!(check_principals("").is_ok());
    }
}
