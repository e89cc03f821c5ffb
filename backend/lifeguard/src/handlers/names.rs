//! Names that people read: nothing invisible in them, and none that looks like another in a different script.

use std::collections::HashMap;

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

/// Names one after the other, each with the row that it stands in (none: it is there already), of which no two are
/// to look alike. What [`like`] says of two names, without comparing each with each.
#[derive(Default)]
pub struct Seen {
    /// Names of ASCII letters that nothing was compared with yet, and the shapes of the others of them.
    plain: Vec<Met>,
    plain_shapes: HashMap<String, Met>,
    /// Shapes of names with other letters.
    foreign: HashMap<String, Met>,
    /// Whether one of those has the shape of ASCII letters.
    disguised: bool,
}

/// What shapes of ASCII characters are made of (the percent sign's has two others); a shape of anything else is no
/// disguise of an ASCII name.
fn plain_shape(c: char) -> bool {
    c.is_ascii() || matches!(c, '\u{b0}' | '\u{2080}')
}

/// A name and its row.
type Met = (String, Option<u64>);

impl Seen {
    /// The earlier name that this one looks like; the first of several alike is kept.
    pub fn add(&mut self, name: &str, row: Option<u64>) -> Option<Met> {
        let met = || (name.to_owned(), row);
        if name.is_ascii() && !self.disguised {
            self.plain.push(met());
            return None;
        }
        let shape = shape(name);
        let differs = |m: &&Met| m.0.to_lowercase() != name.to_lowercase();
        let foreign = self.foreign.get(&shape).filter(differs).cloned();
        if name.is_ascii() {
            self.plain_shapes.entry(shape).or_insert_with(met);
            return foreign;
        }
        let plain = if shape.chars().all(plain_shape) {
            self.disguised = true;
            for m in self.plain.drain(..) {
                self.plain_shapes.entry(self::shape(&m.0)).or_insert(m);
            }
            self.plain_shapes.get(&shape).cloned()
        } else {
            None
        };
        self.foreign.entry(shape).or_insert_with(met);
        plain.or(foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_row_are_told_with_the_one_they_look_like() {
        let mut seen = Seen::default();
        assert_eq!(seen.add("Pilar Ackerman", None), None);
        assert_eq!(seen.add("Ken Myer", Some(2)), None);
        assert_eq!(seen.add("Zo\u{eb}", Some(3)), None);
        assert_eq!(seen.add("Ken Myer", Some(4)), None, "two may have one name");
        assert_eq!(seen.add("ZO\u{cb}", Some(5)), None, "whatever its case");
        let ken = Some(("Ken Myer".to_owned(), Some(2)));
        assert_eq!(seen.add("K\u{435}n Myer", Some(6)), ken, "a Cyrillic e");
        assert_eq!(seen.add("Pil\u{430}r Ackerman", Some(7)), Some(("Pilar Ackerman".to_owned(), None)));
        assert_eq!(seen.add("Zoe\u{308}", Some(8)), Some(("Zo\u{eb}".to_owned(), Some(3))));
        // The disguise may stand before what it looks like.
        assert_eq!(seen.add("Gu\u{435}st", Some(9)), None);
        assert_eq!(seen.add("Guest", Some(10)), Some(("Gu\u{435}st".to_owned(), Some(9))));
        assert_eq!(seen.add("Team 1", Some(11)).or_else(|| seen.add("Team l", Some(12))), None);
    }

    #[test]
    fn shapes_of_ascii_are_known() {
        for c in '\0'..='\x7f' {
            let shape = shape(&c.to_string());
            assert!(shape.chars().all(plain_shape), "{c:?}: {shape:?}");
        }
    }

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
