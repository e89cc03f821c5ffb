//! The language: values, operators, statements, errors.

use super::*;

#[test]
fn values_and_where_they_are_expanded() {
    for (script, out) in [
        // A quoted text where a command could stand is a value, in one statement.
        ("\"Get-CsUser\"", "Get-CsUser\n"),
        ("'a' + \"b\"", "ab\n"),
        ("\"1 + 2 = $(1 + 2)\"", "1 + 2 = 3\n"),
        ("$(1; 2)", "1\n2\n"),
        ("$x = @{Name='atl';Tags='a','b'}; \"$($x.Name): $($x.Tags)\"", "atl: a b\n"),
        ("$x = 'a','b','c'; $x[0]; $x[-1]; $x.Count; $x[7]", "a\nc\n3\n"),
        ("$x = 'atl'; $x.Count; $x.Length; $x[0]", "1\n3\na\n"),
        ("('a','b')[1]", "b\n"),
        ("@(Write-Output only).Count; @().Count", "1\n0\n"),
        ("$x = Write-Output 1 | Where-Object { $_ -eq 2 }; $x -eq $null; $x.Count", "True\n0\n"),
        ("$x = @{PoolState='Normal'}; $x.PoolState = 'FailedOver'; $x.poolstate", "FailedOver\n"),
        ("$x = 1,2; $x[1] = 5; $x += 7; \"$x\"", "1 5 7\n"),
        ("$x = @{}; $x['a'] = 1; $x.a", "1\n"),
        ("\"${x}y$\"", "ERROR: The variable $x has no value yet.\n"),
        ("'{0}' -f 'a'; '{0,4}|{1,-3}|{{}}' -f 1,'b'; 'a','b' -join '-'", "a\n   1|b  |{}\na-b\n"),
        ("7 % 4 * 2 - 1; 1.5 + 1; -3", "5\n2.5\n-3\n"),
        ("$a = 007; $a; 1.50", "7\n"),
    ] {
        if script.starts_with("$a = 007") {
            // What is not written like a number stays the text that was typed.
            assert_eq!(shows(script), "007\n1.50\n");
        } else {
            assert_eq!(shows(script), out, "{script}");
        }
    }
}

#[test]
fn objects_of_commands_in_parentheses() {
    let report = ("Target Fqdn   : a\n".to_owned(), json!({ "TargetFqdn": "a", "Result": "Success" }));
    let test = "Test-CsPersistentChatMessage -TargetFqdn a";
    for (script, out) in [
        (test.to_owned(), "Target Fqdn   : a\n"),
        (format!("({test}).Result"), "Success\n"),
        (format!("$r = {test}; if ($r.Result -eq 'success') {{ 'up' }} else {{ 'down' }}"), "up\n"),
        (format!("\"Chat: $(({test}).Result)\""), "Chat: Success\n"),
        (format!("{test} | Select-Object Result"), "\nResult : Success\n"),
        (format!("1 | ForEach-Object {{ {test} }}"), "Target Fqdn   : a\n"),
    ] {
        let host = Fake { report: Some(report.clone()), yes: true, ..Fake::default() };
        assert_eq!(printed(&run(&host, &script)), out, "{script}");
    }
}

#[test]
fn statements_comments_and_continued_lines() {
    for (script, out) in [
        ("if (1 -gt 2) { 'a' } elseif ($true) { 'b' } else { 'c' }", "b\n"),
        ("if ($null)\n{ 'a' }\nelse\n{ 'c' }\n'd'", "c\nd\n"),
        ("foreach ($x in 1,2,3) { if ($x -ne 2) { \"n$x\" } }", "n1\nn3\n"),
        ("$r = foreach ($x in 1,2) { $x * 10 }; $r.Count; $r[1]", "2\n20\n"),
        ("$s = if ($true) { 'yes' } else { 'no' }; $s", "yes\n"),
        ("# only a comment", ""),
        ("'a' # behind\n<# over\nlines #> 'b'", "a\nb\n"),
        ("Write-Output `\n  'a' `\n  'b'", "a\nb\n"),
        ("Write-Output 1,2 |\n  Sort-Object -Descending\n  | Select-Object -First 1", "2\n"),
        ("'a'; 'b';; 'c'", "a\nb\nc\n"),
        ("$x = 5; $x -= 2; $x", "3\n"),
    ] {
        assert_eq!(shows(script), out, "{script}");
    }
    for (script, part) in [
        ("'a' 'b'", "between two statements stands"),
        ("\"Get-CsUser\" -Identity x", "between two statements stands"),
        ("if (1 { 2 }", "closing parenthesis"),
        ("if (1) 2", "A block { } is missing"),
        ("foreach ($x of 1) { }", "foreach has the form"),
        ("while ($true) { }", "is not known here"),
        ("$true = 1", "Nothing can be assigned"),
        ("$x = @{PoolState='a'}; $x.PoolStat = 'b'", "Did you mean PoolState?"),
        ("$x.ToString()", "ToString() cannot be called here"),
        ("1 / 0", "divided by 0"),
    ] {
        let r = run(&Fake::default(), script);
        assert!(!r.ok && printed(&r).contains(part), "{script}: {r:?}");
    }
}

