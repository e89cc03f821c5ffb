//! What makes other objects of those that come: Group-, Measure-Object, Get-Member.

use serde_json::{Value, json};

use super::Given;
use crate::shell::eval::{Done, Host, Output, Run, of};
use crate::shell::filter::{order, property};
use crate::shell::print;

/// A value's type, as Get-Member names it.
fn type_name(v: &Value) -> &'static str {
    match v {
        Value::Null => "object",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "double",
        Value::Number(_) => "long",
        Value::String(_) => "string",
        Value::Array(_) => "Object[]",
        Value::Object(_) if crate::shell::value::reveal(v).is_some() => "securestring",
        Value::Object(_) => "PSCustomObject",
    }
}

impl<H: Host> Run<'_, H> {
    pub(super) async fn group_object(&mut self, g: &Given<'_>, mut input: Vec<Value>) -> Done<Output> {
        let names = self.texts(g, "Property").await?;
        let bare = self.switch(g, "NoElement").await?;
        crate::shell::filter::sort(&mut input, &names, false);
        let key = |x: &Value| {
            if names.is_empty() {
                return print::cell(x);
            }
            names.iter().map(|n| print::cell(&property(x, n))).collect::<Vec<_>>().join(", ")
        };
        let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
        for x in input {
            let k = key(&x);
            match groups.last_mut() {
                Some((last, list)) if last.to_lowercase() == k.to_lowercase() => list.push(x),
                _ => groups.push((k, vec![x])),
            }
        }
        let object = |(name, list): (String, Vec<Value>)| {
            let mut o = json!({ "Count": list.len(), "Name": name });
            if !bare {
                o["Group"] = Value::Array(list);
            }
            o
        };
        let objects: Vec<Value> = groups.into_iter().map(object).collect();
        let short: Vec<Value> =
            objects.iter().map(|o| json!({ "Count": o["Count"], "Name": o["Name"] })).collect();
        Ok(Output { text: Some(print::table(&short, true)), objects })
    }

    pub(super) async fn measure_object(&mut self, g: &Given<'_>, input: &[Value]) -> Done<Output> {
        let name = self.word(g, "Property").await?;
        let values: Vec<Value> = match &name {
            Some(n) => input.iter().map(|x| property(x, n)).filter(|v| !v.is_null()).collect(),
            None => input.to_vec(),
        };
        let mut out = json!({ "Count": values.len() });
        let numbers: Vec<f64> =
            values.iter().filter_map(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok())).collect();
        let sum: f64 = numbers.iter().sum();
        if self.switch(g, "Average").await? && !numbers.is_empty() {
            #[expect(clippy::cast_precision_loss, reason = "a count of objects is far below 2^52")]
            let count = numbers.len() as f64;
            out["Average"] = of(sum / count);
        }
        if self.switch(g, "Sum").await? {
            out["Sum"] = of(sum);
        }
        if self.switch(g, "Maximum").await? {
            out["Maximum"] = values.iter().max_by(|a, b| order(a, b)).cloned().unwrap_or_default();
        }
        if self.switch(g, "Minimum").await? {
            out["Minimum"] = values.iter().min_by(|a, b| order(a, b)).cloned().unwrap_or_default();
        }
        if let Some(n) = name {
            out["Property"] = n.into();
        }
        Ok(Output::objects(vec![out]))
    }

    pub(super) async fn get_member(&mut self, g: &Given<'_>, input: &[Value]) -> Done<Output> {
        let names = self.texts(g, "Name").await?;
        let wanted =
            |n: &str| names.is_empty() || names.iter().any(|p| crate::identity::wildcard_match(p, n));
        let mut objects: Vec<Value> = Vec::new();
        for x in input {
            for key in x.as_object().into_iter().flat_map(|o| o.keys()).filter(|k| wanted(k)) {
                let definition = format!("{} {key}", type_name(&property(x, key)));
                if !objects.iter().any(|o| o["Name"] == key.as_str()) {
                    objects
                        .push(json!({ "Name": key, "MemberType": "NoteProperty", "Definition": definition }));
                }
            }
            if !x.is_object() && wanted("Length") && objects.is_empty() {
                let definition = format!("{} (a single value)", type_name(x));
                objects.push(json!({ "Name": "Length", "MemberType": "Property", "Definition": definition }));
            }
        }
        if input.is_empty() {
            return Err(g.wrong("Get-Member needs an object from the pipeline."));
        }
        Ok(Output { text: Some(print::table(&objects, true)), objects })
    }
}
