//! Test messages that run by themselves: daily or every so many minutes, with stored test users. Missed
//! runs are counted and told, one run makes up for them. Source: S2 (daily verification), cmdlets.md §11.

use std::sync::Arc;
use std::time::Duration;

use shared::Timestamp;
use shared::cmdlet::Credential;
use shared::cmdlets::TestCsPersistentChatMessage;
use shared::error::ApiError;
use shared::events::Topic;
use store::management::alerts::{self, Mute};
use store::management::watch::{self, Settings, Watcher};
use store::management::{StoreError, tests as runs, topology};

use crate::app::App;
use crate::clock::{Entropy, random_bytes};
use crate::door::store_error;
use crate::probe::Ended;
use crate::schedule::{Cron, end_of_maintenance};

/// How often the runner looks.
const LOOK: Duration = Duration::from_secs(5);
/// Old test messages are looked for once an hour.
const LOOKS_PER_PRUNING: u32 = 720;
/// How many are deleted in one transaction.
const BITE: u32 = 500;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// When a watcher runs next after `now`.
pub fn next_run(s: &Settings, now: Timestamp) -> Timestamp {
    let cron = s.cron.as_deref().and_then(|c| Cron::parse(c).ok()).and_then(|c| c.next(now));
    if let Some(next) = cron {
        return next;
    }
    match s.every {
        Some(minutes) => Timestamp::from_millis(now.millis() + i64::from(minutes.max(1)) * MINUTE),
        None => {
            let today = now.millis().div_euclid(DAY) * DAY + i64::from(s.daily) * MINUTE;
            Timestamp::from_millis(if today > now.millis() { today } else { today + DAY })
        }
    }
}

/// When a watcher really runs next: somewhat later as it is told, and not in a maintenance window.
pub fn scheduled(s: &Settings, entropy: &dyn Entropy, now: Timestamp) -> Timestamp {
    let mut next = next_run(s, now);
    if s.jitter > 0 {
        let random = u32::from_le_bytes(random_bytes(entropy)) % (s.jitter * 1000 + 1);
        next = Timestamp::from_millis(next.millis() + i64::from(random));
    }
    end_of_maintenance(&s.windows, next).unwrap_or(next)
}

/// Subjects that nobody is alerted of now: those muted by a person, and the pools with their servers whose
/// watcher is in a maintenance window.
///
/// # Errors
/// When the store does not answer.
pub fn mutes(c: &rusqlite::Connection, now: Timestamp) -> Result<Vec<Mute>, StoreError> {
    let mut out = alerts::mutes(c, now)?;
    let quiet = |w: Watcher| end_of_maintenance(&w.settings.windows, now).map(|end| (w.settings.target, end));
    let quiet: Vec<_> =
        watch::watchers(c)?.into_iter().filter(|w| w.settings.enabled).filter_map(quiet).collect();
    if quiet.is_empty() {
        return Ok(out);
    }
    let t = topology::published(c)?.map(|v| v.document).unwrap_or_default();
    for (target, until) in quiet {
        let name = shared::Fqdn::try_from(target.as_str()).ok();
        let front_end = name.as_ref().and_then(|n| t.front_end_by_fqdn(n));
        let pool = match front_end {
            Some(_) => crate::probe::default_pool(&t, front_end).and_then(|f| t.pool_by_fqdn(&f)),
            None => name.as_ref().and_then(|n| t.pool_by_fqdn(n)),
        };
        let mut subjects = vec![target.clone()];
        subjects.extend(front_end.iter().flat_map(|f| &f.servers).map(|s| s.fqdn.to_string()));
        subjects.extend(pool.iter().map(|p| p.fqdn.to_string()));
        subjects.extend(pool.iter().flat_map(|p| &p.computers).map(|c| c.fqdn.to_string()));
        subjects.sort();
        subjects.dedup();
        let actor = format!("the maintenance window of {target}");
        out.extend(subjects.into_iter().map(|subject| Mute { subject, until, actor: actor.clone() }));
    }
    Ok(out)
}

