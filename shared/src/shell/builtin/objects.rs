//! What works on the objects of a pipeline one by one: Where-, ForEach-, Select-, Sort-Object.

use serde_json::Value;

use super::{Given, Own};
use crate::shell::eval::{Done, Host, Output, Run, at};
use crate::shell::filter::{compare, property, sort, truthy};
use crate::shell::parse::{Expr, Statement};
use crate::shell::print::words;

impl<H: Host> Run<'_, H> {
    /// Runs a block with `$_`; an error in one statement is reported, the rest goes on.
    async fn with_item(&mut self, body: &[Statement], item: &Value) -> Done<Output> {
        let before = self.session.set("_", Some(item.clone()));
        let mut all = Output::default();
        let done = self.block(body, Some(&mut all)).await;
        self.session.set("_", before);
        done.map(|()| all)
    }

    /// Where-Object and ForEach-Object.
    pub(super) async fn with_blocks(&mut self, own: &Own, g: &Given<'_>, input: Vec<Value>) -> Done<Output> {
        let keeps = own.name == "Where-Object";
        let Some(body) = g.block(if keeps { "FilterScript" } else { "Process" }) else {
            return if keeps { short_where(g, input) } else { short_for_each(g, &input) };
        };
        let condition = match body {
            [s] => s.single_expression(),
            _ => None,
        };
        let mut all = Output::default();
        for x in input {
            match (keeps, condition) {
                (false, _) => all.append(self.with_item(body, &x).await?),
                (true, None) => return Err(g.wrong(USAGE)),
                (true, Some(e)) => {
                    let before = self.session.set("_", Some(x.clone()));
                    let hit = self.eval(e).await;
                    self.session.set("_", before);
                    if truthy(&hit.map_err(|h| at(h, g.command.span))?) {
                        all.objects.push(x);
                    }
                }
            }
        }
        Ok(all)
    }

    /// Chosen properties of each object: names with wildcards, or computed ones
    /// `@{Name="…";Expression={…}}`. All when none is chosen.
    pub(super) async fn chosen(&mut self, g: &Given<'_>, input: Vec<Value>) -> Done<Vec<Value>> {
        let mut columns: Vec<(String, Option<&[Statement]>)> = Vec::new();
        for a in g.list.iter().filter(|a| a.name == "Property") {
            let items = match a.expr {
                Some(Expr::List(items)) => items.as_slice(),
                Some(one) => std::slice::from_ref(one),
                None => &[],
            };
            // One table among the names: a computed property.
            let values = if items.len() == 1 { std::slice::from_ref(&a.value) } else { members_of(&a.value) };
            for (item, v) in items.iter().zip(values) {
                match (item, v) {
                    (Expr::Table(pairs), _) => columns.push(computed(g, pairs, v)?),
                    (_, Value::Array(list)) => columns.extend(list.iter().map(|v| (words(v), None))),
                    (_, v) => columns.push((words(v), None)),
                }
            }
        }
        let dropped = g.texts("ExcludeProperty");
        if (columns.is_empty() && dropped.is_empty()) || g.arg("ExpandProperty").is_some() {
            return Ok(input);
        }
        if columns.is_empty() {
            columns.push(("*".to_owned(), None));
        }
        let mut out = Vec::new();
        for x in &input {
            let mut row = serde_json::Map::new();
            for (name, computed) in &columns {
                match (computed, x.as_object()) {
                    (Some(body), _) => {
                        let v = self.with_item(body, x).await?.value();
                        row.insert(name.clone(), v);
                    }
                    (None, Some(o)) if name.contains(['*', '?']) => {
                        let hits = o.keys().filter(|k| crate::identity::wildcard_match(name, k));
                        row.extend(hits.map(|k| (k.clone(), property(x, k))));
                    }
                    (None, o) => {
                        let known = o.and_then(|o| o.keys().find(|k| k.eq_ignore_ascii_case(name)));
                        row.insert(known.unwrap_or(name).clone(), property(x, name));
                    }
                }
            }
            row.retain(|k, _| !dropped.iter().any(|d| crate::identity::wildcard_match(d, k)));
            out.push(Value::Object(row));
        }
        Ok(out)
    }
}

