//! The end of dialogs that a connection or a registration takes with it.

use wire::sip::{Message, Request};

use super::router::Route;
use super::{FrontEnd, refuse};
use crate::connection::Peer;
use crate::dialog::call_of;

/// CSeq of a BYE that the Front End sends for a client that is gone: the largest there is (RFC 3261 §8.1.1.5), so that
/// no request of the client's was later.
const LAST_CSEQ: u32 = (1 << 31) - 1;

/// Who is told that a dialog has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The client: the server is gone.
    Client,
    /// The server: the client is gone.
    Server,
    /// Both.
    Both,
}

/// A BYE of ours in a dialog whose one end is gone.
pub fn bye(target: String, from: &str, to: &str, call: &str) -> Request {
    let mut bye = Request::new("BYE", target);
    bye.headers.push("Max-Forwards", "70");
    bye.headers.push("From", from);
    bye.headers.push("To", to);
    bye.headers.push("Call-ID", call);
    bye.headers.push("CSeq", format!("{LAST_CSEQ} BYE"));
    bye
}

impl FrontEnd {
    /// Ends the dialogs that have the connection `end` as one end (all without one) and that `which` picks, and
    /// tells whoever is still there.
    pub(super) fn end_dialogs(&self, end: Option<&Peer>, which: impl Fn(&Route) -> bool, told: Told) {
        let list: Vec<(String, Route)> = {
            let mut state = self.state();
            let keys = end.map_or_else(|| state.dialogs.keys(), |p| state.dialogs.of_connection(p.id));
            let picked = keys.into_iter().filter(|k| state.dialogs.get(k).is_some_and(&which));
            let picked: Vec<String> = picked.collect();
            picked.into_iter().filter_map(|k| state.dialogs.remove(&k).map(|d| (k, d))).collect()
        };
        for (key, d) in list {
            let call = call_of(&key);
            if told != Told::Server {
                if let Some(invite) = &d.invite {
                    let gone = refuse(
                        invite,
                        503,
                        "Service Unavailable",
                        "1020",
                        "The dialog ended before it began",
                    );
                    d.client.send_soon(Message::Response(gone));
                } else {
                    let mut end = bye(d.target.clone(), &d.to, &d.from, call);
                    end.headers.push_front("Via", self.via(d.client.id, d.client.id));
                    d.client.send_soon(Message::Request(end));
                }
            }
            // A dialog without an answer yet is ended when the answer comes.
            if told != Told::Client && d.invite.is_none() {
                let mut end = bye(d.target.clone(), &d.from, &d.to, call);
                end.headers.push_front("Via", self.via(d.server.id, d.server.id));
                end.headers.push("P-Asserted-Identity", format!("<{}>", d.user));
                d.server.send_soon(Message::Request(end));
            }
        }
    }

    /// Ends what hung on a connection: a client's dialogs at their servers, a server's dialogs at their clients.
    pub(super) fn connection_ended(&self, peer: &Peer) {
        {
            let mut state = self.state();
            state.bound.remove(&peer.id);
            state.accepted.remove(&peer.id);
            state.upstream.remove(&peer.id);
        }
        self.end_dialogs(Some(peer), |d| d.client.id == peer.id, Told::Server);
        self.end_dialogs(Some(peer), |d| d.server.id == peer.id, Told::Client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_the_largest_that_a_request_may_have() {
        let of = |n: u32| {
            let mut r = bye(
                "sip:a@contoso.com".to_owned(),
                "<sip:a@contoso.com>;tag=1",
                "<sip:b@contoso.com>;tag=2",
                "1",
            );
            r.headers.push_front("Via", "SIP/2.0/TLS h;branch=z9hG4bK1");
            r.headers.set("CSeq", format!("{n} BYE"));
            wire::check::fault(&r).map(|no| no.status)
        };
        assert_eq!((of(LAST_CSEQ), of(LAST_CSEQ + 1)), (None, Some(400)));
    }
}
