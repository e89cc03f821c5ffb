//! What works on the objects of a pipeline one by one: Where-, ForEach-, Select-, Sort-Object.

use serde_json::Value;

use super::Given;
use crate::shell::eval::{Done, Host, Output, Run, at};
use crate::shell::filter::{compare, property, sort, truthy};
use crate::shell::parse::{Expr, Statement};

impl<H: Host> Run<'_, H> {
    /// Runs a block with `$_`; an error in one statement is reported, the rest goes on.
    async fn with_item(&mut self, body: &[Statement], item: &Value) -> Done<Output> {
        let before = self.session.set("_", Some(item.clone()));
        let mut all = Output::default();
        let done = self.block(body, Some(&mut all)).await;
        self.session.set("_", before);
        done.map(|()| all)
    }

    pub(super) async fn where_object(&mut self, g: &Given<'_>, input: Vec<Value>) -> Done<Output> {
        let usage = "Where-Object needs a condition, for example {$_.PoolState -eq \"FailedOver\"}.";
        let mut kept = Vec::new();
        if let Some(Expr::Block(body, _)) = g.expr("FilterScript") {
            let [s] = body.as_slice() else { return Err(g.wrong(usage)) };
            let e = s.single_expression().ok_or_else(|| g.wrong(usage))?;
            for x in input {
                let before = self.session.set("_", Some(x.clone()));
                let hit = self.eval(e).await;
                self.session.set("_", before);
                if truthy(&hit.map_err(|h| at(h, g.command.span))?) {
                    kept.push(x);
                }
            }
            return Ok(Output::objects(kept));
        }
        // The short form: Where-Object PoolState -eq FailedOver.
        let names = if g.expr("Property").is_some() { "Property" } else { "FilterScript" };
        let name = self.word(g, names).await?.ok_or_else(|| g.wrong(usage))?;
        let not = self.switch(g, "Not").await?;
        let known =
            ["FilterScript", "Property", "Value", "Not", "ErrorAction", "WarningAction", "Verbose", "Debug"];
        let operator = g.list.iter().find(|(n, _)| !known.contains(n));
        let right = match operator {
            Some((_, Some(e))) => self.eval(e).await?,
            _ => Value::Null,
        };
        for x in input {
            let left = property(&x, &name);
            let hit = match operator {
                Some((op, _)) => compare(&left, &op.to_lowercase(), &right).map_err(|e| g.wrong(e))?,
                None => left,
            };
            if truthy(&hit) != not {
                kept.push(x);
            }
        }
        Ok(Output::objects(kept))
    }

    pub(super) async fn for_each_object(&mut self, g: &Given<'_>, input: Vec<Value>) -> Done<Output> {
        let mut all = Output::default();
        if let Some(Expr::Block(body, _)) = g.expr("Process") {
            for x in &input {
                all.append(self.with_item(body, x).await?);
            }
            return Ok(all);
        }
        let name = if g.expr("MemberName").is_some() { "MemberName" } else { "Process" };
        let name = self.word(g, name).await?;
        let name = name.ok_or_else(|| g.wrong("ForEach-Object needs a script block { … }."))?;
        all.objects = input.iter().map(|x| property(x, &name)).filter(|v| !v.is_null()).collect();
        Ok(all)
    }

    /// Chosen properties of each object: names with wildcards, or computed ones
    /// `@{Name="…";Expression={…}}`. All when none is chosen.
    pub(super) async fn chosen(&mut self, g: &Given<'_>, input: Vec<Value>) -> Done<Vec<Value>> {
        let mut columns: Vec<(String, Option<&[Statement]>)> = Vec::new();
        for (_, e) in g.list.iter().filter(|(n, _)| *n == "Property") {
            let items = match e {
                Some(Expr::List(items)) => items.as_slice(),
                Some(one) => std::slice::from_ref(*one),
                None => &[],
            };
            for item in items {
                if let Expr::Table(pairs) = item {
                    columns.push(self.computed(g, pairs).await?);
                } else {
                    let v = self.eval(item).await?;
                    let list = if let Value::Array(a) = v { a } else { vec![v] };
                    columns.extend(list.iter().map(|v| (crate::shell::print::words(v), None)));
                }
            }
        }
        let dropped = self.texts(g, "ExcludeProperty").await?;
        if columns.is_empty() && dropped.is_empty() {
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

    async fn computed<'c>(
        &mut self,
        g: &Given<'_>,
        pairs: &'c [(String, Expr)],
    ) -> Done<(String, Option<&'c [Statement]>)> {
        let key =
            |wanted: &str| pairs.iter().find(|(k, _)| wanted.starts_with(&k.to_lowercase())).map(|(_, e)| e);
        match (key("name").or(key("label")), key("expression")) {
            (Some(name), Some(Expr::Block(body, _))) => {
                Ok((crate::shell::print::words(&self.eval(name).await?), Some(body)))
            }
            _ => Err(g.wrong("A computed property has the form @{Name=\"Pool\";Expression={$_.Identity}}.")),
        }
    }

    pub(super) async fn select_object(&mut self, g: &Given<'_>, mut input: Vec<Value>) -> Done<Output> {
        let unique = self.switch(g, "Unique").await?;
        if let Some(n) = self.number(g, "Skip").await? {
            input.drain(..n.min(input.len()));
        }
        let (first, last) = (self.number(g, "First").await?, self.number(g, "Last").await?);
        let mut list = match self.word(g, "ExpandProperty").await? {
            Some(p) => input
                .iter()
                .flat_map(|x| match property(x, &p) {
                    Value::Array(a) => a,
                    v => vec![v],
                })
                .collect(),
            None => self.chosen(g, input).await?,
        };
        if unique {
            keep_unique(&mut list);
        }
        match (first, last) {
            (Some(a), Some(b)) if a + b < list.len() => drop(list.drain(a..list.len() - b)),
            (Some(_), Some(_)) | (None, None) => {}
            (Some(n), None) => list.truncate(n),
            (None, Some(n)) => drop(list.drain(..list.len().saturating_sub(n))),
        }
        Ok(Output::objects(list))
    }

    pub(super) async fn sort_object(&mut self, g: &Given<'_>, mut input: Vec<Value>) -> Done<Output> {
        let (down, unique) = (self.switch(g, "Descending").await?, self.switch(g, "Unique").await?);
        sort(&mut input, &self.texts(g, "Property").await?, down);
        if unique {
            keep_unique(&mut input);
        }
        Ok(Output::objects(input))
    }
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
