//! Chat users and Persistent Chat policies. Source: model §9, `reference/domain/procedures.md` §9.

mod groups;
mod import;
mod new_user;
mod policies;
mod user_change;
mod users;

pub use self::groups::{GroupPage, GroupsPage};
pub use self::import::ImportUsersPage;
pub use self::new_user::NewUserPage;
pub use self::policies::PoliciesPage;
pub use self::users::UsersPage;

use shared::api::PolicyView;

/// User policies (those that are granted) for a list: what the cmdlet takes, and what a person reads.
fn user_policies(all: &[PolicyView]) -> Vec<(String, String)> {
    let name = |p: &PolicyView| p.identity.strip_prefix("Tag:").map(str::to_owned);
    let words = |p: &PolicyView, n: &str| {
        let on = if p.enable_persistent_chat { "allows Persistent Chat" } else { "refuses Persistent Chat" };
        format!("{n} ({on})")
    };
    all.iter().filter_map(|p| name(p).map(|n| (n.clone(), words(p, &n)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_user_policies_are_granted() {
        let policy = |identity: &str, on| PolicyView {
            identity: identity.to_owned(),
            description: String::new(),
            enable_persistent_chat: on,
            granted: 0,
        };
        let all = [policy("Global", false), policy("Site:Redmond", true), policy("Tag:Chat", true)];
        assert_eq!(user_policies(&all), [("Chat".to_owned(), "Chat (allows Persistent Chat)".to_owned())]);
    }
}