#[test]
fn dashes_of_word_processors() {
    for dash in ['\u{2013}', '\u{2014}', '\u{2015}'] {
        let line = format!("Get{dash}CsAdminRole {dash}Identity CsHelpDesk {dash}ErrorAction Stop");
        let host = Fake::default();
        assert!(run(&host, &line).ok, "{line}");
        assert_eq!(args_of(&host), json!({ "Identity": "CsHelpDesk" }));
        assert_eq!(shows(&format!("{dash}not (1 {dash}eq 2 {dash}or 2 {dash}gt 3)")), "True\n");
        assert_eq!(shows(&format!("Write{dash}Host {dash}5; 7 {dash} 2; {dash}3")), "-5\n5\n-3\n");
        assert!(shows(&format!("Get{dash}Help Set{dash}CsPersistentChatState")).contains("SYNTAX"));
    }
}

#[test]
fn operators_as_in_powershell() {
    for (condition, value) in [
        // Equal precedence, from left to right: other languages say True.
        ("$true -or $true -and $false", "False"),
        ("$false -and $true -or $true", "True"),
        ("$true -xor $true", "False"),
        // -not binds tighter than comparison.
        ("-not $true -eq $false", "True"),
        ("!('a' -eq 'b')", "True"),
        ("'ATL' -eq 'atl'", "True"),
        ("'ATL' -ceq 'atl'", "False"),
        ("'ATL' -ieq 'atl'", "True"),
        ("'Atl-001' -like 'atl*'", "True"),
        ("'Atl-001' -clike 'atl*'", "False"),
        ("'Atl-001' -match '^atl-\\d{3}$'", "True"),
        ("'Atl-001' -cmatch '^atl'", "False"),
        ("'Atl-001' -cnotmatch '^atl'", "True"),
        ("'a','B' -contains 'b'", "True"),
        ("'a','B' -ccontains 'b'", "False"),
        ("'b' -in 'a','B'", "True"),
        ("'b' -cin 'a','B'", "False"),
        ("'c' -notin 'a','B'", "True"),
        ("10 -gt 9", "True"),
        ("$null -eq $null", "True"),
        // A condition that is known is not evaluated further.
        ("$true -or $missing", "True"),
        ("$false -and $missing", "False"),
    ] {
        assert_eq!(shows(condition).trim(), value, "{condition}");
    }
    assert_eq!(shows("'a','b','ab' -like 'a*'"), "a\nab\n");
}

#[test]
fn misspelt_parameters_are_refused_with_a_hint() {
    for (line, part) in [
        ("1 | Where-Object -FilterScrip { $_ }", ""),
        ("1 | Where-Object -FiltrScript { $_ }", "Did you mean -FilterScript?"),
        ("1 | Select-Object -Frist 1", "Did you mean -First?"),
        ("1 | Select-Object -Propety a", "Did you mean -Property?"),
        ("1 | Sort-Object -Descnding", "Did you mean -Descending?"),
        ("1 | Select-Object -F 1", ""),
        ("1 | Select-Object -ExPand a", "-ExpandProperty"),
        ("1 | Select-Object -Ex a", "is ambiguous: -ExpandProperty, -ExcludeProperty"),
        ("1 | Measure-Object -M", "is ambiguous: -Minimum, -Maximum"),
        ("1 | Where-Object a -eqq 2", "Did you mean -EQ?"),
        ("Get-CsPersistentChatState -Fo", ""),
        ("Get-CsPersistentChatState -F x", "is ambiguous: -Filter, -Force"),
        ("Get-CsPersistentChatState -Fil x", ""),
        ("Set-CsPersistentChatPolicy x -E $true", "is ambiguous: -EnablePersistentChat, -ErrorAction"),
        ("Set-CsPersistentChatPolicy x -Wha", ""),
        ("Set-CsPersistentChatPolicy x -Enable $true", ""),
        ("Set-CsPersistentChatPolicy x -Conf:$false", ""),
        ("Set-CsPersistentChatPolicy x -WhatIff", "Did you mean -WhatIf?"),
        ("Get-CsUser -ErrorAction Stopp", "is one of Continue, Stop"),
        ("Get-CsUsr", "Near: Get-CsUser"),
        ("Wher-Object", "Near: Where-Object"),
        (
            "Get-CsPersistentChatCategory | Set-CsPersistentChatCategory-FileUpload $False",
            "Write a space before -FileUpload",
        ),
        ("Select-Object -First many", "'many' is not a whole number"),
        ("Select-Object -First", "-First needs a value"),
        ("Get-Credential a b", "takes no further value"),
    ] {
        let r = run(&Fake::default(), line);
        if part.is_empty() || part == "-ExpandProperty" {
            assert!(r.ok, "{line}: {r:?}");
        } else {
            assert!(!r.ok && printed(&r).contains(part), "{line}: {r:?}");
        }
    }
}

