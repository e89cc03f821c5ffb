//! Every page there is, in a real Chromium: by axe in light and in dark colours, wide and at 390 px, never scrolling
//! sideways, and everything that can be used reached with Tab, seen and marked.
//!
//! The list is the page's own enumeration of its routes, without a wildcard: a new page does not compile here until
//! it is said what is looked at.

#[path = "../../../frontend/src/routes/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the page uses all of it, the tests only where its pages are")]
mod routes;

use anyhow::{Context, Result, ensure};
use lifeguard_tests::{Browser, Key, Options, Scheme, Server, wait};
use serde_json::{Value, json};
use shared::topology::wizard::Page;

use self::routes::{PoolTab, Route, SettingsTab};
use crate::page::sign_in;
use crate::support::{POOL, Sample, run};
use crate::where_one_is::rehearsed;

/// What there is to look at, so that hardly a page is empty.
struct World {
    s: Sample,
    /// A portal that nobody has set up yet.
    new: Server,
    setup_token: String,
    /// A one-time link.
    link: String,
    /// A pool that is being defined.
    draft: String,
    published: String,
    rehearsal: String,
    test: String,
    group: String,
    /// Kind and id of an object of each kind.
    objects: Vec<(&'static str, String)>,
}

impl World {
    async fn start() -> Result<Self> {
        let (s, new) = (Sample::start().await?, Server::start(Options::default()).await?);
        let setup_token = new.setup_token().await?;
        let c = &s.client;
        let text = |v: &Value| v.as_str().map(str::to_owned).context("no text");
        let made = json!({ "Name": "nina", "Role": "CsHelpDesk", "OneTimeLink": true });
        let link = text(&run(c, "New-LgAccount", made).await?["output"][0]["Link"])?;
        let group = json!({ "Name": "Sales", "Members": ["Ken Myer"] });
        let group = text(&run(c, "New-LgGroup", group).await?["output"][0]["Identity"])?;
        let started = run(c, "Test-LgFailover", json!({ "Identity": POOL })).await?;
        let rehearsal = text(&started["job"])?;
        rehearsed(c, &rehearsal).await?;
        let t = s.test(&s.users[0], &s.users[1], json!({})).await?;
        let test = text(&t["summary"]["id"])?;
        run(c, "New-LgShare", json!({ "Label": "Desk" })).await?;
        let (_, jobs) = c.get("/api/v1/jobs").await?;
        let all = jobs.as_array().context("no jobs")?;
        let published = all.iter().find(|j| j["title"] == "Publish the topology").context("not published")?;
        let published = text(&published["id"])?;
        let (_, t) = c.get("/api/v1/topology").await?;
        let mut objects = vec![("sip-domain", text(&t["draft"]["sip_domains"][0])?)];
        for (kind, list) in [
            ("site", "sites"),
            ("front-end-pool", "front_end_pools"),
            ("sql-store", "sql_stores"),
            ("file-store", "file_stores"),
            ("pool", "pools"),
        ] {
            objects.push((kind, text(&t["draft"][list][0]["id"]).context(list)?));
        }
        let (_, d) = c.post("/api/v1/drafts", &json!({})).await?;
        let draft = text(&d["id"])?;
        for page in ["/disaster_recovery", "/compliance"] {
            let body = json!({ "path": page, "from": false, "to": true });
            let (status, answer) = c.patch(&format!("/api/v1/drafts/{draft}"), &body).await?;
            ensure!(status == 200, "{page}: {answer}");
        }
        Ok(Self { new, setup_token, link, draft, published, rehearsal, test, group, objects, s })
    }
}

/// A page with what stands on it: name of the picture, address, text.
struct Visit(String, String, String);

/// What is visited of a kind of page, and the kind after it.
fn visits(kind: &Route, w: &World) -> (Vec<Visit>, Option<Route>) {
    let at = |route: &Route, name: &str, text: &str| {
        Visit(name.to_owned(), format!("{}{}", w.s.server.url(), route.href()), text.to_owned())
    };
    let with = |route: &Route, query: &str, name: &str, text: &str| {
        let Visit(name, address, text) = at(route, name, text);
        Visit(name, format!("{address}?{query}"), text)
    };
    let here = |name: &str, text: &str| vec![at(kind, name, text)];
    let s = |text: &str| text.to_owned();
    let (list, next) = match kind {
        Route::Setup => {
            let address = format!("{}{}?token={}", w.new.url(), kind.href(), w.setup_token);
            (vec![Visit(s("setup"), address, s("Set up this portal"))], Route::Login)
        }
        Route::Login => (here("login", "No account?"), Route::SetPassword),
        Route::SetPassword => {
            (vec![Visit(s("set-password"), w.link.clone(), s("log-on name nina"))], Route::Overview)
        }
        Route::Overview => (here("overview", "atl-gc-001"), Route::Account),
        Route::Account => (here("account", "Second factor"), Route::Topology),
        Route::Topology => (
            vec![
                at(kind, "topology", "Redmond"),
                with(kind, "draft=nobody", "topology-no-draft", "Show the draft main"),
            ],
            Route::TopologyObject(s(""), s("")),
        ),
        Route::TopologyObject(..) => {
            let one = |(kind, id): &(&str, String)| {
                let route = Route::TopologyObject(s(kind), id.clone());
                at(&route, &format!("topology-{kind}"), "Redmond")
            };
            (w.objects.iter().map(one).collect(), Route::TopologyNew(s("")))
        }
        Route::TopologyNew(_) => {
            let kinds = ["site", "sip-domain", "front-end-pool", "sql-store", "file-store"];
            let one = |k: &str| {
                let route = Route::TopologyNew(s(k));
                at(&route, &format!("new-{k}"), &route.title())
            };
            (kinds.into_iter().map(one).collect(), Route::Wizard(s(""), Page::Fqdn))
        }
        Route::Wizard(..) => {
            let one =
                |p: Page| at(&Route::Wizard(w.draft.clone(), p), &format!("wizard-{}", p.slug()), p.title());
            (Page::ALL.map(one).into(), Route::WizardStart)
        }
        Route::WizardStart => (here("wizard-start", "Begin a new pool"), Route::Publish),
        Route::Publish => (here("publish", "Publish the topology"), Route::Versions),
        Route::Versions => (here("versions", "Sample Litware"), Route::Job(s(""))),
        Route::Job(_) => (
            vec![
                at(&Route::Job(w.published.clone()), "job-publish", "Save the report"),
                at(&Route::Job(w.rehearsal.clone()), "job-rehearsal", "What it found"),
            ],
            Route::Pools,
        ),
        Route::Pools => (here("pools", "atl-gc-001"), Route::Pool(s(""), PoolTab::Overview)),
        Route::Pool(..) => {
            let one = |tab: PoolTab| {
                let text = match tab {
                    PoolTab::Overview => "atl-cs-001",
                    PoolTab::State => "The state alone",
                    PoolTab::Servers => "gc-006",
                    PoolTab::Databases => "dub-sql-001",
                    PoolTab::Tests => "Send a test message",
                };
                at(&Route::Pool(s(POOL), tab), &format!("pool-{}", tab.label()), text)
            };
            (PoolTab::ALL.map(one).into(), Route::Endpoints)
        }
        Route::Endpoints => (here("endpoints", "New endpoint"), Route::Rooms),
        Route::Rooms => (
            vec![
                at(kind, "rooms", "Lobby"),
                with(kind, "show=addins", "addins", "New add-in"),
                with(kind, "show=usage", "rooms-used", "People, 30 days"),
                with(kind, "show=deleted", "rooms-deleted", "No room was deleted"),
            ],
            Route::RoomNew,
        ),
        Route::RoomNew => (here("room-new", "Privacy"), Route::CategoryNew),
        Route::CategoryNew => (here("category-new", "Allowed members"), Route::Room(s(""), s(""))),
        Route::Room(..) => {
            let room = Route::Room(s(POOL), s("Lobby"));
            (vec![at(&room, "room", "Remove messages")], Route::Category(s(""), s("")))
        }
        Route::Category(..) => {
            (vec![at(&Route::Category(s(POOL), s("General")), "category", "File upload")], Route::Users)
        }
        Route::Users => (here("users", "Pilar Ackerman"), Route::UserNew),
        Route::UserNew => (here("user-new", "Log-on name"), Route::UserImport),
        Route::UserImport => (here("user-import", "Check the file"), Route::Groups),
        Route::Groups => (here("groups", "New group"), Route::Group(s(""))),
        Route::Group(_) => {
            (vec![at(&Route::Group(w.group.clone()), "group", "sip:kenmyer@litwareinc.com")], Route::Policies)
        }
        Route::Policies => (here("policies", "LitwarePersistentChat"), Route::Tests),
        Route::Tests => (here("tests", "Target FQDN"), Route::Test(s(""))),
        Route::Test(_) => {
            (vec![at(&Route::Test(w.test.clone()), "test", "sip:kenmyer@litwareinc.com")], Route::Shell)
        }
        Route::Shell => (here("shell", "Command line"), Route::Audit),
        Route::Audit => (here("audit", "New-LgGroup"), Route::Sharing),
        Route::Sharing => (here("sharing", "Desk"), Route::Settings(SettingsTab::Accounts)),
        Route::Settings(_) => {
            let one = |tab: SettingsTab| {
                let text = match tab {
                    SettingsTab::Accounts => "nina",
                    SettingsTab::Access => "API tokens",
                    SettingsTab::Alerts => "Who is told",
                    SettingsTab::Roles => "Roles of your own",
                    SettingsTab::Chat => "Write events out as XML",
                    SettingsTab::Clients => "_sipinternaltls._tcp",
                    SettingsTab::Nodes => "Add a node",
                    SettingsTab::Backup => "There is no backup in the folder yet.",
                    SettingsTab::About => "Version",
                };
                at(&Route::Settings(tab), &format!("settings-{}", tab.label()), text)
            };
            (SettingsTab::ALL.map(one).into(), Route::NotFound)
        }
        Route::NotFound => {
            let address = format!("{}/no/such/page", w.s.server.url());
            return (vec![Visit(s("not-found"), address, s("No page of the portal has this address"))], None);
        }
    };
    (list, Some(next))
}

/// Waits until everything was read and nothing moves any more.
async fn settled(b: &Browser) -> Result<()> {
    wait::until("the end of loading", async || {
        let busy = "return [...document.querySelectorAll('.bars')].length
            + document.getAnimations().filter(a => a.playState === 'running'
                && a.effect.getComputedTiming().endTime !== Infinity).length;";
        let busy = b.script(busy, vec![]).await?;
        ensure!(busy == json!(0), "{busy} things load or move");
        Ok(())
    })
    .await
}

async fn not_too_wide(b: &Browser, what: &str) -> Result<()> {
    // The width of the window itself grows with what sticks out on a telephone, and holds the bar for scrolling elsewhere.
    let wide = "const width = document.documentElement.clientWidth;
        return [...document.querySelectorAll('body *')]
        .filter(e => document.documentElement.scrollWidth > width && e.getBoundingClientRect().right > width)
        .map(e => e.outerHTML.slice(0, 120));";
    let wide = b.script(wide, vec![]).await?;
    ensure!(wide == json!([]), "{what} scrolls sideways because of {wide}");
    Ok(())
}

/// Notes what Tab is to reach in the content, and puts the focus before it. What is disabled or cannot be seen is
/// not reached; of a group of radio buttons one is.
const BEGIN: &str = "
    const main = document.querySelector('main'), groups = new Set();
    const can = e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true })
        && !(e.closest('details:not([open])') && e.tagName !== 'SUMMARY');
    const first = e => {
        if (e.type !== 'radio') return true;
        const all = [...document.getElementsByName(e.name)];
        return e === (all.find(r => r.checked) || all[0]);
    };
    window.wanted = [...main.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex]')]
        .filter(e => can(e) && first(e));
    window.met = new Set();
    main.tabIndex = -1;
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
    return window.wanted.length;";

