//! What each cause means: the likely reason, and the next thing to check.

use shared::synthetic::CauseCode;

/// What probably is behind it, a sentence; empty when what was seen says it already.
pub fn likely(c: CauseCode) -> &'static str {
    match c {
        CauseCode::TlsUntrusted => {
            "Probably the certificate was issued by another authority, or by the server itself."
        }
        CauseCode::TlsWrongName => {
            "Probably the target is an alias that the certificate leaves out, or another server answers at this address."
        }
        CauseCode::TlsExpired => "Probably the certificate was not renewed, or the clock here is ahead.",
        CauseCode::TlsNotYetValid => {
            "Probably the clock of this computer, or of the authority, is not right."
        }
        CauseCode::TlsHandshake => {
            "Probably the port does not speak TLS, wants a client certificate, or a device between cuts TLS off."
        }
        CauseCode::ConnectionLost => {
            "Probably the server was stopped, or a device between dropped the connection."
        }
        CauseCode::SchemeNotSpoken => {
            "Probably the registrar allows certificates (TLS-DSK) or Kerberos only, which this test does not speak."
        }
        CauseCode::NotATrustedServer => {
            "Probably the portal is not defined as a trusted server there, or its certificate is another one."
        }
        CauseCode::SignInRefused => {
            "Probably the user is not allowed to sign in here; the answer does not say why."
        }
        CauseCode::RegistrarUnavailable => {
            "Probably the server is overloaded or starting, or what it stands on does not answer; 504 often is a firewall."
        }
        CauseCode::RoomUnknown => "Probably the room was deleted, or it is on another pool.",
        CauseCode::RoomDisabled => "Somebody has disabled the room.",
        CauseCode::JoinRefused => {
            "Probably the user is not a member, or the room does not exist; the answer does not say why."
        }
        CauseCode::SessionEnded => {
            "Probably the pool was switched, stopped or restarted; a Lync server also ends the session of a user without policy this way."
        }
        CauseCode::NameNotResolved
        | CauseCode::NothingListening
        | CauseCode::NoAnswer
        | CauseCode::WrongPassword
        | CauseCode::CredentialOfAnotherAccount
        | CauseCode::UnknownUser
        | CauseCode::UserDisabled
        | CauseCode::NoPolicy
        | CauseCode::NoRoom
        | CauseCode::NotAMember
        | CauseCode::PoolUnavailable
        | CauseCode::MessageLost
        | CauseCode::ContentMismatch
        | CauseCode::Timeout
        | CauseCode::Cancelled
        | CauseCode::ProtocolError => "",
    }
}

/// What to check next, a sentence.
pub fn next(c: CauseCode) -> &'static str {
    match c {
        CauseCode::NameNotResolved => "Check the spelling of the target and its DNS host record.",
        CauseCode::NothingListening => {
            "Check that the Front End Server runs and that the registrar port is right."
        }
        CauseCode::NoAnswer => {
            "Check that the server is not paused or overloaded, and that no firewall drops the packets."
        }
        CauseCode::TlsUntrusted => {
            "Check which authority issued the server's certificate, and that this computer trusts it."
        }
        CauseCode::TlsWrongName => {
            "Check the target's name against the names in the certificate, and the DNS record that led here."
        }
        CauseCode::TlsExpired => "Renew the server's certificate, and check the clocks of both computers.",
        CauseCode::TlsNotYetValid => {
            "Check the clocks of both computers, and the date from which the certificate is valid."
        }
        CauseCode::TlsHandshake => {
            "Check that the port is the one for TLS, and which TLS versions the server accepts."
        }
        CauseCode::ConnectionLost => "Check whether the server was restarted, and its log at this time.",
        CauseCode::WrongPassword => "Type the password again, or give the user a new one.",
        CauseCode::CredentialOfAnotherAccount => "Check that the log-on name belongs to this SIP address.",
        CauseCode::UnknownUser => {
            "Check the SIP address; the user must exist on this registrar's deployment."
        }
        CauseCode::UserDisabled => "Enable the user.",
        CauseCode::SchemeNotSpoken => {
            "Allow NTLM at the registrar (Set-CsProxyConfiguration -UseWindowsAuthentication), or test as a trusted server."
        }
        CauseCode::NotATrustedServer => {
            "Check the trusted application pool of the deployment and the certificate this portal was started with."
        }
        CauseCode::SignInRefused => {
            "Check that the user is enabled and homed on this registrar's deployment."
        }
        CauseCode::RegistrarUnavailable => {
            "Check the Front End Server's services and its database, and try again in a minute."
        }
        CauseCode::NoPolicy => {
            "Grant a Persistent Chat policy that enables it, or enable the site or global policy."
        }
        CauseCode::NoRoom => "Create a chat room that both users may see; tests fail while there is none.",
        CauseCode::RoomUnknown => "Check the room's address, and that the room is on the pool under test.",
        CauseCode::RoomDisabled => "Enable the room, or test in another one.",
        CauseCode::NotAMember => "Add the user to the room's members, or to the category's allowed members.",
        CauseCode::JoinRefused => "Check the room's members and that the room exists and is enabled.",
        CauseCode::SessionEnded => {
            "Check whether the pool's servers run and its state was changed just now, then the user's Persistent Chat policy."
        }
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
        CauseCode::Cancelled => "Start the test again.",
        CauseCode::ProtocolError => {
            "Look at the messages of the run; the peer may not be a Persistent Chat service."
        }
    }
}