#[test]
fn one_failing_object_does_not_keep_the_others() {
    let list = ["a", "b", "c"].map(|i| json!({ "Identity": i })).to_vec();
    let host = |broken: &[&'static str]| Fake {
        answers: RefCell::new(vec![list.clone()]),
        yes: true,
        broken: broken.to_vec(),
        ..Fake::default()
    };
    let ran = |h: &Fake| -> Vec<String> {
        let calls = h.calls.borrow();
        let changed = calls.iter().filter(|(n, i)| n == "Remove-LgShare" && i.mode == Mode::Run);
        changed.filter_map(|(_, i)| i.args.get("Identity")?.as_str().map(str::to_owned)).collect()
    };
    for (line, done, errors) in [
        ("Get-LgShare | Remove-LgShare; 'next'", vec!["a", "c"], 1),
        ("Get-LgShare | ForEach-Object { Remove-LgShare $_.Identity }; 'next'", vec!["a", "c"], 1),
        ("foreach ($x in (Get-LgShare)) { Remove-LgShare $x.Identity }; 'next'", vec!["a", "c"], 1),
    ] {
        let h = host(&["b"]);
        let r = run(&h, line);
        assert_eq!(ran(&h), done, "{line}");
        let text = printed(&r);
        assert!(
            !r.ok && text.matches("ERROR: There is no b.").count() == errors && text.ends_with("next\n"),
            "{text}"
        );
    }
    for line in [
        "Get-LgShare | Remove-LgShare -ErrorAction Stop; 'next'",
        "Get-LgShare | Remove-LgShare -ea stop; 'next'",
        "$ErrorActionPreference = 'Stop'; Get-LgShare | Remove-LgShare; 'next'",
        "Get-LgShare | % { Remove-LgShare $_.Identity -ErrorAction Stop }; 'next'",
        "Remove-LgShare a; Remove-LgShare b -ErrorAction Stop; 'next'",
        "Remove-LgShare a; if ($true) { Write-Error 'no' -ErrorAction Stop }; 'next'",
    ] {
        let h = host(&["b"]);
        let r = run(&h, line);
        assert!(!r.ok && ran(&h) == ["a"] && !printed(&r).contains("next"), "{line}: {r:?}");
    }
    let h = host(&["b"]);
    let r = run(&h, "Get-LgShare | Remove-LgShare -ErrorAction SilentlyContinue; 'next'");
    assert!(r.ok && ran(&h) == ["a", "c"] && printed(&r) == "next\n", "{r:?}");
    // An object without an identity is not taken for "the global one".
    let h = Fake { yes: true, ..Fake::default() };
    let r = run(&h, "@{Name='x'} | Set-CsPersistentChatPolicy -EnablePersistentChat $true");
    assert!(!r.ok && args_of(&h) == json!({}), "{r:?}");
}

