//! Saving what a table shows.

use leptos::prelude::*;
use serde_json::{Map, Value};

use super::button::{Button, ButtonKind};
use super::icon::Icon;
use super::table_model::{Head, Row, csv};
use crate::dom;

/// Buttons that save the shown rows as CSV and JSON.
#[component]
pub fn Export(
    /// Name of the file, without its ending.
    name: &'static str,
    /// The columns.
    heads: StoredValue<Vec<Head>>,
    /// The rows that are shown.
    rows: Memo<Rows>,
) -> impl IntoView {
    let empty =
        Signal::derive(move || rows.with(|r| r.0.is_empty()).then(|| "There is nothing to save.".to_owned()));
    let save_csv = move |()| {
        let text = heads.with_value(|h| rows.with_untracked(|r| csv(h, &r.texts())));
        dom::download(&format!("{name}.csv"), "text/csv", &text);
    };
    let save_json = move |()| {
        let text = heads.with_value(|h| rows.with_untracked(|r| json(h, r)));
        dom::download(&format!("{name}.json"), "application/json", &text);
    };
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
    fn texts(&self) -> Vec<std::sync::Arc<[String]>> {
        self.0.iter().map(|r| r.texts.clone()).collect()
    }
}

impl PartialEq for Rows {
    /// Never equal: how a cell is drawn may hang on more than its text.
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

fn json(heads: &[Head], rows: &Rows) -> String {
    let object = |row: &Row| {
        let pairs = heads.iter().zip(row.texts.iter());
        Value::Object(pairs.map(|(h, t)| (h.title.to_owned(), Value::from(t.clone()))).collect::<Map<_, _>>())
    };
    let list = Value::Array(rows.0.iter().map(object).collect());
    serde_json::to_string_pretty(&list).unwrap_or_default()
}
