//! The XML adapter of compliance: takes queued events out of mgccomp, writes them as files, deletes them.
//! The files have the form of L:customizing-the-xslt-definition-file. Source: model §11.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::traits::{ChatStore, Databases};
use shared::compliance::{ComplianceConfiguration, seconds};
use shared::configuration::effective;
use shared::events::Topic;
use shared::topology::{ChatPool, Topology};
use shared::{ObjectId, Timestamp};
use store::chat::MgcDatabase;
use store::chat::adapter::{self, QueuedEvent};
use store::management::mirrors::{self, Which};
use store::management::{configuration, directory};

use crate::app::App;
use crate::door::Fault;
use crate::fleet::queue::{Queue, queues};
use crate::settings::Settings;

/// How often the runner looks whether an adapter is due.
const LOOK: Duration = Duration::from_secs(1);

/// What an adapter has done.
#[derive(Debug, Clone)]
struct Status {
    settings: ComplianceConfiguration,
    last_run: Timestamp,
    error: Option<String>,
}

/// The adapters of this process, by pool.
#[derive(Default)]
pub struct Adapters(Mutex<BTreeMap<ObjectId, Status>>);

impl Adapters {
    fn get(&self, pool: &ObjectId) -> Option<Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned()
    }

    fn set(&self, pool: &ObjectId, s: Status) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pool.clone(), s);
    }
}

/// The settings that apply to a pool.
///
/// # Errors
/// When the store does not answer.
pub fn settings_of(
    c: &rusqlite::Connection,
    t: &Topology,
    p: &ChatPool,
) -> store::management::Result<ComplianceConfiguration> {
    let all = configuration::all(c, configuration::Kind::PersistentChatCompliance)?;
    let site = t.site(&p.site).map(|s| s.site_id.as_str()).unwrap_or_default();
    Ok(effective(&all, site, &p.fqdn).cloned().unwrap_or_default())
}

/// What pages show of a pool's adapter; none when none is set.
pub fn view(app: &App, p: &ChatPool, s: &ComplianceConfiguration) -> Option<shared::api::AdapterView> {
    let directory = s.writes_to()?.to_owned();
    let status = app.adapters.get(&p.id);
    Some(shared::api::AdapterView {
        directory,
        run_interval: s.run_interval.clone(),
        last_run: status.as_ref().map(|s| s.last_run),
        error: status.and_then(|s| s.error),
    })
}

/// The folder that an output directory names: `\\server\share` of a published file store, or an absolute
/// path outside of the portal's own data.
///
/// # Errors
/// What is wrong.
pub fn folder(s: &Settings, t: &Topology, text: &str) -> Result<PathBuf, String> {
    if let Some(unc) = text.strip_prefix("\\\\") {
        let parts: Vec<&str> = unc.split('\\').filter(|p| !p.is_empty()).collect();
        let &[server, share, ref rest @ ..] = parts.as_slice() else {
            return Err(format!("{text} names no share; write \\\\server\\share."));
        };
        let known = |f: &&shared::topology::FileStore| {
            f.fqdn.as_str().eq_ignore_ascii_case(server) && f.share.eq_ignore_ascii_case(share)
        };
        let store = t.file_stores.iter().find(known);
        let store = store.ok_or_else(|| format!("\\\\{server}\\{share} is no published file store."))?;
        if rest.iter().any(|p| *p == ".." || p.contains('/')) {
            return Err(format!("{text} leads out of its share."));
        }
        return Ok(rest.iter().fold(s.share_dir(store), |dir, p| dir.join(p)));
    }
    let path = PathBuf::from(text);
    let plain = path.is_absolute() && !path.components().any(|c| c == std::path::Component::ParentDir);
    if !plain {
        return Err(format!("{text} is neither an absolute path nor \\\\server\\share."));
    }
    if path.starts_with(&s.data_dir) {
        return Err("The portal's own data directory is no place for the adapter's files.".to_owned());
    }
    Ok(path)
}

/// Runs until the program ends.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(e) = turn(&app).await {
            tracing::error!(cause = %e.0.message, "the compliance adapters could not be looked at");
        }
    }
}

/// Runs the adapters that are due: their interval is over, or their settings are new.
async fn turn(app: &Arc<App>) -> Result<(), Fault> {
    let (t, pools) = app.store.read(|c| {
        let t = crate::handlers::published(c)?;
        let mut pools = Vec::new();
        for p in t.pools.iter().filter(|p| p.compliance) {
            pools.push((p.clone(), settings_of(c, &t, p)?, queues(c, &app.settings, &t, p)?));
        }
        Ok::<_, Fault>((t, pools))
    })?;
    for (p, settings, queues) in pools {
        let Some(directory) = settings.writes_to() else { continue };
        let now = app.clock.now();
        let every = seconds(&settings.run_interval).unwrap_or(900);
        let due = app.adapters.get(&p.id).is_none_or(|s| {
            s.settings != settings || now.millis_since(s.last_run) >= every.saturating_mul(1000)
        });
        if !due || queues.is_empty() {
            continue;
        }
        let mut result = Ok(());
        for queue in queues {
            let written = match folder(&app.settings, &t, directory) {
                Ok(out) => one(app, &p, &settings, queue, out).await,
                Err(e) => Err(e),
            };
            result = result.and(written);
        }
        if let Err(e) = &result {
            tracing::warn!(pool = %p.fqdn, cause = %e, "the compliance adapter could not write");
        }
        app.adapters.set(&p.id, Status { settings, last_run: now, error: result.err() });
        app.bus.send(Topic::Pool, p.fqdn.to_string());
    }
    Ok(())
}

