//! Databases of pools: making, mirroring, moving and judging them; backups of the whole.

use super::define::cmdlets;
use crate::cmdlet::Kind;

const DATABASE_TYPES: Kind = Kind::Choice(&["PersistentChat", "PersistentChatCompliance"]);
/// Of all of them only the two of Persistent Chat are ever found here.
const ALL_DATABASES: Kind = Kind::Choice(&[
    "Application",
    "Archiving",
    "Monitoring",
    "User",
    "Provision",
    "CentralAdmin",
    "Lyss",
    "Registrar",
    "Edge",
    "PersistentChat",
    "PersistentChatCompliance",
    "CentralMgmt",
]);
const PROCEDURES: Kind = Kind::Choice(&["Failover", "Failback"]);
const PRINCIPALS: Kind = Kind::Choice(&["Primary", "Mirror"]);

cmdlets! {
    /// Lists databases that were kept when their pool was removed.
    GetLgKeptDatabase "Get-LgKeptDatabase" Query {
    }
    /// Creates the databases that the published topology has on a SQL Server and that are not there.
    InstallCsDatabase "Install-CsDatabase" Change {
        /// Every database that the topology has on this SQL Server.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// One kind instead: PersistentChat or PersistentChatCompliance.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The central management store; here the portal's own, which is there already.
        central_management_database: bool = "CentralManagementDatabase" Kind::Switch;
        /// A server's local databases; here the portal's own.
        local_databases: bool = "LocalDatabases" Kind::Switch;
        /// SQL Server FQDN.
        sql_server_fqdn: Option<String> = "SqlServerFqdn" Kind::Text;
        /// Its instance; every instance of the server when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// The same with ConfiguredDatabases.
        for_instance: Option<String> = "ForInstance" Kind::Text;
        /// The default instance; not together with ForInstance.
        for_default_instance: bool = "ForDefaultInstance" Kind::Switch;
        /// Folders for data and logs; what runs here lies in the portal's data directory.
        database_paths: Vec<String> = "DatabasePaths" Kind::List;
        /// Refused: it would delete what is there.
        clean: bool = "Clean" Kind::Switch;
        /// Databases are brought up to date when they are opened; nothing more is done.
        update: bool = "Update" Kind::Switch;
    }
    /// Deletes the kept databases of a SQL Server store for good.
    UninstallCsDatabase "Uninstall-CsDatabase" Change {
        /// PersistentChat or PersistentChatCompliance.
        database_type: String = "DatabaseType" DATABASE_TYPES, req;
        /// SQL Server FQDN.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
    }
    /// Sets synchronous mirroring of a pool's mgc or mgccomp up: from then on a post or event is acknowledged when both copies have it.
    InstallCsMirrorDatabase "Install-CsMirrorDatabase" Change {
        /// Every database of this SQL Server that has a mirror in the topology.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// The database instead; PersistentChat and PersistentChatCompliance are mirrored here.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The primary's SQL Server.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Its instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// The same with ConfiguredDatabases.
        for_instance: Option<String> = "ForInstance" Kind::Text;
        /// The default instance; not together with ForInstance.
        for_default_instance: bool = "ForDefaultInstance" Kind::Switch;
        /// \\server\share; what runs here is copied directly and does not use it.
        file_share: String = "FileShare" Kind::Text, req;
        /// A database that stands on the mirror's store already is set aside.
        drop_existing: bool = "DropExistingDatabasesOnMirror" Kind::Switch;
        /// The same, as the documents misspell it.
        drop_exisiting: bool = "DropExisitingDatabasesOnMirror" Kind::Switch;
        /// Databases that are left out.
        exclude_database_list: Vec<String> = "ExcludeDatabaseList" Kind::List;
    }
    /// Takes mirroring of a pool's mgc or mgccomp away. Do this before the mirror is taken out of the topology.
    UninstallCsMirrorDatabase "Uninstall-CsMirrorDatabase" Change {
        /// PersistentChat or PersistentChatCompliance.
        database_type: String = "DatabaseType" ALL_DATABASES, req;
        /// The primary's SQL Server.
        sql_server_fqdn: String = "SqlServerFqdn" Kind::Text, req;
        /// Its instance; the default instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
        /// Deletes the mirror's copy; else it is kept aside.
        drop_existing: bool = "DropExistingDatabasesOnMirror" Kind::Switch;
    }
    /// Shows the state of the mirrors of a pool's databases.
    GetCsDatabaseMirrorState "Get-CsDatabaseMirrorState" Query {
        /// The pool.
        pool_fqdn: String = "PoolFqdn" Kind::Text, req, piped;
        /// Only this database.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
    }
    /// Moves a pool's database between primary and mirror.
    InvokeCsDatabaseFailover "Invoke-CsDatabaseFailover" Change {
        /// The pool.
        pool_fqdn: String = "PoolFqdn" Kind::Text, req, piped;
        /// PersistentChat or PersistentChatCompliance; every mirrored database of the pool when left out.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// Where the database is used from then on.
        new_principal: String = "NewPrincipal" PRINCIPALS, req;
        /// All databases but those of the list, as the documents print it.
        exclude_database: bool = "ExcludeDatabase" Kind::Switch;
        /// Databases that stay where they are.
        exclude_database_list: Vec<String> = "ExcludeDatabaseList" Kind::List;
        /// Reads the local replica; here the replica is the management store itself.
        local_store: bool = "LocalStore" Kind::Switch;
        /// Accepts the loss that the plan states when the principal does not answer.
        acknowledge_loss: bool = "AcknowledgeLoss" Kind::Switch, ours;
    }
    /// Prints failover or failback of a pool on guided SQL Servers as T-SQL and PowerShell, a step each.
    GetLgRunbook "Get-LgRunbook" Query {
        /// Service identity of the pool.
        identity: String = "Identity" Kind::Text, req, first, piped;
        /// Failover or Failback; what is next when left out.
        procedure: Option<String> = "Procedure" PROCEDURES;
        /// Share of the log backups.
        log_share: Option<String> = "LogShare" Kind::Text;
        /// Folder of the restoring SQL Server that log backups are copied to.
        copy_folder: Option<String> = "CopyFolder" Kind::Text;
        /// The whole of it as one text.
        markdown: bool = "Markdown" Kind::Switch;
    }
    /// Tries the databases of a SQL Server.
    TestCsDatabase "Test-CsDatabase" Query {
        /// Every database that the topology has on the SQL Server.
        configured_databases: bool = "ConfiguredDatabases" Kind::Switch;
        /// The management store.
        central_management_database: bool = "CentralManagementDatabase" Kind::Switch;
        /// The management store, which is on this computer.
        local_service: bool = "LocalService" Kind::Switch;
        /// One kind of database.
        database_type: Option<String> = "DatabaseType" ALL_DATABASES;
        /// The SQL Server.
        sql_server_fqdn: Option<String> = "SqlServerFqdn" Kind::Text;
        /// Its instance; every instance when left out.
        sql_instance_name: Option<String> = "SqlInstanceName" Kind::Text;
    }
    /// Shows when the portal backs itself up, and how the last backup went.
    GetLgBackupSchedule "Get-LgBackupSchedule" Query {
    }
    /// Sets when the portal backs itself up: every so many hours, or daily at a time.
    SetLgBackupSchedule "Set-LgBackupSchedule" Change {
        /// Whether it runs by itself.
        enabled: Option<bool> = "Enabled" Kind::Bool;
        /// Every so many hours, 1 to 168, instead of daily.
        every_hours: Option<u32> = "EveryHours" Kind::Int;
        /// Once a day at this time (UTC), for example 02:30.
        daily: Option<String> = "Daily" Kind::Text;
        /// How many backups are kept, 1 to 1000 (default 14); older ones are deleted.
        keep: Option<u32> = "Keep" Kind::Int;
        /// Folder on this host, an absolute path; $Null for `backups` in the data directory.
        folder: Option<String> = "Folder" Kind::Clearable;
    }
    /// Lists the backups that are kept, newest first.
    GetLgBackup "Get-LgBackup" Query {
        /// Name of one.
        identity: Option<String> = "Identity" Kind::Text, first, piped;
    }
    /// Makes a backup now, beside the schedule; it goes on in the background.
    StartLgBackup "Start-LgBackup" Start {
    }
}
