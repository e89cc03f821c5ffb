//! Who may run what: roles are sets of cmdlet names. Source: model §17, S0, S2, S3.

use crate::cmdlet::Nature;
use crate::cmdlets;

/// The eleven standard roles (V28). Source: L:planning-for-role-based-access-control.
pub const STANDARD: [&str; 11] = [
    "CsAdministrator",
    "CsPersistentChatAdministrator",
    "CsServerAdministrator",
    "CsUserAdministrator",
    "CsHelpDesk",
    "CsViewOnlyAdministrator",
    "CsVoiceAdministrator",
    "CsArchivingAdministrator",
    "CsResponseGroupAdministrator",
    "CsLocationAdministrator",
    "CsResponseGroupManager",
];

/// Cmdlets that define a draft; by S3 any account may, except the two read-only roles.
const DEFINE: [&str; 22] = [
    "New-LgSipDomain",
    "New-LgSite",
    "New-LgFrontEndPool",
    "New-LgSqlStore",
    "New-LgFileStore",
    "New-LgPersistentChatPool",
    "Remove-LgTopologyObject",
    "Set-LgSite",
    "Set-LgFrontEndPool",
    "Set-LgSqlStore",
    "Set-LgFileStore",
    "Set-LgPersistentChatPool",
    "Set-LgDataCenter",
    "Restore-LgTopologyVersion",
    "Import-LgTopology",
    "Reset-LgTopologyDraft",
    "New-LgTopologyDraft",
    "Rename-LgTopologyDraft",
    "Remove-LgTopologyDraft",
    "Merge-LgTopologyDraft",
    "New-LgFileShare",
    "Save-LgDraft",
];

/// The pseudo-cmdlet that stands for editing a wizard draft field by field.
pub const EDIT_DRAFT: &str = "Save-LgDraft";

fn is_query(name: &str) -> bool {
    cmdlets::find(name).is_some_and(|s| s.nature == Nature::Query)
}

fn administers_portal(name: &str) -> bool {
    let of_portal = ["LgAccount", "LgAudit", "LgSession", "LgToken", "LgSecondFactor", "LgPasswordLink"];
    of_portal.iter().any(|noun| name.ends_with(noun))
}

/// A grant of a role of one's own: `+Cmdlet`, or `+Cmdlet@site:Redmond` where the role has a scope.
fn grant(entry: &str) -> Option<(&str, Option<&str>)> {
    let rest = entry.strip_prefix('+')?;
    Some(rest.split_once('@').map_or((rest, None), |(c, s)| (c, Some(s))))
}

/// Sites (`site:<SiteId>`) that `cmdlet` is confined to by roles of one's own; none when it may be run
/// anywhere.
pub fn confined_to(cmdlet: &str, roles: &[String]) -> Option<Vec<String>> {
    let mut sites = Vec::new();
    for r in roles.iter().filter(|r| role_allows(r, cmdlet)) {
        match grant(r) {
            Some((_, Some(site))) => sites.push(site.to_owned()),
            _ => return None,
        }
    }
    Some(sites)
}

/// Alerts that whoever runs chat may answer and try out.
const ANSWER_ALERTS: [&str; 3] = ["Confirm-LgAlert", "Suspend-LgAlert", "Test-LgAlertTarget"];

/// Who may send a test message may stop one.
const STOP_TEST: &str = "Stop-LgTestMessage";

/// A rehearsal reads and writes as much as the database has: that is more than a test message.
const REHEARSE: &str = "Test-LgFailover";

/// Whether it is about chat users and their groups: who administers them also sees and takes back their one-time links.
fn administers_users(cmdlet: &str) -> bool {
    cmdlet.ends_with("LgUser")
        || cmdlet.ends_with("LgGroup")
        || cmdlet == "Reset-LgUserPassword"
        || cmdlet.ends_with("LgPasswordLink")
}

