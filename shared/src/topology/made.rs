//! Topologies made from a number: valid by construction, of any size, and mutations of them that need not
//! be. For tests and measurements; the same number gives the same topology.

use super::{
    ChatPool, Computer, DataCenter, Edition, FileStore, FileStoreRef, FrontEndPool, Placement, PoolKind,
    Site, SqlStore, Topology,
};
use crate::names::{Fqdn, ObjectId, Port};

/// How much there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Sites; each has a Front End pool.
    pub sites: usize,
    /// Persistent Chat pools.
    pub pools: usize,
    /// Most computers in one; exactly so many when `full`.
    pub computers: usize,
    /// Every pool has that many computers, a backup, and stands elsewhere: nothing of it is run here.
    pub full: bool,
}

impl Size {
    /// For property tests.
    pub const SMALL: Self = Self { sites: 3, pools: 4, computers: 3, full: false };

    /// For measurements: so many pools of eight servers, ten to a site.
    pub fn of_pools(pools: usize) -> Self {
        Self { sites: pools.div_ceil(10).max(1), pools, computers: 8, full: true }
    }
}

/// A small generator (SplitMix64): enough to choose by.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (n.max(1) as u64)).unwrap_or(0)
    }

    fn yes(&mut self) -> bool {
        self.roll(2) == 1
    }
}

fn fqdn(host: &str) -> Fqdn {
    Fqdn::try_from(format!("{host}.made.example")).expect("letters, digits and hyphens are a name")
}

fn id(text: String) -> ObjectId {
    ObjectId::try_from(text).expect("letters, digits and hyphens are an id")
}

/// Where everything of a large topology stands: a loopback address on which nothing of this program listens.
pub const ELSEWHERE: &str = "127.77.0.9";

/// A topology that breaks no rule.
pub fn made(seed: u64, size: Size) -> Topology {
    let mut d = Dice(seed);
    let mut t = Topology { sip_domains: vec![fqdn("a"), fqdn("b")], ..Topology::default() };
    let place = if size.full { Placement::Address(ELSEWHERE.to_owned()) } else { Placement::RunHere };
    let computer = |host: String| Computer { fqdn: fqdn(&host), placement: place.clone() };
    let sites = if size.full { size.sites } else { 1 + d.roll(size.sites) };
    for s in 0..sites {
        t.sites.push(Site { id: id(format!("site-{s}")), site_id: format!("Site {s}") });
        let standard = !size.full && d.yes();
        let pool = fqdn(&format!("fe-{s}"));
        let servers = match standard {
            true => vec![Computer { fqdn: pool.clone(), placement: place.clone() }],
            false => (0..=d.roll(2)).map(|i| computer(format!("fes-{s}-{i}"))).collect(),
        };
        t.front_end_pools.push(FrontEndPool {
            id: id(format!("fe-{s}")),
            fqdn: pool,
            edition: if standard { Edition::Standard } else { Edition::Enterprise },
            site: id(format!("site-{s}")),
            servers,
        });
        t.file_stores.push(FileStore {
            id: id(format!("file-{s}")),
            fqdn: fqdn(&format!("fs-{s}")),
            share: "chat".to_owned(),
            placement: Placement::RunHere,
        });
    }
    let pools = if size.full { size.pools } else { d.roll(size.pools + 1) };
    for n in 0..pools {
        pool(&mut t, &mut d, n, sites, size, &computer);
    }
    if !size.full && d.yes() {
        let members = t.pools.iter().flat_map(|p| &p.computers).map(|c| c.fqdn.clone()).collect();
        t.data_centers.push(DataCenter { name: "North".to_owned(), members, slow_to: vec![] });
    }
    t
}

fn pool(
    t: &mut Topology,
    d: &mut Dice,
    n: usize,
    sites: usize,
    size: Size,
    computer: &dyn Fn(String) -> Computer,
) {
    let site = if size.full { n % sites } else { d.roll(sites) };
    let guided = if size.full { Placement::SqlServerGuided } else { Placement::RunHere };
    let mut store = |what: &str, wanted: bool| {
        wanted.then(|| {
            let key = id(format!("sql-{n}-{what}"));
            t.sql_stores.push(SqlStore {
                id: key.clone(),
                fqdn: fqdn(&format!("sql-{n}-{what}")),
                instance: None,
                placement: guided.clone(),
            });
            key
        })
    };
    let single = !size.full && d.roll(4) == 0;
    let compliance = d.yes();
    let backup = !single && (size.full || d.yes());
    let primary = store("p", true).unwrap_or_else(|| id(format!("sql-{n}-p")));
    let backup_sql_store = store("b", backup);
    let mirror_sql_store = store("m", !size.full && d.roll(3) == 0);
    let compliance_sql_store = store("c", compliance);
    let backup_compliance_sql_store = store("d", compliance && backup);
    let compliance_mirror_sql_store = store("e", !size.full && compliance && d.roll(3) == 0);
    let name = format!("pc-{n}");
    let computers = match (single, size.full) {
        (true, _) => vec![computer(name.clone())],
        (false, true) => (0..size.computers).map(|i| computer(format!("pcs-{n}-{i}"))).collect(),
        (false, false) => (0..=d.roll(size.computers)).map(|i| computer(format!("pcs-{n}-{i}"))).collect(),
    };
    let site = id(format!("site-{site}"));
    let taken = t.pools.iter().any(|p| p.default_for.contains(&site));
    t.pools.push(ChatPool {
        id: id(format!("pool-{n}")),
        fqdn: fqdn(&name),
        kind: if single { PoolKind::Single } else { PoolKind::Multiple },
        computers,
        display_name: format!("Pool {n}"),
        port: Port::PERSISTENT_CHAT,
        compliance,
        default_for: if taken { vec![] } else { vec![site.clone()] },
        sql_store: primary,
        mirror_sql_store,
        backup_mirror_sql_store: None,
        backup_sql_store,
        compliance_sql_store,
        backup_compliance_sql_store,
        compliance_mirror_sql_store,
        backup_compliance_mirror_sql_store: None,
        file_store: FileStoreRef::Share(id(format!("file-{}", d.roll(sites)))),
        next_hop: id(format!("fe-{}", d.roll(sites))),
        site,
    });
}

