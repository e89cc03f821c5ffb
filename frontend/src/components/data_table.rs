//! The one list of the portal: search, sort, save as CSV or JSON, cards on a narrow screen.

use std::sync::Arc;

use leptos::prelude::*;

use super::bulk::{Choice, Chosen, choice, choice_of_all};
use super::export::{Export, Rows};
use super::icon::Icon;
use super::parts::Every;
use super::table_model::{CellView, Column, Head, Order, Row, Texts, compare, matches};
use crate::api::Current;
use crate::{dom, nav};

/// Where a table takes its rows from; reactive.
pub struct RowsOf<T>(Box<dyn Fn() -> Vec<T> + Send + Sync>);

impl<T> RowsOf<T> {
    fn read(&self) -> Vec<T> {
        (self.0)()
    }
}

impl<T: Clone + Send + Sync + 'static> From<Current<Vec<T>>> for RowsOf<T> {
    fn from(v: Current<Vec<T>>) -> Self {
        Self(Box::new(move || v.get()))
    }
}

impl<T: Clone + Send + Sync + 'static> From<Signal<Vec<T>>> for RowsOf<T> {
    fn from(v: Signal<Vec<T>>) -> Self {
        Self(Box::new(move || v.get()))
    }
}

impl<T: Clone + Send + Sync + 'static> From<Memo<Vec<T>>> for RowsOf<T> {
    fn from(v: Memo<Vec<T>>) -> Self {
        Self(Box::new(move || v.get()))
    }
}

impl<T, F: Fn() -> Vec<T> + Send + Sync + 'static> From<F> for RowsOf<T> {
    fn from(f: F) -> Self {
        Self(Box::new(f))
    }
}

/// A table of `T`. The search stands in the address as `?q=`.
#[component]
pub fn DataTable<T: Clone + Send + Sync + 'static>(
    /// The rows.
    #[prop(into)]
    rows: RowsOf<T>,
    /// The columns; the first names the row.
    columns: Vec<Column<T>>,
    /// What the list is, for screen readers and the name of the saved file.
    name: &'static str,
    /// What can be done with a row.
    #[prop(optional)]
    acts: Option<CellView<T>>,
    /// What is shown when there is no row at all.
    #[prop(into)]
    empty: ViewFn,
    /// Without search and export: short lists inside a page.
    #[prop(optional)]
    plain: bool,
    /// The rows are a part that the server has searched out; how many there are in all.
    #[prop(optional)]
    total: Option<Signal<u64>>,
    /// Reads all the rows of such a list, to save them.
    #[prop(optional)]
    every: Option<Every<T>>,
    /// Rows can be chosen: what names one, and those that are.
    #[prop(optional)]
    choose: Option<Choice<T>>,
) -> impl IntoView {
    let heads: Vec<Head> = columns.iter().map(|c| Head { title: c.title, number: c.number }).collect();
    let columns = Arc::new(columns);
    let every = every.map(|every| all_texts(every, columns.clone()));
    // Everything below is the same for every kind of row, so that it is compiled once.
    let all = Signal::derive(move || {
        let key = |item: &T| choose.map(|(key, _)| key(item));
        rows.read()
            .into_iter()
            .map(|item| (key(&item), item))
            .map(|(key, item)| Row { key, ..row(item, &columns, acts) })
            .collect::<Vec<_>>()
    });
    table(
        all,
        heads,
        name,
        acts.is_some(),
        empty,
        Search { plain, total, every, chosen: choose.map(|c| c.1) },
    )
}

/// The texts of the cells of all rows.
fn all_texts<T: 'static>(every: Every<T>, columns: Arc<Vec<Column<T>>>) -> Every<Texts> {
    Callback::new(move |(most, sink): (usize, Callback<Vec<Texts>>)| {
        let columns = columns.clone();
        let texts = move |item: &T| columns.iter().map(|c| (c.text)(item)).collect::<Texts>();
        every.run((most, Callback::new(move |all: Vec<T>| sink.run(all.iter().map(&texts).collect()))));
    })
}

