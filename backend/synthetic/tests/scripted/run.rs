//! The good run, and that no run leaves anything behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::synthetic::{CauseCode, Outcome, Phase, Role};
use synthetic::{run, run_until};

use crate::peer::{Answer, Heard, PASSWORD, Peer, RECEIVER, ROOM, SENDER};
use crate::support::{SHORT, cause, failed, nothing_is_left, plan, sender, step, usual};

#[tokio::test]
async fn a_good_run_goes_through_all_steps_and_prints_as_the_seed() {
    let peer = Peer::start(usual).await;
    let seen = std::sync::Mutex::new(Vec::new());
    let mut report = run(plan(peer.at), |s| seen.lock().unwrap().push(s)).await;
    assert_eq!(report.result, Outcome::Success, "{}", report.print());
    assert_eq!(report.warnings, Vec::<String>::new());
    assert_eq!((report.room.as_deref(), report.hops.len()), (Some(ROOM), 2));
    assert!(report.latency_us > 0 && report.latency_us <= report.total_us);
    assert_eq!(seen.into_inner().unwrap(), report.steps);
    let phases =
        |role| -> Vec<Phase> { report.steps.iter().filter(|s| s.role == role).map(|s| s.phase).collect() };
    use Phase::{Channel, Connect, Join, Leave, Lookup, Policy, Receive, Resolve, Send, SignIn, SignOff};
    let on = [Connect, SignIn, Policy, Lookup, Channel, Join];
    assert_eq!(phases(Role::Sender), [&[Resolve], on.as_slice(), &[Send, Receive, Leave, SignOff]].concat());
    assert_eq!(phases(Role::Receiver), [on.as_slice(), &[Receive, Send, Leave, SignOff]].concat());
    assert_eq!(report.steps[0].phase, Resolve);
    let register =
        ["REGISTER", "REGISTER", "SUBSCRIBE", "INVITE lookup", "stands", "ACK", "cmd:requri", "BYE"];
    let channel = ["INVITE channel", "stands", "ACK"];
    let end = ["cmd:part", "BYE", "REGISTER off", "REGISTER off"];
    let sender = [&register[..], &channel, &["cmd:chansrch", "cmd:join", "grpchat"], end.as_slice()].concat();
    assert_eq!(peer.heard(SENDER), sender);
    assert_eq!(peer.heard(RECEIVER), [&register[..], &channel, &["cmd:join", "grpchat"], &end].concat());
    nothing_is_left("good run", &peer, &[SENDER, RECEIVER]);
    // The seed prints whole seconds, and its peer was quick.
    report.latency_us = 0;
    assert_eq!(report.print(), include_str!("../golden/success.txt"));
}

#[tokio::test]
async fn a_connection_that_ends_in_mid_run_is_said_and_the_other_user_is_signed_off() {
    let peer = Peer::start(sender!("grpchat" => Answer::Close)).await;
    let report = run(plan(peer.at), |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::ConnectionLost), "{}", report.print());
    assert!(peer.signed_off(RECEIVER));
    assert!(report.warnings.len() == 1 && report.warnings[0].contains(SENDER), "{:?}", report.warnings);
}

#[tokio::test]
async fn the_total_time_out_names_the_running_step_and_everything_is_ended() {
    let peer = Peer::start(sender!("cmd:join" => Answer::Silence)).await;
    let mut p = plan(peer.at);
    p.total_timeout = SHORT;
    let report = run(p, |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::Timeout), "{}", report.print());
    assert_eq!(failed(&report), [(Role::Sender, Phase::Join)]);
    assert!(report.error_message.contains("'Join the room'"), "{}", report.error_message);
    let d = step(&report, Role::Sender, Phase::Join).detail;
    assert!(d.contains("'Join the room'") && d.contains("the 1 s for the whole test"), "{d}");
    nothing_is_left("total time-out", &peer, &[SENDER, RECEIVER]);
}

