//! Distinguished names of groups, organizational units and domains: `OU=Sales,DC=litwareinc,DC=com`.
//! Source: model §16, C:Set-CsPersistentChatCategory.

use crate::names::InvalidName;

/// Longest distinguished name. Source: T:tblprincipal.
pub const MAX: usize = 384;

/// Whether a principal is written as a distinguished name.
pub fn is(text: &str) -> bool {
    !text.contains('@') && text.contains('=')
}

/// Parts between commas that are not escaped, with the place where each begins.
fn parts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = Some(0);
    std::iter::from_fn(move || {
        let from = rest?;
        let mut escaped = false;
        let end = text[from..].char_indices().find(|(_, c)| {
            let comma = *c == ',' && !escaped;
            escaped = *c == '\\' && !escaped;
            comma
        });
        let to = end.map_or(text.len(), |(i, _)| from + i);
        rest = end.map(|_| to + 1);
        Some((from, &text[from..to]))
    })
}

/// A distinguished name in its one form: kinds in capitals, no space around parts. Its case is kept.
///
/// # Errors
/// What is wrong.
pub fn check(text: &str) -> Result<String, InvalidName> {
    let wrong = |why: String| Err(InvalidName(why));
    let mut out = Vec::new();
    for (_, part) in parts(text.trim()) {
        let Some((kind, value)) = part.split_once('=') else {
            return wrong(format!(
                "'{}' has no =; a distinguished name is like OU=Sales,DC=contoso,DC=com.",
                part.trim()
            ));
        };
        let (kind, value) = (kind.trim().to_ascii_uppercase(), value.trim());
        if !["CN", "OU", "DC"].contains(&kind.as_str()) {
            return wrong(format!(
                "'{kind}' is none of CN, OU and DC, which a distinguished name is made of."
            ));
        }
        let label = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let loose = (value.len() - value.trim_end_matches('\\').len()) % 2 == 1;
        if value.is_empty()
            || loose
            || value.chars().any(char::is_control)
            || kind == "DC" && !value.chars().all(label)
        {
            return wrong(format!("'{}' is not a part of a distinguished name.", part.trim()));
        }
        out.push((kind, value));
    }
    let domain = out.iter().position(|(k, _)| k == "DC").unwrap_or(out.len());
    if out.len() - domain < 1 || out[domain..].iter().any(|(k, _)| k != "DC") {
        return wrong("A distinguished name ends with its domain, for example DC=contoso,DC=com.".to_owned());
    }
    let text = out.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",");
    if text.chars().count() > MAX {
        return wrong(format!("A distinguished name has {MAX} characters at most."));
    }
    Ok(text)
}

/// The name itself and what stands above it, up to the domain as a whole.
pub fn upwards(name: &str) -> impl Iterator<Item = &str> {
    let all: Vec<(usize, bool)> = parts(name)
        .map(|(at, part)| (at, part.get(..3).is_some_and(|k| k.eq_ignore_ascii_case("dc="))))
        .collect();
    let domain = all.iter().position(|(_, dc)| *dc).unwrap_or(all.len().saturating_sub(1));
    all.into_iter().take(domain + 1).map(|(at, _)| &name[at..])
}

/// The first part's value, without escapes: `Sales` of `CN=Sales,DC=contoso,DC=com`.
pub fn first(name: &str) -> String {
    let part = parts(name).next().map_or("", |(_, p)| p);
    let value = part.split_once('=').map_or(part, |(_, v)| v);
    let mut out = String::new();
    let mut escaped = false;
    for c in value.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            out.push(c);
        }
    }
    out
}

/// What stands above it: `DC=contoso,DC=com` of `CN=Sales,DC=contoso,DC=com`.
pub fn above(name: &str) -> &str {
    parts(name).nth(1).map_or("", |(at, _)| &name[at..])
}

/// The name of something called `name` below `above`.
pub fn below(kind: &str, name: &str, above: &str) -> String {
    let mut escaped = String::new();
    for c in name.chars() {
        if ",\\=+<>;\"#".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("{kind}={escaped},{above}")
}

/// The domain of a DNS name: `DC=contoso,DC=com`.
pub fn of_domain(fqdn: &str) -> String {
    fqdn.split('.').map(|l| format!("DC={l}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_have_one_form() {
        assert_eq!(check(" ou = Sales , dc=litwareinc,DC=com").unwrap(), "OU=Sales,DC=litwareinc,DC=com");
        assert_eq!(check("DC=litwareinc,DC=com").unwrap(), "DC=litwareinc,DC=com");
        for bad in ["", "Sales", "OU=Sales", "DC=a,OU=b", "OU=,DC=a", "X=1,DC=a", "OU=a,,DC=b", "DC=a b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("OU={},DC=a", "x".repeat(400))).is_err());
    }

    #[test]
    fn commas_in_names_are_escaped() {
        let dn = below("CN", "Sales, East", "OU=Groups,DC=a,DC=com");
        assert_eq!(dn, "CN=Sales\\, East,OU=Groups,DC=a,DC=com");
        assert_eq!(
            (check(&dn).unwrap(), first(&dn), above(&dn)),
            (dn.clone(), "Sales, East".into(), "OU=Groups,DC=a,DC=com")
        );
        assert_eq!(upwards(&dn).collect::<Vec<_>>(), [dn.as_str(), "OU=Groups,DC=a,DC=com", "DC=a,DC=com"]);
        assert_eq!(of_domain("a.com"), "DC=a,DC=com");
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_as_it_is(s in "[A-Za-z=, \\\\ä]{0,40}") {
            if let Ok(dn) = check(&s) { prop_assert_eq!(check(&dn).unwrap(), dn); }
            let _ = (upwards(&s).count(), first(&s), above(&s).len());
        }
    }
}
