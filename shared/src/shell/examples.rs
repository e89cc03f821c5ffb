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
Get-LgShare | Remove-LgShare
Get-LgAccount
New-LgAccount kenmyer -Role CsHelpDesk
Set-LgAccount kenmyer -Enabled $False
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