/// Whether `role` (or a grant of one) may run `cmdlet`. Unknown roles may nothing.
pub fn role_allows(role: &str, cmdlet: &str) -> bool {
    if let Some((granted, _)) = grant(role) {
        return granted.eq_ignore_ascii_case(cmdlet);
    }
    // A test alert changes nothing here, but somebody's telephone rings: that is more than reading.
    let read = is_query(cmdlet) && !administers_portal(cmdlet) && cmdlet != "Test-LgAlertTarget";
    let define = DEFINE.contains(&cmdlet);
    match role {
        "CsAdministrator" => true,
        "CsPersistentChatAdministrator" => {
            let guided = [
                "Start-LgFailover",
                "Start-LgFailback",
                "Resume-LgRun",
                "Stop-LgRun",
                "Set-LgLogShipping",
                REHEARSE,
            ]
            .contains(&cmdlet);
            let chat = guided
                || cmdlet == STOP_TEST
                || ["Remove-LgTestRoom", "Restore-LgRoom", "Remove-LgDeletedRoom"].contains(&cmdlet)
                || ANSWER_ALERTS.contains(&cmdlet)
                || cmdlet.contains("CsPersistentChat")
                || cmdlet == "Move-LgPersistentChatEndpoint";
            read || define
                || chat
                || cmdlet.ends_with("LgShare")
                || cmdlet.ends_with("LgAnnouncement")
                || administers_users(cmdlet)
        }
        "CsServerAdministrator" => {
            let watches = cmdlet.contains("CsTestUserCredential") || cmdlet.contains("CsWatcherNode");
            let runs = ["Set-CsPersistentChatActiveServer", "Invoke-CsManagementStoreReplication"]
                .contains(&cmdlet)
                || cmdlet.ends_with("-CsWindowsService");
            let answers = ANSWER_ALERTS.contains(&cmdlet);
            let tests = cmdlet == STOP_TEST || cmdlet == "Set-LgTestHistory";
            read || define || runs || watches || answers || cmdlet.starts_with("Test-") || tests
        }
        "CsUserAdministrator" => {
            read || define || cmdlet == "Grant-CsPersistentChatPolicy" || administers_users(cmdlet)
        }
        "CsHelpDesk" => read || (cmdlet.starts_with("Test-") && cmdlet != REHEARSE) || cmdlet == STOP_TEST,
        "CsViewOnlyAdministrator" => read,
        r if STANDARD.contains(&r) => read || define,
        _ => false,
    }
}

/// Whether any of `roles` may run `cmdlet`; the reason stands on the disabled button and in the refusal.
///
/// # Errors
/// Which roles would allow it.
pub fn can(cmdlet: &str, roles: &[String]) -> Result<(), String> {
    if roles.iter().any(|r| role_allows(r, cmdlet)) {
        return Ok(());
    }
    let who: Vec<_> = STANDARD.into_iter().filter(|r| role_allows(r, cmdlet)).collect();
    Err(format!("{cmdlet} is not part of your role. It needs {}.", who.join(" or ")))
}

/// What two lists of roles both allow, as one list: the second where the first allows all of it, or else a grant for each
/// cmdlet, in the sites that both reach. The names stay in front to be shown; together they allow nothing by themselves.
pub fn both(within: &[String], roles: &[String]) -> Vec<String> {
    let all = within.iter().any(|r| r == "CsAdministrator");
    if all || within == roles {
        return roles.to_vec();
    }
    let name = |list: &[String]| list.first().cloned().unwrap_or_default();
    let mut out = vec![format!("{} within {}", name(roles), name(within))];
    for cmdlet in cmdlets::ALL.iter().map(|s| s.name).chain([EDIT_DRAFT]) {
        if can(cmdlet, within).is_err() || can(cmdlet, roles).is_err() {
            continue;
        }
        match (confined_to(cmdlet, within), confined_to(cmdlet, roles)) {
            (None, None) => out.push(format!("+{cmdlet}")),
            (Some(sites), None) | (None, Some(sites)) => {
                out.extend(sites.iter().map(|s| format!("+{cmdlet}@{s}")));
            }
            (Some(a), Some(b)) => {
                let shared = a.iter().filter(|s| b.iter().any(|x| x.eq_ignore_ascii_case(s)));
                out.extend(shared.map(|s| format!("+{cmdlet}@{s}")));
            }
        }
    }
    out
}

