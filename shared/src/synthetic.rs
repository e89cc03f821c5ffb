//! The report of a test message. Source: model §18, S2.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both messages arrived.
    Success,
    /// Something failed.
    Failure,
}

/// Which of the two users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends first.
    Sender,
    /// Answers.
    Receiver,
}

/// A phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Name to address.
    Resolve,
    /// TCP.
    Connect,
    /// TLS.
    Tls,
    /// REGISTER.
    SignIn,
    /// In-band provisioning.
    Policy,
    /// cmd:requri.
    Lookup,
    /// Channel dialog.
    Channel,
    /// cmd:join.
    Join,
    /// Post.
    Send,
    /// Receipt.
    Receive,
    /// cmd:part and BYE.
    Leave,
    /// REGISTER Expires 0.
    SignOff,
}

/// A step as it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepRecord {
    /// Which user.
    pub role: Role,
    /// Which phase.
    pub phase: Phase,
    /// Microseconds since the run started.
    pub started_us: u64,
    /// Microseconds it took.
    pub duration_us: u64,
    /// Whether it went well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

impl Phase {
    /// All, in the order in which a run goes through them.
    pub const ALL: [Self; 12] = [
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::SignIn,
        Self::Policy,
        Self::Lookup,
        Self::Channel,
        Self::Join,
        Self::Send,
        Self::Receive,
        Self::Leave,
        Self::SignOff,
    ];

    /// In words, the same in the page, in the list of steps and in error texts.
    pub fn title(self) -> &'static str {
        match self {
            Self::Resolve => "Resolve the name",
            Self::Connect => "Connect",
            Self::Tls => "TLS",
            Self::SignIn => "Sign on",
            Self::Policy => "Policy",
            Self::Lookup => "Find the pool",
            Self::Channel => "Open the channel",
            Self::Join => "Join the room",
            Self::Send => "Send",
            Self::Receive => "Receive",
            Self::Leave => "Leave the room",
            Self::SignOff => "Sign off",
        }
    }
}

/// What the cmdlet prints when the target is not in the topology. Source: S2.
pub const REGISTRAR_PORT_WARNING: &str = "Failed to read Registrar port number for the given fully qualified domain name (FQDN). Using default Registrar port number. Exception: System.InvalidOperationException: No matching cluster found in topology.\n   at Microsoft.Rtc.Management.SyntheticTransactions.SipSyntheticTransaction.TryRetrieveRegistrarPortFromTopology(Int32& registrarPortNumber)";

/// Likely causes of a failure; closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CauseCode {
    /// The name has no address.
    NameNotResolved,
    /// Connection refused.
    NothingListening,
    /// Connected or not, nobody answers.
    NoAnswer,
    /// The certificate's authority is not trusted, or the certificate is no good at all.
    TlsUntrusted,
    /// The certificate is for other names.
    TlsWrongName,
    /// The certificate's time is over.
    TlsExpired,
    /// The certificate's time has not begun.
    TlsNotYetValid,
    /// The handshake was refused or broken off.
    TlsHandshake,
    /// The connection ended during the run.
    ConnectionLost,
    /// Password refused.
    WrongPassword,
    /// The credential belongs to another account.
    CredentialOfAnotherAccount,
    /// No such user.
    UnknownUser,
    /// The user is disabled.
    UserDisabled,
    /// The registrar offers only ways to sign in that the test does not speak.
    SchemeNotSpoken,
    /// The registrar does not take the certificate for a trusted server's.
    NotATrustedServer,
    /// Sign-in refused for another reason.
    SignInRefused,
    /// The registrar, or what it stands on, does not work at the moment.
    RegistrarUnavailable,
    /// The registrar signs users on, and has no Persistent Chat.
    NoChatService,
    /// No policy allows Persistent Chat.
    NoPolicy,
    /// No room to test in.
    NoRoom,
    /// The room that was named does not exist.
    RoomUnknown,
    /// The room is disabled.
    RoomDisabled,
    /// Not a member of the room.
    NotAMember,
    /// Not let into the room, and not told why.
    JoinRefused,
    /// The service ended the session during the run, and did not say why.
    SessionEnded,
    /// No chat server answers.
    PoolUnavailable,
    /// The database, or the disk it is on, is full.
    DatabaseFull,
    /// Somebody else holds the database.
    DatabaseLocked,
    /// Sent, never received.
    MessageLost,
    /// Received, but not what was sent.
    ContentMismatch,
    /// A phase took too long.
    Timeout,
    /// Stopped by whoever started it.
    Cancelled,
    /// The peer broke the protocol.
    ProtocolError,
}

impl CauseCode {
    /// All of them.
    pub const ALL: [Self; 33] = [
        Self::NameNotResolved,
        Self::NothingListening,
        Self::NoAnswer,
        Self::TlsUntrusted,
        Self::TlsWrongName,
        Self::TlsExpired,
        Self::TlsNotYetValid,
        Self::TlsHandshake,
        Self::ConnectionLost,
        Self::WrongPassword,
        Self::CredentialOfAnotherAccount,
        Self::UnknownUser,
        Self::UserDisabled,
        Self::SchemeNotSpoken,
        Self::NotATrustedServer,
        Self::SignInRefused,
        Self::RegistrarUnavailable,
        Self::NoChatService,
        Self::NoPolicy,
        Self::NoRoom,
        Self::RoomUnknown,
        Self::RoomDisabled,
        Self::NotAMember,
        Self::JoinRefused,
        Self::SessionEnded,
        Self::PoolUnavailable,
        Self::DatabaseFull,
        Self::DatabaseLocked,
        Self::MessageLost,
        Self::ContentMismatch,
        Self::Timeout,
        Self::Cancelled,
        Self::ProtocolError,
    ];
}