fn row<T: Clone + Send + Sync + 'static>(
    item: T,
    columns: &Arc<Vec<Column<T>>>,
    acts: Option<CellView<T>>,
) -> Row {
    let texts = columns.iter().map(|c| (c.text)(&item)).collect();
    let columns = columns.clone();
    let draw = move |i: usize| match columns.get(i) {
        Some(c) => c.view.map(|v| v(&item)),
        None => acts.map(|v| v(&item)),
    };
    Row { texts, draw: Arc::new(draw), key: None }
}

/// Rows that are drawn at first, and added when asked for: a long list stays quick to draw and to search.
const ROWS: usize = 100;
/// Rows in a part of a list that the server searches.
pub const PART: u64 = 100;

/// How a list is searched.
#[derive(Clone, Copy)]
struct Search {
    plain: bool,
    total: Option<Signal<u64>>,
    every: Option<Every<Texts>>,
    chosen: Option<Chosen>,
}

fn table(
    all: Signal<Vec<Row>>,
    heads: Vec<Head>,
    name: &'static str,
    acts: bool,
    empty: ViewFn,
    Search { plain, total, every: all_rows, chosen }: Search,
) -> AnyView {
    let query = nav::use_query("q");
    let order = RwSignal::new(Order::None);
    let numbers: Vec<bool> = heads.iter().map(|h| h.number).collect();
    let shown = Memo::new(move |_| {
        let search = if plain || total.is_some() { String::new() } else { query.get().unwrap_or_default() };
        let mut rows: Vec<Row> = all.get().into_iter().filter(|r| matches(&r.texts, &search)).collect();
        if let Some((column, down)) = order.get() {
            rows.sort_by(|a, b| compare(&a.texts[column], &b.texts[column], numbers[column]));
            if down {
                rows.reverse();
            }
        }
        Rows(rows)
    });
    let asked = move || total.is_some() && query.with(|q| q.as_ref().is_some_and(|q| !q.is_empty()));
    let nothing = Memo::new(move |_| all.with(Vec::is_empty) && !asked());
    let heads = StoredValue::new(heads);
    let most = RwSignal::new(ROWS);
    view! {
        {move || if nothing.get() {
            view! { <div class="empty">{empty.run()}</div> }.into_any()
        } else {
            view! {
                {(!plain).then(|| view! { <Tools name query shown heads total all_rows /> })}
                <div class="table-box" role="group" aria-label=format!("Table of {name}") tabindex="0">
                    <table class="table">
                        <caption class="visually-hidden">{name}</caption>
                        <thead><tr>{every(chosen, shown)} {head_cells(heads, order)} {acts.then(|| view! { <th scope="col"><span class="visually-hidden">"Acts"</span></th> })}</tr></thead>
                        <tbody>{move || shown.with(|r| body(&r.0[..r.0.len().min(most.get())], heads, acts, chosen))}</tbody>
                    </table>
                </div>
                {move || shown.with(|r| r.0.len() > most.get()).then(|| view! {
                    <p><button type="button" class="button" on:click=move |_| most.update(|n| *n += ROWS)>{format!("Show {ROWS} more")}</button></p>
                })}
                {move || shown.with(|r| r.0.is_empty()).then(|| view! { <p class="empty-search">"Nothing matches the search."</p> })}
            }.into_any()
        }}
    }
    .into_any()
}

