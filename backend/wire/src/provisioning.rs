//! In-band provisioning: how a client learns its Persistent Chat policy and pool (xccos.md §1).

use crate::xml::{self, Node, escape};

/// `Event` of the subscription.
pub const EVENT: &str = "vnd-microsoft-provisioning-v2";
/// Type of request and answer bodies.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";

/// The request body.
pub fn request() -> String {
    "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\"><provisioningGroup name=\"persistentChatConfiguration\"/></provisioningGroupList>".to_owned()
}

/// Whether a request asks for the Persistent Chat settings; an empty body asks for all.
pub fn asks_for_persistent_chat(body: &[u8]) -> bool {
    let Ok(root) = xml::parse(body) else { return true };
    root.named("provisioningGroup")
        .any(|g| g.attr("name").is_some_and(|n| n.eq_ignore_ascii_case("persistentChatConfiguration")))
}

/// What the answer says of Persistent Chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersistentChatProvisioning {
    /// Whether the user's policy allows it.
    pub enabled: bool,
    /// Lookup address of the default pool.
    pub default_pool_uri: Option<String>,
    /// Page where users manage rooms, inside and outside of the organisation alike (model §10).
    pub web_manager_uri: Option<String>,
    /// Lookup addresses of all pools.
    pub pool_uris: Vec<String>,
}

impl PersistentChatProvisioning {
    /// The answer body.
    pub fn to_xml(&self) -> String {
        let property =
            |name: &str, value: &str| format!("<property name=\"{name}\">{}</property>", escape(value));
        let mut list = property("EnablePersistentChat", if self.enabled { "true" } else { "false" });
        if let Some(uri) = &self.default_pool_uri {
            list.push_str(&property("DefaultPersistentChatPoolUri", uri));
        }
        if let Some(uri) = &self.web_manager_uri {
            list.push_str(&property("PersistentChatWebManagerUriInt", uri));
            list.push_str(&property("PersistentChatWebManagerUriExt", uri));
        }
        list.push_str(&property("PersistentChatPoolUris", &self.pool_uris.join(" ")));
        format!(
            "<provisionGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification\"><provisionGroup name=\"persistentChatConfiguration\"><propertyEntryList>{list}</propertyEntryList></provisionGroup></provisionGroupList>"
        )
    }

    /// Reads an answer body; none when it does not speak of Persistent Chat.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let root = xml::parse(body).ok()?;
        let group =
            root.named("provisionGroup").find(|g| g.attr("name") == Some("persistentChatConfiguration"))?;
        let list = group.child("propertyEntryList")?;
        let get = |name: &str| -> Option<String> {
            list.named("property")
                .find(|p: &&Node| p.attr("name") == Some(name))
                .map(|p| p.text.trim().to_owned())
        };
        Some(Self {
            enabled: get("EnablePersistentChat").is_some_and(|v| v.eq_ignore_ascii_case("true")),
            default_pool_uri: get("DefaultPersistentChatPoolUri").filter(|u| !u.is_empty()),
            web_manager_uri: get("PersistentChatWebManagerUriInt").filter(|u| !u.is_empty()),
            pool_uris: get("PersistentChatPoolUris")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_question() {
        let p = PersistentChatProvisioning {
            enabled: true,
            default_pool_uri: Some("sip:a@b.c".to_owned()),
            web_manager_uri: Some("https://rooms.b.c/?a=1&b".to_owned()),
            pool_uris: vec!["sip:a@b.c".to_owned(), "sip:d@b.c".to_owned()],
        };
        assert_eq!(PersistentChatProvisioning::parse(p.to_xml().as_bytes()), Some(p));
        assert!(asks_for_persistent_chat(request().as_bytes()) && asks_for_persistent_chat(b""));
        assert!(!asks_for_persistent_chat(
            b"<provisioningGroupList><provisioningGroup name=\"x\"/></provisioningGroupList>"
        ));
    }
}
