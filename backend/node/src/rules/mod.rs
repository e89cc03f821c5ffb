//! Who may do what in a room: pure rules over category and room. Source: model §§12, 13, 16.

mod checks;
mod cut;
mod may;

pub use self::checks::{
    check_change, check_description, check_kept, check_name, check_principals, check_room, touched_by,
};
pub use self::cut::{Cut, check_category, cut_to};
pub use self::may::{allowed, covers, hidden, may_join, may_post, member, visible};

/// Longest name and description. Source: T:tblnode.
pub const MAX_NAME: usize = 256;

/// Most entries of one list. More people than this are put into a group.
pub const MAX_LIST: usize = 20_000;

#[cfg(test)]
mod tests;