/// Takes events out of a queue and says that they are written.
enum Source {
    /// The queue of the database in use: its mirror follows.
    Open(Arc<MgcDatabase>),
    /// One that nobody has open. What waited at a failover is written out too once its store answers.
    File(PathBuf),
}

impl Source {
    fn of(app: &App, p: &ChatPool, q: &Queue) -> Result<Self, String> {
        if let Some(db) = app.fleet.queue_in_use(&p.id, &q.dir) {
            return Ok(Self::Open(db));
        }
        if let Some(side) = q.mirrored {
            // Its mirror does not follow what is taken out of the file.
            let noted = app.store.write(|tx| mirrors::note(tx, &p.id, Which::queue(side), false));
            noted.map_err(|e: store::management::StoreError| e.to_string())?;
        }
        Ok(Self::File(q.dir.clone()))
    }

    fn batch(&self) -> Result<Vec<QueuedEvent>, String> {
        match self {
            Self::Open(db) => db.queued().map_err(|e| e.to_string()),
            Self::File(dir) => adapter::batch(dir).map_err(|e| e.to_string()),
        }
    }

    fn written(&self) -> Result<(), String> {
        match self {
            Self::Open(db) => db.written().map_err(|e| e.to_string()),
            Self::File(dir) => adapter::written(dir).map_err(|e| e.to_string()),
        }
    }
}

/// Names that files carry when details are asked for.
struct Names {
    users: BTreeMap<String, String>,
    /// Name, description, category, whether history is kept; by room id.
    rooms: BTreeMap<String, (String, String, String, bool)>,
    domain: String,
}

async fn names(app: &App, p: &ChatPool) -> Result<Names, String> {
    let users = app.store.read(directory::users).map_err(|e| e.to_string())?;
    let users = users.into_iter().map(|u| (u.sip_address.as_str().to_lowercase(), u.display_name)).collect();
    let mut rooms = BTreeMap::new();
    // While the pool is being switched there are no names, and the next run is soon enough.
    let store: Arc<dyn ChatStore> = app.fleet.current(&p.id).ok_or("the pool's database is not open")?;
    let categories = store.categories().await.map_err(|e| e.to_string())?;
    for r in store.rooms().await.map_err(|e| e.to_string())? {
        let c = categories.iter().find(|c| c.id == r.category_id);
        let (category, kept) = c.map(|c| (c.name.clone(), c.chat_history)).unwrap_or_default();
        rooms.insert(r.id, (r.name, r.description, category, kept));
    }
    let hosts = app.deployment.borrow();
    let host = hosts.pools.iter().find(|d| d.id == p.id);
    let domain = host.map(|d| d.channel_uri.domain().to_owned()).unwrap_or_default();
    Ok(Names { users, rooms, domain })
}

async fn one(
    app: &App,
    p: &ChatPool,
    s: &ComplianceConfiguration,
    queue: Queue,
    out: PathBuf,
) -> Result<(), String> {
    let (names, s, pool) = (names(app, p).await?, s.clone(), p.fqdn.to_string());
    let (source, mark) = (Source::of(app, p, &queue)?, queue.mark);
    let work = move || loop {
        let events = source.batch()?;
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
        let stem = format!("{pool}-{mark}{:010}-{:010}", first.seq, last.seq);
        let rooms = by_room(&events);
        if s.one_chat_room_per_output_file {
            for (room, list) in &rooms {
                put(&out, &format!("{stem}-{room}.xml"), &document(&s, &names, &[(*room, list.clone())]))?;
            }
        } else {
            put(&out, &format!("{stem}.xml"), &document(&s, &names, &rooms))?;
        }
        source.written()?;
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(e.to_string()))
}

type Conversations<'a> = Vec<(&'a str, Vec<&'a QueuedEvent>)>;

fn by_room(events: &[QueuedEvent]) -> Conversations<'_> {
    let mut out: BTreeMap<&str, Vec<&QueuedEvent>> = BTreeMap::new();
    for e in events {
        out.entry(&e.room).or_default().push(e);
    }
    out.into_iter().collect()
}

/// Writes a whole file or none: its events are deleted next.
fn put(dir: &Path, name: &str, text: &str) -> Result<(), String> {
    let fresh = dir.join(format!(".{name}.new"));
    let write = || {
        let mut f = std::fs::File::create(&fresh)?;
        f.write_all(text.as_bytes())?;
        f.sync_all()?;
        std::fs::rename(&fresh, dir.join(name))?;
        std::fs::File::open(dir)?.sync_all()
    };
    write().map_err(|e| format!("{}: {e}", dir.display()))
}

