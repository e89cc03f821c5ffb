//! Where the things of the picture stand: sites as columns, pools as cards, stores beside them, data centres
//! and their slow links below. Pure numbers in SVG units, so that they can be tested.

use shared::ObjectId;
use shared::topology::{ChatPool, Computer, DataCenter, FileStoreRef, Topology};

use super::live::{Line, Live, centres};
use crate::components::badge::Tone;

/// Width of a site's column.
pub const COLUMN: i32 = 468;
/// Room at the left of the cards, where the arrows to the next hop run.
pub const GUTTER: i32 = 44;
/// Width of a card.
pub const CARD: i32 = 214;
/// Left edge of the stores, from the column's left edge.
pub const STORES: i32 = GUTTER + CARD + 24;
/// Height of a store with the gap under it.
pub const STORE_STEP: i32 = 60;
/// Height of a line of words in a card.
pub const LINE: i32 = 17;
/// Where the first of them stands, from the card's top.
pub const LINES: i32 = 82;
/// Height of a store.
const STORE: i32 = 50;
const TOP: i32 = 52;
const GAP: i32 = 22;
/// Height of a row of data centres, with the gap under it.
const CENTRE_STEP: i32 = 52;

/// A store beside a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreBox {
    /// What the pool keeps there, for example `mgc, mgccomp`.
    pub role: String,
    /// Short name.
    pub name: String,
    /// Whole name.
    pub full: String,
    /// A backup or a file store is drawn in another way than the databases in use.
    pub kind: StoreKind,
    /// How the databases there are.
    pub state: Line,
    /// The data centre, when it is told.
    pub centre: String,
    /// Top.
    pub y: i32,
}

/// How a store is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Databases in use while the pool is Normal.
    Primary,
    /// Databases to fail over to.
    Backup,
    /// Copies that are kept while posts are acknowledged.
    Mirror,
    /// Uploaded files.
    File,
}

/// A card: a Front End pool or a Persistent Chat pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Id of the object.
    pub id: ObjectId,
    /// Short name.
    pub name: String,
    /// Whole name.
    pub full: String,
    /// The line under the name.
    pub note: String,
    /// The servers, each by its state.
    pub servers: Vec<Tone>,
    /// What runs and where, a line each.
    pub lines: Vec<Line>,
    /// Left edge.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Height.
    pub h: i32,
    /// Stores beside it.
    pub stores: Vec<StoreBox>,
}

/// The whole picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Names of the columns with their left edges.
    pub columns: Vec<(String, i32)>,
    /// Front End pools.
    pub front_ends: Vec<Card>,
    /// Persistent Chat pools.
    pub pools: Vec<Card>,
    /// Paths of the arrows from pools to their next hops.
    pub arrows: Vec<String>,
    /// Data centres: two that a slow link joins, or one with fast links only.
    pub centres: Vec<Centre>,
    /// Width.
    pub width: i32,
    /// Height of the columns.
    pub columns_height: i32,
    /// Height of all.
    pub height: i32,
}

/// A data centre, and another one over a slow link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Its name.
    pub name: String,
    /// How many machines stand in it.
    pub note: String,
    /// The other end of the slow link, with its note.
    pub slow_to: Option<(String, String)>,
    /// Top.
    pub y: i32,
}

/// Lays the topology out; `live` says what of it runs.
pub fn picture(t: &Topology, live: &Live) -> Picture {
    let mut out = Picture {
        columns: Vec::new(),
        front_ends: Vec::new(),
        pools: Vec::new(),
        arrows: Vec::new(),
        centres: Vec::new(),
        width: 0,
        columns_height: 0,
        height: 0,
    };
    for (i, site) in t.sites.iter().enumerate() {
        let left = column_left(i);
        out.columns.push((site.site_id.clone(), left));
        let mut y = TOP;
        for p in t.front_end_pools.iter().filter(|p| p.site == site.id) {
            let card = front_end(t, p, live, (left, y));
            y += card.h + GAP;
            out.front_ends.push(card);
        }
        for p in t.pools.iter().filter(|p| p.site == site.id) {
            let card = pool(t, p, live, (left, y));
            y += card.h + GAP;
            out.pools.push(card);
        }
        out.height = out.height.max(y);
    }
    out.width = column_left(t.sites.len()).max(COLUMN);
    out.arrows = t.pools.iter().filter_map(|p| arrow(&out, p)).collect();
    out.columns_height = out.height;
    out.centres = rows(t, out.height + GAP);
    out.height = out.centres.last().map_or(out.height, |c| c.y + CENTRE_STEP);
    out
}

