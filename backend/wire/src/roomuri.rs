//! `ma-chan://<domain>/<id>` and `ma-cat://<domain>/<id>`.

use std::fmt;

/// A room's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomUri {
    /// SIP domain, lower case.
    pub domain: String,
    /// GUID (or number, in old systems).
    pub id: String,
}

fn parse(text: &str, scheme: &str) -> Option<RoomUri> {
    let rest = text.trim();
    let rest =
        rest.get(..scheme.len()).filter(|s| s.eq_ignore_ascii_case(scheme)).map(|_| &rest[scheme.len()..])?;
    let (domain, id) = rest.split_once('/')?;
    let fine = !domain.is_empty() && !id.is_empty() && !id.contains('/');
    fine.then(|| RoomUri { domain: domain.to_lowercase(), id: id.to_lowercase() })
}

impl RoomUri {
    /// Reads `ma-chan://domain/id`; the domain's case does not count.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text, "ma-chan://")
    }
}

impl fmt::Display for RoomUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ma-chan://{}/{}", self.domain, self.id)
    }
}

/// The address of a category.
pub fn category_uri(domain: &str, id: &str) -> String {
    format!("ma-cat://{domain}/{id}")
}
