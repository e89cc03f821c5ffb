//! Names that people read: nothing invisible in them, and none that looks like another in a different script.

use shared::error::ApiError;
use unicode_security::confusable_detection::skeleton;

/// A name without characters that nobody sees or that turn the direction of reading.
///
/// # Errors
/// Which one it has.
pub fn check(field: &str, name: &str) -> Result<(), ApiError> {
    shared::visible::check(name).map_err(|e| ApiError::invalid(field, e.0))
}

fn shape(name: &str) -> String {
    skeleton(&name.to_lowercase()).collect()
}

/// A name that is there and looks the same. Names of ASCII letters alone are told apart as they always were:
/// *Team 1* and *Team l* are two names.
pub fn like<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (ascii, own) = (name.is_ascii(), shape(name));
    others.into_iter().find(|o| !(ascii && o.is_ascii()) && *o != name && shape(o) == own)
}

/// Refuses a name that looks like one that is there.
///
/// # Errors
/// Which.
pub fn check_like<'a>(
    field: &str,
    name: &str,
    others: impl IntoIterator<Item = &'a str>,
) -> Result<(), ApiError> {
    match like(name, others) {
        Some(o) => Err(ApiError::invalid(
            field,
            format!(
                "It looks like the name {o}, which is there already, with letters of another script or form."
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_scripts_that_look_the_same_are_found() {
        let there = ["Lobby", "Team 1", "\u{41c}осква", "Caf\u{e9}"];
        assert_eq!(like("L\u{43e}bby", there), Some("Lobby"), "a Cyrillic o");
        assert_eq!(like("l\u{3bf}bby", there), Some("Lobby"), "a Greek o, whatever the case");
        assert_eq!(like("Cafe\u{301}", there), Some("Caf\u{e9}"), "composed otherwise");
        for fine in ["Team l", "Lobby 2", "Москва 2", "Лобби", "Cafe"] {
            assert_eq!(like(fine, there), None, "{fine}");
        }
        assert_eq!(like("Lobby", ["Lobby"]), None, "the same name is another rule's affair");
    }
}
