//! What a dialog is found by. A Call-ID alone will not do: SIPE seeds its random numbers with the clock, so two
//! clients that start in the same second send the same Call-IDs and tags, and one link to a chat server carries
//! both. The client's own address tells them apart.

use wire::sip::NameAddr;

/// Key of the dialog with a Call-ID; `client` is the end that the client stands at: From of its requests and of
/// the answers to them, To of what a chat server sends.
pub fn dialog_key(call_id: Option<&str>, client: Option<NameAddr>) -> String {
    let client = client.map(|n| n.uri.aor().to_lowercase()).unwrap_or_default();
    format!("{}\n{client}", call_id.unwrap_or_default())
}

/// The Call-ID in a key; a header never holds a line feed.
pub fn call_of(key: &str) -> &str {
    key.split_once('\n').map_or(key, |(call, _)| call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_id_of_two_users_is_two_dialogs() {
        let of = |a: &str| dialog_key(Some("abc"), NameAddr::parse(a));
        assert_ne!(of("<sip:a@x.test>;tag=1"), of("<sip:b@x.test>;tag=1"));
        assert_eq!(of("<sip:a@x.test>;tag=1"), of("\"A\" <sip:A@X.test>"));
        assert_eq!(call_of(&of("<sip:a@x.test>")), "abc");
    }
}
