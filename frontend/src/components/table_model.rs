//! Rows and columns of a table as plain texts: what is searched, sorted and exported.

use std::cmp::Ordering;
use std::sync::Arc;

use leptos::prelude::*;

/// Draws a cell.
pub type CellView<T> = fn(&T) -> AnyView;

/// A column over rows of `T`.
pub struct Column<T> {
    /// Heading.
    pub title: &'static str,
    /// The cell as text: searched, sorted, exported.
    pub text: fn(&T) -> String,
    /// The cell as shown; the text when none.
    pub view: Option<CellView<T>>,
    /// Numbers: aligned right, sorted by value.
    pub number: bool,
}

impl<T> Column<T> {
    /// A column of texts.
    pub const fn new(title: &'static str, text: fn(&T) -> String) -> Self {
        Self { title, text, view: None, number: false }
    }

    /// Shown in a way of its own.
    #[must_use]
    pub const fn shown(mut self, view: CellView<T>) -> Self {
        self.view = Some(view);
        self
    }

    /// A column of numbers.
    #[must_use]
    pub const fn number(mut self) -> Self {
        self.number = true;
        self
    }
}

/// A column without its row type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Heading.
    pub title: &'static str,
    /// Numbers.
    pub number: bool,
}

/// Texts of the cells of a row.
pub type Texts = Arc<[String]>;

/// A row without its type: the texts, and how its cells and acts are drawn.
#[derive(Clone)]
pub struct Row {
    /// Texts of the cells.
    pub texts: Texts,
    /// Draws the cell of a column; the number of columns stands for the row's acts.
    pub draw: Arc<dyn Fn(usize) -> Option<AnyView> + Send + Sync>,
    /// What names it to cmdlets, in lists whose rows can be chosen.
    pub key: Option<String>,
}

/// The order of the rows: column and whether it goes down.
pub type Order = Option<(usize, bool)>;

/// Whether a row has every word of the search.
pub fn matches(texts: &[String], search: &str) -> bool {
    search
        .split_whitespace()
        .all(|word| texts.iter().any(|t| t.to_lowercase().contains(&word.to_lowercase())))
}

/// Compares two cells.
pub fn compare(a: &str, b: &str, number: bool) -> Ordering {
    if number {
        let value = |s: &str| s.replace(' ', "").parse::<f64>().unwrap_or(f64::NEG_INFINITY);
        return value(a).total_cmp(&value(b));
    }
    a.to_lowercase().cmp(&b.to_lowercase())
}

/// Comma-separated values as RFC 4180 writes them.
pub fn csv(heads: &[Head], rows: &[Texts]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| cells.map(quote).collect::<Vec<_>>().join(",");
    let mut out = line(&mut heads.iter().map(|h| h.title));
    for row in rows {
        out.push_str("\r\n");
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    out.push_str("\r\n");
    out
}

/// Quotes a cell where needed. A spreadsheet takes a cell that starts with one of `=+-@` for a formula;
/// an apostrophe before it keeps it a text.
fn quote(cell: &str) -> String {
    // Spreadsheets look past blanks, tabs and line ends at the beginning.
    let begin = cell.trim_start();
    let text = if begin.starts_with(['=', '+', '-', '@', '|']) || cell.starts_with(['\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_wants_every_word() {
        let row = ["atl-cs-001.litwareinc.com".to_owned(), "Normal".to_owned()];
        assert!(matches(&row, "ATL normal") && matches(&row, ""));
        assert!(!matches(&row, "atl failedover"));
    }

    #[test]
    fn numbers_sort_by_value() {
        assert_eq!(compare("9", "10", true), Ordering::Less);
        assert_eq!(compare("9", "10", false), Ordering::Greater);
        assert_eq!(compare("", "0", true), Ordering::Less);
    }

    #[test]
    fn csv_quotes_and_disarms_formulas() {
        let heads = [Head { title: "Name", number: false }, Head { title: "Text", number: false }];
        let row: Arc<[String]> = Arc::new(["a,\"b\"".to_owned(), "=1+1".to_owned()]);
        assert_eq!(csv(&heads, &[row]), "Name,Text\r\n\"a,\"\"b\"\"\",'=1+1\r\n");
        for formula in ["=1", "+1", "-1", "@a", " =1", "\t=1", "\r=1", "|a"] {
            assert!(quote(formula).trim_start_matches('"').starts_with('\''), "{formula:?}");
        }
    }
}
