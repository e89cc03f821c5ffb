//! The sample deployment *Litware*: the names of the source documents' examples.

use crate::names::{Fqdn, ObjectId, Port};
use crate::topology::{
    ChatPool, Computer, DataCenter, Edition, FORMAT, FileStore, FileStoreRef, FrontEndPool, Placement,
    PoolKind, Site, SqlStore, Topology,
};

fn fqdn(s: &str) -> Fqdn {
    Fqdn::try_from(s).expect("the sample's names are well formed, tested below")
}

fn id(s: &str) -> ObjectId {
    ObjectId::try_from(s).expect("the sample's ids are well formed, tested below")
}

fn here(name: &str) -> Computer {
    Computer { fqdn: fqdn(name), placement: Placement::RunHere }
}

fn sql(key: &str, host: &str) -> SqlStore {
    SqlStore { id: id(key), fqdn: fqdn(host), instance: None, placement: Placement::RunHere }
}

fn front_end(key: &str, pool: &str, server: &str, site: &str) -> FrontEndPool {
    FrontEndPool {
        id: id(key),
        fqdn: fqdn(pool),
        edition: Edition::Enterprise,
        site: id(site),
        servers: vec![here(server)],
    }
}

/// What a pool of the sample is made of.
struct Spec {
    key: &'static str,
    fqdn: &'static str,
    site: &'static str,
    computers: &'static [&'static str],
    display: &'static str,
    stores: [Option<&'static str>; 4],
    default_for: &'static [&'static str],
    next_hop: &'static str,
    file: &'static str,
}

fn pool(s: &Spec) -> ChatPool {
    let store = |i: usize| s.stores[i].map(id);
    ChatPool {
        id: id(s.key),
        fqdn: fqdn(s.fqdn),
        kind: if s.computers == [s.fqdn] { PoolKind::Single } else { PoolKind::Multiple },
        site: id(s.site),
        computers: s.computers.iter().map(|c| here(c)).collect(),
        display_name: s.display.to_owned(),
        port: Port::PERSISTENT_CHAT,
        compliance: s.stores[2].is_some(),
        default_for: s.default_for.iter().map(|d| id(d)).collect(),
        sql_store: id(s.stores[0].unwrap_or("sql-atl-1")),
        mirror_sql_store: None,
        backup_mirror_sql_store: None,
        backup_sql_store: store(1),
        compliance_sql_store: store(2),
        backup_compliance_sql_store: store(3),
        compliance_mirror_sql_store: None,
        backup_compliance_mirror_sql_store: None,
        file_store: FileStoreRef::Share(id(s.file)),
        next_hop: id(s.next_hop),
    }
}