/// Where the focus is now: outside of the content, or on something that is marked, in sight and not covered.
const STEP: &str = "
    const now = document.activeElement, main = document.querySelector('main');
    if (!now || !main.contains(now) || now === main) return { out: true };
    window.met.add(now);
    const bare = e => getComputedStyle(e).outlineStyle === 'none' && getComputedStyle(e).boxShadow === 'none';
    const box = now.getBoundingClientRect();
    const clip = (a, b, most) => (Math.max(a, 0) + Math.min(b, most)) / 2;
    const middle = document.elementFromPoint(clip(box.left, box.right, innerWidth), clip(box.top, box.bottom, innerHeight));
    return {
        ring: !(bare(now) && bare(now.closest('label') || now)),
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
            && box.left < innerWidth,
        free: !!middle && (now.contains(middle) || middle.contains(now) || !!middle.closest('.reason')),
        name: now.outerHTML.slice(0, 160),
    };";

/// What was not reached and is still there.
const LEFT: &str = "return window.wanted.filter(e => e.isConnected && !window.met.has(e) && !e.disabled)
    .map(e => e.outerHTML.slice(0, 160));";

/// Goes through the content with Tab.
async fn by_keyboard(b: &Browser, what: &str) -> Result<()> {
    // A page that is told something may redraw what was to be reached: then once more.
    let mut left = json!([]);
    for _ in 0..3 {
        let n = b.script(BEGIN, vec![]).await?.as_u64().unwrap_or(0);
        // The parts of a date are stops of their own.
        for stop in 0..n + 40 {
            b.driver().action_chain().send_keys(Key::Tab).perform().await?;
            let mut at = b.script(STEP, vec![]).await?;
            // Scrolling into sight takes its time.
            if at["out"] != true {
                at = wait::until("a focus that can be seen", async || {
                    let at = b.script(STEP, vec![]).await?;
                    let fine = at["out"] == true || ["ring", "seen", "free"].iter().all(|k| at[*k] == true);
                    ensure!(fine, "{what}, stop {stop}: {at}");
                    Ok(at)
                })
                .await?;
            }
            if at["out"] == true {
                break;
            }
        }
        left = b.script(LEFT, vec![]).await?;
        if left == json!([]) {
            return Ok(());
        }
    }
    anyhow::bail!("{what}: Tab does not reach {left}")
}

