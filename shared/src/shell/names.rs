//! Finding a name that was typed: exact, by a prefix that fits one, or a hint at what is near.

use super::bind::COMMON;

/// Why a name leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong<'a> {
    /// No name begins so.
    Unknown,
    /// Several do.
    Ambiguous(Vec<&'a str>),
}

/// The name that is meant: the same in any case, or the only one that begins so.
///
/// # Errors
/// When none or several begin so.
pub fn resolve<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Result<&'a str, Wrong<'a>> {
    let lower = typed.to_lowercase();
    let mut hits = Vec::new();
    for n in names {
        let other = n.to_lowercase();
        if other == lower {
            return Ok(n);
        }
        if other.starts_with(&lower) && !hits.contains(&n) {
            hits.push(n);
        }
    }
    match hits.as_slice() {
        [one] => Ok(one),
        [] => Err(Wrong::Unknown),
        _ => Err(Wrong::Ambiguous(hits)),
    }
}

/// Letters to change, add, drop or swap to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(x != y)).min(row[j] + 1).min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The name nearest to `typed`, when one is near.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.to_lowercase();
    if lower.len() > 64 {
        return None;
    }
    let limit = lower.len() / 4 + 1;
    let near = names.map(|n| (distance(&lower, &n.to_lowercase()), n)).min_by_key(|(d, _)| *d);
    near.filter(|(d, _)| *d <= limit).map(|(_, n)| n)
}

/// ` Did you mean …?`, or nothing.
pub fn near<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(typed, names).map_or_else(String::new, |n| format!(" Did you mean {n}?"))
}

/// The parameter that is meant.
///
/// # Errors
/// What is wrong: unknown, with the nearest name and all of them, or ambiguous.
pub fn parameter<'a>(
    command: &str,
    typed: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<&'a str, String> {
    let listed = |names: Vec<&str>| names.iter().map(|n| format!("-{n}")).collect::<Vec<_>>().join(", ");
    resolve(typed, names.clone()).map_err(|why| match why {
        Wrong::Ambiguous(many) => format!("-{typed} is ambiguous: {}.", listed(many)),
        Wrong::Unknown => {
            let hint =
                nearest(typed, names.clone()).map(|n| format!(" Did you mean -{n}?")).unwrap_or_default();
            let own: Vec<&str> = names.filter(|n| !COMMON.iter().any(|(c, _)| c == n)).collect();
            let own = if own.is_empty() { "the common ones only".to_owned() } else { listed(own) };
            format!("{command} has no parameter -{typed}.{hint} It has: {own}.")
        }
    })
}