#[tokio::test]
async fn an_invite_without_an_answer_is_cancelled_and_a_late_answer_is_ended_with_bye() {
    for (status, wanted) in [
        (487, vec!["INVITE channel", "CANCEL", "ACK"]),
        (200, vec!["INVITE channel", "CANCEL", "stands", "ACK", "BYE"]),
    ] {
        let peer = Peer::start(move |h| match (h.user, h.what) {
            (SENDER, "INVITE channel") => Answer::Silence,
            (SENDER, "CANCEL") => Answer::Invite(status),
            _ => Answer::Usual,
        })
        .await;
        let mut p = plan(peer.at);
        p.total_timeout = SHORT;
        let report = run(p, |_| {}).await;
        assert_eq!(failed(&report), [(Role::Sender, Phase::Channel)], "{:?}", report.warnings);
        let heard = peer.heard(SENDER);
        let from = heard.iter().position(|w| w == "INVITE channel").unwrap();
        let to = heard.iter().position(|w| w == "REGISTER off").unwrap();
        assert_eq!(heard[from..to], wanted, "{status}");
        nothing_is_left("late answer", &peer, &[SENDER, RECEIVER]);
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_is_cleaned_up_as_well() {
    let joining = Arc::new(tokio::sync::Notify::new());
    let heard = joining.clone();
    let peer = Peer::start(move |h| {
        if h.what != "cmd:join" {
            return Answer::Usual;
        }
        heard.notify_one();
        Answer::Silence
    })
    .await;
    let report = run_until(plan(peer.at), |_| {}, joining.notified()).await;
    assert_eq!(cause(&report), Some(CauseCode::Cancelled), "{}", report.print());
    assert_eq!(failed(&report), [(Role::Sender, Phase::Join)]);
    nothing_is_left("stopped", &peer, &[SENDER, RECEIVER]);
}

#[tokio::test]
async fn the_clean_up_of_both_users_has_one_bound_even_when_nobody_answers() {
    // From the first join on the peer is dead to all.
    let dead = AtomicBool::new(false);
    let peer = Peer::start(move |h| {
        if dead.load(Ordering::Relaxed) || h.what == "cmd:join" {
            dead.store(true, Ordering::Relaxed);
            return Answer::Silence;
        }
        Answer::Usual
    })
    .await;
    let mut p = plan(peer.at);
    p.total_timeout = SHORT;
    p.clean_up_timeout = SHORT;
    let report = run(p, |_| {}).await;
    assert_eq!(report.result, Outcome::Failure);
    let leaving = [Role::Sender, Role::Receiver].map(|role| step(&report, role, Phase::Leave));
    // At the same time, not one after the other.
    let [s, r] = &leaving;
    assert!(s.started_us < r.started_us + r.duration_us && r.started_us < s.started_us + s.duration_us);
    // Both were asked to be signed off although leaving was not answered.
    for user in [SENDER, RECEIVER] {
        let heard = peer.heard(user);
        assert_eq!(heard[heard.len() - 2..], ["BYE", "REGISTER off"]);
    }
    // One bound for all of it; one after the other would take it twice.
    let spent = report.total_us - s.started_us.min(r.started_us);
    assert!((900_000..1_900_000).contains(&spent), "{spent} µs");
    assert!(report.warnings.iter().any(|w| w.starts_with("Signing off failed")), "{:?}", report.warnings);
}

#[tokio::test]
async fn log_on_names_are_sent_as_typed_whatever_the_registrar_hashes() {
    let scripts: [fn(&Heard<'_>) -> Answer; 2] =
        [usual, |h| if h.what.starts_with("REGISTER") { Answer::LowerCase } else { Answer::Usual }];
    for script in scripts {
        let peer = Peer::start(script).await;
        let mut p = plan(peer.at);
        p.sender.logon = "LitWare\\Pilar".to_owned();
        let report = run(p, |_| {}).await;
        assert_eq!(report.result, Outcome::Success, "{}", report.print());
        let names = peer.names();
        assert!(names.iter().all(|n| n == "LitWare\\Pilar" || n == "litware\\kenmyer"), "{names:?}");
        assert!(step(&report, Role::Sender, Phase::SignIn).detail.contains("LitWare\\Pilar"));
        nothing_is_left("case", &peer, &[SENDER, RECEIVER]);
    }
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_for_a_plain_name_and_twice_for_one_with_capitals() {
    for (logon, times) in [("litware\\pilar", 1), ("LitWare\\Pilar", 2)] {
        let peer = Peer::start(usual).await;
        let mut p = plan(peer.at);
        p.sender.logon = logon.to_owned();
        p.sender.password = "wrong".to_owned();
        let report = run(p, |_| {}).await;
        assert_eq!(cause(&report), Some(CauseCode::WrongPassword));
        assert_eq!(peer.names().iter().filter(|n| *n == logon).count(), times);
    }
}

#[tokio::test]
async fn the_name_is_resolved_first() {
    let peer = Peer::start(usual).await;
    let mut p = plan(peer.at);
    (p.registrar_host, p.addresses) = ("localhost".to_owned(), Vec::new());
    let report = run(p, |_| {}).await;
    assert_eq!(report.result, Outcome::Success, "{}", report.print());
    let first = &report.steps[0];
    assert_eq!((first.phase, first.ok), (Phase::Resolve, true));
    assert!(first.detail.contains(&format!("127.0.0.1:{}", peer.at.port())), "{}", first.detail);

    let mut p = plan(peer.at);
    (p.registrar_host, p.addresses) = ("no-such-name.invalid".to_owned(), Vec::new());
    let report = run(p, |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::NameNotResolved));
    assert_eq!(failed(&report), [(Role::Sender, Phase::Resolve)]);
    assert_eq!(report.steps.len(), 1);
    assert!(report.error_message.starts_with("11001, No such host is known"), "{}", report.error_message);
}

#[tokio::test]
async fn nothing_listening_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = run(plan(free), |_| {}).await;
    assert_eq!(cause(&report), Some(CauseCode::NothingListening));
    assert!(report.error_message.starts_with("10061, "), "{}", report.error_message);
    assert!(failed(&report).contains(&(Role::Sender, Phase::Connect)));
}

/// Futures within futures carry what they hold; a run must fit into the stack of any thread.
#[tokio::test]
async fn a_run_is_small() {
    let free = "127.0.0.1:9".parse().unwrap();
    let run = run(plan(free), |_| {});
    assert!(size_of_val(&run) < 24 * 1024, "{} bytes", size_of_val(&run));
}

#[tokio::test]
async fn the_messages_of_a_run_tell_everything_but_secrets() {
    let peer = Peer::start(usual).await;
    let (report, trace) = synthetic::run_traced(plan(peer.at), |_| {}, std::future::pending()).await;
    assert_eq!(report.result, Outcome::Success, "{}", report.print());
    assert_eq!((trace.sender.as_str(), trace.receiver.as_str(), trace.left_out), (SENDER, RECEIVER, 0));
    let text = trace.print();
    for wanted in [
        "REGISTER ",
        "INVITE ",
        "cmd:join",
        "synthetic 7c1e 1/2",
        "synthetic 7c1e 2/2",
        "BYE ",
        "SIP/2.0 200",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
    }
    assert!(!text.contains(PASSWORD), "{text}");
    let signed = trace.messages.iter().filter(|m| m.text.contains("Authorization: Digest")).count();
    assert!(signed >= 4, "{text}");
    assert_eq!(text.matches("response=\"(blanked)\"").count(), signed, "{text}");
    // In the order in which they went, each user's own.
    assert!(trace.messages.is_sorted_by_key(|m| m.at_us));
    assert!(trace.messages[0].sent && trace.messages.iter().any(|m| !m.sent && m.role == Role::Receiver));
}
