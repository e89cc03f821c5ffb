//! A table that somebody saved from a spreadsheet: its bytes, whatever their encoding and separator, as rows.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Most rows that one file may have.
pub const MAX_ROWS: usize = 20_000;

/// A table with a line of headings.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The headings as they stand.
    pub headings: Vec<String>,
    /// Line in the file, and the cells without space around them.
    pub rows: Vec<(u64, Vec<String>)>,
    /// What stands between cells: `,`, `;` or a tab.
    pub separator: char,
}

/// The text of a file and the name of its encoding: by the mark at its beginning, else UTF-16 when every other
/// byte is zero, else UTF-8 when it is valid, else Windows-1252.
pub fn decode(bytes: &[u8]) -> (String, &'static str) {
    let encoding = match Encoding::for_bom(bytes) {
        Some((e, _)) => e,
        None => guess(bytes),
    };
    let (text, encoding, _) = encoding.decode(bytes);
    (text.into_owned(), encoding.name())
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|b| **b == 0).count();
    let most = bytes.len() / 4;
    match (zeros(0), zeros(1)) {
        (_, odd) if odd > most => UTF_16LE,
        (even, _) if even > most => UTF_16BE,
        _ if str::from_utf8(bytes).is_ok() => UTF_8,
        _ => WINDOWS_1252,
    }
}

/// What separates the cells of the first line: the one that stands there most often outside of quotes.
fn separator(line: &str) -> char {
    let mut quoted = false;
    let mut counts = [(',', 0), (';', 0), ('\t', 0)];
    for c in line.chars() {
        quoted ^= c == '"';
        if let Some(n) = counts.iter_mut().find(|(s, _)| *s == c && !quoted) {
            n.1 += 1;
        }
    }
    counts.into_iter().max_by_key(|(s, n)| (*n, *s == ',')).map_or(',', |(s, _)| s)
}

/// Reads a table. Excel's own first line `sep=;` is understood.
///
/// # Errors
/// In words: nothing in it, no text at all, or too many rows.
pub fn parse(text: &str) -> Result<Table, String> {
    // Lines are counted by the reader at line feeds only.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n") + "\n";
    if text.contains('\0') {
        return Err("This is not a text file. Save the table as CSV.".to_owned());
    }
    let mut skipped = 0;
    let mut rest = text.as_str();
    let mut told = None;
    if let Some(after) = text.get(..4).filter(|s| s.eq_ignore_ascii_case("sep=")).map(|_| &text[4..]) {
        told = after.chars().next().filter(char::is_ascii);
        rest = after.split_once('\n').map_or("", |(_, r)| r);
        skipped = 1;
    }
    let separator =
        told.unwrap_or_else(|| separator(rest.lines().find(|l| !l.trim().is_empty()).unwrap_or("")));
    let delimiter = u8::try_from(separator).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(rest.as_bytes());
    let cells = |r: &csv::StringRecord| r.iter().map(str::to_owned).collect::<Vec<_>>();
    let headings = reader.headers().map(cells).map_err(|e| e.to_string())?;
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| e.to_string())? {
        // Spreadsheets save empty rows below a table as separators alone.
        if record.iter().all(str::is_empty) {
            continue;
        }
        // The reader stands behind the row; where a row begins it would name blank lines before it.
        let inside = record.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        let line = (reader.position().line() + skipped).saturating_sub(inside + 1);
        if rows.len() == MAX_ROWS {
            return Err(format!(
                "Row {line} and those below it are too many: an import takes {MAX_ROWS} rows at once. Split the file \
                 before that row."
            ));
        }
        rows.push((line, cells(&record)));
    }
    if rows.is_empty() {
        return Err("There is no row below the line of headings.".to_owned());
    }
    Ok(Table { headings, rows, separator })
}

/// A cell that a spreadsheet would take for a formula, or for one that was disarmed with an apostrophe.
pub fn is_formula(cell: &str) -> bool {
    let first = cell.strip_prefix('\'').unwrap_or(cell);
    // A spreadsheet looks past blanks, of whatever width.
    first.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || first.starts_with(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "SipAddress;DisplayName\r\nsip:zoë@x.com;Zoë “Z” Ünal\r\n;\r\nsip:b@x.com;\"B; c\"\r\n";

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_table() {
        let wanted = parse(TEXT).unwrap();
        assert_eq!(wanted.separator, ';');
        assert_eq!(wanted.rows[0], (2, vec!["sip:zoë@x.com".to_owned(), "Zoë “Z” Ünal".to_owned()]));
        assert_eq!(wanted.rows[1], (4, vec!["sip:b@x.com".to_owned(), "B; c".to_owned()]));
        let (western, _, lossy) = WINDOWS_1252.encode(TEXT);
        assert!(!lossy);
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, rest.as_slice()].concat();
        for (bytes, name) in [
            (TEXT.as_bytes().to_vec(), "UTF-8"),
            (marked(b"\xef\xbb\xbf", TEXT.as_bytes().to_vec()), "UTF-8"),
            (marked(b"\xff\xfe", utf16(TEXT, u16::to_le_bytes)), "UTF-16LE"),
            (marked(b"\xfe\xff", utf16(TEXT, u16::to_be_bytes)), "UTF-16BE"),
            (utf16(TEXT, u16::to_le_bytes), "UTF-16LE"),
            (utf16(TEXT, u16::to_be_bytes), "UTF-16BE"),
            (western.into_owned(), "windows-1252"),
        ] {
            let (text, found) = decode(&bytes);
            assert_eq!((found, parse(&text).unwrap()), (name, parse(TEXT).unwrap()));
        }
    }

    #[test]
    fn the_separator_is_found_or_told() {
        for (text, separator) in [
            ("a,b\n1,2\n", ','),
            ("a;b\n1,5;2\n", ';'),
            ("a\tb\n1\t2\n", '\t'),
            ("\"a;b;c\",b\n1,2\n", ','),
            ("sep=;\r\na;b\r\n1;2\r\n", ';'),
            ("a\n1\n", ','),
        ] {
            let t = parse(text).unwrap();
            assert_eq!(t.separator, separator, "{text}");
        }
        assert_eq!(parse("a;b\n\n1;2\n").unwrap().rows[0].0, 3, "a blank line counts");
        assert_eq!(parse("a;b\n\"x\ny\";2\n1;2").unwrap().rows[1].0, 4, "lines inside a cell count");
        assert_eq!(parse("sep=;\r\na;b\r\n1;2\r\n").unwrap().rows[0].0, 3);
    }

    #[test]
    fn what_is_no_table_is_said() {
        assert!(parse("").unwrap_err().contains("no row") && parse("a,b\n").unwrap_err().contains("no row"));
        assert!(parse("PK\0\u{3}").unwrap_err().contains("not a text file"));
        let many = format!("a\n{}", "1\n".repeat(MAX_ROWS + 1));
        assert!(parse(&many).unwrap_err().starts_with(&format!("Row {} and those", MAX_ROWS + 2)));
        assert_eq!(parse(&many[..many.len() - 2]).unwrap().rows.len(), MAX_ROWS);
        for cell in ["=1+1", "+1", "-1", "@x", "'=1", " =1", "＝1"] {
            assert!(is_formula(cell), "{cell}");
        }
        assert!(!is_formula("O'Neil") && !is_formula("'t Hooft") && !is_formula(""));
    }
}
