//! Codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, 30 seconds, what every app knows) and
//! recovery codes.

use qrcode::{Color, QrCode};
use rusqlite::Connection;
use shared::Timestamp;
use shared::people::FactorOffer;
use store::management::{Result, people};
use totp_rs::{Builder, Secret, Totp};

use crate::clock::{Entropy, random_bytes, random_password};
use crate::keys::Keys;

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 8;
/// White modules around a QR code, as its standard wants them.
const QUIET: usize = 4;

fn totp(secret: &str) -> Option<Totp> {
    Builder::new().with_secret(Secret::try_from_base32(secret).ok()?).build().ok()
}

/// A new secret in base 32 (160 bits).
pub fn new_secret(e: &dyn Entropy) -> String {
    Secret::from(random_bytes::<20>(e)).to_base32()
}

/// New recovery codes.
pub fn new_recovery_codes(e: &dyn Entropy) -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| random_password(e)).collect()
}

/// The step of 30 seconds that `code` belongs to, at most one before or after now.
pub fn step_of(secret: &str, code: &str, now: Timestamp) -> Option<u64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    totp(secret)?.check(&digits, u64::try_from(now.millis() / 1000).ok()?)
}

/// What the app is given.
pub fn offer(instance: &str, account: &str, secret: String) -> FactorOffer {
    let issuer = format!("Lifeguard {instance}");
    let (issuer, account) = (encode(issuer.trim()), encode(account));
    let uri = format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}");
    FactorOffer { picture: picture(&uri), secret, uri }
}

fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A QR code as an SVG picture in a `data:` address; empty when the text is too long for one.
fn picture(text: &str) -> String {
    let Ok(code) = QrCode::new(text) else { return String::new() };
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        while x < width {
            let run = row[x..].iter().take_while(|c| **c == Color::Dark).count();
            if run > 0 {
                path.push_str(&format!("M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET));
            }
            x += run.max(1);
        }
    }
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {side} {side}' shape-rendering='crispEdges'>\
         <rect width='{side}' height='{side}' fill='white'/><path d='{path}' fill='black'/></svg>"
    );
    format!("data:image/svg+xml,{}", svg.replace('<', "%3C").replace('>', "%3E").replace('#', "%23"))
}

/// Whether `code` opens the account now: a code of the app that was not taken before, or a recovery code.
/// What was accepted is used up.
pub fn accept(c: &Connection, keys: &Keys, account: &str, code: &str, now: Timestamp) -> Result<bool> {
    let sealed = people::second_factor(c, account)?;
    let secret = sealed.and_then(|s| keys.open_text(&s));
    if let Some(step) = secret.and_then(|s| step_of(&s, code, now)) {
        return people::use_step(c, account, step);
    }
    people::use_recovery_code(c, account, code.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `12345678901234567890`, the secret of the examples in RFC 6238.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_rfc_one_step_around_now() {
        let at = |s: i64| Timestamp::from_millis(s * 1000);
        // The RFC prints eight digits; apps show the last six.
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(step_of(RFC, code, at(time)), Some(time.cast_unsigned() / 30));
            assert!(step_of(RFC, code, at(time + 30)).is_some());
            assert_eq!(step_of(RFC, code, at(time + 90)), None);
        }
        assert_eq!(step_of(RFC, " 287 082 ", at(59)), Some(1));
        assert_eq!(step_of(RFC, "28708", at(59)), None);
        assert_eq!(step_of(RFC, "", at(59)), None);
    }

    #[test]
    fn the_offer_can_be_typed_clicked_and_photographed() {
        let o = offer("head office", "ada@x", RFC.to_owned());
        assert_eq!(
            o.uri,
            format!(
                "otpauth://totp/Lifeguard%20head%20office:ada%40x?secret={RFC}&issuer=Lifeguard%20head%20office"
            )
        );
        assert!(o.picture.starts_with("data:image/svg+xml,%3Csvg") && o.picture.len() < 16_000);
    }
}