/// The diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// Cause.
    pub cause: CauseCode,
    /// In words.
    pub text: String,
    /// What to check next.
    pub check_next: String,
}

/// One hop that the run's requests took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hop {
    /// From.
    pub from: String,
    /// To.
    pub to: String,
    /// Port.
    pub port: u16,
    /// `tls` or `tcp`.
    pub transport: String,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestReport {
    /// Target as typed.
    pub target_fqdn: String,
    /// Success or failure.
    pub result: Outcome,
    /// First send to second receipt, microseconds.
    pub latency_us: u64,
    /// Error message, empty on success.
    pub error_message: String,
    /// Diagnosis on failure.
    pub diagnosis: Option<Diagnosis>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Steps.
    pub steps: Vec<StepRecord>,
    /// Trace.
    pub hops: Vec<Hop>,
    /// Room.
    pub room: Option<String>,
    /// Sender.
    pub sender: String,
    /// Receiver.
    pub receiver: String,
    /// RFC 3339.
    pub started_at: String,
    /// Whole run, microseconds.
    pub total_us: u64,
}

/// Width of the console the block is printed for.
const CONSOLE: usize = 78;

/// `hh:mm:ss`, with seven decimals when it is not whole seconds, as .NET prints a TimeSpan.
fn timespan(us: u64) -> String {
    let (s, rest) = (us / 1_000_000, us % 1_000_000);
    let whole = format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
    if rest == 0 { whole } else { format!("{whole}.{rest:06}0") }
}

/// Breaks at blanks so that no line passes `width`; longer words stand alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                out.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push(line);
    }
    out
}

impl TestReport {
    /// The report as the object that scripts look at, for example `.Result`.
    pub fn object(&self) -> serde_json::Value {
        let diagnosis = self.diagnosis.as_ref().map(|d| d.text.clone()).unwrap_or_default();
        serde_json::json!({
            "TargetFqdn": self.target_fqdn,
            "Result": if self.result == Outcome::Success { "Success" } else { "Failure" },
            "Latency": timespan(self.latency_us),
            "ErrorMessage": self.error_message,
            "Diagnosis": diagnosis,
        })
    }

    /// The block that `Test-CsPersistentChatMessage` prints. Source: S2.
    pub fn print(&self) -> String {
        let result = match self.result {
            Outcome::Success => "Success",
            Outcome::Failure => "Failure",
        };
        let diagnosis =
            self.diagnosis.as_ref().map(|d| format!("{} {}", d.text, d.check_next)).unwrap_or_default();
        let rows = [
            ("Target Fqdn", self.target_fqdn.clone()),
            ("Result", result.to_owned()),
            ("Latency", timespan(self.latency_us)),
            ("Error Message", self.error_message.clone()),
            ("Diagnosis", diagnosis.trim().to_owned()),
        ];
        let mut out = String::new();
        for (label, value) in rows {
            let mut lines = wrap(&value, CONSOLE - 16).into_iter();
            out.push_str(format!("{label:<13} : {}", lines.next().unwrap_or_default()).trim_end());
            out.push('\n');
            for l in lines {
                out.push_str(format!("{:16}{l}", "").trim_end());
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_phases_keep_their_names_on_the_wire() {
        let name = |v: serde_json::Result<String>| v.unwrap();
        for (cause, wanted) in [
            (CauseCode::TlsUntrusted, "\"tls_untrusted\""),
            (CauseCode::TlsWrongName, "\"tls_wrong_name\""),
            (CauseCode::TlsNotYetValid, "\"tls_not_yet_valid\""),
            (CauseCode::SignInRefused, "\"sign_in_refused\""),
            (CauseCode::NotAMember, "\"not_a_member\""),
            (CauseCode::RoomUnknown, "\"room_unknown\""),
            (CauseCode::SessionEnded, "\"session_ended\""),
        ] {
            assert_eq!(name(serde_json::to_string(&cause)), wanted);
        }
        assert_eq!(name(serde_json::to_string(&Phase::SignIn)), "\"sign_in\"");
    }

    #[test]
    fn the_list_of_causes_is_complete() {
        let source = include_str!("synthetic.rs");
        let body = source.split("pub enum CauseCode {").nth(1).unwrap().split("\n}").next().unwrap();
        let variants = body.lines().filter(|l| l.ends_with(',') && !l.trim().starts_with("//")).count();
        assert_eq!(variants, CauseCode::ALL.len());
    }

    #[test]
    fn time_spans_as_dot_net_prints_them() {
        assert_eq!(timespan(0), "00:00:00");
        assert_eq!(timespan(41_250), "00:00:00.0412500");
        assert_eq!(timespan(3_661_000_000), "01:01:01");
    }
}
