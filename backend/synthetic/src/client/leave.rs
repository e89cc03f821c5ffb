//! Leaving: everything that was begun is ended, within one bound for all of it.

use shared::synthetic::Phase;
use tokio::time::Instant;
use wire::sip::Request;
use wire::xccos::{ChanIb, Data, Item};

use super::{Client, Done};
use crate::cause::Failure;

impl Client<'_> {
    /// Whether a dialog is left to end.
    pub fn has_session(&self) -> bool {
        !self.dialogs.is_empty()
    }

    /// Whether nothing can be said to the server any more.
    pub fn is_cut_off(&self) -> bool {
        self.conn.is_dead()
    }

    /// Leaves the room and ends every dialog, also those whose INVITE was not answered yet. Goes on
    /// whatever fails, until `until`; the first failure is returned.
    pub async fn leave(&mut self, until: Instant) -> Done<String> {
        let mut failed: Option<Failure> = None;
        let mut note = |r: Result<(), Failure>| {
            if let Err(f) = r {
                failed.get_or_insert(f);
            }
        };
        // A dialog that the service has ended needs no BYE.
        let gone: Vec<String> = self.calls().into_iter().filter(|c| self.conn.ended(c).is_some()).collect();
        for call in gone {
            self.forget(&call);
        }
        // The BYE leaves the room as well: parting may take no more than its share.
        let half = Instant::now() + until.saturating_duration_since(Instant::now()) / 2;
        note(self.part(half).await);
        let unanswered: Vec<String> =
            self.dialogs.iter().filter(|d| d.invite.is_some()).map(|d| d.call.clone()).collect();
        let mut byes: Vec<Request> = Vec::new();
        for call in self.calls() {
            if unanswered.contains(&call) {
                self.cancel(&call);
            } else {
                byes.extend(self.bye(&call));
            }
        }
        note(self.conn.flush(until).await.map(drop));
        for call in unanswered {
            // The CANCEL may have come too late: then the dialog stands, and is ended like the others.
            match self.conn.response(&call, 1, "INVITE", until).await {
                Ok(Some(answer)) if self.answered(&call, &answer) => byes.extend(self.bye(&call)),
                Ok(Some(_)) => {}
                Ok(None) => self.forget(&call),
                Err(f) => {
                    self.forget(&call);
                    note(Err(f));
                }
            }
        }
        for bye in byes {
            let ended = self.conn.expect(&bye, until, Phase::Leave, &self.account.sip_uri).await;
            note(ended.map(drop));
        }
        note(self.conn.flush(until).await.map(drop));
        failed.map_or_else(|| Ok("left".to_owned()), Err)
    }

    /// Closes the connection in order, so that a server sees no broken one.
    pub async fn close(&mut self, until: Instant) {
        self.conn.shut_down(until).await;
    }

    fn calls(&self) -> Vec<String> {
        self.dialogs.iter().map(|d| d.call.clone()).collect()
    }

    async fn part(&mut self, until: Instant) -> Done<()> {
        let stands = self.channel.as_ref().is_some_and(|c| self.dialogs.iter().any(|d| d.call == *c));
        let Some(uri) = self.room.take().filter(|_| stands) else { return Ok(()) };
        let room = Data::one(Item::ChanIb(ChanIb { uri, ..ChanIb::default() }));
        self.channel_command("cmd:part", room, Phase::Leave, until).await.map(drop)
    }
}
