//! `$x = …`, `$x.P = …`, `$x[0] = …`, `+=`.

use serde_json::Value;

use super::compute::arithmetic;
use super::{Done, Host, Run, plain};
use crate::shell::names::near;
use crate::shell::parse::{Step, Target};
use crate::shell::value::position;

/// A step with its index evaluated.
enum Way {
    Property(String),
    Index(Value),
}

/// The place that a step leads to.
fn walk<'v>(v: &'v mut Value, way: &Way) -> Result<&'v mut Value, String> {
    let key = match way {
        Way::Property(p) => Some(p.clone()),
        Way::Index(Value::String(s)) if v.is_object() => {
            // A table takes new keys; an object's properties are what they are.
            let known = v.as_object().and_then(|o| o.keys().find(|k| k.eq_ignore_ascii_case(s)).cloned());
            return Ok(&mut v[known.unwrap_or_else(|| s.clone())]);
        }
        Way::Index(_) => None,
    };
    match (v, key, way) {
        (Value::Object(o), Some(name), _) => {
            let Some(key) = o.keys().find(|k| k.eq_ignore_ascii_case(&name)).cloned() else {
                let hint = near(&name, o.keys().map(String::as_str));
                return Err(format!("The object has no property {name}.{hint}"));
            };
            o.get_mut(&key).ok_or_else(String::new)
        }
        (_, Some(name), _) => Err(format!("This has no property {name}.")),
        (Value::Array(a), None, Way::Index(i)) => {
            let n = position(i, a.len())
                .ok_or_else(|| format!("There is no member {}.", super::print::cell(i)))?;
            a.get_mut(n).ok_or_else(String::new)
        }
        _ => Err("This is not a list.".to_owned()),
    }
}

impl<H: Host> Run<'_, H> {
    pub(super) async fn assign(&mut self, target: &Target, op: Option<char>, given: Value) -> Done<()> {
        let mut path = Vec::new();
        for step in &target.path {
            path.push(match step {
                Step::Property(p) => Way::Property(p.clone()),
                Step::Index(e) => Way::Index(self.eval(e).await?),
            });
        }
        let variables = &mut self.session.variables;
        let mut place = if path.is_empty() {
            variables.entry(target.name.clone()).or_insert(Value::Null)
        } else {
            let missing = || plain(format!("The variable ${} has no value yet.", target.name));
            variables.get_mut(&target.name).ok_or_else(missing)?
        };
        for way in &path {
            place = walk(place, way).map_err(plain)?;
        }
        *place = match op {
            None => given,
            Some(c) => arithmetic(place, &c.to_string(), &given).map_err(plain)?,
        };
        Ok(())
    }
}