fn time(element: &str, at: Timestamp) -> String {
    // .NET counts from the year 1 in units of 100 ns.
    let ticks = 621_355_968_000_000_000_i64.saturating_add(at.millis().saturating_mul(10_000));
    format!("<{element} since1970=\"{}\" string=\"{}\" long=\"{ticks}\" />", at.millis(), at.rfc3339())
}

/// A number that is always the same for an address (the original writes its principal id).
fn number(address: &str) -> u32 {
    let fnv = address
        .to_lowercase()
        .bytes()
        .fold(0x811C_9DC5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    fnv & 0x7FFF_FFFF
}

fn message(element: &str, s: &ComplianceConfiguration, names: &Names, e: &QueuedEvent) -> String {
    let uri = e.user.trim_start_matches("sip:");
    let mut sender = String::new();
    if s.add_user_details {
        let name = names.users.get(&e.user.to_lowercase()).map_or(uri, String::as_str);
        sender = format!("UserName=\"{}\" ", attribute(name));
    }
    let mail = if s.add_user_details { format!("email=\"{}\" ", attribute(uri)) } else { String::new() };
    // Only a post has a number.
    let id = if e.kind == "CHAT" { e.seq } else { 0 };
    format!(
        "<{element} type=\"{}\" content=\"{}\" id=\"{id}\"><Sender {sender}id=\"{}\" {mail}internal=\"true\" uri=\"{}\" />{}</{element}>",
        attribute(&e.kind),
        attribute(&e.text),
        number(&e.user),
        attribute(uri),
        time("DateTimeUTC", e.at)
    )
}

/// Text within quotes; line ends survive reading, and what XML cannot carry becomes U+FFFD.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(c))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn document(s: &ComplianceConfiguration, names: &Names, rooms: &[(&str, Vec<&QueuedEvent>)]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Conversations xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n",
    );
    for (room, events) in rooms {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
        let uri = format!("ma-chan://{}/{room}", names.domain);
        let details = names.rooms.get(*room).filter(|_| s.add_chat_room_details);
        let channel = match details {
            Some((name, description, category, kept)) => format!(
                "name=\"{}\" islogged=\"{kept}\" description=\"{}\" category=\"{}\"",
                attribute(name),
                attribute(description),
                attribute(category)
            ),
            None => format!("name=\"{}\" islogged=\"\"", attribute(&uri)),
        };
        out.push_str(&format!("<Conversation>\n<Channel uri=\"{}\" {channel} />\n", attribute(&uri)));
        out.push_str(&message("FirstMessage", s, names, first));
        out.push_str("\n<Messages>\n");
        for e in events {
            out.push_str(&message("Message", s, names, e));
            out.push('\n');
        }
        out.push_str("</Messages>\n");
        out.push_str(&time("StartTimeUTC", first.at));
        out.push_str(&time("EndTimeUTC", last.at));
        out.push_str("\n</Conversation>\n");
    }
    out.push_str("</Conversations>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_documented_form_and_carry_any_text() {
        let e = QueuedEvent {
            seq: 7,
            at: Timestamp::from_millis(1_212_610_540_953),
            kind: "CHAT".into(),
            room: "r1".into(),
            user: "sip:kazuto@litwareinc.com".into(),
            text: "a < \"b\"\n\u{1}".into(),
        };
        let names = Names {
            users: [("sip:kazuto@litwareinc.com".to_owned(), "TestUser kazuto".to_owned())].into(),
            rooms: [("r1".to_owned(), ("Lobby".to_owned(), String::new(), "General".to_owned(), true))]
                .into(),
            domain: "litwareinc.com".into(),
        };
        let plain = ComplianceConfiguration::default();
        let rooms = [("r1", vec![&e])];
        let text = document(&plain, &names, &rooms);
        assert!(text.contains("<Channel uri=\"ma-chan://litwareinc.com/r1\" name=\"ma-chan://litwareinc.com/r1\" islogged=\"\" />"));
        assert!(
            text.contains("<Message type=\"CHAT\" content=\"a &lt; &quot;b&quot;&#10;\u{fffd}\" id=\"7\">"),
            "{text}"
        );
        // The example of the document, to the millisecond.
        assert!(text.contains("<StartTimeUTC since1970=\"1212610540953\" string=\"2008-06-04T20:15:40.953Z\" long=\"633482073409530000\" />"), "{text}");
        assert!(!text.contains("UserName"));
        let full = ComplianceConfiguration { add_user_details: true, add_chat_room_details: true, ..plain };
        let text = document(&full, &names, &rooms);
        assert!(
            text.contains("UserName=\"TestUser kazuto\"")
                && text.contains("name=\"Lobby\" islogged=\"true\"")
        );
    }
}