/// Runs that were due between `due` and `now` besides the one that is made up for.
fn missed(s: &Settings, due: Timestamp, now: Timestamp) -> u32 {
    if let Some(cron) = s.cron.as_deref().and_then(|c| Cron::parse(c).ok()) {
        let times = std::iter::successors(cron.next(due), |t| cron.next(*t)).take_while(|t| *t <= now);
        return u32::try_from(times.take(10_000).count()).unwrap_or(u32::MAX);
    }
    let step = s.every.map_or(DAY, |m| i64::from(m.max(1)) * MINUTE);
    u32::try_from((now.millis() - due.millis()).max(0) / step).unwrap_or(u32::MAX)
}

/// A stored test user with his opened password.
///
/// # Errors
/// When he is not stored, or was stored with another key.
pub fn stored(app: &App, sip: &str) -> Result<(String, Credential), ApiError> {
    let found = app.store.read(|c| watch::credential(c, sip)).map_err(store_error)?;
    let found = found.ok_or_else(|| {
        ApiError::invalid(
            "TestUsers",
            format!("{sip} is not a stored test user. Store it with Set-CsTestUserCredential."),
        )
    })?;
    let password = app.keys.open_text(&found.secret).ok_or_else(|| {
        ApiError::invalid(
            "TestUsers",
            format!("The password of {sip} was stored with another key. Store it again."),
        )
    })?;
    Ok((found.sip_address, Credential { user_name: found.user_name, password }))
}

/// The test message of a watcher, with the stored passwords opened.
///
/// # Errors
/// When a test user is not stored any more.
pub fn arguments(app: &App, s: &Settings) -> Result<TestCsPersistentChatMessage, ApiError> {
    let user = |i: usize| stored(app, s.users.get(i).map_or("", String::as_str));
    let ((sender, sender_credential), (receiver, receiver_credential)) = (user(0)?, user(1)?);
    Ok(TestCsPersistentChatMessage {
        target_fqdn: s.target.clone(),
        sender_sip_address: Some(sender),
        sender_credential: Some(sender_credential),
        receiver_sip_address: Some(receiver),
        receiver_credential: Some(receiver_credential),
        registrar_port: Some(u32::from(s.port)),
        chat_room_uri: s.room.clone(),
        node: s.node.clone(),
        ..TestCsPersistentChatMessage::default()
    })
}

/// The time from which test messages are kept; none when all are.
pub fn kept_from(days: u32, now: Timestamp) -> Option<Timestamp> {
    (days > 0).then(|| Timestamp::from_millis(now.millis() - i64::from(days) * DAY))
}

/// Deletes test messages that are older than they are kept, a bite at a time so that nobody waits long.
///
/// # Errors
/// When the store does not answer.
pub fn forget_old(app: &App) -> Result<(), ApiError> {
    let days = app.store.read(runs::keep_days).map_err(store_error)?;
    let Some(from) = kept_from(days, app.clock.now()) else { return Ok(()) };
    while app.store.write(|tx| runs::prune(tx, from, BITE)).map_err(store_error)? == BITE as usize {}
    Ok(())
}

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = 0_u32;
    loop {
        ticks.tick().await;
        if looks.is_multiple_of(LOOKS_PER_PRUNING)
            && let Err(e) = forget_old(&app)
        {
            tracing::error!(cause = %e.message, "old test messages could not be deleted");
        }
        looks = looks.wrapping_add(1);
        if let Err(e) = turn(&app).await {
            tracing::error!(cause = %e.message, "the watchers could not be looked at");
        }
    }
}

async fn turn(app: &Arc<App>) -> Result<(), ApiError> {
    let now = app.clock.now();
    let due: Vec<Watcher> = app
        .store
        .read(watch::watchers)
        .map_err(store_error)?
        .into_iter()
        .filter(|w| w.settings.enabled && w.next_run <= now)
        .collect();
    for w in due {
        one(app, &w, now).await?;
    }
    Ok(())
}

