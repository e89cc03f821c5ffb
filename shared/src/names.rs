//! Names that cannot be wrong: each type is made by `TryFrom` only and keeps its canonical form.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a name was refused; the text stands at the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName(pub String);

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidName {}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The canonical text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;
            fn try_from(value: &str) -> Result<Self, InvalidName> {
                Self::try_from(value.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// A fully qualified domain name: at least two labels of letters, digits and inner hyphens,
    /// 253 characters at most, kept in lower case (DNS does not tell case apart).
    Fqdn
}

impl TryFrom<String> for Fqdn {
    type Error = InvalidName;

    fn try_from(raw: String) -> Result<Self, InvalidName> {
        let text = raw.trim().trim_end_matches('.').to_ascii_lowercase();
        let fail = |why: &str| Err(InvalidName(why.to_owned()));
        if text.is_empty() {
            return fail("Enter a fully qualified domain name, for example pcpool.contoso.com.");
        }
        if text.len() > 253 {
            return fail("A fully qualified domain name has 253 characters at most.");
        }
        if !text.is_ascii() {
            return fail("Use the ASCII (xn--) form of an internationalised name, as DNS holds it.");
        }
        if !text.contains('.') {
            return fail("This is a host name only. Add the domain, for example pcpool.contoso.com.");
        }
        if text.split('.').all(|l| l.chars().all(|c| c.is_ascii_digit())) {
            return fail("This is an address, not a name. Enter the name that DNS holds.");
        }
        for label in text.split('.') {
            if label.is_empty() {
                return fail("Two dots stand together, or a dot stands first.");
            }
            if label.len() > 63 {
                return fail("A part between two dots has 63 characters at most.");
            }
            if let Some(c) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
                return Err(InvalidName(format!(
                    "The character '{c}' is not allowed. Use letters, digits, hyphens and dots."
                )));
            }
            if label.starts_with('-') || label.ends_with('-') {
                return fail("A part between two dots does not start or end with a hyphen.");
            }
        }
        Ok(Self(text))
    }
}

impl Fqdn {
    /// The part before the first dot.
    pub fn host(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

text_newtype! {
    /// A SIP address `sip:user@domain`, in lower case. Source: C:New-CsPersistentChatEndpoint.
    SipUri
}

impl TryFrom<String> for SipUri {
    type Error = InvalidName;

    fn try_from(raw: String) -> Result<Self, InvalidName> {
        let text = raw.trim().to_ascii_lowercase();
        let Some(rest) = text.strip_prefix("sip:") else {
            let other = if text.is_empty() { String::new() } else { format!(", not '{}'", raw.trim()) };
            return Err(InvalidName(format!(
                "A SIP address starts with sip:, for example sip:persistentchat@contoso.com{other}."
            )));
        };
        let Some((user, domain)) = rest.split_once('@') else {
            return Err(InvalidName("A SIP address has the form sip:user@domain.".to_owned()));
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,%".contains(c);
        if user.is_empty() || !user.chars().all(allowed) {
            return Err(InvalidName(
                "The part before @ has letters, digits and - _ . ! ~ * ' ( ) & = + $ , only.".to_owned(),
            ));
        }
        let domain = Fqdn::try_from(domain)?;
        Ok(Self(format!("sip:{user}@{domain}")))
    }
}

impl SipUri {
    /// The part between `sip:` and `@`.
    pub fn user(&self) -> &str {
        self.split().0
    }

    /// The SIP domain.
    pub fn domain(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0[4..].split_once('@').unwrap_or((&self.0, ""))
    }
}

text_newtype! {
    /// The stable identity of an object of the topology; names are attributes and may change.
    ObjectId
}

impl TryFrom<String> for ObjectId {
    type Error = InvalidName;

    fn try_from(raw: String) -> Result<Self, InvalidName> {
        let fits = !raw.is_empty()
            && raw.len() <= 64
            && raw.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if fits { Ok(Self(raw)) } else { Err(InvalidName("Not an object id.".to_owned())) }
    }
}

/// A TCP port, 1–65535 (V30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "u16", into = "u16")]
pub struct Port(u16);

impl Port {
    /// Persistent Chat over mutual TLS. Source: L:ports-and-protocols-for-internal-servers.
    pub const PERSISTENT_CHAT: Self = Self(5041);
    /// The registrar over TLS. Source: C:Test-CsPersistentChatMessage.
    pub const REGISTRAR_TLS: Self = Self(5061);
    /// The registrar over TCP.
    pub const REGISTRAR_TCP: Self = Self(5060);

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Parses what a person typed.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let wrong = || InvalidName("A port is a whole number from 1 to 65535.".to_owned());
        text.trim().parse::<u16>().map_err(|_| wrong()).and_then(Self::try_from)
    }
}

impl TryFrom<u16> for Port {
    type Error = InvalidName;
    fn try_from(n: u16) -> Result<Self, InvalidName> {
        if n == 0 {
            Err(InvalidName("A port is a whole number from 1 to 65535.".to_owned()))
        } else {
            Ok(Self(n))
        }
    }
}

impl From<Port> for u16 {
    fn from(p: Port) -> u16 {
        p.0
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Checks an instance name: the name only, not `server\instance`. Source: H:sql-store-settings-expander.
pub fn check_instance(text: &str) -> Result<String, InvalidName> {
    let t = text.trim();
    let mut chars = t.chars();
    let first_ok = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if t.contains('\\') {
        return Err(InvalidName("Enter the instance name only, not the server before it.".to_owned()));
    }
    if t.len() > 16 || !first_ok || !chars.all(|c| c.is_ascii_alphanumeric() || "_$#".contains(c)) {
        return Err(InvalidName(
            "An instance name has 1 to 16 letters, digits, _ $ #, and starts with a letter or _.".to_owned(),
        ));
    }
    Ok(t.to_owned())
}

/// Checks the name of a file share: one path component. Source: H:add-file-store.
pub fn check_share(text: &str) -> Result<String, InvalidName> {
    let t = text.trim();
    let bad = |c: char| c.is_control() || "\\/:*?\"<>|[]".contains(c);
    if t.is_empty() || t.len() > 80 || t == "." || t == ".." || t.contains(bad) {
        return Err(InvalidName(
            "Enter the share name only, 80 characters at most, without \\ / : * ? \" < > | [ ].".to_owned(),
        ));
    }
    Ok(t.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fqdn_rules() {
        assert_eq!(Fqdn::try_from("PCPool.Contoso.com.").unwrap().as_str(), "pcpool.contoso.com");
        for bad in ["", "host", "a..b", "-a.b", "a_b.c", "1.2.3.4", "bücher.de", "a b.c"] {
            assert!(Fqdn::try_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sip_rules() {
        let u = SipUri::try_from("sip:PersistentChat@contoso.com").unwrap();
        assert_eq!((u.user(), u.domain()), ("persistentchat", "contoso.com"));
        for bad in ["persistentchat@contoso.com", "sip:contoso.com", "sip:@contoso.com", "sip:a@b"] {
            assert!(SipUri::try_from(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn names_never_panic_and_are_stable(s in ".{0,80}") {
            if let Ok(f) = Fqdn::try_from(s.as_str()) { prop_assert_eq!(Fqdn::try_from(f.as_str()).unwrap(), f); }
            if let Ok(u) = SipUri::try_from(s.as_str()) { prop_assert_eq!(SipUri::try_from(u.as_str()).unwrap(), u); }
            let _ = (check_instance(&s), check_share(&s), Port::parse(&s));
        }
    }
}
