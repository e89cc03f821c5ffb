
Get-Help Set-CsPersistentChatState

Get-Help Set-CsPersistentChatState -Examples

Get-Help New-CsPersistentChatEndpoint -Full

Get-Help Set-CsPersistentChatState -Parameter Pool*

Get-Help Select-Object -Full

Get-Help *Endpoint

Get-Help Set-CsPersistentChatStat

Get-Command -Noun CsPersistentChatState

Get-Command -Verb Test

Get-Command *-LgSite

(Get-Command -Noun CsPersistentChatRoom).Name

Get-Command Get-CsUsr