async fn look(b: &Browser, Visit(name, address, text): &Visit) -> Result<()> {
    b.size(1280, 900).await?;
    b.prefer(Scheme::Light, true).await?;
    b.goto("about:blank").await?;
    b.goto(address).await?;
    b.wait_text(text).await.with_context(|| name.clone())?;
    settled(b).await.with_context(|| name.clone())?;
    b.assert_accessible(name).await?;
    not_too_wide(b, name).await?;
    let picture = format!("every-{}", name.replace(' ', "-"));
    b.screenshot(&picture).await?;
    by_keyboard(b, name).await?;
    b.prefer(Scheme::Dark, true).await?;
    b.assert_accessible(&format!("{name}, dark")).await?;
    b.screenshot(&format!("{picture}-dark")).await?;
    b.size(390, 844).await?;
    settled(b).await?;
    let narrow = format!("{name}, dark and narrow");
    not_too_wide(b, &narrow).await?;
    b.assert_accessible(&narrow).await?;
    b.screenshot(&format!("{picture}-narrow-dark")).await?;
    b.prefer(Scheme::Light, true).await?;
    b.screenshot(&format!("{picture}-narrow")).await?;
    b.telephone().await?;
    not_too_wide(b, &format!("{name}, on a telephone")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_in_every_light_and_width_and_by_keyboard() -> Result<()> {
    let w = World::start().await?;
    let b = Browser::start().await?;
    let (mut kind, mut wrong) = (Some(Route::Setup), Vec::new());
    while let Some(now) = kind {
        // Before it, nobody is signed in.
        if now == Route::Overview {
            b.goto("about:blank").await?;
            sign_in(&b, &w.s).await?;
        }
        let (list, next) = visits(&now, &w);
        for visit in &list {
            if let Err(e) = look(&b, visit).await {
                wrong.push(format!("{e:#}"));
            }
            let mut errors = b.console_errors().await?;
            // Asked for a draft that is not there, the portal says so.
            errors.retain(|e| !e.contains("draft=nobody"));
            if !errors.is_empty() {
                wrong.push(format!("{}: {errors:?}", visit.0));
            }
        }
        kind = next;
    }
    ensure!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}