/// A row for each slow link, and one for each data centre without any, from `top` down.
pub fn rows(t: &Topology, top: i32) -> Vec<Centre> {
    let note = |d: &DataCenter| match d.members.len() {
        1 => "1 machine".to_owned(),
        n => format!("{n} machines"),
    };
    let slow = |a: &DataCenter, b: &DataCenter| a.slow_to.iter().any(|n| n.eq_ignore_ascii_case(&b.name));
    let all = &t.data_centers;
    let mut out: Vec<Centre> = Vec::new();
    let mut row = |d: &DataCenter, slow_to| {
        let y = top + i32::try_from(out.len()).unwrap_or(0) * CENTRE_STEP;
        out.push(Centre { name: d.name.clone(), note: note(d), slow_to, y });
    };
    for (i, a) in all.iter().enumerate() {
        for b in all[i + 1..].iter().filter(|b| slow(a, b) || slow(b, a)) {
            row(a, Some((b.name.clone(), note(b))));
        }
        if !all.iter().any(|b| slow(a, b) || slow(b, a)) {
            row(a, None);
        }
    }
    out
}

fn column_left(i: usize) -> i32 {
    i32::try_from(i).unwrap_or(0) * COLUMN
}

/// The lines of a card that are there, with its height.
fn lines(t: &Topology, live: &Live, servers: &[Computer], state: Line) -> (Vec<Line>, i32) {
    let place = Line { text: centres(t, servers), tone: Tone::Neutral };
    let mut lines = vec![state, live.servers(servers), place];
    // A pool that is not published is said once.
    lines.dedup();
    lines.retain(|l| !l.text.is_empty());
    let last = LINES + i32::try_from(lines.len()).unwrap_or(0) * LINE;
    (lines, last - LINE + 14)
}

fn tones(live: &Live, servers: &[Computer]) -> Vec<Tone> {
    servers.iter().map(|c| live.server(c.fqdn.as_str())).collect()
}

fn front_end(t: &Topology, p: &shared::topology::FrontEndPool, live: &Live, (left, y): (i32, i32)) -> Card {
    let note = match p.edition {
        shared::topology::Edition::Standard => "Standard Edition server",
        shared::topology::Edition::Enterprise => "Front End pool",
    };
    let (lines, h) = lines(t, live, &p.servers, Line::none());
    Card {
        id: p.id.clone(),
        name: p.fqdn.host().to_owned(),
        full: p.fqdn.to_string(),
        note: note.to_owned(),
        servers: tones(live, &p.servers),
        lines,
        x: left + GUTTER,
        y,
        h,
        stores: Vec::new(),
    }
}

fn pool(t: &Topology, p: &ChatPool, live: &Live, (left, y): (i32, i32)) -> Card {
    let stores = stores(t, p, live, y);
    let rows = i32::try_from(stores.len()).unwrap_or(0);
    let (lines, h) = lines(t, live, &p.computers, live.pool(p.fqdn.as_str()));
    Card {
        id: p.id.clone(),
        name: p.fqdn.host().to_owned(),
        full: p.fqdn.to_string(),
        note: p.display_name.clone(),
        servers: tones(live, &p.computers),
        lines,
        x: left + GUTTER,
        y,
        h: (rows * STORE_STEP - (STORE_STEP - STORE)).max(h),
        stores,
    }
}

/// The stores of a pool; an instance that holds both databases stands once.
fn stores(t: &Topology, p: &ChatPool, live: &Live, top: i32) -> Vec<StoreBox> {
    let refs = [
        (Some(&p.sql_store), "mgc", StoreKind::Primary),
        (p.compliance_sql_store.as_ref(), "mgccomp", StoreKind::Primary),
        (p.mirror_sql_store.as_ref(), "mgc", StoreKind::Mirror),
        (p.compliance_mirror_sql_store.as_ref(), "mgccomp", StoreKind::Mirror),
        (p.backup_sql_store.as_ref(), "mgc", StoreKind::Backup),
        (p.backup_compliance_sql_store.as_ref(), "mgccomp", StoreKind::Backup),
        (p.backup_mirror_sql_store.as_ref(), "backup mgc", StoreKind::Mirror),
        (p.backup_compliance_mirror_sql_store.as_ref(), "backup mgccomp", StoreKind::Mirror),
    ];
    let mut out: Vec<StoreBox> = Vec::new();
    for (id, role, kind) in refs {
        let Some(store) = id.and_then(|id| t.sql_store(id)) else { continue };
        let full = store.label();
        if let Some(same) = out.iter_mut().find(|s| s.full == full && s.kind == kind) {
            same.role = format!("{}, {role}", same.role);
            continue;
        }
        let name = store
            .instance
            .as_ref()
            .map_or_else(|| store.fqdn.host().to_owned(), |i| format!("{}\\{i}", store.fqdn.host()));
        let state = live.store(p.fqdn.as_str(), &full);
        let centre = t.data_center_of(&store.fqdn).map(|d| d.name.clone()).unwrap_or_default();
        out.push(StoreBox { role: role.to_owned(), name, full, kind, state, centre, y: 0 });
    }
    let full = t.file_store_label(&p.file_store);
    let name = match &p.file_store {
        FileStoreRef::Share(id) => {
            t.file_store(id).map_or_else(|| full.clone(), |f| format!("{}\\{}", f.fqdn.host(), f.share))
        }
        FileStoreRef::LocalPath(path) => path.clone(),
    };
    out.push(StoreBox {
        role: "files".to_owned(),
        name,
        full,
        kind: StoreKind::File,
        state: Line::none(),
        centre: String::new(),
        y: 0,
    });
    for (i, s) in out.iter_mut().enumerate() {
        match s.kind {
            StoreKind::Backup => s.role = format!("backup {}", s.role),
            StoreKind::Mirror => s.role = format!("mirror: {}", s.role),
            StoreKind::Primary | StoreKind::File => {}
        }
        s.y = top + i32::try_from(i).unwrap_or(0) * STORE_STEP;
    }
    out
}

