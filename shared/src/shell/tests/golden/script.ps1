
# Which pools run on their primary databases?
$pool = Read-Host -Prompt "Pool"
$states = Get-CsPersistentChatState
foreach ($s in $states) {
    if ($s.Identity -like "*$pool") {
        Write-Host "$($s.Identity) is the one"
    } else {
        Write-Output "$($s.Identity) is another"   # said by the way
    }
}

$one = $states[0]
$one.PoolState = "FailedOver"
Set-CsPersistentChatState -Instance $one `
    -WhatIf

"Rooms: $((Get-CsPersistentChatRoom).Count), first {0}" -f (Get-CsPersistentChatRoom)[0].Name

$text = Get-CsPersistentChatState | Out-String; $text.Length; Write-Warning "done"

Get-CsPersistentChatState | Set-CsPersistentChatState –PoolState Normal –WhatIf

Get-CsPersistentChatRoom | Selct-Object Name
