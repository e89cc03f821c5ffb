//! Expressions → values.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};

use super::compute::{arithmetic, format, join};
use super::{Done, Halt, Host, Output, Run, elements, plain, rich_log};
use crate::shell::filter::{compare, property, truthy};
use crate::shell::parse::{Expr, ParseError, Part, Statement};
use crate::shell::print::words;
use crate::shell::value::{index, negative};

/// Evaluates an expression without variables and commands.
///
/// # Errors
/// When the expression is more than that.
pub fn constant(e: &Expr) -> Result<Value, ParseError> {
    let all = |items: &[Expr]| items.iter().map(constant).collect::<Result<Vec<_>, _>>();
    Ok(match e {
        Expr::Text(s) => Value::from(s.as_str()),
        Expr::Number(n) => n.clone().into(),
        Expr::Bool(b) => (*b).into(),
        Expr::Null => Value::Null,
        Expr::Minus(e) => negative(&constant(e)?).map_err(plain)?,
        Expr::List(items) => Value::Array(all(items)?),
        Expr::Array(body) => {
            let mut out = Vec::new();
            for s in body {
                let e = s.single_expression().ok_or_else(|| plain("Only constants can stand here."))?;
                out.extend(elements(constant(e)?));
            }
            Value::Array(out)
        }
        Expr::Table(pairs) => Value::Object(
            pairs
                .iter()
                .map(|(k, v)| Ok((k.clone(), constant(v)?)))
                .collect::<Result<Map<_, _>, ParseError>>()?,
        ),
        Expr::Block(_, text) => text.as_str().into(),
        _ => return Err(plain("Only constants can stand here.")),
    })
}

impl<H: Host> Run<'_, H> {
    /// An expression. Boxed, as expressions nest.
    pub fn eval<'s>(&'s mut self, e: &'s Expr) -> Pin<Box<dyn Future<Output = Done<Value>> + 's>> {
        Box::pin(async move {
            Ok(match e {
                Expr::Variable(n) => {
                    let missing = || plain(format!("The variable ${n} has no value yet."));
                    self.session.variables.get(n).cloned().ok_or_else(missing)?
                }
                Expr::Property(of, name) if name.ends_with("()") => {
                    rich_log::method(&self.eval(of).await?, name).map_err(plain)?
                }
                Expr::Property(of, name) => property(&self.eval(of).await?, name),
                Expr::Index(of, i) => {
                    let of = self.eval(of).await?;
                    index(&of, &self.eval(i).await?).map_err(plain)?
                }
                Expr::List(items) => {
                    let mut out = Vec::new();
                    for x in items {
                        out.push(self.eval(x).await?);
                    }
                    Value::Array(out)
                }
                Expr::Table(pairs) => {
                    let mut out = Map::new();
                    for (k, v) in pairs {
                        out.insert(k.clone(), self.eval(v).await?);
                    }
                    Value::Object(out)
                }
                Expr::Array(body) => Value::Array(self.collected(body).await?.values()),
                Expr::Sub(body) => self.collected(body).await?.value(),
                Expr::Not(inner) => (!truthy(&self.eval(inner).await?)).into(),
                Expr::Minus(inner) => negative(&self.eval(inner).await?).map_err(plain)?,
                Expr::Binary(a, op, b) => self.binary(a, op, b).await?,
                Expr::Template(parts) => {
                    let mut out = String::new();
                    for p in parts {
                        match p {
                            Part::Literal(t) => out.push_str(t),
                            Part::Value(e) => out.push_str(&words(&self.eval(e).await?)),
                        }
                    }
                    out.into()
                }
                Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Null | Expr::Block(..) => {
                    constant(e)?
                }
            })
        })
    }

    /// What the statements of `$(…)` and `@(…)` give; an error ends the expression.
    async fn collected(&mut self, body: &[Statement]) -> Done<Output> {
        let mut all = Output::default();
        for s in body {
            // `@(…)` of a written list is that list.
            if let Some(e) = s.single_expression() {
                all.append(Output::objects(elements(self.eval(e).await?)));
            } else {
                self.statement(s, Some(&mut all)).await?;
            }
        }
        Ok(all)
    }

    async fn binary(&mut self, a: &Expr, op: &str, b: &Expr) -> Done<Value> {
        let a = self.eval(a).await?;
        let known = match op {
            "and" => (!truthy(&a)).then_some(false),
            "or" => truthy(&a).then_some(true),
            _ => None,
        };
        if let Some(v) = known {
            return Ok(v.into());
        }
        let b = self.eval(b).await?;
        let wrong = |e: String| Halt::from(plain(e));
        match op {
            "and" | "or" => Ok(truthy(&b).into()),
            "xor" => Ok((truthy(&a) != truthy(&b)).into()),
            "+" | "-" | "*" | "/" | "%" => arithmetic(&a, op, &b).map_err(wrong),
            "f" => format(&words(&a), &b).map(Value::from).map_err(wrong),
            "join" => Ok(join(&a, &b)),
            op => compare(&a, op, &b).map_err(wrong),
        }
    }
}
