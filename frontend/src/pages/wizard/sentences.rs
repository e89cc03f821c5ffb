//! A draft in sentences, one per decision, each with the page that it was made on. Pure.

use shared::topology::draft::{FileChoice, FileChoiceKind, PoolDraft, SqlChoice};
use shared::topology::wizard::Page;
use shared::topology::{PoolKind, Topology};

/// What is said of something not entered yet.
const UNSET: &str = "(not entered yet)";

fn or_unset(text: &str) -> String {
    match text.trim() {
        "" => UNSET.to_owned(),
        t => t.to_owned(),
    }
}

/// The name of the draft's site.
pub fn site(d: &PoolDraft, t: &Topology) -> String {
    t.sites.iter().find(|s| s.id.as_str() == d.site).map_or_else(|| UNSET.to_owned(), |s| s.site_id.clone())
}

/// The SQL Server store of a choice, as Topology Builder prints it.
pub fn sql(c: &SqlChoice, t: &Topology) -> String {
    if !c.define_new {
        let found = t.sql_stores.iter().find(|s| s.id.as_str() == c.existing);
        return found.map_or_else(|| UNSET.to_owned(), shared::topology::SqlStore::label);
    }
    let server = or_unset(&c.fqdn);
    if c.named { format!("{server}\\{}", or_unset(&c.instance)) } else { server }
}

/// The file store of a choice.
pub fn file(c: &FileChoice, t: &Topology) -> String {
    match c.kind {
        FileChoiceKind::Existing => {
            let found = t.file_stores.iter().find(|f| f.id.as_str() == c.existing);
            found.map_or_else(|| UNSET.to_owned(), shared::topology::FileStore::label)
        }
        FileChoiceKind::New => format!("\\\\{}\\{}", or_unset(&c.fqdn), or_unset(&c.share)),
        FileChoiceKind::LocalPath => or_unset(&c.path),
    }
}

/// The FQDN of the next hop.
pub fn next_hop(d: &PoolDraft, t: &Topology) -> String {
    t.front_end_pools
        .iter()
        .find(|p| p.id.as_str() == d.next_hop)
        .map_or_else(|| UNSET.to_owned(), |p| p.fqdn.to_string())
}

fn defined(c: &SqlChoice) -> String {
    if c.define_new { format!(" It is newly defined ({}).", c.placement.words()) } else { String::new() }
}

/// The sentences in the order of the pages.
pub fn sentences(d: &PoolDraft, t: &Topology) -> Vec<(Page, String)> {
    let kind = if d.kind == PoolKind::Single { "single computer pool" } else { "multiple computer pool" };
    let mut out = vec![(
        Page::Fqdn,
        format!("{} is a {kind} of site {}. The kind is final.", or_unset(&d.fqdn), site(d, t)),
    )];
    if d.kind == PoolKind::Multiple {
        let names: Vec<String> =
            d.computers.iter().map(|c| format!("{} ({})", c.fqdn.trim(), c.placement.words())).collect();
        let text = match names.len() {
            0 => "It has no computer yet.".to_owned(),
            1 => format!("It has 1 computer: {}.", names[0]),
            n => format!("It has {n} computers: {}.", names.join(", ")),
        };
        out.push((Page::Computers, text));
    } else {
        out.push((
            Page::Fqdn,
            format!("Its one computer carries the pool's name ({}).", d.single_placement.words()),
        ));
    }
    out.push((
        Page::Properties,
        format!(
            "Clients show it as “{}”; Front End Servers reach it on port {}.",
            or_unset(&d.display_name),
            or_unset(&d.port)
        ),
    ));
    out.push((Page::Properties, affinity(d, t)));
    let compliance = if d.compliance {
        "Compliance is enabled: every event is queued in mgccomp."
    } else {
        "Compliance is not enabled."
    };
    out.push((Page::Properties, compliance.to_owned()));
    let recovery = if d.wants_backup() {
        "Disaster recovery is enabled: the pool can be failed over to backup databases."
    } else {
        "Disaster recovery is not enabled: the pool cannot be failed over."
    };
    out.push((Page::Properties, recovery.to_owned()));
    stores(d, t, &mut out);
    out.push((Page::NextHop, format!("{} routes requests to it (next hop).", next_hop(d, t))));
    out
}