const USAGE: &str = "Where-Object needs a condition, for example {$_.PoolState -eq \"FailedOver\"}.";

fn members_of(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

/// `Where-Object PoolState -eq FailedOver`.
fn short_where(g: &Given<'_>, mut input: Vec<Value>) -> Done<Output> {
    let name = g.word("Property").or_else(|| g.word("FilterScript")).ok_or_else(|| g.wrong(USAGE))?;
    let not = g.switch("Not");
    let known =
        ["FilterScript", "Property", "Value", "Not", "ErrorAction", "WarningAction", "Verbose", "Debug"];
    let operator = g.list.iter().find(|a| !known.contains(&a.name));
    let mut kept = Vec::new();
    for x in input.drain(..) {
        let left = property(&x, &name);
        let hit = match operator {
            Some(a) => compare(&left, &a.name.to_lowercase(), &a.value).map_err(|e| g.wrong(e))?,
            None => left,
        };
        if truthy(&hit) != not {
            kept.push(x);
        }
    }
    Ok(Output::objects(kept))
}

/// `ForEach-Object Name`.
fn short_for_each(g: &Given<'_>, input: &[Value]) -> Done<Output> {
    let name = g.word("MemberName").or_else(|| g.word("Process"));
    let name = name.ok_or_else(|| g.wrong("ForEach-Object needs a script block { … }."))?;
    Ok(Output::objects(input.iter().map(|x| property(x, &name)).filter(|v| !v.is_null()).collect()))
}

/// `@{Name="…";Expression={…}}`: the table as written and its value.
fn computed<'c>(
    g: &Given<'_>,
    pairs: &'c [(String, Expr)],
    value: &Value,
) -> Done<(String, Option<&'c [Statement]>)> {
    let is = |k: &str, wanted: &str| wanted.starts_with(&k.to_lowercase());
    let body = pairs.iter().find_map(|(k, e)| match e {
        Expr::Block(body, _) if is(k, "expression") => Some(body.as_slice()),
        _ => None,
    });
    let name = value.as_object().and_then(|o| o.iter().find(|(k, _)| is(k, "name") || is(k, "label")));
    match (name, body) {
        (Some((_, name)), Some(body)) => Ok((words(name), Some(body))),
        _ => Err(g.wrong("A computed property has the form @{Name=\"Pool\";Expression={$_.Identity}}.")),
    }
}

/// Select-Object, after its properties are chosen.
pub fn select(g: &Given<'_>, mut list: Vec<Value>) -> Done<Output> {
    if let Some(n) = g.number("Skip")? {
        list.drain(..n.min(list.len()));
    }
    if let Some(p) = g.word("ExpandProperty") {
        let members = |x: &Value| match property(x, &p) {
            Value::Array(a) => a,
            v => vec![v],
        };
        list = list.iter().flat_map(members).collect();
    }
    if g.switch("Unique") {
        keep_unique(&mut list);
    }
    match (g.number("First")?, g.number("Last")?) {
        (Some(a), Some(b)) if a + b < list.len() => drop(list.drain(a..list.len() - b)),
        (Some(_), Some(_)) | (None, None) => {}
        (Some(n), None) => list.truncate(n),
        (None, Some(n)) => drop(list.drain(..list.len().saturating_sub(n))),
    }
    Ok(Output::objects(list))
}

/// Sort-Object.
pub fn sort_by(g: &Given<'_>, mut input: Vec<Value>) -> Output {
    sort(&mut input, &g.texts("Property"), g.switch("Descending"));
    if g.switch("Unique") {
        keep_unique(&mut input);
    }
    Output::objects(input)
}

fn keep_unique(list: &mut Vec<Value>) {
    let mut seen: Vec<Value> = Vec::new();
    list.retain(|v| {
        let new = !seen.contains(v);
        if new {
            seen.push(v.clone());
        }
        new
    });
}
