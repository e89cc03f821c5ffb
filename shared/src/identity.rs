//! The spellings of a pool's service identity that the documents use (model §7); all name the pool.

use crate::names::{Fqdn, InvalidName};

/// Reads `PersistentChatServer:x`, `service:x`, `service: x`, `service:PersistentChatServer:x` or `x`.
pub fn pool_fqdn(identity: &str) -> Result<Fqdn, InvalidName> {
    let mut rest = identity.trim();
    for prefix in ["service:", "PersistentChatServer:"] {
        if let Some(head) = rest.get(..prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            rest = rest[prefix.len()..].trim_start();
        }
    }
    Fqdn::try_from(rest).map_err(|e| {
        InvalidName(format!(
            "'{}' does not name a Persistent Chat pool, for example PersistentChatServer:atl-cs-001.litwareinc.com. {e}",
            identity.trim()
        ))
    })
}

/// The service identity as `Get-CsPersistentChatState` prints it. Source: S0.
pub fn pool_identity(fqdn: &Fqdn) -> String {
    format!("PersistentChatServer:{fqdn}")
}

/// `*` as wildcard over the whole text, ignoring case (`-Filter`, `-like`).
pub fn wildcard_match(pattern: &str, text: &str) -> bool {
    wildcard_exact(&pattern.to_lowercase(), &text.to_lowercase())
}

/// The same, minding case.
pub fn wildcard_exact(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut i, mut j, mut star, mut mark) = (0, 0, None, 0);
    while j < t.len() {
        if i < p.len() && (p[i] == '?' || p[i] == t[j]) && p[i] != '*' {
            (i, j) = (i + 1, j + 1);
        } else if i < p.len() && p[i] == '*' {
            (star, mark) = (Some(i), j);
            i += 1;
        } else if let Some(s) = star {
            mark += 1;
            (i, j) = (s + 1, mark);
        } else {
            return false;
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_documents() {
        for s in [
            "PersistentChatServer:atl-cs-001.litwareinc.com",
            "service:atl-cs-001.litwareinc.com",
            "service: atl-cs-001.litwareinc.com",
            "service:PersistentChatServer:atl-cs-001.litwareinc.com",
            "ATL-CS-001.litwareinc.com",
        ] {
            assert_eq!(pool_fqdn(s).unwrap().as_str(), "atl-cs-001.litwareinc.com");
        }
        assert!(pool_fqdn("service:").is_err());
    }

    #[test]
    fn wildcards() {
        assert!(wildcard_match("*.litwareinc.com", "PersistentChatServer:a.litwareinc.com"));
        assert!(!wildcard_match("*.contoso.com", "a.litwareinc.com"));
        assert!(
            wildcard_match("site:*", "site:Redmond") && wildcard_match("", "") && !wildcard_match("", "x")
        );
    }
}