/// `t` with a few things changed, rightly or wrongly: what a person, a script or a document may bring.
pub fn mutated(t: &Topology, seed: u64) -> Topology {
    let mut d = Dice(seed);
    let mut t = t.clone();
    for i in 0..=d.roll(5) {
        mutate(&mut t, &mut d, i);
    }
    t
}

fn mutate(t: &mut Topology, d: &mut Dice, i: usize) {
    let (pools, fronts, sites, stores) =
        (t.pools.len(), t.front_end_pools.len(), t.sites.len(), t.sql_stores.len());
    let some_store = d.roll(stores);
    let store = t.sql_stores.get(some_store).map(|s| s.id.clone());
    let n = d.roll(pools);
    let what = d.roll(16);
    if what < 12
        && let Some(p) = t.pools.get_mut(n)
    {
        match what {
            0 => p.display_name = ["", "Other", "Third"][d.roll(3)].to_owned(),
            1 => p.port = Port::parse(["5041", "5051", "5061"][d.roll(3)]).unwrap_or(Port::PERSISTENT_CHAT),
            2 => p.compliance = !p.compliance,
            3 => p.backup_sql_store = store,
            4 => p.mirror_sql_store = store,
            5 => p.compliance_sql_store = store,
            6 => drop(p.computers.pop()),
            7 => {
                let host = format!("new-{n}-{}", d.roll(3));
                p.computers.push(Computer { fqdn: fqdn(&host), placement: Placement::Node("n1".to_owned()) });
            }
            8 => p.next_hop = id(format!("fe-{}", d.roll(5))),
            9 => p.default_for.clear(),
            10 => p.file_store = FileStoreRef::LocalPath("/srv/chat".to_owned()),
            _ => p.kind = if p.kind == PoolKind::Single { PoolKind::Multiple } else { PoolKind::Single },
        }
        return;
    }
    match what % 8 {
        0 if pools > 0 => drop(t.pools.remove(n)),
        1 if fronts > 0 => drop(t.front_end_pools.remove(d.roll(fronts))),
        2 if sites > 0 => {
            let at = d.roll(sites);
            t.sites[at].site_id = format!("Renamed {}", d.roll(2));
        }
        3 if stores > 0 => drop(t.sql_stores.remove(some_store)),
        4 => t.sip_domains.push(fqdn(&format!("domain-{}", d.roll(3)))),
        5 => drop(t.sip_domains.pop()),
        6 => t.sites.push(Site { id: id(format!("site-new-{i}")), site_id: format!("Site {}", d.roll(4)) }),
        _ => t.data_centers.push(DataCenter {
            name: format!("South {i}"),
            members: vec![fqdn("pc-0")],
            slow_to: vec!["North".to_owned()],
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::topology::diff::{apply, diff};
    use crate::topology::effect::effects;
    use crate::topology::todo::todo;
    use crate::topology::transition::{Facts, transition};
    use crate::topology::validate::validate;

    #[test]
    fn a_large_one_is_valid_too() {
        let t = made(7, Size::of_pools(30));
        assert_eq!((t.pools.len(), t.sites.len()), (30, 3));
        assert!(t.pools.iter().all(|p| p.computers.len() == 8 && p.has_backup()));
        assert!(validate(&t).iter().all(|p| !p.blocks()), "{:?}", validate(&t));
    }

    proptest! {
        #[test]
        fn what_is_made_breaks_no_rule(seed: u64) {
            let t = made(seed, Size::SMALL);
            let wrong: Vec<_> = validate(&t).into_iter().filter(|p| p.blocks()).collect();
            prop_assert!(wrong.is_empty(), "{wrong:?}");
        }

        #[test]
        fn no_rule_panics_on_what_is_wrong(seed: u64, n: u64) {
            let before = made(seed, Size::SMALL);
            let after = mutated(&before, n);
            validate(&after);
            transition(&before, &after, &Facts::default());
            let changes = diff(&before, &after);
            let effects = effects(&before, &after, &Facts::default(), &changes);
            prop_assert_eq!(effects.each.len(), changes.len());
            todo(&before, &after, &std::collections::BTreeMap::new());
        }

        #[test]
        fn the_difference_applied_gives_the_other_one(seed: u64, n: u64) {
            let a = made(seed, Size::SMALL);
            let b = mutated(&a, n);
            for (from, to) in [(&a, &b), (&b, &a)] {
                let changes = diff(from, to);
                let got = apply(from, &changes).map_err(TestCaseError::fail)?;
                prop_assert!(diff(&got, to).is_empty(), "{:?}", diff(&got, to));
            }
            prop_assert!(diff(&a, &a).is_empty());
        }

        #[test]
        fn a_document_is_read_as_it_was_written(seed: u64, n: u64) {
            let t = mutated(&made(seed, Size::SMALL), n);
            let text = serde_json::to_string_pretty(&t).map_err(|e| TestCaseError::fail(e.to_string()))?;
            let back: Topology = serde_json::from_str(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(back, t);
        }
    }
}