/// The cmdlets of a role, in the order of the list.
pub fn cmdlets_of(role: &str) -> Vec<&'static str> {
    cmdlets::ALL.iter().map(|s| s.name).filter(|c| role_allows(role, c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpdesk_reads_and_tests_and_changes_nothing() {
        for s in cmdlets::ALL {
            let expected = (s.nature == Nature::Query && !administers_portal(s.name))
                || (s.name.starts_with("Test-") && s.name != REHEARSE)
                || s.name == STOP_TEST;
            assert_eq!(role_allows("CsHelpDesk", s.name), expected, "{}", s.name);
        }
    }

    #[test]
    fn every_cmdlet_has_a_role_and_the_reason_names_it() {
        for s in cmdlets::ALL {
            assert!(role_allows("CsAdministrator", s.name));
            let reason = can(s.name, &[]).unwrap_err();
            assert!(reason.contains("CsAdministrator"), "{reason}");
        }
    }

    #[test]
    fn a_role_of_ones_own_grants_its_cmdlets_in_its_sites() {
        let roles = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let own =
            roles(&["RedmondChat", "+Set-CsPersistentChatState@site:Redmond", "+Get-CsPersistentChatState"]);
        assert!(can("Set-CsPersistentChatState", &own).is_ok() && can("Publish-CsTopology", &own).is_err());
        assert_eq!(confined_to("Set-CsPersistentChatState", &own), Some(roles(&["site:Redmond"])));
        assert_eq!(confined_to("Get-CsPersistentChatState", &own), None);
        let both = [own, roles(&["CsAdministrator"])].concat();
        assert_eq!(confined_to("Set-CsPersistentChatState", &both), None);
    }

    #[test]
    fn what_two_lists_both_allow_is_within_each() {
        let roles = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let lists = [
            roles(&["CsAdministrator"]),
            roles(&["CsHelpDesk"]),
            roles(&["CsUserAdministrator"]),
            roles(&["Gone"]),
            roles(&[
                "R",
                "+Set-CsPersistentChatState@site:Redmond",
                "+Get-CsPool",
                "+New-LgUser@site:Redmond",
            ]),
            roles(&[
                "D",
                "+Set-CsPersistentChatState@site:redmond",
                "+Set-CsPersistentChatState@site:Dublin",
                "+New-LgUser@site:Dublin",
            ]),
        ];
        for (a, b) in lists.iter().flat_map(|a| lists.iter().map(move |b| (a, b))) {
            let made = both(a, b);
            for c in cmdlets::ALL.iter().map(|s| s.name).chain([EDIT_DRAFT]) {
                let sites =
                    |l: &[String]| confined_to(c, l).map(|s| s.iter().map(|s| s.to_lowercase()).collect());
                let apart = match (sites(a), sites(b)) {
                    (Some(x), Some(y)) => {
                        let (x, y): (Vec<String>, Vec<String>) = (x, y);
                        !x.iter().any(|s| y.contains(s))
                    }
                    _ => false,
                };
                let expected = can(c, a).is_ok() && can(c, b).is_ok() && !apart;
                assert_eq!(can(c, &made).is_ok(), expected, "{c}: {a:?} and {b:?}");
                if expected && (sites(a).is_some() || sites(b).is_some()) {
                    assert!(confined_to(c, &made).is_some(), "{c}: {a:?} and {b:?}");
                }
            }
        }
    }

    /// A new cmdlet changes this file, so that who may run it is looked at.
    #[test]
    fn the_matrix_is_what_was_reviewed() {
        let letter = |r: &str, c: &str| if role_allows(r, c) { 'x' } else { '.' };
        let line = |c: &str| format!("{} {c}\n", STANDARD.map(|r| letter(r, c)).iter().collect::<String>());
        let matrix: String = cmdlets::ALL.iter().map(|s| line(s.name)).collect();
        let text = format!("{}\n\n{matrix}", STANDARD.join(" "));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/roles.golden");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(
            text,
            std::fs::read_to_string(path).unwrap(),
            "BLESS=1 writes it anew; review the difference"
        );
    }

    #[test]
    fn alerts_are_set_up_by_administrators_and_answered_by_whoever_runs_chat() {
        for role in STANDARD {
            let may = |c| role_allows(role, c);
            let (all, answers) = (
                role == "CsAdministrator",
                ["CsAdministrator", "CsPersistentChatAdministrator", "CsServerAdministrator"].contains(&role),
            );
            assert!(may("Get-LgAlert") && may("Get-LgAlertTarget"), "{role}");
            for set_up in ["New-LgAlertTarget", "Set-LgAlertTarget", "Remove-LgAlertTarget"] {
                assert_eq!(may(set_up), all, "{role} {set_up}");
            }
            assert_eq!(may("Confirm-LgAlert") && may("Suspend-LgAlert"), answers, "{role}");
            assert_eq!(may("Test-LgAlertTarget"), answers || role == "CsHelpDesk", "{role}");
        }
    }

    #[test]
    fn defining_and_publishing_are_split() {
        assert!(role_allows("CsVoiceAdministrator", "New-LgPersistentChatPool"));
        assert!(!role_allows("CsVoiceAdministrator", "Publish-CsTopology"));
        assert!(!role_allows("CsHelpDesk", "New-LgPersistentChatPool"));
    }
}
