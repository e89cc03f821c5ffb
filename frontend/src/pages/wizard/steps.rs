//! The pages of a draft: which apply, how far each is, what comes before and after.

use shared::Problem;
use shared::topology::draft::PoolDraft;
use shared::topology::wizard::Page;

use super::patches::{changes, document, field_of};

/// How far a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    Open,
    /// Nothing is wrong on it.
    Done,
    /// Something is wrong on it; the first text.
    Wrong(String),
    /// Does not apply, and why.
    NotNeeded(&'static str),
}

/// The page before this one that applies.
pub fn back(page: Page, d: &PoolDraft) -> Option<Page> {
    applying(d).into_iter().rev().find(|p| *p < page)
}

/// The page after this one that applies.
pub fn next(page: Page, d: &PoolDraft) -> Option<Page> {
    applying(d).into_iter().find(|p| *p > page)
}

/// The pages that apply, in order.
pub fn applying(d: &PoolDraft) -> Vec<Page> {
    Page::ALL.into_iter().filter(|p| p.not_needed(d).is_none()).collect()
}

/// What blocks on a page, first problem first. The summary is blocked by every page's problems.
pub fn blocker(page: Page, problems: &[Problem]) -> Option<&Problem> {
    problems.iter().find(|p| p.blocks() && (page == Page::Summary || Page::of_field(&p.field) == page))
}

/// How far a page is; `left` says that it was left once in this visit.
pub fn progress(page: Page, d: &PoolDraft, problems: &[Problem], left: bool) -> Progress {
    if let Some(why) = page.not_needed(d) {
        return Progress::NotNeeded(why);
    }
    if page == Page::Summary || !(left || touched(page, d)) {
        return Progress::Open;
    }
    match blocker(page, problems) {
        Some(p) => Progress::Wrong(p.text.clone()),
        None => Progress::Done,
    }
}

/// Whether anything was entered on the page, also in an earlier visit. Site and defaults are preset, so
/// they do not count.
fn touched(page: Page, d: &PoolDraft) -> bool {
    let preset =
        PoolDraft { site: d.site.clone(), default_for_site: d.default_for_site, ..PoolDraft::default() };
    changes(&document(&preset), &document(d)).iter().any(|p| Page::of_field(&field_of(&p.path)) == page)
}

#[cfg(test)]
mod tests {
    use shared::sample::litware;
    use shared::topology::PoolKind;
    use shared::topology::wizard::check;

    use super::*;

    #[test]
    fn pages_that_do_not_apply_are_passed_over() {
        let mut d = PoolDraft::default();
        assert_eq!(next(Page::SqlStore, &d), Some(Page::FileStore));
        assert_eq!(back(Page::FileStore, &d), Some(Page::SqlStore));
        d.compliance = true;
        d.disaster_recovery = true;
        assert_eq!(next(Page::SqlStore, &d), Some(Page::BackupSqlStore));
        d.kind = PoolKind::Single;
        assert_eq!(next(Page::Fqdn, &d), Some(Page::Properties));
        assert_eq!(
            next(Page::SqlStore, &d),
            Some(Page::ComplianceSqlStore),
            "no disaster recovery without several computers"
        );
        assert_eq!((back(Page::Fqdn, &d), next(Page::Summary, &d)), (None, None));
    }

    #[test]
    fn a_page_is_open_until_something_was_entered_or_it_was_left() {
        let t = litware();
        let mut d = PoolDraft { site: "site-redmond".to_owned(), ..PoolDraft::default() };
        let at = |d: &PoolDraft, page, left| progress(page, d, &check(d, &t), left);
        assert_eq!(at(&d, Page::Fqdn, false), Progress::Open);
        assert!(matches!(at(&d, Page::Fqdn, true), Progress::Wrong(_)));
        d.fqdn = "pcpool.contoso.com".to_owned();
        assert_eq!(at(&d, Page::Fqdn, false), Progress::Done);
        assert!(matches!(at(&d, Page::BackupSqlStore, true), Progress::NotNeeded(_)));
    }
}
