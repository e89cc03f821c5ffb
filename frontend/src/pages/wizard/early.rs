//! Rules of the whole topology for a draft that is not finished: what is still missing is filled with
//! names that cannot clash, so that a name already in use shows on its own page and not only at the end.

use shared::Problem;
use shared::topology::Topology;
use shared::topology::draft::{ComputerDraft, FileChoice, FileChoiceKind, PoolDraft, SqlChoice};
use shared::topology::wizard::check;

/// Everything wrong with the draft: what `wizard::check` finds, and what it would find once the missing
/// fields are filled in.
pub fn problems(d: &PoolDraft, t: &Topology) -> Vec<Problem> {
    let mut found = check(d, t);
    let missing: Vec<String> =
        found.iter().filter(|p| p.blocks()).map(|p| group(&p.field).to_owned()).collect();
    if let Some(whole) = filled(d, t, &missing) {
        let known = |p: &Problem| missing.iter().any(|m| m == group(&p.field));
        let more: Vec<Problem> = check(&whole, t).into_iter().filter(|p| !known(p)).collect();
        // Warnings that the unfinished check had are in the second one as well.
        found.retain(|p| !more.contains(p));
        found.extend(more);
    }
    found.sort_by_key(|p| ORDER.iter().position(|f| *f == group(&p.field)).unwrap_or(ORDER.len()));
    found
}

/// The parts of the draft in the order in which the pages ask for them.
const ORDER: [&str; 18] = [
    "fqdn",
    "site",
    "computers",
    "display_name",
    "port",
    "default_for_site",
    "default_for_all",
    "sql",
    "mirror_sql",
    "backup_sql",
    "backup_mirror_sql",
    "compliance_sql",
    "compliance_mirror_sql",
    "backup_compliance_sql",
    "backup_compliance_mirror_sql",
    "file",
    "next_hop",
    "",
];

/// The part of the draft that a field belongs to.
fn group(field: &str) -> &str {
    field.split('.').next().unwrap_or(field)
}

/// The draft with its missing parts filled in; none when nothing is missing or it cannot be filled.
fn filled(d: &PoolDraft, t: &Topology, missing: &[String]) -> Option<PoolDraft> {
    if missing.is_empty() {
        return None;
    }
    let mut w = d.clone();
    for part in missing {
        match part.as_str() {
            "site" => w.site = t.sites.first()?.id.to_string(),
            "fqdn" => w.fqdn = "unset-pool.invalid".to_owned(),
            "computers" => {
                w.computers = vec![ComputerDraft {
                    fqdn: "unset-computer.invalid".to_owned(),
                    ..ComputerDraft::default()
                }];
            }
            "display_name" => "unset".clone_into(&mut w.display_name),
            "port" => "5041".clone_into(&mut w.port),
            "sql" => w.sql = store("unset-sql-1.invalid"),
            "backup_sql" => w.backup_sql = store("unset-sql-2.invalid"),
            "mirror_sql" => w.mirror_sql = store("unset-sql-5.invalid"),
            "backup_mirror_sql" => w.backup_mirror_sql = store("unset-sql-6.invalid"),
            "compliance_mirror_sql" => w.compliance_mirror_sql = store("unset-sql-7.invalid"),
            "backup_compliance_mirror_sql" => {
                w.backup_compliance_mirror_sql = store("unset-sql-8.invalid");
            }
            "compliance_sql" => w.compliance_sql = store("unset-sql-3.invalid"),
            "backup_compliance_sql" => w.backup_compliance_sql = store("unset-sql-4.invalid"),
            "file" => w.file = share(),
            "next_hop" => w.next_hop = t.front_end_pools.first()?.id.to_string(),
            // Not a field that can be filled: the unfinished check stands.
            _ => return None,
        }
    }
    Some(w)
}

fn store(fqdn: &str) -> SqlChoice {
    SqlChoice { define_new: true, fqdn: fqdn.to_owned(), ..SqlChoice::default() }
}

fn share() -> FileChoice {
    FileChoice {
        kind: FileChoiceKind::New,
        fqdn: "unset-file.invalid".to_owned(),
        share: "unset".to_owned(),
        ..FileChoice::default()
    }
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;
    use shared::topology::PoolKind;
    use shared::topology::wizard::Page;

    use super::*;

    fn fresh() -> PoolDraft {
        PoolDraft { site: "site-redmond".to_owned(), ..PoolDraft::default() }
    }

    fn on(page: Page, list: &[Problem]) -> Vec<&str> {
        list.iter()
            .filter(|p| Page::of_field(&p.field) == page && p.blocks())
            .map(|p| p.code.as_str())
            .collect()
    }

    #[test]
    fn a_name_in_use_shows_while_the_rest_is_empty() {
        let d = PoolDraft { fqdn: "atl-cs-001.litwareinc.com".to_owned(), ..fresh() };
        let list = problems(&d, &litware());
        assert_eq!(on(Page::Fqdn, &list), ["V1"]);
        assert_eq!(on(Page::Computers, &list), ["V4"], "what is missing is still said");
    }

    #[test]
    fn a_second_default_pool_shows_on_the_properties_page() {
        let d = PoolDraft { display_name: "x".to_owned(), ..fresh() };
        assert_eq!(on(Page::Properties, &problems(&d, &litware())), ["V14"]);
    }

    #[test]
    fn no_made_up_name_is_ever_shown() {
        for d in
            [fresh(), PoolDraft::default(), PoolDraft { kind: PoolKind::Single, compliance: true, ..fresh() }]
        {
            for t in [litware(), Topology::default()] {
                assert!(problems(&d, &t).iter().all(|p| !p.text.contains("invalid")));
            }
        }
    }

    #[test]
    fn a_whole_draft_has_the_problems_of_the_check_and_no_others() {
        let mut d = fresh();
        d.fqdn = "pcpool.contoso.com".to_owned();
        d.computers = vec![ComputerDraft { fqdn: "pc01.contoso.com".to_owned(), ..ComputerDraft::default() }];
        d.display_name = "Contoso".to_owned();
        d.default_for_site = false;
        d.sql = store("sql09.contoso.com");
        d.file.existing = "file-atl".to_owned();
        d.next_hop = "fe-atl".to_owned();
        assert_eq!(problems(&d, &litware()), check(&d, &litware()));
        assert!(problems(&d, &litware()).is_empty());
    }
}
