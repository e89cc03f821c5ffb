//! Each failure has its cause, is told at its step, and leaves nothing behind.

use shared::synthetic::{CauseCode, Outcome, Phase, Role};
use synthetic::{TestPlan, run};
use wire::xccos::{Data, Item};

use crate::peer::{Answer, Heard, Peer, RECEIVER, SENDER};
use crate::support::{SHORT, cause, failed, nothing_is_left, plan, sender, step, usual};

/// One failure: what the peer does, and what the report must say.
struct Case {
    name: &'static str,
    script: fn(&Heard<'_>) -> Answer,
    change: fn(&mut TestPlan),
    cause: CauseCode,
    step: (Role, Phase),
}

fn as_it_is(_: &mut TestPlan) {}

fn short(p: &mut TestPlan) {
    p.phase_timeout = SHORT;
}

fn fib() -> Data {
    let text = |t: &str| t.to_owned();
    Data::one(Item::Fib { key: text("OPERATION_FAILED"), value: text("1"), domain: text("litware.test") })
}

async fn check(cases: &[Case]) {
    for c in cases {
        let peer = Peer::start(c.script).await;
        let mut p = plan(peer.at);
        (c.change)(&mut p);
        let report = run(p, |_| {}).await;
        assert_eq!(report.result, Outcome::Failure, "{}", c.name);
        assert_eq!(cause(&report), Some(c.cause), "{}: {}", c.name, report.print());
        assert!(failed(&report).contains(&c.step), "{}: {:?}", c.name, report.steps);
        let detail = step(&report, c.step.0, c.step.1).detail;
        let d = report.diagnosis.unwrap();
        assert!(!d.text.is_empty() && !d.check_next.is_empty() && !report.error_message.is_empty());
        assert!(d.text.starts_with(&detail), "{}: {} {detail}", c.name, d.text);
        let signed_in = |user: &str| peer.heard(user).iter().any(|w| w == "SUBSCRIBE");
        let users: Vec<&str> = [SENDER, RECEIVER].into_iter().filter(|u| signed_in(u)).collect();
        nothing_is_left(c.name, &peer, &users);
    }
}

#[tokio::test]
async fn failures_of_the_sign_in() {
    let at = (Role::Sender, Phase::SignIn);
    check(&[
        Case {
            name: "silent server",
            script: |_| Answer::Silence,
            change: |p| {
                short(p);
                p.clean_up_timeout = SHORT;
            },
            cause: CauseCode::NoAnswer,
            step: at,
        },
        Case {
            name: "wrong password",
            script: usual,
            change: |p| p.sender.password = "wrong".to_owned(),
            cause: CauseCode::WrongPassword,
            step: at,
        },
        Case {
            name: "403 for the credential",
            script: sender!("REGISTER" => Answer::Status(403, "Forbidden", "4004;reason=\"x\"")),
            change: as_it_is,
            cause: CauseCode::CredentialOfAnotherAccount,
            step: at,
        },
        Case {
            name: "403 for a disabled user",
            script: sender!("REGISTER" => Answer::Status(403, "Forbidden", "4003;reason=\"x\"")),
            change: as_it_is,
            cause: CauseCode::UserDisabled,
            step: at,
        },
        Case {
            name: "403 without a word",
            script: sender!("REGISTER" => Answer::Status(403, "Forbidden", "")),
            change: as_it_is,
            cause: CauseCode::SignInRefused,
            step: at,
        },
        Case {
            name: "404",
            script: sender!("REGISTER" => Answer::Status(404, "Not Found", "1003;reason=\"x\"")),
            change: as_it_is,
            cause: CauseCode::UnknownUser,
            step: at,
        },
        Case {
            name: "504",
            script: sender!("REGISTER" => Answer::Status(504, "Server time-out", "")),
            change: as_it_is,
            cause: CauseCode::RegistrarUnavailable,
            step: at,
        },
        Case {
            name: "closed",
            script: sender!("REGISTER" => Answer::Close),
            change: as_it_is,
            cause: CauseCode::ConnectionLost,
            step: at,
        },
    ])
    .await;
}

#[tokio::test]
async fn failures_on_the_way_to_the_channel() {
    let lookup = (Role::Sender, Phase::Lookup);
    check(&[
        Case {
            name: "no policy",
            script: sender!("SUBSCRIBE" => Answer::NoPolicy),
            change: as_it_is,
            cause: CauseCode::NoPolicy,
            step: (Role::Sender, Phase::Policy),
        },
        Case {
            name: "480",
            script: sender!("INVITE lookup" => Answer::Status(480, "Temporarily Unavailable", "")),
            change: as_it_is,
            cause: CauseCode::PoolUnavailable,
            step: lookup,
        },
        Case {
            name: "lookup refused",
            script: sender!("cmd:requri" => Answer::Reply(500, "ERROR_DATABASE_CONNECTION", Data::default())),
            change: as_it_is,
            cause: CauseCode::PoolUnavailable,
            step: lookup,
        },
        Case {
            name: "lookup without an answer",
            script: sender!("cmd:requri" => Answer::Silence),
            change: short,
            cause: CauseCode::Timeout,
            step: lookup,
        },
        Case {
            name: "481 and BYE at the first command, without a reason",
            script: sender!("cmd:requri" => Answer::Gone),
            change: as_it_is,
            cause: CauseCode::SessionEnded,
            step: lookup,
        },
        Case {
            name: "481 because of the policy",
            script: sender!("cmd:requri" => Answer::Status(481, "Call/Transaction Does Not Exist", "1020;reason=\"The user is not enabled for Persistent Chat\"")),
            change: as_it_is,
            cause: CauseCode::NoPolicy,
            step: lookup,
        },
        Case {
            name: "channel refused to the receiver",
            script: |h| match (h.user, h.what) {
                (RECEIVER, "INVITE channel") => Answer::Status(503, "Service Unavailable", ""),
                _ => Answer::Usual,
            },
            change: as_it_is,
            cause: CauseCode::PoolUnavailable,
            step: (Role::Receiver, Phase::Channel),
        },
    ])
    .await;
}

#[tokio::test]
async fn failures_of_the_join() {
    let join = (Role::Sender, Phase::Join);
    let case = |name, script, cause| Case { name, script, change: as_it_is, cause, step: join };
    check(&[
        case(
            "no room",
            sender!("cmd:chansrch" => Answer::Reply(200, "SUCCESS_OK", Data::default())),
            CauseCode::NoRoom,
        ),
        case(
            "room unknown",
            sender!("cmd:join" => Answer::Reply(404, "ERROR_NO_SUCH_NODE", Data::default())),
            CauseCode::RoomUnknown,
        ),
        case(
            "not a member",
            sender!("cmd:join" => Answer::Reply(403, "ERROR_PERMISSION", Data::default())),
            CauseCode::NotAMember,
        ),
        case(
            "room disabled",
            sender!("cmd:join" => Answer::Reply(423, "ERROR_NODE_DISABLED", Data::default())),
            CauseCode::RoomDisabled,
        ),
        case(
            "a code that nobody knows",
            sender!("cmd:join" => Answer::Reply(418, "TEAPOT", Data::default())),
            CauseCode::JoinRefused,
        ),
        case(
            "failed with code 200",
            sender!("cmd:join" => Answer::Reply(200, "SUCCESS_OK", fib())),
            CauseCode::JoinRefused,
        ),
        case(
            "database at the search",
            sender!("cmd:chansrch" => Answer::Reply(500, "ERROR_DATABASE_CONNECTION", Data::default())),
            CauseCode::PoolUnavailable,
        ),
        case(
            "database",
            sender!("cmd:join" => Answer::Reply(500, "ERROR_DATABASE_CONNECTION", Data::default())),
            CauseCode::PoolUnavailable,
        ),
        Case {
            name: "the receiver is no member",
            script: |h| match (h.user, h.what) {
                (RECEIVER, "cmd:join") => Answer::Reply(403, "ERROR_PERMISSION", Data::default()),
                _ => Answer::Usual,
            },
            change: as_it_is,
            cause: CauseCode::NotAMember,
            step: (Role::Receiver, Phase::Join),
        },
    ])
    .await;
}

#[tokio::test]
async fn failures_of_the_messages() {
    let (send, receive) = ((Role::Sender, Phase::Send), (Role::Receiver, Phase::Receive));
    check(&[
        Case {
            name: "post forbidden",
            script: sender!("grpchat" => Answer::Status(403, "Forbidden", "403;reason=\"ERROR_PERMISSION: x\"")),
            change: as_it_is,
            cause: CauseCode::NotAMember,
            step: send,
        },
        Case {
            name: "room disabled meanwhile",
            script: sender!("grpchat" => Answer::Status(403, "Forbidden", "423;reason=\"ERROR_NODE_DISABLED: x\"")),
            change: as_it_is,
            cause: CauseCode::RoomDisabled,
            step: send,
        },
        Case {
            name: "post refused after it was taken",
            script: sender!("grpchat" => Answer::Reply(500, "ERROR_DATABASE_CONNECTION", Data::default())),
            change: as_it_is,
            cause: CauseCode::PoolUnavailable,
            step: receive,
        },
        Case {
            name: "message lost",
            script: sender!("grpchat" => Answer::Deliver(None)),
            change: short,
            cause: CauseCode::MessageLost,
            step: receive,
        },
        Case {
            name: "content differs",
            script: sender!("grpchat" => Answer::Deliver(Some("synthetic 7c1e 1/2 (edited)"))),
            change: as_it_is,
            cause: CauseCode::ContentMismatch,
            step: receive,
        },
        // The other user waits with a long time-out: the end of the session is noticed at once.
        Case {
            name: "BYE in mid-run",
            script: sender!("grpchat" => Answer::Bye("SIP;text=\"pool switched\"")),
            change: as_it_is,
            cause: CauseCode::SessionEnded,
            step: receive,
        },
        Case {
            name: "BYE because of the policy",
            script: sender!("grpchat" => Answer::Bye("SIP;text=\"Denied by policy\"")),
            change: as_it_is,
            cause: CauseCode::NoPolicy,
            step: receive,
        },
    ])
    .await;
}
