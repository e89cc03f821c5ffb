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
const DEFINE: [&str; 18] = [
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
    "New-LgFileShare",
    "Save-LgDraft",
];

/// The pseudo-cmdlet that stands for editing a wizard draft field by field.
pub const EDIT_DRAFT: &str = "Save-LgDraft";

fn is_query(name: &str) -> bool {
    cmdlets::find(name).is_some_and(|s| s.nature == Nature::Query)
}

fn administers_portal(name: &str) -> bool {
    name.ends_with("LgAccount") || name == "Get-LgAudit"
}

/// Alerts that whoever runs chat may answer and try out.
const ANSWER_ALERTS: [&str; 3] = ["Confirm-LgAlert", "Suspend-LgAlert", "Test-LgAlertTarget"];

/// Whether `role` may run `cmdlet`. Unknown roles may nothing.
pub fn role_allows(role: &str, cmdlet: &str) -> bool {
    // A test alert changes nothing here, but somebody's telephone rings: that is more than reading.
    let read = is_query(cmdlet) && !administers_portal(cmdlet) && cmdlet != "Test-LgAlertTarget";
    let define = DEFINE.contains(&cmdlet);
    match role {
        "CsAdministrator" => true,
        "CsPersistentChatAdministrator" => {
            let guided =
                ["Start-LgFailover", "Start-LgFailback", "Resume-LgRun", "Stop-LgRun"].contains(&cmdlet);
            let chat = guided
                || ANSWER_ALERTS.contains(&cmdlet)
                || cmdlet.contains("CsPersistentChat")
                || cmdlet == "Move-LgPersistentChatEndpoint";
            read || define
                || chat
                || cmdlet.ends_with("LgShare")
                || cmdlet.ends_with("LgUser")
                || cmdlet == "Reset-LgUserPassword"
        }
        "CsServerAdministrator" => {
            let watches = cmdlet.contains("CsTestUserCredential") || cmdlet.contains("CsWatcherNode");
            let runs = ["Set-CsPersistentChatActiveServer", "Invoke-CsManagementStoreReplication"]
                .contains(&cmdlet)
                || cmdlet.ends_with("-CsWindowsService");
            let answers = ANSWER_ALERTS.contains(&cmdlet);
            read || define || runs || watches || answers || cmdlet.starts_with("Test-")
        }
        "CsUserAdministrator" => {
            read || define
                || cmdlet == "Grant-CsPersistentChatPolicy"
                || cmdlet.ends_with("LgUser")
                || cmdlet == "Reset-LgUserPassword"
        }
        "CsHelpDesk" => read || cmdlet.starts_with("Test-"),
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
            let expected =
                (s.nature == Nature::Query && !administers_portal(s.name)) || s.name.starts_with("Test-");
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
