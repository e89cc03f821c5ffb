//! Saving what a table shows.

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use super::parts::Every;
use super::table_model::{Head, Row, Texts, csv};
use crate::dom;

/// Rows in one file, at most.
const MOST: usize = 200_000;
/// How rows are written down.
type Write = fn(&[Head], &[Texts]) -> String;

/// Buttons that save the rows that fit the search as CSV and JSON.
#[component]
pub fn Export(
    /// Name of the file, without its ending.
    name: &'static str,
    /// The columns.
    heads: StoredValue<Vec<Head>>,
    /// The rows that are shown.
    rows: Memo<Rows>,
    /// Reads those that are not shown too.
    all_rows: Option<Every<Texts>>,
) -> impl IntoView {
    let empty =
        Signal::derive(move || rows.with(|r| r.0.is_empty()).then(|| "There is nothing to save.".to_owned()));
    let save = move |file: &'static str, kind: &'static str, write: Write| {
        let sink = Callback::new(move |all: Vec<Texts>| {
            let text = heads.with_value(|h| write(h, &all));
            dom::download(&format!("{name}.{file}"), kind, &text);
        });
        match all_rows {
            Some(every) => every.run((MOST, sink)),
            None => sink.run(rows.with_untracked(Rows::texts)),
        }
    };
    let save_csv = move |()| save("csv", "text/csv", csv);
    let save_json = move |()| save("json", "application/json", json);
    view! {
        <div class="table-export">
            <Button kind=ButtonKind::Quiet icon=Some(Icon::Download) label="CSV" blocked=empty on_press=save_csv />
            <Button kind=ButtonKind::Quiet icon=Some(Icon::Download) label="JSON" blocked=empty on_press=save_json />
        </div>
    }
}

/// Rows that compare by what they say.
#[derive(Clone)]
pub struct Rows(pub Vec<Row>);

impl Rows {
    fn texts(&self) -> Vec<Texts> {
        self.0.iter().map(|r| r.texts.clone()).collect()
    }
}

impl PartialEq for Rows {
    /// Never equal: how a cell is drawn may hang on more than its text.
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

fn json(heads: &[Head], rows: &[Texts]) -> String {
    let object = |row: &Texts| {
        let pairs = heads.iter().zip(row.iter());
        Value::Object(pairs.map(|(h, t)| (h.title.to_owned(), Value::from(t.clone()))).collect::<Map<_, _>>())
    };
    let list = Value::Array(rows.iter().map(object).collect());
    serde_json::to_string_pretty(&list).unwrap_or_default()
}