/// The sample topology: four pools, two Front End pools, two sites.
pub fn litware() -> Topology {
    let stores = [
        ("sql-atl-1", "atl-sql-001.litwareinc.com"),
        ("sql-dub-1", "dub-sql-001.litwareinc.com"),
        ("sql-atl-2", "atl-sql-002.litwareinc.com"),
        ("sql-dub-2", "dub-sql-002.litwareinc.com"),
        ("sql-atl-3", "atl-sql-003.litwareinc.com"),
        ("sql-dub-3", "dub-sql-003.litwareinc.com"),
    ];
    Topology {
        format: FORMAT,
        sip_domains: vec![fqdn("litwareinc.com"), fqdn("contoso.com")],
        sites: vec![
            Site { id: id("site-redmond"), site_id: "Redmond".to_owned() },
            Site { id: id("site-dublin"), site_id: "Dublin".to_owned() },
        ],
        front_end_pools: vec![
            front_end("fe-atl", "atl-fe-001.litwareinc.com", "atl-fes-001.litwareinc.com", "site-redmond"),
            front_end("fe-dub", "dub-fe-001.litwareinc.com", "dub-fes-001.litwareinc.com", "site-dublin"),
        ],
        sql_stores: stores.iter().map(|(k, h)| sql(k, h)).collect(),
        file_stores: vec![
            FileStore {
                id: id("file-atl"),
                fqdn: fqdn("atl-fs-001.litwareinc.com"),
                share: "chatfiles".to_owned(),
                placement: Placement::RunHere,
            },
            FileStore {
                id: id("file-dub"),
                fqdn: fqdn("dub-fs-001.litwareinc.com"),
                share: "chatfiles".to_owned(),
                placement: Placement::RunHere,
            },
        ],
        data_centers: data_centers(),
        pools: vec![
            pool(&Spec {
                key: "pool-cs",
                fqdn: "atl-cs-001.litwareinc.com",
                site: "site-redmond",
                computers: &[
                    "gc-001.litwareinc.com",
                    "gc-002.litwareinc.com",
                    "gc-003.litwareinc.com",
                    "gc-004.litwareinc.com",
                    "gc-005.litwareinc.com",
                    "gc-006.litwareinc.com",
                ],
                display: "Litware chat",
                stores: [Some("sql-atl-1"), Some("sql-dub-1"), Some("sql-atl-1"), Some("sql-dub-1")],
                default_for: &["site-redmond"],
                next_hop: "fe-atl",
                file: "file-atl",
            }),
            pool(&Spec {
                key: "pool-gc",
                fqdn: "atl-gc-001.litwareinc.com",
                site: "site-redmond",
                computers: &["atl-gcs-001.litwareinc.com", "atl-gcs-002.litwareinc.com"],
                display: "Litware group chat",
                stores: [Some("sql-atl-2"), Some("sql-dub-2"), None, None],
                default_for: &[],
                next_hop: "fe-atl",
                file: "file-atl",
            }),
            pool(&Spec {
                key: "pool-pc",
                fqdn: "atl-persistentchat-001.litwareinc.com",
                site: "site-redmond",
                computers: &["atl-pcs-001.litwareinc.com", "atl-pcs-002.litwareinc.com"],
                display: "Litware persistent chat",
                stores: [Some("sql-atl-3"), None, None, None],
                default_for: &[],
                next_hop: "fe-atl",
                file: "file-atl",
            }),
            pool(&Spec {
                key: "pool-dub",
                fqdn: "dub-pc-001.litwareinc.com",
                site: "site-dublin",
                computers: &["dub-pc-001.litwareinc.com"],
                display: "Dublin chat",
                stores: [Some("sql-dub-3"), None, None, None],
                default_for: &["site-dublin"],
                next_hop: "fe-dub",
                file: "file-dub",
            }),
        ],
    }
}

/// atl-cs-001 is stretched: half of its computers stand in Dublin, beside the backup database.
fn data_centers() -> Vec<DataCenter> {
    let one = |name: &str, slow_to: &[&str], hosts: &[&str]| DataCenter {
        name: name.to_owned(),
        members: hosts.iter().map(|h| fqdn(&format!("{h}.litwareinc.com"))).collect(),
        slow_to: slow_to.iter().map(|s| (*s).to_owned()).collect(),
    };
    let atlanta = [
        "atl-fes-001",
        "gc-001",
        "gc-002",
        "gc-003",
        "atl-gcs-001",
        "atl-gcs-002",
        "atl-pcs-001",
        "atl-pcs-002",
        "atl-sql-001",
        "atl-sql-002",
        "atl-sql-003",
    ];
    let dublin = [
        "dub-fes-001",
        "gc-004",
        "gc-005",
        "gc-006",
        "dub-pc-001",
        "dub-sql-001",
        "dub-sql-002",
        "dub-sql-003",
    ];
    vec![one("Atlanta", &["Dublin"], &atlanta), one("Dublin", &[], &dublin)]
}

/// Servers of the sample that are active from the start, where not the first four.
pub fn active_at_first(pool: &str) -> Option<&'static [&'static str]> {
    (pool == "atl-cs-001.litwareinc.com").then_some(&["gc-001.litwareinc.com", "gc-002.litwareinc.com"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_valid() {
        assert_eq!(crate::topology::validate::validate(&litware()), Vec::new());
    }
}
