//! `+ - * / %`, `-f`, `-join`.

use serde_json::{Number, Value};

use crate::shell::print::{cell, words};

fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Null => Some(0.0),
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number where it is one.
pub fn of(n: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    let whole = (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64);
    whole.map_or_else(|| Number::from_f64(n).map_or(Value::Null, Value::Number), Value::from)
}

/// `a op b` as PowerShell does: texts and lists are joined by `+`, numbers computed.
pub fn arithmetic(a: &Value, op: &str, b: &Value) -> Result<Value, String> {
    match (op, a, b) {
        ("+", Value::Array(list), more) => {
            let mut out = list.clone();
            match more {
                Value::Array(m) => out.extend(m.iter().cloned()),
                one => out.push(one.clone()),
            }
            return Ok(Value::Array(out));
        }
        ("+", Value::String(s), b) => return Ok(format!("{s}{}", words(b)).into()),
        ("+", Value::Null, b) => return Ok(b.clone()),
        _ => {}
    }
    let (Some(x), Some(y)) = (number(a), number(b)) else {
        return Err(format!("'{}' {op} '{}' cannot be computed.", cell(a), cell(b)));
    };
    Ok(of(match op {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        _ if y == 0.0 => return Err("Nothing can be divided by 0.".to_owned()),
        "/" => x / y,
        _ => x % y,
    }))
}

/// `"{0} is {1,8}" -f a,b`.
pub fn format(pattern: &str, values: &Value) -> Result<String, String> {
    let values = match values {
        Value::Array(a) => a.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(i) = rest.find(['{', '}']) {
        out.push_str(&rest[..i]);
        let sign = &rest[i..=i];
        rest = &rest[i + 1..];
        if let Some(r) = rest.strip_prefix(sign) {
            out.push_str(sign);
            rest = r;
            continue;
        }
        let wrong = || format!("'{pattern}' is not a format; it has the form \"{{0}} is {{1}}\".");
        let (inner, after) = rest.split_once('}').filter(|_| sign == "{").ok_or_else(wrong)?;
        let (index, width) =
            inner.split(':').next().unwrap_or_default().split_once(',').unwrap_or((inner, "0"));
        let index = index.split(':').next().unwrap_or_default().trim();
        let value = index.parse::<usize>().ok().and_then(|n| values.get(n)).ok_or_else(wrong)?;
        let width: i16 = width.trim().parse().map_err(|_| wrong())?;
        let (text, columns) = (words(value), usize::from(width.unsigned_abs().min(500)));
        out.push_str(&if width < 0 { format!("{text:<columns$}") } else { format!("{text:>columns$}") });
        rest = after;
    }
    Ok(out + rest)
}

/// `list -join sign`.
pub fn join(list: &Value, sign: &Value) -> Value {
    let texts: Vec<String> = match list {
        Value::Array(a) => a.iter().map(words).collect(),
        one => vec![words(one)],
    };
    texts.join(&words(sign)).into()
}
