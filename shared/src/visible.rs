//! Characters that nobody sees, or that turn the direction of what stands after them: a name with one of them
//! is not the name that it seems to be.

use crate::names::InvalidName;

/// The first character of `text` that is invisible or turns the direction.
pub fn hidden(text: &str) -> Option<char> {
    text.chars().find(|c| {
        matches!(*c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
    })
}

/// Refuses a text with such a character.
///
/// # Errors
/// Which it is.
pub fn check(text: &str) -> Result<(), InvalidName> {
    match hidden(text) {
        Some(c) => Err(InvalidName(format!(
            "It has the invisible character U+{:04X}. Type the name anew, or paste it as plain text.",
            u32::from(c)
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_refused_and_every_script_is_not() {
        for bad in [
            "Lob\u{200b}by",
            "\u{202e}ybboL",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{3164}",
            "a\u{e0041}",
        ] {
            assert!(check(bad).unwrap_err().0.contains("U+"), "{bad:?}");
        }
        for fine in ["Ärzte", "Москва", "東京", "غرفة", "Zo\u{eb} 🙂", "‘Sales’ – East"]
        {
            assert!(check(fine).is_ok(), "{fine}");
        }
    }
}
