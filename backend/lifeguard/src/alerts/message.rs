//! What is sent: the body of a webhook with its signature, and the same in plain words for mail.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shared::api::AlertMessage;

/// Header that proves that the body comes from this portal.
pub const SIGNATURE: &str = "x-lifeguard-signature";
/// Header with the delivery's id, the same over all tries.
pub const DELIVERY: &str = "x-lifeguard-delivery";

/// Value of the signature's header.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Subject of the mail.
pub fn subject(m: &AlertMessage) -> String {
    let word = match m.state.as_str() {
        "resolved" => "Resolved",
        "test" => "Test alert",
        _ if m.repeated => "Still there",
        _ => "Problem",
    };
    format!("[{}] {word}: {}", m.instance, m.subject)
}

/// Text of the mail.
pub fn text(m: &AlertMessage) -> String {
    let since = m.since.rfc3339();
    let first = match m.state.as_str() {
        "resolved" => format!("This problem is gone; it was there since {since}:"),
        "test" => "This is a test. Nothing is wrong.".to_owned(),
        _ if m.repeated => format!("This problem is still there, since {since}, and nobody acknowledged it:"),
        _ => format!("A problem has appeared, {since}:"),
    };
    format!(
        "{first}\n\n{}\n\nAbout: {}\nCode: {}\nLook at it: {}\n\n-- \n{}\n",
        m.problem, m.subject, m.code, m.href, m.instance
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Timestamp;
    use shared::error::Severity;

    #[test]
    fn the_signature_is_hmac_sha256() {
        // RFC 4231, test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn mail_says_in_plain_words_what_the_webhook_says() {
        let mut m = AlertMessage {
            problem: "gc-001 is down: in use".to_owned(),
            code: "server.failed".to_owned(),
            severity: Severity::Error,
            subject: "gc-001".to_owned(),
            since: Timestamp::from_millis(0),
            state: "raised".to_owned(),
            instance: "Lifeguard".to_owned(),
            href: "https://x/pools".to_owned(),
            repeated: false,
        };
        assert_eq!(subject(&m), "[Lifeguard] Problem: gc-001");
        let raised = text(&m);
        for part in ["gc-001 is down: in use", "server.failed", "https://x/pools", "1970-01-01T00:00:00Z"] {
            assert!(raised.contains(part), "{raised}");
        }
        m.state = "resolved".to_owned();
        assert!(subject(&m).contains("Resolved") && text(&m).starts_with("This problem is gone"));
    }
}
