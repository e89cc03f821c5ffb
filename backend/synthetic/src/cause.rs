//! Failures: the error text as Lync's tools print it, the likely cause, the next thing to check.

use std::net::SocketAddr;

use shared::synthetic::{CauseCode, Diagnosis, Phase};

/// Why a phase failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Cause.
    pub cause: CauseCode,
    /// Error Message.
    pub message: String,
    /// What was seen, in a sentence; the diagnosis begins with it.
    pub seen: String,
}

impl Failure {
    /// A failure.
    pub fn new(cause: CauseCode, message: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { cause, message: message.into(), seen: seen.into() }
    }

    /// Nobody answered at `at`; the words of seed 002.
    pub fn no_answer(at: SocketAddr, seen: impl Into<String>) -> Self {
        let text = format!(
            "A connection attempt failed because the connected party did not properly respond after a period of time, or established connection failed because connected host has failed to respond {at}"
        );
        Self::new(CauseCode::NoAnswer, format!("10060, {text}\nInner Exception:{text}"), seen)
    }

    /// The connection was refused.
    pub fn refused(at: SocketAddr) -> Self {
        let text = format!("No connection could be made because the target machine actively refused it {at}");
        Self::new(
            CauseCode::NothingListening,
            format!("10061, {text}\nInner Exception:{text}"),
            format!("Nothing listens at {at}."),
        )
    }

    /// A phase got no answer in time after the connection stood.
    pub fn timeout(phase: Phase, who: &str) -> Self {
        Self::new(
            CauseCode::Timeout,
            format!("The operation '{}' timed out.", phase.title()),
            format!("{who} got no answer in the phase '{}'.", phase.title()),
        )
    }

    /// A SIP answer that is a refusal.
    pub fn sip(
        cause: CauseCode,
        status: u16,
        reason: &str,
        diagnostics: Option<&str>,
        seen: impl Into<String>,
    ) -> Self {
        let extra = diagnostics.map(|d| format!(" (ms-diagnostics: {d})")).unwrap_or_default();
        Self::new(cause, format!("{status}, {reason}{extra}"), seen)
    }

    /// The diagnosis.
    pub fn diagnosis(&self) -> Diagnosis {
        Diagnosis { cause: self.cause, text: self.seen.clone(), check_next: next(self.cause).to_owned() }
    }
}

fn next(c: CauseCode) -> &'static str {
    match c {
        CauseCode::NameNotResolved => "Check the spelling of the target and its DNS host record.",
        CauseCode::NothingListening => {
            "Check that the Front End Server runs and that the registrar port is right."
        }
        CauseCode::NoAnswer => {
            "Check that the server is not paused or overloaded, and that no firewall drops the packets."
        }
        CauseCode::TlsUntrusted => {
            "Check the server's certificate: its name, its dates and the authority that issued it."
        }
        CauseCode::WrongPassword => "Type the password again, or give the user a new one.",
        CauseCode::CredentialOfAnotherAccount => "Check that the log-on name belongs to this SIP address.",
        CauseCode::UnknownUser => {
            "Check the SIP address; the user must exist on this registrar's deployment."
        }
        CauseCode::UserDisabled => "Enable the user.",
        CauseCode::NoPolicy => {
            "Grant a Persistent Chat policy that enables it, or enable the site or global policy."
        }
        CauseCode::NoRoom => "Create a chat room that both users may see; tests fail while there is none.",
        CauseCode::NotAMember => "Add the user to the room's members, or to the category's allowed members.",
        CauseCode::PoolUnavailable => {
            "Check that the pool has an active server that runs, and that its database is open."
        }
        CauseCode::MessageLost => {
            "Check the pool's servers and its database; the post was accepted but not delivered."
        }
        CauseCode::ContentMismatch => {
            "Something between the users changed the text; look at the messages of the run."
        }
        CauseCode::Timeout => {
            "Check the load of the servers and the network; a longer time-out tells slow from dead."
        }
        CauseCode::ProtocolError => {
            "Look at the messages of the run; the peer may not be a Persistent Chat service."
        }
    }
}