/// One due run. The next time is noted before it starts, so a kill in between does not run it twice.
async fn one(app: &Arc<App>, w: &Watcher, now: Timestamp) -> Result<(), ApiError> {
    let (s, next) = (&w.settings, scheduled(&w.settings, &*app.entropy, now));
    if let Some(end) = end_of_maintenance(&s.windows, now) {
        return app.store.write(|tx| watch::note_run(tx, &s.target, None, 0, end)).map_err(store_error);
    }
    let lost = missed(s, w.next_run, now);
    let begun = arguments(app, s)
        .and_then(|a| crate::probe::resolve(&a, app, &[]))
        .map(|r| crate::probe::begin(r, app, "watcher"));
    let id = begun.as_ref().ok().map(|(id, _)| id.clone());
    app.store.write(|tx| watch::note_run(tx, &s.target, id.as_deref(), lost, next)).map_err(store_error)?;
    let ended = match begun {
        Ok((_, run)) => run.await.unwrap_or(Ended::Badly),
        Err(e) => {
            tracing::warn!(target = %s.target, cause = %e.message, "a scheduled test message could not start");
            Ended::Badly
        }
    };
    // A run that somebody stopped, or that was not run, says nothing about the pool.
    let noted = app.store.write(|tx| match ended {
        Ended::Well | Ended::Badly => watch::note_result(tx, &s.target, ended == Ended::Well),
        Ended::Missed => watch::note_missed(tx, &s.target),
        Ended::Stopped => Ok(()),
    });
    noted.map_err(store_error)?;
    app.bus.send(Topic::Test, "");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(every: Option<u32>) -> Settings {
        Settings {
            target: "fe.contoso.com".to_owned(),
            port: 5061,
            users: vec![],
            tests: vec![],
            enabled: true,
            every,
            daily: 6 * 60,
            room: None,
            cron: None,
            jitter: 0,
            windows: Vec::new(),
            node: None,
        }
    }

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn runs_are_somewhat_later_and_never_in_a_window() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let now = at("2026-11-21T05:00:00Z");
        let s = Settings { jitter: 30, ..settings(Some(10)) };
        for byte in [0, 1, 77, 255] {
            let ms = scheduled(&s, &Fixed(byte), now).millis() - at("2026-11-21T05:10:00Z").millis();
            assert!((0..=30_000).contains(&ms), "{ms}");
        }
        let s = Settings { windows: vec!["Sat 05:05-07:00".to_owned()], ..settings(Some(10)) };
        assert_eq!(scheduled(&s, &Fixed(9), now), at("2026-11-21T07:00:00Z"));
    }

    #[test]
    fn daily_runs_come_at_their_minute_and_missed_ones_are_counted() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let s = settings(None);
        assert_eq!(next_run(&s, at("2026-11-21T05:59:00Z")), at("2026-11-21T06:00:00Z"));
        assert_eq!(next_run(&s, at("2026-11-21T06:00:00Z")), at("2026-11-22T06:00:00Z"));
        assert_eq!(missed(&s, at("2026-11-21T06:00:00Z"), at("2026-11-24T07:00:00Z")), 3);
        let often = settings(Some(15));
        assert_eq!(next_run(&often, at("2026-11-21T05:59:00Z")), at("2026-11-21T06:14:00Z"));
        assert_eq!(missed(&often, at("2026-11-21T06:00:00Z"), at("2026-11-21T06:00:04Z")), 0);
        let cron = Settings { cron: Some("0 * * * *".to_owned()), ..settings(None) };
        assert_eq!(next_run(&cron, at("2026-11-21T05:59:00Z")), at("2026-11-21T06:00:00Z"));
        assert_eq!(missed(&cron, at("2026-11-21T06:00:00Z"), at("2026-11-21T08:30:00Z")), 2);
        // A clock that was set back counts nothing.
        assert_eq!(missed(&often, at("2026-11-21T06:00:00Z"), at("2026-11-21T05:00:00Z")), 0);
    }
}
