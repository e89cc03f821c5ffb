//! People of an XMPP server's group chat: no more of the protocol than it takes to sign on, join and talk.

use std::net::SocketAddr;

use anyhow::{Result, ensure};

use super::{Line, Mark, Service, Speech, position};

/// A server.
#[derive(Debug, Clone)]
pub struct Theirs {
    /// Where it takes clients.
    pub at: SocketAddr,
    /// Its domain; person `n` is `userN`.
    pub domain: String,
    /// The domain of its rooms.
    pub rooms: String,
    /// Everybody's password.
    pub password: String,
}

/// One session.
#[derive(Default)]
pub struct XmppPerson {
    name: String,
    room: String,
    number: u32,
}

/// Reads until `wanted` has come; everything up to its end is taken.
async fn until(line: &mut Line, wanted: &str) -> Result<()> {
    loop {
        if let Some(i) = position(&line.input, wanted.as_bytes()) {
            line.input.drain(..i + wanted.len());
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line.input);
        ensure!(!text.contains("<failure") && !text.contains("type='error'"), "refused: {text}");
        line.more().await?;
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().chain([&0, &0]).take(3).fold(0_u32, |n, b| n << 8 | u32::from(*b));
        for i in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * i) & 63) as usize];
            out.push(if i > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

impl Service for Theirs {
    type Person = XmppPerson;

    fn at(&self) -> SocketAddr {
        self.at
    }

    async fn sign_on(&self, line: &mut Line, n: usize) -> Result<XmppPerson> {
        let stream = format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
            self.domain
        );
        line.send(stream.as_bytes()).await?;
        until(line, "</stream:features>").await?;
        let name = format!("user{n}");
        let proof = base64(format!("\0{name}\0{}", self.password).as_bytes());
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>");
        line.send(auth.as_bytes()).await?;
        until(line, "<success").await?;
        line.input.clear();
        line.send(stream.as_bytes()).await?;
        until(line, "</stream:features>").await?;
        let bind = "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>";
        line.send(bind.as_bytes()).await?;
        until(line, "</iq>").await?;
        Ok(XmppPerson { name, ..XmppPerson::default() })
    }

    async fn join(&self, line: &mut Line, who: &mut XmppPerson, room: &str) -> Result<()> {
        let at = format!("{room}@{}", self.rooms);
        let join = format!(
            "<presence to='{at}/{}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>",
            who.name
        );
        line.send(join.as_bytes()).await?;
        // One's own presence comes last, then the subject.
        until(line, "code='110'").await?;
        until(line, "</message>").await?;
        who.room = at;
        Ok(())
    }
}

impl Speech for XmppPerson {
    fn post(&mut self, text: &str) -> Vec<u8> {
        self.number += 1;
        let (to, id) = (&self.room, self.number);
        format!("<message to='{to}' type='groupchat' id='m{id}'><body>{text}</body></message>").into_bytes()
    }

    fn take(&mut self, input: &mut Vec<u8>, _: &mut Vec<u8>, told: &mut dyn FnMut(Mark)) -> Result<()> {
        const END: &[u8] = b"</message>";
        let mut at = 0;
        while let Some(i) = position(&input[at..], END) {
            let end = at + i + END.len();
            if let Some((m, _)) = Mark::find(&input[at..end]) {
                told(m);
            }
            at = end;
        }
        input.drain(..at);
        Ok(())
    }
}
