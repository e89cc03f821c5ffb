//! Groups and organizational units as principals. Who belongs to what is worked out here; where it is kept is
//! the directory's affair. A distinguished name stands for everyone below it, or for the members of a group.
//! Source: model §16.

use std::collections::HashMap;
use std::sync::Arc;

use shared::dn;
use tokio::sync::watch;

/// Someone whose rights are asked for.
pub trait Person {
    /// SIP address.
    fn uri(&self) -> &str;
    /// Distinguished names in small letters: his groups with those they are in, his units with those above.
    fn principals(&self) -> &[String];
}

impl Person for str {
    fn uri(&self) -> &str {
        self
    }
    fn principals(&self) -> &[String] {
        &[]
    }
}

impl Person for String {
    fn uri(&self) -> &str {
        self
    }
    fn principals(&self) -> &[String] {
        &[]
    }
}

/// A user with what he belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// SIP address.
    pub uri: String,
    /// Distinguished names in small letters.
    pub principals: Vec<String>,
}

impl Person for Who {
    fn uri(&self) -> &str {
        &self.uri
    }
    fn principals(&self) -> &[String] {
        &self.principals
    }
}

/// Who belongs to what, at one time.
#[derive(Debug, Default)]
pub struct Members {
    /// Groups that name a member; all in small letters.
    groups: HashMap<String, Vec<Arc<str>>>,
    /// Units of users.
    units: HashMap<String, Arc<str>>,
}

impl Members {
    /// From pairs of group and member, and of user and unit.
    pub fn new(
        pairs: impl IntoIterator<Item = (String, String)>,
        units: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut names: HashMap<String, Arc<str>> = HashMap::new();
        let mut name = |text: String| -> Arc<str> {
            let text = text.to_lowercase();
            names.entry(text.clone()).or_insert_with(|| Arc::from(text)).clone()
        };
        let mut groups: HashMap<String, Vec<Arc<str>>> = HashMap::new();
        for (group, member) in pairs {
            groups.entry(member.to_lowercase()).or_default().push(name(group));
        }
        let units = units.into_iter().map(|(user, unit)| (user.to_lowercase(), name(unit))).collect();
        Self { groups, units }
    }

    /// As it will be when a group gets and loses members.
    #[must_use]
    pub fn regrouped(&self, group: &str, added: &[String], gone: &[String]) -> Self {
        let group = group.to_lowercase();
        let mut groups = self.groups.clone();
        for m in gone {
            if let Some(list) = groups.get_mut(&m.to_lowercase()) {
                list.retain(|g| **g != *group);
            }
        }
        for m in added {
            groups.entry(m.to_lowercase()).or_default().push(Arc::from(group.as_str()));
        }
        Self { groups, units: self.units.clone() }
    }

    /// As it will be when a user is in another unit; empty for none.
    #[must_use]
    pub fn moved(&self, user: &str, unit: &str) -> Self {
        let mut units = self.units.clone();
        units.remove(&user.to_lowercase());
        if !unit.is_empty() {
            units.insert(user.to_lowercase(), Arc::from(unit.to_lowercase()));
        }
        Self { groups: self.groups.clone(), units }
    }

    /// Groups that hold `of`, directly or through groups; a circle ends by itself.
    fn around(&self, of: &str, out: &mut Vec<String>) {
        let mut open = vec![of.to_owned()];
        while let Some(next) = open.pop() {
            for g in self.groups.get(&next).into_iter().flatten() {
                if !out.iter().any(|x| **x == **g) {
                    out.push(g.to_string());
                    open.push(g.to_string());
                }
            }
        }
    }

    /// What a user belongs to.
    pub fn principals(&self, user: &str) -> Vec<String> {
        let user = user.trim().to_lowercase();
        let mut out = Vec::new();
        self.around(&user, &mut out);
        if let Some(unit) = self.units.get(&user) {
            out.extend(dn::upwards(unit).map(str::to_owned));
        }
        out
    }

    /// The user as the rules take him.
    pub fn who(&self, user: &str) -> Who {
        Who { uri: user.trim().to_owned(), principals: self.principals(user) }
    }

    /// What a group or unit stands within: itself, what is above it, and groups that hold it.
    pub fn within(&self, name: &str) -> Vec<String> {
        let name = name.trim().to_lowercase();
        let mut out: Vec<String> = dn::upwards(&name).map(str::to_owned).collect();
        self.around(&name, &mut out);
        out
    }
}

/// Where it is kept who belongs to what.
pub trait Membership: Send + Sync {
    /// As it is now.
    fn current(&self) -> Arc<Members>;
    /// Rises with every change.
    fn changes(&self) -> watch::Receiver<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn a_user_belongs_to_groups_of_groups_and_to_units_above() {
        let (sales, all) = ("CN=Sales,DC=a,DC=com", "CN=All,DC=a,DC=com");
        let m = Members::new(
            pairs(&[(sales, "sip:Ken@a.com"), (all, sales), (sales, all)]),
            pairs(&[("sip:ken@a.com", "OU=East,OU=Sales,DC=a,DC=com")]),
        );
        assert_eq!(
            m.principals("SIP:ken@a.com"),
            [
                "cn=sales,dc=a,dc=com",
                "cn=all,dc=a,dc=com",
                "ou=east,ou=sales,dc=a,dc=com",
                "ou=sales,dc=a,dc=com",
                "dc=a,dc=com"
            ]
        );
        assert!(m.principals("sip:other@a.com").is_empty());
        assert_eq!(m.within("OU=Sales,DC=a,DC=com"), ["ou=sales,dc=a,dc=com", "dc=a,dc=com"]);
        let less = m.regrouped(sales, &["sip:amy@a.com".to_owned()], &["sip:KEN@a.com".to_owned()]);
        assert_eq!(less.principals("sip:amy@a.com").len(), 2);
        assert_eq!(less.moved("sip:ken@a.com", "DC=a,DC=com").principals("sip:ken@a.com"), ["dc=a,dc=com"]);
    }
}
