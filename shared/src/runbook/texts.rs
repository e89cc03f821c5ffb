//! What the steps say.

use super::{Names, Step, ps, sql};
use crate::topology::SqlStore;

fn step(title: &str, place: impl Into<String>, language: &'static str, text: String, note: &str) -> Step {
    Step { title: title.to_owned(), place: place.into(), language, text, note: note.to_owned() }
}

const SHELL: &str = "Lync Server Management Shell";

fn identity(n: &Names<'_>) -> String {
    ps(&format!("service:{}", n.pool.fqdn))
}

/// Copies what is not in the folder yet: under another name first, by length, never by clock.
fn copy_logs(n: &Names<'_>) -> Step {
    let text = format!(
        r"$share = {}
$folder = {}
Get-ChildItem -Path $share -Filter 'mgc_*.trn' | ForEach-Object {{
    $target = Join-Path $folder $_.Name
    if (-not (Test-Path $target) -or (Get-Item $target).Length -ne $_.Length) {{
        Copy-Item $_.FullName ($target + '.tmp') -Force
        if ((Get-Item ($target + '.tmp')).Length -ne $_.Length) {{ throw ('Half copied: ' + $_.Name) }}
        Move-Item ($target + '.tmp') $target -Force
    }}
}}",
        ps(&n.log_share),
        ps(&n.copy_folder)
    );
    let note = "List the share again afterwards: no file may have come meanwhile. One that did means that the old primary still writes.";
    step(
        "Copy log backups that were not copied yet",
        format!("{}, as an account that reads the share", n.backup.fqdn),
        "powershell",
        text,
        note,
    )
}

/// Applies in the order of LSNs and stops at a gap.
fn apply_logs(server: &SqlStore, folder: &str) -> Step {
    let text = format!(
        r#"Import-Module SqlServer
$instance = {}
$folder = {}
$logs = Get-ChildItem -Path $folder -Filter 'mgc_*.trn' | ForEach-Object {{
    $disk = $_.FullName.Replace("'", "''")
    $head = Invoke-Sqlcmd -ServerInstance $instance -Query "RESTORE HEADERONLY FROM DISK = N'$disk'"
    [pscustomobject]@{{ Disk = $disk; First = [decimal]$head.FirstLSN; Last = [decimal]$head.LastLSN }}
}} | Sort-Object First
foreach ($log in $logs) {{
    $redo = [decimal](Invoke-Sqlcmd -ServerInstance $instance -Query "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID(N'mgc') AND type = 0").redo_start_lsn
    if ($log.Last -le $redo) {{ continue }}
    if ($log.First -gt $redo) {{ throw ('A log backup is missing before ' + $log.Disk + ': stop here and decide whether the loss is accepted.') }}
    Invoke-Sqlcmd -ServerInstance $instance -Query "RESTORE LOG [mgc] FROM DISK = N'$($log.Disk)' WITH NORECOVERY, CHECKSUM"
}}"#,
        ps(&server.label()),
        ps(folder)
    );
    let note = "Msg 4305 \"too recent to apply\" is a gap: a file is missing. Msg 4326 or \"too early to apply\" was applied already. Msg 3241, 3242 or 3203 is a damaged or half-copied file: copy it again. When the backups were made without CHECKSUM, leave CHECKSUM out.";
    step(
        "Apply log backups in sequence",
        format!("{}, in PowerShell with the module SqlServer", server.fqdn),
        "powershell",
        text,
        note,
    )
}

fn online(server: &SqlStore) -> Step {
    let text = "USE master;
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'mgc' AND state_desc = N'RESTORING')
BEGIN
    -- Only a database in STANDBY has sessions; list them, then KILL each by its number.
    SELECT session_id, login_name, host_name FROM sys.dm_exec_sessions WHERE database_id = DB_ID(N'mgc');
    RESTORE DATABASE [mgc] WITH RECOVERY;
END;
SELECT name, state_desc FROM sys.databases WHERE name = N'mgc';";
    let note = "The point of no return: no further log backup can be applied afterwards. state_desc must be ONLINE. Msg 3101 means that a session holds the database.";
    step("Bring the database online", server.label(), "sql", text.to_owned(), note)
}