#[test]
fn what_was_typed_secretly_is_never_printed() {
    for line in [
        "$p = Read-Host -AsSecureString; $p; \"$p\"; $p | ConvertTo-Json; $p | fl; $p | ft; Write-Host $p",
        "$c = Get-Credential a\\b; $c.Password; \"$($c.Password)\"; $c | ConvertTo-Json; $c | Get-Member",
        "$c = Get-Credential a\\b; $c | select Password; $c | select -ExpandProperty Password; $c | group Password",
        "$c = Get-Credential a\\b; @{a=$c} | ConvertTo-Json -Compress; @{a=@($c,$c)} | fl; $c,$c",
        "$c = Get-Credential a\\b; $c.Password + 'x'; '{0}' -f $c.Password; $c.Password -join ','",
        "$c = Get-Credential a\\b; $c | Format-List *; $c | sort Password -Unique; $c | Out-String",
        "$c = Get-Credential a\\b; $c | select *,@{n='x';e={$_.Password}}; $c | % Password",
    ] {
        let r = run(&Fake::default(), line);
        assert!(!printed(&r).contains("secret"), "{line}: {}", printed(&r));
        let mut json = Session::json();
        let r = now(json.run_line(&Fake::default(), line));
        assert!(!printed(&r).contains("\"secret"), "{line}: {}", printed(&r));
    }
    // It reaches the cmdlet that wants it all the same.
    let host = Fake { yes: true, ..Fake::default() };
    let line = "$c = Get-Credential a\\b | select UserName,Password; Test-CsPersistentChatMessage -TargetFqdn a -SenderCredential $c";
    assert!(run(&host, line).ok);
    assert_eq!(args_of(&host)["SenderCredential"], json!({ "UserName": "a\\b", "Password": "secret" }));
    let host = Fake { yes: true, ..Fake::default() };
    assert!(
        run(&host, "$p = Read-Host 'New password' -AsSecureString; Reset-LgUserPassword x -Password $p").ok
    );
    assert_eq!(args_of(&host), json!({ "Identity": "x", "Password": "secret" }));
}

#[test]
fn odd_lines_of_the_documents() {
    let host = Fake { yes: true, ..Fake::default() };
    let line = "New-CsPersistentChatRoom -Name \"ITChatRoom\" -PersistentChatPoolFqdn \"atl-cs-001.litwareinc.com\"-Category \"IT\"";
    assert!(run(&host, line).ok);
    let room = json!({ "Name": "ITChatRoom", "PersistentChatPoolFqdn": "atl-cs-001.litwareinc.com", "Category": "IT" });
    assert_eq!(args_of(&host), room);
    // A block where a text is wanted is its text.
    let host = Fake::default();
    assert!(run(&host, "Get-CsPersistentChatRoom -Filter { Name -eq $Null }").ok);
    assert_eq!(args_of(&host), json!({ "Filter": "Name -eq $Null" }));
    let host = Fake::default();
    assert!(run(&host, "$ErrorActionPreference = \"SilentlyContinue\"\nGet-CsUser | ForEach-Object {$_.DisplayName; Get-CsUser -Identity $_.SamAccountName}").ok);
}

#[test]
fn nesting_has_an_end() {
    for open in
        ["(", "$(", "@(", "{", "\"$(", "if (", "$x[", "!", "-(", "@{a=", "$a=$a[0]=", "foreach ($x in "]
    {
        let r = run(&Fake::default(), &open.repeat(5000));
        assert!(!r.ok, "{open}");
    }
    assert_eq!(shows("((((((((((1 + 1))))))))))"), "2\n");
    assert_eq!(shows("\"$(\"$(\"$(1)\")\")\""), "1\n");
}

#[test]
fn tab_completes() {
    let mut session = Session::new();
    assert!(now(session.run_line(&Fake::default(), "$pool = 'a'")).ok);
    for (line, first, count) in [
        ("get-cspersistentchats", "Get-CsPersistentChatState", 1),
        ("Get\u{2013}CsPersistentChatS", "Get-CsPersistentChatState", 1),
        ("Get-CsUser | wher", "Where-Object", 1),
        ("$x = Get-CsUs", "Get-CsUser", 1),
        ("(Get-CsUs", "Get-CsUser", 1),
        ("Set-CsPersistentChatState -Pool", "-PoolState", 1),
        ("Set-CsPersistentChatState -PoolState ", "Normal", 2),
        ("Set-CsPersistentChatState -PoolState f", "FailedOver", 1),
        ("Set-CsPersistentChatState -Identity $po", "$pool", 1),
        ("Set-CsPersistentChatPolicy x -EnablePersistentChat ", "$True", 2),
        ("Select-Object -Exp", "-ExpandProperty", 1),
        ("Get-Help Set-CsPersistentChatSt", "Set-CsPersistentChatState", 1),
        ("Get-CsUser -Wh", "", 0),
        ("Get-CsUser ", "", 0),
        ("", "", 0),
        ("Write-Host \"a | Get-Cs", "", 0),
    ] {
        let c = complete(&session, line, line.len());
        assert_eq!(c.choices.len(), count, "{line}: {c:?}");
        assert_eq!(c.choices.first().map_or("", String::as_str), first, "{line}");
        assert!(line.is_char_boundary(c.start) && c.end == line.len());
    }
    assert_eq!(complete(&session, "ä", 1), Completion::default());
}
