//! The list of the language's cmdlets: names, parameters, a line that uses each.

/// How a parameter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By name only.
    Named,
    /// A switch.
    Switch,
    /// First value without a name.
    First,
    /// Second value without a name.
    Second,
    /// All values without a name that are left.
    Rest,
}

use Form::{First, Named, Rest, Second, Switch};

/// A cmdlet of the language.
#[derive(Debug)]
pub struct Own {
    /// `Verb-Noun`.
    pub name: &'static str,
    /// Short names, separated by blanks.
    pub aliases: &'static str,
    /// One sentence.
    pub synopsis: &'static str,
    /// Parameters.
    pub params: &'static [(&'static str, Form)],
    /// A line that uses it.
    pub example: &'static str,
}

const fn own(
    name: &'static str,
    aliases: &'static str,
    synopsis: &'static str,
    params: &'static [(&'static str, Form)],
    example: &'static str,
) -> Own {
    Own { name, aliases, synopsis, params, example }
}

/// All of them.
pub const ALL: &[Own] = &[
    own(
        "ConvertTo-Json",
        "",
        "Writes objects as JSON.",
        &[("InputObject", First), ("Depth", Named), ("Compress", Switch)],
        "Get-CsPersistentChatState | ConvertTo-Json",
    ),
    own(
        "ForEach-Object",
        "foreach %",
        "Runs a block for each object, which is $_ in it.",
        &[("Process", First), ("MemberName", Named)],
        "Get-CsUser | ForEach-Object { $_.SipAddress }",
    ),
    own(
        "Format-List",
        "fl",
        "Prints objects as lists.",
        &[("Property", Rest)],
        "Get-CsUser | Format-List DisplayName,SipAddress",
    ),
    own(
        "Format-Table",
        "ft",
        "Prints objects as a table.",
        &[("Property", Rest), ("AutoSize", Switch), ("Wrap", Switch), ("HideTableHeaders", Switch)],
        "Get-CsPersistentChatRoom | Format-Table Name,Privacy -AutoSize",
    ),
    own(
        "Get-Command",
        "gcm",
        "Lists cmdlets.",
        &[("Name", Rest), ("Noun", Named), ("Verb", Named)],
        "Get-Command -Noun CsPersistentChat*",
    ),
    own(
        "Get-Credential",
        "",
        "Asks for a password and keeps it with the user name.",
        &[("Credential", First), ("UserName", Named), ("Message", Named)],
        "$cred = Get-Credential \"litwareinc\\pilar\"",
    ),
    own(
        "Get-Help",
        "help man",
        "Explains a cmdlet.",
        &[
            ("Name", First),
            ("Examples", Switch),
            ("Full", Switch),
            ("Detailed", Switch),
            ("Parameter", Named),
        ],
        "Get-Help Set-CsPersistentChatState -Examples",
    ),
    own(
        "Get-Member",
        "gm",
        "Lists the properties of objects.",
        &[("Name", Rest), ("MemberType", Named)],
        "Get-CsUser | Get-Member",
    ),
    own(
        "Group-Object",
        "group",
        "Counts objects by a property.",
        &[("Property", Rest), ("NoElement", Switch)],
        "Get-CsPersistentChatRoom | Group-Object Privacy",
    ),
    own(
        "Measure-Object",
        "measure",
        "Counts objects, or computes over a property.",
        &[("Property", Rest), ("Sum", Switch), ("Average", Switch), ("Minimum", Switch), ("Maximum", Switch)],
        "Get-CsPersistentChatRoom | Measure-Object",
    ),
    own("Out-Host", "oh", "Prints what comes.", &[], "Get-CsUser | Out-Host"),
    own("Out-Null", "", "Drops what comes.", &[], "New-LgSite Redmond | Out-Null"),
    own(
        "Out-String",
        "",
        "Makes one text of what would be printed.",
        &[("Stream", Switch), ("Width", Named)],
        "$text = Get-CsUser | Out-String",
    ),
    own(
        "Read-Host",
        "",
        "Asks for a line.",
        &[("Prompt", Rest), ("AsSecureString", Switch), ("MaskInput", Switch)],
        "$pool = Read-Host -Prompt \"Pool\"",
    ),
    own(
        "Select-Object",
        "select",
        "Takes properties of objects, or some of the objects.",
        &[
            ("Property", Rest),
            ("ExpandProperty", Named),
            ("ExcludeProperty", Named),
            ("First", Named),
            ("Last", Named),
            ("Skip", Named),
            ("Unique", Switch),
        ],
        "Get-CsAdminRole CsHelpDesk | Select-Object -ExpandProperty Cmdlets",
    ),
    own(
        "Sort-Object",
        "sort",
        "Sorts objects by properties.",
        &[("Property", Rest), ("Descending", Switch), ("Unique", Switch)],
        "Get-CsPersistentChatRoom | Sort-Object Name -Descending",
    ),
    own(
        "Where-Object",
        "where ?",
        "Keeps the objects for which a condition holds.",
        WHERE,
        "Get-CsPersistentChatState | Where-Object {$_.PoolState -eq \"FailedOver\"}",
    ),
    own(
        "Write-Error",
        "",
        "Reports an error.",
        &[("Message", Rest)],
        "Write-Error \"No pool is failed over.\"",
    ),
    own(
        "Write-Host",
        "",
        "Prints texts.",
        &[
            ("Object", Rest),
            ("Separator", Named),
            ("NoNewline", Switch),
            ("ForegroundColor", Named),
            ("BackgroundColor", Named),
        ],
        "Write-Host \"Rooms: $($rooms.Count)\"",
    ),
    own(
        "Write-Output",
        "echo write",
        "Gives values to the pipeline.",
        &[("InputObject", Rest)],
        "Write-Output \"atl-gc-001\",\"atl-gc-002\"",
    ),
    own(
        "Write-Warning",
        "",
        "Prints a warning.",
        &[("Message", Rest)],
        "Write-Warning \"The pool is failed over.\"",
    ),
];

const WHERE: &[(&str, Form)] = &[
    ("FilterScript", First),
    ("Property", Named),
    ("Value", Second),
    ("Not", Switch),
    ("EQ", Named),
    ("NE", Named),
    ("GT", Named),
    ("GE", Named),
    ("LT", Named),
    ("LE", Named),
    ("Like", Named),
    ("NotLike", Named),
    ("Match", Named),
    ("NotMatch", Named),
    ("Contains", Named),
    ("NotContains", Named),
    ("In", Named),
    ("NotIn", Named),
    ("CEQ", Named),
    ("CNE", Named),
    ("CLike", Named),
    ("CNotLike", Named),
    ("CMatch", Named),
    ("CNotMatch", Named),
    ("CContains", Named),
    ("CNotContains", Named),
    ("CIn", Named),
    ("CNotIn", Named),
];

/// The cmdlet of the language with this name or short name.
pub fn find(name: &str) -> Option<&'static Own> {
    let is = |n: &str| n.eq_ignore_ascii_case(name);
    ALL.iter().find(|o| is(o.name) || o.aliases.split(' ').any(|a| !a.is_empty() && is(a)))
}
