//! `-Verbose`, `-OutVerboseVariable` and `-OutLoggerVariable` of Test-CsPersistentChatMessage, and the log's
//! `ToHTML()` and `ToXML()`. Source: model §18, L:using-rich-logging.

use serde_json::{Value, json};

use super::{Host, OutputPart, Run};
use crate::plan::Invocation;
use crate::shell::bind::Bound;
use crate::shell::print::words;

/// Properties of an activity, in their order.
const ACTIVITY: [&str; 6] = ["Offset", "Duration", "User", "Activity", "Result", "Detail"];
/// Properties of a message.
const MESSAGE: [&str; 4] = ["Offset", "Direction", "User", "Text"];

impl<H: Host> Run<'_, H> {
    /// Prints and keeps what a run did, as far as it was asked for.
    pub(super) async fn note_run(&mut self, b: &Bound, run: &str, output: &[Value]) {
        let name = |p: &str| b.args.get(p).and_then(Value::as_str).map(str::to_lowercase);
        let (logger, lines) = (name("OutLoggerVariable"), name("OutVerboseVariable"));
        if logger.is_none() && lines.is_none() && !b.verbose {
            return;
        }
        let steps = self.trace_of(run, true).await;
        let said: Vec<String> = steps.iter().map(line).collect();
        if b.verbose {
            self.out.extend(said.iter().map(|l| OutputPart::Text(format!("VERBOSE: {l}\n"))));
        }
        if let Some(n) = lines {
            self.session.set(&n, Some(said.into()));
        }
        if let Some(n) = logger {
            let messages = self.trace_of(run, false).await;
            let result = output.first().cloned().unwrap_or(Value::Null);
            let log = json!({ "Run": run, "Output": result, "Activities": steps, "Messages": messages });
            self.session.set(&n, Some(log));
        }
    }

    async fn trace_of(&mut self, run: &str, steps: bool) -> Vec<Value> {
        let Some(spec) = crate::cmdlets::find("Get-LgTestTrace") else { return Vec::new() };
        let args =
            [("Identity".to_owned(), run.into()), ("Steps".to_owned(), steps.into())].into_iter().collect();
        match self.host.invoke(spec, Invocation { args, ..Invocation::default() }).await {
            Ok(answer) => answer.output,
            Err(e) => {
                self.out.push(OutputPart::Warning(e.message));
                Vec::new()
            }
        }
    }
}

fn of(v: &Value, key: &str) -> String {
    words(v.get(key).unwrap_or(&Value::Null))
}

fn line(step: &Value) -> String {
    let [offset, duration, user, activity, result, detail] = ACTIVITY.map(|k| of(step, k));
    format!("+{offset} {user}: {activity}, {result} after {duration}. {detail}")
}

fn escape(text: &str) -> String {
    // Characters that XML does not know at all are not worth an unreadable file.
    let known = |c: &char| !c.is_control() || ['\n', '\r', '\t'].contains(c);
    let clean: String = text.chars().filter(known).collect();
    clean.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn list<'a>(log: &'a Value, key: &str) -> &'a [Value] {
    log.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_log(v: &Value) -> bool {
    v.get("Activities").is_some() && v.get("Messages").is_some()
}

/// `ToHTML()` or `ToXML()` of a log.
///
/// # Errors
/// When the value is none.
pub fn method(v: &Value, name: &str) -> Result<Value, String> {
    if !is_log(v) {
        return Err(format!("Only a log has {name}; -OutLoggerVariable makes one."));
    }
    let text = if name.eq_ignore_ascii_case("ToHTML()") { to_html(v) } else { to_xml(v) };
    Ok(text.into())
}

fn to_xml(log: &Value) -> String {
    let element = |name: &str, keys: &[&str], v: &Value| {
        let inner: String = keys.iter().map(|k| format!("<{k}>{}</{k}>", escape(&of(v, k)))).collect();
        format!("  <{name}>{inner}</{name}>\n")
    };
    let mut out = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TestLog>\n".to_owned();
    if let Some(o) = log.get("Output").and_then(Value::as_object) {
        let keys: Vec<&str> = o.keys().map(String::as_str).collect();
        out.push_str(&element("Result", &keys, &log["Output"]));
    }
    out.extend(list(log, "Activities").iter().map(|v| element("Activity", &ACTIVITY, v)));
    out.extend(list(log, "Messages").iter().map(|v| element("Message", &MESSAGE, v)));
    out + "</TestLog>\n"
}

fn to_html(log: &Value) -> String {
    let mut out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Test message</title>\n<style>body{font:14px sans-serif;margin:24px}td,th{padding:4px 10px;text-align:left;border-bottom:1px solid #ccc;vertical-align:top}pre{background:#f3f3f3;padding:8px;overflow-x:auto}.Failure{color:#a00;font-weight:bold}</style></head>\n<body><h1>Test message</h1>\n".to_owned();
    if let Some(o) = log.get("Output").and_then(Value::as_object) {
        out.push_str("<table>");
        for (k, v) in o {
            let value = escape(&words(v));
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td class=\"{value}\">{value}</td></tr>\n",
                escape(k)
            ));
        }
        out.push_str("</table>\n");
    }
    let heads: String = ACTIVITY.iter().map(|k| format!("<th scope=\"col\">{k}</th>")).collect();
    out.push_str(&format!("<h2>Activities</h2><table><tr>{heads}</tr>\n"));
    for a in list(log, "Activities") {
        let cells: String = ACTIVITY.iter().map(|k| format!("<td>{}</td>", escape(&of(a, k)))).collect();
        out.push_str(&format!("<tr class=\"{}\">{cells}</tr>\n", escape(&of(a, "Result"))));
    }
    out.push_str("</table>\n<h2>Messages</h2>\n");
    for m in list(log, "Messages") {
        let [offset, direction, user, text] = MESSAGE.map(|k| escape(&of(m, k)));
        out.push_str(&format!(
            "<h3>+{offset}, {direction}, {user}</h3><pre>{}</pre>\n",
            text.replace("\r\n", "\n")
        ));
    }
    out + "</body></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_prints_as_html_and_xml_without_letting_texts_be_marks() {
        let log = json!({
            "Run": "1", "Output": { "Result": "Failure", "ErrorMessage": "<b>" },
            "Activities": [{ "Offset": "1.000 ms", "Duration": "2.000 ms", "User": "sip:a@x", "Activity": "Connect", "Result": "Failure", "Detail": "a & b" }],
            "Messages": [{ "Offset": "1.500 ms", "Direction": "sent", "User": "sip:a@x", "Text": "REGISTER sip:x\r\nFrom: <sip:a@x>" }],
        });
        let html = words(&method(&log, "ToHTML()").unwrap());
        assert!(
            html.contains("<td>a &amp; b</td>") && html.contains("From: &lt;sip:a@x&gt;</pre>"),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
        let xml = words(&method(&log, "toxml()").unwrap());
        assert!(
            xml.contains("<Activity><Offset>1.000 ms</Offset>") && xml.contains("&lt;sip:a@x&gt;</Text>"),
            "{xml}"
        );
        assert!(method(&json!({ "Text": "x" }), "ToHTML()").is_err());
    }
}