fn affinity(d: &PoolDraft, t: &Topology) -> String {
    match (d.default_for_all, d.default_for_site) {
        (true, _) => "It is the default pool for all sites.".to_owned(),
        (false, true) => format!("It is the default pool for site {}.", site(d, t)),
        (false, false) => "It is the default pool of no site.".to_owned(),
    }
}

fn stores(d: &PoolDraft, t: &Topology, out: &mut Vec<(Page, String)>) {
    let mirror = "Every post is on two stores before it is acknowledged; the mirror is";
    let all = [
        (Page::SqlStore, &d.sql, "Chat room content is stored on", "mgc"),
        (Page::SqlStore, &d.mirror_sql, mirror, "mirror of mgc"),
        (Page::BackupSqlStore, &d.backup_sql, "After a failover it is stored on", "backup mgc"),
        (Page::BackupSqlStore, &d.backup_mirror_sql, "There it is mirrored to", "mirror of backup mgc"),
        (Page::ComplianceSqlStore, &d.compliance_sql, "Compliance events are queued on", "mgccomp"),
        (
            Page::BackupComplianceSqlStore,
            &d.backup_compliance_sql,
            "After a failover they are queued on",
            "backup mgccomp",
        ),
        (
            Page::ComplianceSqlStore,
            &d.compliance_mirror_sql,
            "Events are on two stores before they count as queued; the mirror is",
            "mirror of mgccomp",
        ),
        (
            Page::BackupComplianceSqlStore,
            &d.backup_compliance_mirror_sql,
            "There they are mirrored to",
            "mirror of backup mgccomp",
        ),
    ];
    for (page, choice, words, database) in all {
        let off = (database == "mirror of mgc" && !d.mirrored)
            || (database == "mirror of backup mgc" && !d.backup_mirrored)
            || (database == "mirror of mgccomp" && !d.compliance_mirrored)
            || (database == "mirror of backup mgccomp" && !d.backup_compliance_mirrored);
        if page.not_needed(d).is_none() && !off {
            out.push((page, format!("{words} {} ({database}).{}", sql(choice, t), defined(choice))));
        }
    }
    let new =
        if d.file.kind == FileChoiceKind::New { " The share must exist before you publish." } else { "" };
    out.push((Page::FileStore, format!("The file store is {}: log shipping goes through it, and legacy clients would put their files there.{new}", file(&d.file, t))));
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;

    use super::*;

    #[test]
    fn an_empty_draft_says_what_is_missing() {
        let all = sentences(&PoolDraft::default(), &litware());
        assert!(all[0].1.starts_with("(not entered yet) is a multiple computer pool"));
        assert!(all.iter().all(|(page, _)| page.not_needed(&PoolDraft::default()).is_none()));
    }

    #[test]
    fn every_store_that_applies_is_named() {
        let mut d = PoolDraft {
            compliance: true,
            disaster_recovery: true,
            site: "site-redmond".to_owned(),
            ..PoolDraft::default()
        };
        d.sql = SqlChoice {
            define_new: true,
            fqdn: "sql01.contoso.com".to_owned(),
            named: true,
            instance: "PCHAT".to_owned(),
            ..SqlChoice::default()
        };
        d.backup_sql.existing = "sql-dub-1".to_owned();
        let text: Vec<String> = sentences(&d, &litware()).into_iter().map(|(_, s)| s).collect();
        let has = |part: &str| text.iter().any(|s| s.contains(part));
        assert!(has("sql01.contoso.com\\PCHAT (mgc). It is newly defined (run here)."));
        assert!(has("dub-sql-001.litwareinc.com (backup mgc)"));
        assert!(has("backup mgccomp") && has("default pool for site Redmond"));
        assert!(!has("mirror"));
        d.mirrored = true;
        d.mirror_sql.existing = "sql-atl-2".to_owned();
        let text: Vec<String> = sentences(&d, &litware()).into_iter().map(|(_, s)| s).collect();
        assert!(
            text.iter().any(|s| s.contains("the mirror is atl-sql-002.litwareinc.com (mirror of mgc)")),
            "{text:?}"
        );
        d.kind = PoolKind::Single;
        assert!(sentences(&d, &litware()).iter().all(|(_, s)| !s.contains("backup mgc ")));
    }
}
