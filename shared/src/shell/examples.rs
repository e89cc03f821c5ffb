//! Lines that show how a cmdlet is used; those of Lync's cmdlets are the documents' own.

const LINES: &str = r#"
Get-CsPersistentChatState
Get-CsPersistentChatState -Filter "*.litwareinc.com"
Get-CsPersistentChatState | Where-Object {$_.PoolState -eq "FailedOver"}
Set-CsPersistentChatState -Identity "PersistentChatServer:atl-gc-001.litwareinc.com" -PoolState "FailedOver"
Get-CsPersistentChatState | Set-CsPersistentChatState -PoolState Normal -WhatIf
Set-CsPersistentChatActiveServer -Identity "global" -ActiveServers @{Add="atl-gc-001.litwareinc.com"}
Set-CsPersistentChatActiveServer -Identity "global" -ActiveServers @{Remove="atl-gc-001.litwareinc.com"}
Set-CsPersistentChatActiveServer -Identity "global" -ActiveServers $Null
Get-CsPersistentChatEndpoint -Identity "sip:pce@litwareinc.com"
New-CsPersistentChatEndpoint -SipAddress "sip:pce@litwareinc.com" -PersistentChatPoolFqdn "atl-pcpool-001.litwareinc.com" -DisplayName "Persistent Chat Endpoint 1"
Get-CsPersistentChatEndpoint -PersistentChatPoolFqdn "atl-pcpool-001.litwareinc.com" | Remove-CsPersistentChatEndpoint
Move-LgPersistentChatEndpoint "sip:pce@litwareinc.com" -PersistentChatPoolFqdn dub-pc-001.litwareinc.com
Test-CsPersistentChatMessage -TargetFqdn atl-fe-001.litwareinc.com -SenderSipAddress "sip:pilar@litwareinc.com" -SenderCredential (Get-Credential "litwareinc\pilar") -ReceiverSipAddress "sip:kenmyer@litwareinc.com" -ReceiverCredential (Get-Credential "litwareinc\kenmyer")
Get-CsPersistentChatPolicy -Filter "site:*"
Get-CsPersistentChatPolicy | Where-Object {$_.EnablePersistentChat -eq $True}
New-CsPersistentChatPolicy -Identity "site:Redmond" -EnablePersistentChat $True
Get-CsPersistentChatPolicy | Set-CsPersistentChatPolicy -EnablePersistentChat $True
Remove-CsPersistentChatPolicy -Identity "RedmondPersistentChatPolicy"
Grant-CsPersistentChatPolicy -Identity "Ken Myer" -PolicyName "RedmondUsersPersistentChatPolicy"
Grant-CsPersistentChatPolicy -Identity "Ken Myer" -PolicyName $Null
Get-CsPersistentChatCategory -PersistentChatPoolFqdn "atl-cs-001.litwareinc.com"
New-CsPersistentChatCategory -Name "HelpDesk" -PersistentChatPoolFqdn "atl-cs-001.litwareinc.com"
Set-CsPersistentChatCategory -Identity "atl-cs-001.litwareinc.com\helpdesk" -Creators @{Add="sip:kenmyer@litwareinc.com"}
Remove-CsPersistentChatCategory -Identity "atl-cs-001.litwareinc.com\helpdesk"
Get-CsPersistentChatRoom -Identity "atl-cs-001.litwareinc.com\ITChatRoom"
New-CsPersistentChatRoom -Name "ITChatRoom" -PersistentChatPoolFqdn "atl-cs-001.litwareinc.com" -Category "IT"
Get-CsPersistentChatRoom | Set-CsPersistentChatRoom -Disabled $True
Remove-CsPersistentChatRoom -Identity "atl-gc-001.litwareinc.com\RedmondChatRoom"
Get-LgDeletedRoom | Format-Table Name,Deleted,DeletedBy,KeptUntil
Restore-LgRoom "atl-gc-001.litwareinc.com\RedmondChatRoom" -Name "Redmond (restored)"
Remove-LgDeletedRoom "atl-gc-001.litwareinc.com\RedmondChatRoom"
Get-LgRoomUsage -Hint Dead | Select-Object Identity,Messages,LastMessage
Get-CsPersistentChatComplianceConfiguration -Filter "site:*"
New-CsPersistentChatComplianceConfiguration -Identity "site:Redmond" -AddUserDetails $True -AddChatRoomDetails $True
Set-CsPersistentChatComplianceConfiguration -Identity "global" -RunInterval "00:10:00"
Remove-CsPersistentChatComplianceConfiguration -Identity "site:Redmond"
Get-CsAdminRole | Where-Object {$_.Cmdlets -match "Set-CsPersistentChatState"}
Get-CsService -PoolFqdn "atl-cs-001.litwareinc.com" | Select-Object Identity
Get-CsUser "Ken*" | Format-Table DisplayName,SipAddress
New-LgUser -SipAddress sip:pilar@litwareinc.com -DisplayName "Pilar Ackerman" -LogonName LITWAREINC\pilar -RegistrarPool atl-fe-001.litwareinc.com
Set-LgUser "Pilar Ackerman" -Enabled $False
Reset-LgUserPassword sip:pilar@litwareinc.com -Password (Read-Host -AsSecureString)
Remove-LgUser sip:pilar@litwareinc.com
New-LgSipDomain contoso.com
New-LgSite Redmond
New-LgFrontEndPool atl-fe-001.litwareinc.com -Site Redmond -Servers fe1.litwareinc.com,fe2.litwareinc.com
New-LgSqlStore atl-sql-001.litwareinc.com -Instance rtc
New-LgFileStore atl-fs-001.litwareinc.com -Share chat
New-LgFileShare \\atl-fs-001.litwareinc.com\chat
New-LgPersistentChatPool -Draft 7
Remove-LgTopologyObject \\atl-fs-001.litwareinc.com\chat
Reset-LgTopologyDraft -WhatIf
Get-CsTopology | ConvertTo-Json
Publish-CsTopology -Comment "Second pool"
Get-LgShare
New-LgShare -Label "Desk" -ExpiresInDays 30
New-LgShare -Label "Desk Dublin" -Pools dub-pc-001.litwareinc.com -Level State -MayRunTest
Get-LgAnnouncement
New-LgAnnouncement "New clients from Monday"
New-LgAnnouncement "Update of Dublin" -Kind Maintenance -From 2026-12-01T20:00:00Z -Until 2026-12-01T22:00:00Z
Get-LgAnnouncement | Remove-LgAnnouncement
Get-LgShare | Remove-LgShare
Get-LgBackupSchedule
Set-LgBackupSchedule -Enabled $True -Daily 02:30 -Keep 14
Set-LgBackupSchedule -EveryHours 6 -Folder /srv/backups/lifeguard
Get-LgBackup | Select-Object -First 1
Start-LgBackup
Get-LgAccount
New-LgAccount kenmyer -Role CsHelpDesk
Set-LgAccount kenmyer -Enabled $False
Start-LgFailover -Identity "service:atl-cs-001.litwareinc.com" -ActiveServers gc-004.litwareinc.com,gc-005.litwareinc.com
Start-LgFailover atl-cs-001.litwareinc.com -Forced -AcknowledgeLoss
Start-LgFailover atl-cs-001.litwareinc.com -NextHop dub-fe-001.litwareinc.com
Start-LgFailback atl-cs-001.litwareinc.com
Test-LgFailover atl-cs-001.litwareinc.com
Get-LgRun | Where-Object {$_.State -eq "failed"} | Resume-LgRun
Stop-LgRun 0199b1c2-6b0e-7000-8000-000000000001
Get-LgLogShipping | Format-Table Identity,Shipped,Applied,CommitsBehind
Set-LgLogShipping atl-cs-001.litwareinc.com -BackupSeconds 900 -CopySeconds 900 -RestoreSeconds 900 -BackupAlertSeconds 3600 -RestoreAlertSeconds 3600
Test-CsPersistentChatMessage -TargetFqdn atl-fe-001.litwareinc.com -Setup $True -TestUser1SipAddress "sip:pilar@litwareinc.com" -TestUser2SipAddress "sip:kenmyer@litwareinc.com"
Test-CsPersistentChatMessage -TargetFqdn atl-fe-001.litwareinc.com -OutLoggerVariable log -OutVerboseVariable lines -Verbose
Test-LgPrecondition atl-fe-001.litwareinc.com -SenderSipAddress "sip:pilar@litwareinc.com" -ReceiverSipAddress "sip:kenmyer@litwareinc.com"
Get-LgTestRoom
Remove-LgTestRoom atl-cs-001.litwareinc.com
Stop-LgTestMessage 0199b1c2-6b0e-7000-8000-000000000001
Get-LgTestTrace 0199b1c2-6b0e-7000-8000-000000000001 | Format-Table Offset,Direction,User,Message
Get-LgTestHistory -Pool atl-cs-001.litwareinc.com -Result failure -StartDate 11/1/2026
Set-LgTestHistory -KeepDays 180
Set-CsTestUserCredential -SipAddress "sip:kenmyer@litwareinc.com" -UserName "litwareinc\kenmyer" -Password "07Apples"
Get-CsTestUserCredential -SipAddress "sip:kenmyer@litwareinc.com"
Remove-CsTestUserCredential "sip:kenmyer@litwareinc.com"
New-CsWatcherNodeConfiguration -TargetFqdn "atl-fe-001.litwareinc.com" -PortNumber 5061 -TestUsers "sip:kenmyer@litwareinc.com","sip:pilar@litwareinc.com" -EveryMinutes 15
Set-CsWatcherNodeConfiguration -Identity "atl-fe-001.litwareinc.com" -DailyAt 06:00
Set-CsWatcherNodeConfiguration -Identity "atl-fe-001.litwareinc.com" -Cron "*/15 8-18 * * 1-5" -JitterSeconds 30 -MaintenanceWindows "Sun 02:00-04:00"
Get-CsWatcherNodeConfiguration | Where-Object {$_.TestUsers -contains "sip:kenmyer@litwareinc.com"}
Get-CsWatcherNodeConfiguration | Remove-CsWatcherNodeConfiguration
Test-CsWatcherNodeConfiguration
New-LgTrustedCertificate -Name "Fabrikam" -Certificate "-----BEGIN CERTIFICATE-----…"
Get-LgTrustedCertificate | Format-Table Identity,Subject,NotAfter
Remove-LgTrustedCertificate "Fabrikam"
New-CsAdminRole -Identity "RedmondOperators" -Template "CsHelpDesk" -ConfigScopes "site:Redmond" -Cmdlets @{Add="Set-CsPersistentChatActiveServer"}
Set-CsAdminRole -Identity "RedmondOperators" -ConfigScopes @{Add="site:Dublin"}
Get-CsAdminRole | Where-Object {$_.IsStandardRole -eq $False} | Remove-CsAdminRole
Get-CsAdminRoleAssignment -Identity "kenmyer"
Set-LgSite Redmond -Name Seattle
Set-LgFrontEndPool atl-fe-001.litwareinc.com -Servers @{Add="fe3.litwareinc.com"}
Set-LgSqlStore atl-sql-003.litwareinc.com -Instance PCHAT
Set-LgFileStore \\atl-fs-001.litwareinc.com\chat -Share chatfiles
Set-LgPersistentChatPool atl-gc-001.litwareinc.com -DisplayName "Group chat" -Computers @{Add="atl-gcs-003.litwareinc.com"}
Set-LgDataCenter Atlanta -Members @{Add="gc-001.litwareinc.com"} -SlowTo Dublin
Get-LgTopologyVersion
Get-LgTopologyDraft
New-LgTopologyDraft dublin-move
New-LgSite Cork -TopologyDraft dublin-move
Rename-LgTopologyDraft dublin-move -NewName dublin
Merge-LgTopologyDraft dublin -Mine pool/pool-dub/port
Remove-LgTopologyDraft dublin
Get-LgPublishToDo | Where-Object {$_.Done -eq $False}
Compare-LgTopology -Reference 1 -Difference 2
Restore-LgTopologyVersion 1
Export-LgTopology -Version 1 | Select-Object -ExpandProperty Document
Import-LgTopology -Document '{ "format": 1 }' -WhatIf
Test-CsTopology
Test-CsTopology -Service "Registrar:atl-cs-001.litwareinc.com"
Enable-CsTopology
Get-CsManagementStoreReplicationStatus | Where-Object {$_.UpToDate -eq $False}
Get-CsManagementStoreReplicationStatus -ReplicaFqdn atl-cs-001.litwareinc.com
Invoke-CsManagementStoreReplication -ReplicaFqdn atl-cs-001.litwareinc.com
Get-CsPool -Site "Site:Redmond"
Get-CsSite
Get-CsWindowsService -ComputerName gc-001.litwareinc.com
Start-CsWindowsService -ComputerName gc-001.litwareinc.com
Stop-CsWindowsService -ComputerName gc-001.litwareinc.com -Graceful
Get-LgKeptDatabase
Install-CsDatabase -ConfiguredDatabases -SqlServerFqdn atl-sql-001.litwareinc.com -DatabasePaths "E:\CSLog","F:\CSLog","G:\CSDB"
Install-CsDatabase -CentralManagementDatabase -SqlServerFqdn atl-sql-001.litwareinc.com -SqlInstanceName rtc -DatabasePaths "G:\CSDB"
Uninstall-CsDatabase -DatabaseType PersistentChat -SqlServerFqdn atl-sql-002.litwareinc.com
Install-CsMirrorDatabase -ConfiguredDatabases -FileShare "\\atl-fs-001\DbBackup" -SqlServerFqdn "atl-primary-001.litwareinc.com" -DropExisitingDatabasesOnMirror
Uninstall-CsMirrorDatabase -SqlServerFqdn "atl-mirror-001.litwareinc.com" -SqlInstanceName "RTC" -DatabaseType "User" -DropExistingDatabasesOnMirror
Get-CsDatabaseMirrorState -PoolFqdn "atl-cs-001.litwareinc.com" -DatabaseType Monitoring
Invoke-CsDatabaseFailover -PoolFqdn atl-cs-001.litwareinc.com -DatabaseType "User" -NewPrincipal "Mirror"
Invoke-CsDatabaseFailover -PoolFqdn atl-cs-001.litwareinc.com -ExcludeDatabase -NewPrincipal "Mirror" -ExcludeDatabaseList "LcsCDR", "LcsLog"
Get-LgRunbook atl-cs-001.litwareinc.com -Procedure Failover | Format-List Title,Place,Text
Test-CsDatabase -ConfiguredDatabases -SqlServerFqdn atl-sql-001.litwareinc.com
Get-LgSession -Account kenmyer | Remove-LgSession
Get-LgCertificate | Where-Object {$_.DaysLeft -lt 30}
$pem = "-----BEGIN CERTIFICATE-----…"; $key = "-----BEGIN PRIVATE KEY-----…"; Set-LgCertificate atl-fe-001.litwareinc.com -Certificate $pem -PrivateKey $key
Remove-LgCertificate atl-fe-001.litwareinc.com
Get-LgDnsRecord | Format-Table Type,Name,Value,Found
Get-LgNode
New-LgAccount nina -Role CsHelpDesk -OneTimeLink -LinkHours 48
New-LgUser -SipAddress sip:nina@litwareinc.com -DisplayName "Nina Vietzen" -LogonName LITWAREINC\nina -RegistrarPool atl-fe-001.litwareinc.com -OneTimeLink
Import-LgUser -Csv "SipAddress;DisplayName;LogonName`nsip:nina@litwareinc.com;Nina Vietzen;LITWAREINC\nina" -RegistrarPool atl-fe-001.litwareinc.com -SkipExisting -WhatIf
Get-LgPasswordLink
Get-LgPasswordLink | Where-Object {$_.Kind -eq "user"} | Remove-LgPasswordLink
Remove-LgSecondFactor kenmyer
New-LgNode atl-node-001 -ValidMinutes 30
Get-LgNode | Where-Object {$_.State -eq "Waiting"} | Remove-LgNode
Get-LgToken
New-LgToken -Label "nightly report" -Role CsViewOnlyAdministrator -ExpiresInDays 90
Get-LgToken | Where-Object {$_.Label -like "nightly*"} | Remove-LgToken
New-LgAlertTarget "On call" -Kind Webhook -Address https://hooks.contoso.com/chat
Set-LgAlertTarget "On call" -AfterFailures 2
Get-LgAlertTarget | Remove-LgAlertTarget
Test-LgAlertTarget "On call"
Get-CsPersistentChatConfiguration -Filter "site:*"
New-CsPersistentChatConfiguration -Identity "site:Redmond" -DefaultChatHistory 50
Set-CsPersistentChatConfiguration -Identity "global" -ParticipantUpdateLimit 100
Remove-CsPersistentChatConfiguration -Identity "site:Redmond"
Clear-CsPersistentChatRoom -Identity "atl-cs-001.litwareinc.com\ITChatRoom" -EndDate "8/1/2012"
Remove-CsPersistentChatMessage -Identity "atl-cs-001.litwareinc.com\ITChatRoom" -StartDate "7/1/2012" -EndDate "8/1/2012"
Get-CsPersistentChatAddin -PersistentChatPoolFqdn "atl-cs-001.litwareinc.com"
New-CsPersistentChatAddin -Name "ITPersistentChatAddin" -PersistentChatPoolFqdn "atl-cs-001.litwareinc.com" -Url "https://atl-cs-001.litwareinc.com/itchat"
Set-CsPersistentChatAddin -Identity "atl-cs-001.litwareinc.com\ITPersistentChatAddin" -Url "https://atl-cs-001.litwareinc.com/itchat2"
Remove-CsPersistentChatAddin -Identity "atl-cs-001.litwareinc.com\ITPersistentChatAddin"
Get-CsPersistentChatEligiblePrincipal -Category "atl-cs-001.litwareinc.com\helpdesk" -Filter "sip:ken*"
Get-LgAlert
Confirm-LgAlert server.failed/gc-001.litwareinc.com
Suspend-LgAlert gc-001.litwareinc.com -Minutes 60
Get-CsUser -OU "OU=Sales,DC=litwareinc,DC=com"
Set-LgUser "Ken Myer" -OU "OU=Sales,DC=litwareinc,DC=com"
Get-LgGroup "Sales*"
Get-LgGroup -Member "sip:kenmyer@litwareinc.com"
New-LgGroup Sales -Members "sip:kenmyer@litwareinc.com","Pilar Ackerman"
Set-LgGroup Sales -Members @{Add="sip:kenmyer@litwareinc.com"}
Set-CsPersistentChatCategory -Identity "atl-cs-001.litwareinc.com\helpdesk" -AllowedMembers @{Add="CN=Sales,OU=Groups,DC=litwareinc,DC=com"}
Remove-LgGroup Sales
Get-LgOrganizationalUnit
Test-LgAudit
Get-LgAudit -ResultSize 20 -Filter "Set-*"
"#;

/// All lines.
pub fn all() -> impl Iterator<Item = &'static str> {
    LINES.lines().filter(|l| !l.is_empty())
}

/// Lines that use the cmdlet of this name.
pub fn of(name: &str) -> impl Iterator<Item = &'static str> {
    all().filter(move |l| l.split([' ', '(']).any(|w| w == name))
}
