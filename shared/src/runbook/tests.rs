use super::*;
use crate::sample::litware;

fn guided() -> Topology {
    let mut t = litware();
    for s in &mut t.sql_stores {
        s.placement = Placement::SqlServerGuided;
    }
    let mut mirror = t.sql_stores[0].clone();
    mirror.id = crate::ObjectId::try_from("sql-mirror").unwrap();
    mirror.fqdn = crate::Fqdn::try_from("atl-sql-009.litwareinc.com").unwrap();
    t.pools[0].mirror_sql_store = Some(mirror.id.clone());
    let mut other = mirror.clone();
    other.id = crate::ObjectId::try_from("sql-mirror-2").unwrap();
    other.fqdn = crate::Fqdn::try_from("dub-sql-009.litwareinc.com").unwrap();
    other.instance = Some("PCHAT".to_owned());
    t.pools[0].backup_mirror_sql_store = Some(other.id.clone());
    t.sql_stores.extend([mirror, other]);
    t
}

fn golden(name: &str, got: &str) {
    let path = format!("{}/src/runbook/golden/{name}.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("LIFEGUARD_UPDATE").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    assert_eq!(got, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

#[test]
fn both_directions_as_they_are_printed() {
    let t = guided();
    for (name, to) in [("failover", PoolState::FailedOver), ("failback", PoolState::Normal)] {
        golden(name, &runbook(&t, &t.pools[0], to, &Choices::default()).unwrap().markdown());
    }
}

#[test]
fn no_step_of_the_procedure_is_missing_and_their_order_holds() {
    let t = guided();
    let text = runbook(&t, &t.pools[0], PoolState::FailedOver, &Choices::default()).unwrap().markdown();
    let order = [
        "WITH NORECOVERY, CHECKSUM, INIT",
        "sp_delete_log_shipping_secondary_database",
        "Copy-Item",
        "RESTORE LOG [mgc]",
        "RESTORE DATABASE [mgc] WITH RECOVERY",
        "-PoolState FailedOver",
        "Install-CsMirrorDatabase",
        "-ActiveServers $Null",
        "Test-CsPersistentChatMessage",
    ];
    let at: Vec<_> = order.iter().map(|s| text.find(s).unwrap_or_else(|| panic!("{s} is missing"))).collect();
    assert!(at.is_sorted(), "{at:?}");
    assert!(text.contains(DISCLAIMER));
}

#[test]
fn names_cannot_leave_their_quotes() {
    let t = guided();
    let hostile = Choices {
        log_share: Some("\\\\fs\\x'; DROP DATABASE mgc; --".to_owned()),
        copy_folder: Some("D:\\it's $(here)".to_owned()),
        active: vec![],
    };
    for to in [PoolState::FailedOver, PoolState::Normal] {
        let text = runbook(&t, &t.pools[0], to, &hostile).unwrap().markdown();
        assert!(text.contains("x''; DROP") && !text.contains("x'; DROP"), "{text}");
        assert!(!text.contains("it's") && text.contains("it''s"), "{text}");
    }
}

#[test]
fn pools_that_run_here_or_have_no_backup_have_none() {
    let t = litware();
    let no = runbook(&t, &t.pools[0], PoolState::FailedOver, &Choices::default()).unwrap_err();
    assert!(matches!(no, NoRunbook::RunsHere(_)));
    let mut t = guided();
    t.pools[0].backup_sql_store = None;
    let no = runbook(&t, &t.pools[0], PoolState::FailedOver, &Choices::default()).unwrap_err();
    assert!(matches!(no, NoRunbook::NoBackup(_)));
}
