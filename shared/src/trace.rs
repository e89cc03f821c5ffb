//! The messages of a test message's run, as they went over the wire; what is secret is blanked before
//! they are kept. Source: pain 14.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::synthetic::Role;

/// One SIP message with what it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TraceMessage {
    /// Whose connection it went over.
    pub role: Role,
    /// Microseconds since the run started.
    pub at_us: u64,
    /// Sent by the test; received otherwise.
    pub sent: bool,
    /// The message, secrets blanked.
    pub text: String,
}

/// The messages of a run in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestTrace {
    /// The sender's SIP address.
    pub sender: String,
    /// The receiver's SIP address.
    pub receiver: String,
    /// The messages.
    pub messages: Vec<TraceMessage>,
    /// How many came after the space for them was used up.
    pub left_out: u32,
}

impl TraceMessage {
    /// The line that names it: `REGISTER sip:…` or `SIP/2.0 200 OK`.
    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

impl TestTrace {
    /// Whose connection a message went over, as SIP address.
    pub fn who(&self, role: Role) -> &str {
        match role {
            Role::Sender => &self.sender,
            Role::Receiver => &self.receiver,
        }
    }

    /// As a text file.
    pub fn print(&self) -> String {
        let mut out = String::new();
        for m in &self.messages {
            let way = if m.sent { "sent by" } else { "received by" };
            let (ms, us) = (m.at_us / 1000, m.at_us % 1000);
            // Writing to a String cannot fail.
            let _ = writeln!(out, "==== +{ms}.{us:03} ms, {way} {}", self.who(m.role));
            let _ = writeln!(out, "{}\n", m.text.trim_end());
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "==== {} more messages were not kept", self.left_out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_when_which_way_and_who() {
        let message =
            |role, sent, text: &str| TraceMessage { role, at_us: 12_034, sent, text: text.to_owned() };
        let t = TestTrace {
            sender: "sip:a@x".to_owned(),
            receiver: "sip:b@x".to_owned(),
            messages: vec![
                message(Role::Sender, true, "REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n"),
                message(Role::Receiver, false, "SIP/2.0 200 OK\r\n\r\n"),
            ],
            left_out: 2,
        };
        assert_eq!(
            t.print(),
            "==== +12.034 ms, sent by sip:a@x\nREGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\n\n==== +12.034 ms, received by sip:b@x\nSIP/2.0 200 OK\n\n==== 2 more messages were not kept\n"
        );
        assert_eq!(t.messages[0].first_line(), "REGISTER sip:x SIP/2.0");
    }
}
