//! The one list of cmdlets. A name stands here once; the registry in the backend is made from the same
//! list, so a missing handler does not compile.
//!
//! What each of them takes is written in the family it belongs to; a cmdlet that is not in the list does not
//! compile either.

mod accounts;
mod categories;
mod databases;
mod define;
mod notices;
mod objects;
mod pools;
mod rooms;
mod servers;
mod settings;
mod test_messages;
mod topology;
mod users;
mod watchers;

use crate::cmdlet::{Cmdlet, Spec};

macro_rules! families {
    ($($family:ident)*) => {
        $( pub use self::$family::*; )*

        const _: () =
            assert!(ALL.len() == 0 $(+ $family::DEFINED)*, "a cmdlet is defined and not in the list");
    };
}

families! {
    accounts categories databases notices objects pools rooms servers settings test_messages topology users watchers
}

macro_rules! list {
    (($d:tt) $( $ty:ident )*) => {
        /// Every cmdlet, in the order of the list.
        pub const ALL: &[Spec] = &[ $( $ty::SPEC ),* ];

        /// Calls the macro `m` with the types of all cmdlets, to build what must be complete.
        #[macro_export]
        macro_rules! with_every_cmdlet {
            ($d m:ident) => { $d m! { $( $ty )* } };
        }
    };
}

list! { ($)
    GetCsPersistentChatState SetCsPersistentChatState StartLgFailover StartLgFailback TestLgFailover
    ResumeLgRun StopLgRun GetLgRun GetLgLogShipping SetLgLogShipping SetCsPersistentChatActiveServer
    GetCsPersistentChatEndpoint NewCsPersistentChatEndpoint RemoveCsPersistentChatEndpoint
    MoveLgPersistentChatEndpoint
    TestCsPersistentChatMessage GetLgTestRoom RemoveLgTestRoom TestLgPrecondition StopLgTestMessage
    GetLgTestTrace GetLgTestHistory SetLgTestHistory SetCsTestUserCredential GetCsTestUserCredential
    RemoveCsTestUserCredential
    GetCsWatcherNodeConfiguration NewCsWatcherNodeConfiguration SetCsWatcherNodeConfiguration
    RemoveCsWatcherNodeConfiguration TestCsWatcherNodeConfiguration GetLgTrustedCertificate
    NewLgTrustedCertificate RemoveLgTrustedCertificate
    GetCsPersistentChatPolicy NewCsPersistentChatPolicy SetCsPersistentChatPolicy
    RemoveCsPersistentChatPolicy GrantCsPersistentChatPolicy
    GetCsPersistentChatCategory NewCsPersistentChatCategory SetCsPersistentChatCategory
    RemoveCsPersistentChatCategory
    GetCsPersistentChatRoom NewCsPersistentChatRoom SetCsPersistentChatRoom RemoveCsPersistentChatRoom
    GetLgDeletedRoom RestoreLgRoom RemoveLgDeletedRoom GetLgRoomUsage
    GetCsAdminRole NewCsAdminRole SetCsAdminRole RemoveCsAdminRole GetCsAdminRoleAssignment
    GetCsService
    GetCsUser NewLgUser SetLgUser ResetLgUserPassword RemoveLgUser
    NewLgSipDomain NewLgSite NewLgFrontEndPool NewLgSqlStore NewLgFileStore NewLgFileShare
    NewLgPersistentChatPool SetLgSite SetLgFrontEndPool SetLgSqlStore SetLgFileStore SetLgPersistentChatPool
    SetLgDataCenter RemoveLgTopologyObject
    ResetLgTopologyDraft GetLgTopologyDraft NewLgTopologyDraft RenameLgTopologyDraft RemoveLgTopologyDraft
    MergeLgTopologyDraft GetLgTopologyVersion CompareLgTopology RestoreLgTopologyVersion ExportLgTopology
    ImportLgTopology TestCsTopology GetLgPublishToDo EnableCsTopology GetCsManagementStoreReplicationStatus
    InvokeCsManagementStoreReplication
    GetCsPool GetCsSite GetCsWindowsService StartCsWindowsService StopCsWindowsService
    GetLgKeptDatabase InstallCsDatabase UninstallCsDatabase InstallCsMirrorDatabase
    UninstallCsMirrorDatabase GetCsDatabaseMirrorState InvokeCsDatabaseFailover GetLgRunbook TestCsDatabase
    GetCsTopology PublishCsTopology
    GetLgShare NewLgShare GetLgAnnouncement NewLgAnnouncement RemoveLgAnnouncement RemoveLgShare
    GetLgAccount NewLgAccount SetLgAccount GetLgSession RemoveLgSession GetLgToken NewLgToken RemoveLgToken
    TestLgAudit GetLgAudit
    GetLgAlertTarget NewLgAlertTarget SetLgAlertTarget RemoveLgAlertTarget TestLgAlertTarget GetLgAlert
    ConfirmLgAlert SuspendLgAlert
    GetCsPersistentChatConfiguration NewCsPersistentChatConfiguration SetCsPersistentChatConfiguration
    RemoveCsPersistentChatConfiguration
    ClearCsPersistentChatRoom RemoveCsPersistentChatMessage
    GetCsPersistentChatAddin NewCsPersistentChatAddin SetCsPersistentChatAddin RemoveCsPersistentChatAddin
    GetCsPersistentChatEligiblePrincipal
    GetCsPersistentChatComplianceConfiguration NewCsPersistentChatComplianceConfiguration
    SetCsPersistentChatComplianceConfiguration RemoveCsPersistentChatComplianceConfiguration
    GetLgNode NewLgNode RemoveLgNode GetLgCertificate SetLgCertificate RemoveLgCertificate GetLgDnsRecord
    ImportLgUser
    GetLgPasswordLink RemoveLgPasswordLink RemoveLgSecondFactor
    GetLgBackupSchedule SetLgBackupSchedule GetLgBackup StartLgBackup
    GetLgGroup NewLgGroup SetLgGroup RemoveLgGroup GetLgOrganizationalUnit
}

/// The definition of the cmdlet with this name, any case.
pub fn find(name: &str) -> Option<&'static Spec> {
    ALL.iter().find(|s| s.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_well_formed() {
        for (i, s) in ALL.iter().enumerate() {
            assert!(s.name.split_once('-').is_some_and(|(v, n)| !v.is_empty() && n.len() > 2), "{}", s.name);
            assert!(!ALL[..i].iter().any(|o| o.name.eq_ignore_ascii_case(s.name)), "{} twice", s.name);
            for (j, p) in s.params.iter().enumerate() {
                assert!(!p.help.trim().is_empty() && !s.params[..j].iter().any(|o| o.name == p.name));
            }
        }
    }
}