fn mirror(primary: &SqlStore, mirror: Option<&SqlStore>, n: &Names<'_>) -> Option<Step> {
    let m = mirror?;
    let instance = |s: &SqlStore| {
        s.instance.as_ref().map(|i| format!(" -SqlInstanceName {}", ps(i))).unwrap_or_default()
    };
    let text = format!(
        "Install-CsMirrorDatabase -DatabaseType PersistentChat -FileShare {} -SqlServerFqdn {}{} -DropExistingDatabasesOnMirror
Get-CsDatabaseMirrorState -PoolFqdn {} -DatabaseType PersistentChat",
        ps(&n.log_share),
        ps(primary.fqdn.as_str()),
        instance(primary),
        ps(n.pool.fqdn.as_str())
    );
    let note = format!(
        "Mirrors to {}. Ports 5022 (primary and mirror) and 7022 (witness) must be open, and both SQL Server accounts need read and write on the share. Repeat the second line until it says synchronized.",
        m.label()
    );
    Some(Step { note, ..step("Set mirroring up", SHELL, "powershell", text, "") })
}

fn servers(n: &Names<'_>) -> Step {
    let list: Vec<String> = n.active.iter().map(|s| ps(s)).collect();
    let text = format!(
        "Set-CsPersistentChatActiveServer -Identity {} -ActiveServers $Null
Set-CsPersistentChatActiveServer -Identity {} -ActiveServers @{{Add={}}}",
        identity(n),
        identity(n),
        list.join(",")
    );
    step(
        "Set the active servers",
        SHELL,
        "powershell",
        text,
        "All of them in the data centre of the database that is in use now; four at most.",
    )
}

fn state(n: &Names<'_>, word: &str) -> Step {
    let text = format!("Set-CsPersistentChatState -Identity {} -PoolState {word}", identity(n));
    step(&format!("Set the pool state to {word}"), SHELL, "powershell", text, "")
}

fn check(n: &Names<'_>) -> Step {
    let text = format!(
        "Get-CsPersistentChatState -Identity {}
Test-CsPersistentChatMessage -TargetFqdn {} -SenderSipAddress <sender> -SenderCredential (Get-Credential) -ReceiverSipAddress <receiver> -ReceiverCredential (Get-Credential)",
        identity(n),
        ps(n.pool.fqdn.as_str())
    );
    step(
        "Check that people can talk",
        SHELL,
        "powershell",
        text,
        "It fails when the pool has no room, or a policy is missing.",
    )
}

fn tail(server: &SqlStore, n: &Names<'_>) -> Step {
    let text = format!(
        "USE master;
BACKUP LOG [mgc] TO DISK = N'{}\\mgc_tail.trn' WITH NORECOVERY, CHECKSUM, INIT;
SELECT name, state_desc FROM sys.databases WHERE name = N'mgc';",
        sql(&n.log_share)
    );
    let note = "Takes the end of the log and fences this copy in one step: it becomes RESTORING and takes no more writes. When the server does not answer, leave this step out: what is not in the share is lost. A damaged database wants WITH CONTINUE_AFTER_ERROR instead.";
    step("Back the tail of the log up, when this server still answers", server.label(), "sql", text, note)
}

/// S1, with the steps in between that make it safe.
pub fn failover(n: &Names<'_>) -> Vec<Step> {
    let save = "SELECT p.primary_server, p.primary_database, p.backup_source_directory, p.backup_destination_directory,
       p.last_copied_file, d.last_restored_file
FROM msdb.dbo.log_shipping_secondary AS p
JOIN msdb.dbo.log_shipping_secondary_databases AS d ON d.secondary_id = p.secondary_id
WHERE d.secondary_database = N'mgc';";
    let remove = "USE master;
IF EXISTS (SELECT 1 FROM msdb.dbo.log_shipping_secondary_databases WHERE secondary_database = N'mgc')
    EXEC master.dbo.sp_delete_log_shipping_secondary_database @secondary_database = N'mgc';";
    let b = n.backup;
    let mut out = vec![
        step(
            "Note what log shipping did last",
            b.label(),
            "sql",
            save.to_owned(),
            "Keep the answer: the next steps delete it. Needs sysadmin.",
        ),
        tail(n.primary, n),
        step(
            "Remove log shipping from the backup database",
            b.label(),
            "sql",
            remove.to_owned(),
            "Removes the copy and restore jobs with it.",
        ),
        copy_logs(n),
        apply_logs(b, &n.copy_folder),
        online(b),
        state(n, "FailedOver"),
    ];
    out.extend(mirror(b, n.backup_mirror, n));
    out.push(servers(n));
    out.push(check(n));
    out
}

