
Get-CsPersistentChatRoom | Select-Object -First 1

Get-CsPersistentChatRoom | Select-Object Name,Privacy -Last 2

Get-CsPersistentChatRoom | Select-Object -ExpandProperty Members

Get-CsPersistentChatRoom | Select-Object -ExpandProperty Privacy -Unique

Get-CsPersistentChatRoom | Sort-Object Name -Descending | Format-Table Name,Privacy,Members -AutoSize

Get-CsPersistentChatRoom | Sort-Object Messages | ft Name,@{Name="Pool";Expression={$_.Identity -like "atl*"}} -HideTableHeaders

Get-CsPersistentChatRoom | Measure-Object

Get-CsPersistentChatRoom | Measure-Object Messages -Sum -Average -Minimum -Maximum

Get-CsPersistentChatRoom | Group-Object Privacy

(Get-CsPersistentChatRoom | Group-Object Privacy)[0].Group.Name

Get-CsPersistentChatState | Get-Member

Get-CsPersistentChatState | ConvertTo-Json

(Get-CsPersistentChatState)[-1] | ConvertTo-Json -Compress

Get-CsPersistentChatRoom | fl Name,M*

Get-CsPersistentChatRoom | select * -ExcludeProperty Members,Identity -First 1

Get-CsPersistentChatRoom | Where-Object Privacy -eq Closed | ForEach-Object Name

Get-CsPersistentChatRoom | Where-Object { $_.Messages -gt 3 -and $_.Privacy -ne "Closed" } | % { "$($_.Name) on $($_.Identity)" }
