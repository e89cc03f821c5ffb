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
        CauseCode::WrongPassword => {
            "The password is wrong, or the user is not known there: many registrars answer both in the same way."
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
        CauseCode::NoChatService => {
            "Probably it is a registrar of another product, or of a deployment without Persistent Chat."
        }
        CauseCode::DatabaseLocked => {
            "Probably a backup, another program or another process works on its files."
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
        | CauseCode::CredentialOfAnotherAccount
        | CauseCode::UnknownUser
        | CauseCode::UserDisabled
        | CauseCode::NoPolicy
        | CauseCode::NoRoom
        | CauseCode::NotAMember
        | CauseCode::PoolUnavailable
        | CauseCode::DatabaseFull
        | CauseCode::MessageLost
        | CauseCode::ContentMismatch
        | CauseCode::Timeout
        | CauseCode::Cancelled
        | CauseCode::ProtocolError => "",
    }
}

/// What was seen, in general; a diagnosis says it with names and numbers.
#[cfg(test)]
fn evidence(c: CauseCode) -> &'static str {
    match c {
        CauseCode::NameNotResolved => "The name of the registrar has no address; the text is error 11001.",
        CauseCode::NothingListening => "The connection was refused (10061), or no way leads there.",
        CauseCode::NoAnswer => {
            "Nobody answered in time (10060): no TCP answer, or TCP is accepted and TLS or the sign-in stays unanswered, as with a process that is stopped."
        }
        CauseCode::TlsUntrusted => {
            "The certificate is signed by an authority that is not trusted here, or cannot be accepted for another reason."
        }
        CauseCode::TlsWrongName => "The certificate is for other names; they are listed.",
        CauseCode::TlsExpired => "The certificate's last day is over; it is named.",
        CauseCode::TlsNotYetValid => "The certificate's first day has not come; it is named.",
        CauseCode::TlsHandshake => {
            "The handshake ended with an alert or a closed connection, or the peer does not speak TLS."
        }
        CauseCode::ConnectionLost => "The connection ended after it had stood.",
        CauseCode::WrongPassword => {
            "The registrar refused the proof of the password (401 again, or 403 with 4002)."
        }
        CauseCode::CredentialOfAnotherAccount => {
            "403 with ms-diagnostics 4004: the log-on name belongs to somebody else."
        }
        CauseCode::UnknownUser => "404 to REGISTER.",
        CauseCode::UserDisabled => "403 with ms-diagnostics 4003.",
        CauseCode::SchemeNotSpoken => {
            "401 that offers neither NTLM nor Digest, for example TLS-DSK and Kerberos only."
        }
        CauseCode::NotATrustedServer => {
            "401 although the connection carries the trusted server's certificate."
        }
        CauseCode::SignInRefused => "Another refusal of REGISTER.",
        CauseCode::RegistrarUnavailable => "A 5xx answer to REGISTER.",
        CauseCode::NoChatService => {
            "The registrar refused to say anything about Persistent Chat, or knows no such address (404, 405, 489, 501)."
        }
        CauseCode::NoPolicy => {
            "The provisioning document, or the service's reason, says that Persistent Chat is not enabled for the user."
        }
        CauseCode::NoRoom => "The search for rooms gave none, or not the one that was named.",
        CauseCode::RoomUnknown => "The room's address is refused as unknown.",
        CauseCode::RoomDisabled => "The room refuses because it is disabled.",
        CauseCode::NotAMember => "The room refuses because the user is not a member.",
        CauseCode::JoinRefused => "The join was refused without a reason.",
        CauseCode::SessionEnded => "BYE or 481 in the middle of the run, without a reason.",
        CauseCode::PoolUnavailable => {
            "The lookup or channel service refused the session, or says that its database does not answer."
        }
        CauseCode::DatabaseFull => "The service says that its database or disk is full.",
        CauseCode::DatabaseLocked => "The service says that its database is locked by somebody else.",
        CauseCode::MessageLost => "The post was accepted, and did not arrive in time.",
        CauseCode::ContentMismatch => "The message arrived with another text.",
        CauseCode::Timeout => {
            "A phase after the sign-in had no answer in time, or the whole test took too long."
        }
        CauseCode::Cancelled => "Somebody stopped the test message.",
        CauseCode::ProtocolError => "An answer that fits no protocol, or a wrong signature.",
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
            "Check which authority issued the server's certificate; when it is the right one, trust it here with New-LgTrustedCertificate."
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
        CauseCode::WrongPassword => {
            "Check the address and the log-on name; then type the password again, or give the user a new one."
        }
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
        CauseCode::NoChatService => {
            "Check that the target is a Front End pool of the deployment whose Persistent Chat is meant."
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
        CauseCode::DatabaseFull => {
            "Make room on the disk of the pool's database, or purge old messages; nothing is written until then."
        }
        CauseCode::DatabaseLocked => {
            "Find the program that has the database's files open, and end what it does there."
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

#[cfg(test)]
mod tests {
    use super::*;

    /// docs/diagnosis.md is this list; `LIFEGUARD_UPDATE=1` writes it anew.
    #[test]
    fn the_documented_list_is_this_one() {
        let mut out = "# Diagnoses of a test message\n\nA failed test message has one of these causes. The name is the one of `cause` in the API, in `Get-LgTestHistory -Cause`\nand in the history's filter. The diagnosis says what was seen with names and numbers, then the likely reason, then the next check.\n\n| cause | evidence | likely reason | next check |\n|---|---|---|---|\n".to_owned();
        for c in CauseCode::ALL {
            let name = match serde_name(c) {
                Some(n) => n,
                None => panic!("{c:?} has no name"),
            };
            let likely = if likely(c).is_empty() { "What was seen says it." } else { likely(c) };
            out.push_str(&format!("| `{name}` | {} | {likely} | {} |\n", evidence(c), next(c)));
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/diagnosis.md");
        if std::env::var_os("LIFEGUARD_UPDATE").is_some() {
            std::fs::write(path, &out).expect("the document can be written");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), out);
    }

    /// The name on the wire: `WrongPassword` is wrong_password.
    fn serde_name(c: CauseCode) -> Option<String> {
        serde_json::to_value(c).ok()?.as_str().map(str::to_owned)
    }
}