#[component]
fn Tools(
    name: &'static str,
    query: Memo<Option<String>>,
    shown: Memo<Rows>,
    heads: StoredValue<Vec<Head>>,
    total: Option<Signal<u64>>,
    all_rows: Option<Every<Texts>>,
) -> impl IntoView {
    let id = dom::uid("search");
    let from = nav::use_query("from");
    let from = Memo::new(move |_| from.get().and_then(|f| f.parse::<u64>().ok()).unwrap_or(0));
    let count = move || {
        let n = shown.with(|r| r.0.len()) as u64;
        match total.map(|t| t.get()) {
            Some(all) if all > n && n > 0 => {
                format!("{} to {} of {all} rows", from.get() + 1, from.get() + n)
            }
            _ if n == 1 => "1 row".to_owned(),
            _ => format!("{n} rows"),
        }
    };
    let step = move |label: &'static str, to: u64| {
        let go = move |_| {
            let to = if to > 0 { to.to_string() } else { String::new() };
            nav::set_query("from", &to);
        };
        view! { <button type="button" class="button" on:click=go>{label}</button> }
    };
    let pages = move |total: Signal<u64>| {
        let (at, all) = (from.get(), total.get());
        (all > PART).then(|| {
            view! {
                <span class="row">
                    {(at > 0).then(|| step("Previous", at.saturating_sub(PART)))}
                    {(at + PART < all).then(|| step("Next", at + PART))}
                </span>
            }
        })
    };
    view! {
        <div class="table-tools">
            <div class="search" role="search">
                {Icon::Search.draw()}
                <label class="visually-hidden" for=id.clone()>{format!("Search in {name}")}</label>
                <input class="input" id=id type="search" placeholder="Search" autocomplete="off"
                    prop:value=move || query.get().unwrap_or_default()
                    on:input=move |e| {
                        nav::set_query("q", &event_target_value(&e));
                        nav::set_query("from", "");
                    } />
            </div>
            <span class="table-count" role="status">{count}</span>
            {total.map(|t| move || pages(t))}
            <Export name heads rows=shown all_rows />
        </div>
    }
}

fn head_cells(heads: StoredValue<Vec<Head>>, order: RwSignal<Order>) -> AnyView {
    let cell = move |(i, h): (usize, &Head)| {
        let sort = move || match order.get() {
            Some((c, false)) if c == i => Some("ascending"),
            Some((c, true)) if c == i => Some("descending"),
            _ => None,
        };
        let press = move |_| {
            order.update(|o| {
                *o = match *o {
                    Some((c, false)) if c == i => Some((i, true)),
                    Some((c, true)) if c == i => None,
                    _ => Some((i, false)),
                };
            });
        };
        view! {
            <th scope="col" class:number=h.number aria-sort=sort>
                <button type="button" class="sort" on:click=press>{h.title}{Icon::Down.draw()}</button>
            </th>
        }
    };
    heads.with_value(|heads| heads.iter().enumerate().map(cell).collect_view().into_any())
}

/// The heading that chooses every row that is searched out.
fn every(chosen: Option<Chosen>, shown: Memo<Rows>) -> Option<AnyView> {
    let keys = move || shown.with(|r| r.0.iter().filter_map(|r| r.key.clone()).collect());
    let draw =
        |c| view! { <th scope="col" class="choice">{choice_of_all(c, Arc::new(keys))}</th> }.into_any();
    chosen.map(draw)
}

fn body(rows: &[Row], heads: StoredValue<Vec<Head>>, acts: bool, chosen: Option<Chosen>) -> AnyView {
    let one = |r: &Row| {
        let cells = heads.with_value(|heads| {
            heads
                .iter()
                .enumerate()
                .map(|(i, h)| {
                    let inner = (r.draw)(i).unwrap_or_else(|| r.texts[i].clone().into_any());
                    if i == 0 {
                        view! { <th scope="row" data-label=h.title>{inner}</th> }.into_any()
                    } else {
                        view! { <td class:number=h.number data-label=h.title>{inner}</td> }.into_any()
                    }
                })
                .collect_view()
        });
        let row_acts = acts.then(
            || view! { <td class="table-acts"><div class="row-acts">{(r.draw)(r.texts.len())}</div></td> },
        );
        let box_of = chosen
            .zip(r.key.clone())
            .map(|(c, key)| view! { <td class="choice">{choice(c, key, &r.texts[0])}</td> });
        view! { <tr>{box_of}{cells}{row_acts}</tr> }
    };
    rows.iter().map(one).collect_view().into_any()
}
