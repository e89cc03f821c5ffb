//! Settings that stand at three scopes: global, a site, a pool. Rules without any store.
//! Source: model §10, C:New-CsPersistentChatConfiguration.

use serde::{Deserialize, Serialize};

use crate::identity::pool_fqdn;
use crate::names::Fqdn;

/// Where a collection of settings applies. A pool's own beat its site's, those beat the global ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// Pools of this site.
    Site(String),
    /// One pool.
    Service(Fqdn),
}

impl Scope {
    /// Reads `global`, `site:Redmond`, `service:PersistentChatServer:pool`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(identity: &str) -> Result<Self, String> {
        let id = identity.trim();
        if id.contains(['*', '?']) {
            return Err("Write one identity here; wildcards go with Get- and -Filter.".to_owned());
        }
        if id.eq_ignore_ascii_case("global") {
            return Ok(Self::Global);
        }
        match id.split_once(':') {
            Some((p, site)) if p.eq_ignore_ascii_case("site") && !site.trim().is_empty() => {
                Ok(Self::Site(site.trim().to_owned()))
            }
            Some(_) => pool_fqdn(id).map(Self::Service).map_err(|e| e.0),
            None => Err(format!(
                "'{id}' is none of global, site:<SiteId> and service:PersistentChatServer:<pool>."
            )),
        }
    }

    /// As the cmdlets print it and as it is stored; comparison ignores case.
    pub fn identity(&self) -> String {
        match self {
            Self::Global => "Global".to_owned(),
            Self::Site(s) => format!("Site:{s}"),
            Self::Service(f) => format!("Service:PersistentChatServer:{f}"),
        }
    }
}

/// The collection that decides for a pool of a site: its own, else its site's, else the global one.
pub fn deciding<'a, T>(list: &'a [(String, T)], site: &str, pool: &Fqdn) -> Option<&'a (String, T)> {
    [Scope::Service(pool.clone()), Scope::Site(site.to_owned()), Scope::Global]
        .iter()
        .find_map(|s| list.iter().find(|(id, _)| id.eq_ignore_ascii_case(&s.identity())))
}

/// The value that applies to a pool of a site.
pub fn effective<'a, T>(list: &'a [(String, T)], site: &str, pool: &Fqdn) -> Option<&'a T> {
    deciding(list, site, pool).map(|(_, v)| v)
}

/// Settings of the chat service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ChatConfiguration {
    /// Messages that a client gets when it enters a room (V18).
    pub default_chat_history: u32,
    /// Largest file to upload.
    #[serde(rename = "MaxFileSizeKB")]
    pub max_file_size_kb: u32,
    /// Above so many participants a room's roster is not updated.
    pub participant_update_limit: u32,
    /// Page where users manage rooms.
    pub room_management_url: Option<String>,
}

impl Default for ChatConfiguration {
    fn default() -> Self {
        Self {
            default_chat_history: 30,
            max_file_size_kb: 20_000,
            participant_update_limit: 75,
            room_management_url: None,
        }
    }
}

impl ChatConfiguration {
    /// Whether the values are in their ranges (V18, V24).
    ///
    /// # Errors
    /// The parameter and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if !(1..=500).contains(&self.default_chat_history) {
            let text = format!("DefaultChatHistory is 1 to 500, not {}.", self.default_chat_history);
            return Err(("DefaultChatHistory", text));
        }
        match &self.room_management_url {
            Some(u) => check_url(u, usize::MAX).map_err(|e| ("RoomManagementUrl", e)),
            None => Ok(()),
        }
    }
}

/// An address of a web page (V24): http or https, a host, no blanks.
///
/// # Errors
/// What is wrong.
pub fn check_url(url: &str, longest: usize) -> Result<(), String> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|p| url.get(..p.len()).filter(|h| h.eq_ignore_ascii_case(p)).map(|_| &url[p.len()..]));
    let host = rest.map(|r| r.split(['/', '?', '#']).next().unwrap_or_default());
    if host.is_none_or(str::is_empty) || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("'{url}' is no address that begins with http:// or https:// and names a host."));
    }
    if url.chars().count() > longest {
        return Err(format!("The address has {longest} characters at most."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_printed() {
        for (text, printed) in [
            ("global", "Global"),
            ("SITE:Redmond", "Site:Redmond"),
            ("service:PersistentChatServer:a.contoso.com", "Service:PersistentChatServer:a.contoso.com"),
            ("PersistentChatServer:a.contoso.com", "Service:PersistentChatServer:a.contoso.com"),
        ] {
            let scope = Scope::parse(text).unwrap();
            assert_eq!(scope.identity(), printed);
            assert_eq!(Scope::parse(&scope.identity()), Ok(scope), "what is printed is read");
        }
        for bad in ["", "site:", "site:*", "Redmond", "service:", "tag:x"] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_pool_beats_the_site_beats_global() {
        let pool = Fqdn::try_from("a.contoso.com").unwrap();
        let mut list = vec![("Global".to_owned(), 1)];
        assert_eq!(effective(&list, "Redmond", &pool), Some(&1));
        list.push(("Site:redmond".to_owned(), 2));
        assert_eq!(effective(&list, "Redmond", &pool), Some(&2));
        assert_eq!(effective(&list, "Dublin", &pool), Some(&1));
        list.push((Scope::Service(pool.clone()).identity(), 3));
        assert_eq!(effective(&list, "Redmond", &pool), Some(&3));
    }

    #[test]
    fn ranges_and_addresses() {
        let history = |n| ChatConfiguration { default_chat_history: n, ..Default::default() };
        assert!(history(1).check().is_ok() && history(500).check().is_ok());
        for n in [0, 501] {
            assert_eq!(history(n).check().unwrap_err().0, "DefaultChatHistory");
        }
        assert!(check_url("https://rooms.contoso.com/manage", 255).is_ok());
        for bad in ["ftp://a", "http://", "http:///x", "https://a b", "rooms.contoso.com"] {
            assert!(check_url(bad, 255).is_err(), "{bad}");
        }
        assert!(check_url(&format!("http://a/{}", "x".repeat(255)), 255).is_err());
    }
}