/// From the pool's left edge up the gutter to the left edge of its next hop; over the cards when that
/// stands in another column.
fn arrow(p: &Picture, pool: &ChatPool) -> Option<String> {
    let from = p.pools.iter().find(|c| c.id == pool.id)?;
    let lane = p.front_ends.iter().position(|c| c.id == pool.next_hop)?;
    let to = &p.front_ends[lane];
    let shift = i32::try_from(lane % 3).unwrap_or(0) * 8;
    let (y0, y1) = (from.y + 24, to.y + to.h / 2);
    let spine = from.x - 14 - shift;
    if from.x == to.x {
        return Some(format!("M{} {y0} H{spine} V{y1} H{}", from.x, to.x - 6));
    }
    let (over, spine2) = (TOP - 12 - shift, to.x - 14 - shift);
    Some(format!("M{} {y0} H{spine} V{over} H{spine2} V{y1} H{}", from.x, to.x - 6))
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;

    use super::*;

    #[test]
    fn cards_and_stores_do_not_overlap() {
        let p = picture(&litware(), &Live::default());
        let mut all: Vec<&Card> = p.front_ends.iter().chain(&p.pools).collect();
        all.sort_by_key(|c| (c.x, c.y));
        for pair in all.windows(2) {
            assert!(
                pair[0].x != pair[1].x || pair[0].y + pair[0].h < pair[1].y,
                "{} and {}",
                pair[0].name,
                pair[1].name
            );
        }
        for c in &p.pools {
            let last = c.stores.last().expect("every pool has a file store");
            assert!(last.y + STORE <= c.y + c.h, "{}", c.name);
        }
        assert!(all.iter().all(|c| c.x + CARD <= p.width && c.y + c.h <= p.height));
    }

    #[test]
    fn an_instance_with_both_databases_stands_once() {
        let p = picture(&litware(), &Live::default());
        let roles: Vec<_> = p.pools[0].stores.iter().map(|s| s.role.as_str()).collect();
        assert_eq!(roles, ["mgc, mgccomp", "backup mgc, mgccomp", "files"]);
    }

    #[test]
    fn mirrors_stand_between_what_they_mirror_and_the_files() {
        let mut t = litware();
        let (second, third) = (t.sql_stores[2].id.clone(), t.sql_stores[3].id.clone());
        t.pools[0].mirror_sql_store = Some(second);
        t.pools[0].backup_mirror_sql_store = Some(third);
        let p = picture(&t, &Live::default());
        let roles: Vec<_> = p.pools[0].stores.iter().map(|s| s.role.as_str()).collect();
        let wanted = ["mgc, mgccomp", "mirror: mgc", "backup mgc, mgccomp", "mirror: backup mgc", "files"];
        assert_eq!(roles, wanted);
    }

    #[test]
    fn every_pool_has_its_arrow() {
        let mut t = litware();
        assert_eq!(picture(&t, &Live::default()).arrows.len(), 4);
        t.pools[3].next_hop = t.front_end_pools[0].id.clone();
        assert_eq!(picture(&t, &Live::default()).arrows.len(), 4, "also to another site");
        assert_eq!(picture(&Topology::default(), &Live::default()).columns, []);
    }

    #[test]
    fn each_slow_link_has_a_row_and_so_has_a_data_centre_without_one() {
        let mut t = litware();
        let centre = |name: &str, slow: &[&str]| DataCenter {
            name: name.to_owned(),
            members: Vec::new(),
            slow_to: slow.iter().map(|s| (*s).to_owned()).collect(),
        };
        t.data_centers.clear();
        let below = picture(&t, &Live::default()).height;
        t.data_centers = vec![centre("Atlanta", &[]), centre("Dublin", &["atlanta"]), centre("Bonn", &[])];
        let p = picture(&t, &Live::default());
        let rows: Vec<_> =
            p.centres.iter().map(|c| (c.name.as_str(), c.slow_to.as_ref().map(|s| s.0.as_str()))).collect();
        assert_eq!(rows, [("Atlanta", Some("Dublin")), ("Bonn", None)]);
        assert!(p.centres.iter().all(|c| c.y > below && c.y + 38 <= p.height));
    }
}
