//! The session description of a chat dialog: never any media (xccos.md §3).

/// Type of the body.
pub const CONTENT_TYPE: &str = "application/sdp";

/// Offer or answer with the address of whoever writes it.
pub fn message_session(address: &str) -> String {
    let family = if address.contains(':') { "IP6" } else { "IP4" };
    format!(
        "v=0\r\no=- 0 0 IN {family} {address}\r\ns=session\r\nc=IN {family} {address}\r\nt=0 0\r\nm=message 5060 sip null\r\na=accept-types:text/plain\r\n"
    )
}
