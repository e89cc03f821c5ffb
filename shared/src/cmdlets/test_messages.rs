//! Test messages: sending one, what it needs (rooms, stored test users), what became of earlier ones.

use super::define::cmdlets;
use crate::cmdlet::{Credential, Kind};

const TEST_RESULT: Kind = Kind::Choice(&["success", "failure", "cancelled", "missed", "running"]);
const AUTHENTICATION: Kind = Kind::Choice(&["TrustedServer", "Negotiate", "ClientCertificate", "LiveID"]);

cmdlets! {
    /// Signs two users on, joins a room, exchanges two messages, leaves and signs off.
    TestCsPersistentChatMessage "Test-CsPersistentChatMessage" Start {
        /// FQDN of the registrar pool; a chat pool's FQDN is resolved to its next hop with a warning.
        target_fqdn: String = "TargetFqdn" Kind::Text, req;
        /// SIP address of the first user.
        sender_sip_address: Option<String> = "SenderSipAddress" Kind::Text;
        /// Credential of the first user.
        sender_credential: Option<Credential> = "SenderCredential" Kind::Credential;
        /// SIP address of the second user.
        receiver_sip_address: Option<String> = "ReceiverSipAddress" Kind::Text;
        /// Credential of the second user.
        receiver_credential: Option<Credential> = "ReceiverCredential" Kind::Credential;
        /// Registrar port; 5061 unless the topology says otherwise.
        registrar_port: Option<u32> = "RegistrarPort" Kind::Int;
        /// Negotiate: user name and password (NTLM or Digest). TrustedServer: the certificate that the portal was started with.
        authentication: Option<String> = "Authentication" AUTHENTICATION;
        /// Room, written pool\room or as ma-chan URI; the first room both may see when left out.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text;
        /// Makes a room for the two test users instead of testing; Remove-LgTestRoom removes it.
        setup: Option<bool> = "Setup" Kind::Bool;
        /// SIP address of the first user of the room that -Setup makes.
        test_user1_sip_address: Option<String> = "TestUser1SipAddress" Kind::Text;
        /// SIP address of the second user of the room that -Setup makes.
        test_user2_sip_address: Option<String> = "TestUser2SipAddress" Kind::Text;
        /// Name of a shell variable, without $, that takes the log of the run; it has ToHTML() and ToXML().
        out_logger_variable: Option<String> = "OutLoggerVariable" Kind::Text;
        /// Name of a shell variable, without $, that takes the lines that -Verbose prints.
        out_verbose_variable: Option<String> = "OutVerboseVariable" Kind::Text;
        /// Seconds each phase may take (default 10).
        timeout_seconds: Option<u32> = "TimeoutSeconds" Kind::Int, ours;
        /// Node that sends it, from its own place in the network; the portal when left out.
        node: Option<String> = "Node" Kind::Text, ours;
    }
    /// Lists the rooms that Test-CsPersistentChatMessage -Setup has made.
    GetLgTestRoom "Get-LgTestRoom" Query {
        /// FQDN of the pool; all pools when left out.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text, first;
    }
    /// Removes the rooms that Test-CsPersistentChatMessage -Setup has made, with their messages.
    RemoveLgTestRoom "Remove-LgTestRoom" Change {
        /// FQDN of the pool; all pools when left out.
        persistent_chat_pool_fqdn: Option<String> = "PersistentChatPoolFqdn" Kind::Text, first;
    }
    /// Says before a test message what would keep it from going well; sends nothing.
    TestLgPrecondition "Test-LgPrecondition" Query {
        /// FQDN of the registrar pool, or of a chat pool.
        target_fqdn: String = "TargetFqdn" Kind::Text, req, first;
        /// SIP address of the first user; the first stored test user when left out.
        sender_sip_address: Option<String> = "SenderSipAddress" Kind::Text;
        /// SIP address of the second user; the second stored test user when left out.
        receiver_sip_address: Option<String> = "ReceiverSipAddress" Kind::Text;
        /// Room, written pool\room.
        chat_room_uri: Option<String> = "ChatRoomUri" Kind::Text;
    }
    /// Stops a test message that runs; it leaves, signs off and is kept as cancelled.
    StopLgTestMessage "Stop-LgTestMessage" Change {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
    }
    /// Shows the SIP and XCCOS messages of a test message; passwords and keys are blanked.
    GetLgTestTrace "Get-LgTestTrace" Query {
        /// Id of the run.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// The steps instead of the messages.
        steps: bool = "Steps" Kind::Switch;
    }
    /// Lists test messages, newest first.
    GetLgTestHistory "Get-LgTestHistory" Query {
        /// FQDN of the chat pool.
        pool: Option<String> = "Pool" Kind::Text;
        /// How it ended.
        result: Option<String> = "Result" TEST_RESULT;
        /// Cause of the failure, for example wrong_password; docs/diagnosis.md lists them.
        cause: Option<String> = "Cause" Kind::Text;
        /// Who started it.
        actor: Option<String> = "Actor" Kind::Text;
        /// Started on this day or at this time or later.
        start_date: Option<String> = "StartDate" Kind::Text;
        /// Started on this day or before this time.
        end_date: Option<String> = "EndDate" Kind::Text;
        /// At most so many (default 100).
        result_size: Option<u32> = "ResultSize" Kind::Int;
    }
    /// Sets how long test messages are kept.
    SetLgTestHistory "Set-LgTestHistory" Change {
        /// Days, 1 to 3650; 0 keeps them for ever (default 90).
        keep_days: Option<u32> = "KeepDays" Kind::Int, req;
    }
    /// Stores a test user for test messages that run by themselves.
    SetCsTestUserCredential "Set-CsTestUserCredential" Change {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first;
        /// Credential of the user.
        credential: Option<Credential> = "Credential" Kind::Credential;
        /// Log-on name, when no credential is given.
        user_name: Option<String> = "UserName" Kind::Text;
        /// Password, when no credential is given.
        password: Option<String> = "Password" Kind::Secret;
    }
    /// Shows whether a user is a stored test user; the password is never shown.
    GetCsTestUserCredential "Get-CsTestUserCredential" Query {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first, piped;
    }
    /// Forgets a stored test user; the account is untouched.
    RemoveCsTestUserCredential "Remove-CsTestUserCredential" Change {
        /// SIP address of the user.
        sip_address: String = "SipAddress" Kind::Text, req, first, piped;
    }
}
