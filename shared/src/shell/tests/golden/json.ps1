
Get-CsPersistentChatState

Get-CsPersistentChatRoom | Select-Object Name,Members -First 2

Get-CsUser

(Get-CsPersistentChatRoom).Count

Set-CsPersistentChatPolicy global -EnablePersistentChat $true -WhatIf

Get-CsPersistentChatRoom | Out-Null

$rooms = Get-CsPersistentChatRoom; $rooms | Where-Object Name -eq None