/// Failing back: the serving copy ends as the log shipping secondary.
pub fn failback(n: &Names<'_>) -> Vec<Step> {
    let (p, b) = (n.primary, n.backup);
    let stop = format!("Set-CsPersistentChatActiveServer -Identity {} -ActiveServers $Null", identity(n));
    let partner = "USE master;
IF EXISTS (SELECT 1 FROM sys.database_mirroring WHERE database_id = DB_ID(N'mgc') AND mirroring_guid IS NOT NULL)
    ALTER DATABASE [mgc] SET PARTNER OFF;";
    let full = format!(
        "USE master;
BACKUP DATABASE [mgc] TO DISK = N'{}\\mgc_full.bak' WITH CHECKSUM, INIT;",
        sql(&n.log_share)
    );
    let restore = format!(
        "USE master;
RESTORE VERIFYONLY FROM DISK = N'{0}\\mgc_full.bak' WITH CHECKSUM;
RESTORE DATABASE [mgc] FROM DISK = N'{0}\\mgc_full.bak' WITH REPLACE, NORECOVERY, CHECKSUM;",
        sql(&n.log_share)
    );
    let last = format!(
        "USE master;
RESTORE LOG [mgc] FROM DISK = N'{}\\mgc_tail.trn' WITH NORECOVERY, CHECKSUM;",
        sql(&n.log_share)
    );
    let ship = format!(
        "USE master;
-- On {}: the backup job. It is created disabled; give it a schedule and enable it.
DECLARE @job uniqueidentifier, @id uniqueidentifier;
EXEC master.dbo.sp_add_log_shipping_primary_database @database = N'mgc', @backup_directory = N'{1}',
     @backup_share = N'{1}', @backup_job_name = N'LSBackup_mgc', @backup_retention_period = 4320,
     @backup_threshold = 60, @threshold_alert_enabled = 1, @history_retention_period = 5760,
     @backup_job_id = @job OUTPUT, @primary_id = @id OUTPUT, @overwrite = 1;
EXEC master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'mgc', @secondary_server = N'{2}', @secondary_database = N'mgc', @overwrite = 1;",
        p.label(),
        sql(&n.log_share),
        sql(&b.label())
    );
    let secondary = format!(
        "USE master;
DECLARE @copy uniqueidentifier, @restore uniqueidentifier, @id uniqueidentifier;
EXEC master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'{}', @primary_database = N'mgc',
     @backup_source_directory = N'{}', @backup_destination_directory = N'{}',
     @copy_job_name = N'LSCopy_mgc', @restore_job_name = N'LSRestore_mgc', @file_retention_period = 4320,
     @copy_job_id = @copy OUTPUT, @restore_job_id = @restore OUTPUT, @secondary_id = @id OUTPUT, @overwrite = 1;
EXEC master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'mgc', @primary_server = N'{0}',
     @primary_database = N'mgc', @restore_delay = 0, @restore_mode = 0, @restore_threshold = 45,
     @threshold_alert_enabled = 1, @history_retention_period = 5760, @overwrite = 1;",
        sql(&p.label()),
        sql(&n.log_share),
        sql(&n.copy_folder)
    );
    let mut out = vec![
        step(
            "Close the pool to people",
            SHELL,
            "powershell",
            stop,
            "Nobody connects while the pool fails back.",
        ),
        step(
            "Remove mirroring of the database in use",
            b.label(),
            "sql",
            partner.to_owned(),
            "The same for mgccomp when compliance is mirrored.",
        ),
        step("Back the whole database up", b.label(), "sql", full, ""),
        step(
            "Restore it on the primary",
            p.label(),
            "sql",
            restore,
            "REPLACE overwrites what the old primary had. When its disk survived, save its own tail first: it cannot be applied any more, but it can be read.",
        ),
        tail(b, n),
        step(
            "Apply the tail",
            p.label(),
            "sql",
            last,
            "From here on the backup is RESTORING and takes no writes: nothing is lost.",
        ),
        online(p),
        state(n, "Normal"),
        servers(n),
        step(
            "Ship the log again: the primary's half",
            p.label(),
            "sql",
            ship,
            "Mirrored databases are in the Full recovery model; log shipping needs it too.",
        ),
        step(
            "Ship the log again: the backup's half",
            b.label(),
            "sql",
            secondary,
            "The database there is initialized already. Both jobs are created disabled: give them schedules and enable them.",
        ),
    ];
    out.extend(mirror(p, n.mirror, n));
    if n.mirror.is_some() {
        let text = format!(
            "Invoke-CsDatabaseFailover -PoolFqdn {0} -DatabaseType PersistentChat -NewPrincipal Mirror
# Now run the primary's half of log shipping on the mirror, up to its last line; then move back:
Invoke-CsDatabaseFailover -PoolFqdn {0} -DatabaseType PersistentChat -NewPrincipal Primary",
            ps(n.pool.fqdn.as_str())
        );
        out.push(step(
            "Ship the log from the mirror as well",
            SHELL,
            "powershell",
            text,
            "Log shipping goes on after a database failover only when the mirror has the same configuration. Do not run the backup's half a second time.",
        ));
    }
    out.push(check(n));
    out
}
