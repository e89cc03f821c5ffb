-- Management store, schema 1. Times are milliseconds since 1970 UTC; documents are JSON text.
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE account (
  name TEXT PRIMARY KEY COLLATE NOCASE, role TEXT NOT NULL, password_hash TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1, created INTEGER NOT NULL, last_login INTEGER
) STRICT;
-- Session, API and share tokens are kept as SHA-256 only.
CREATE TABLE session (
  token_hash BLOB PRIMARY KEY, account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE,
  created INTEGER NOT NULL, last_seen INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT;
CREATE TABLE api_token (
  token_hash BLOB PRIMARY KEY, label TEXT NOT NULL, role TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER
) STRICT;
CREATE TABLE share (
  id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, label TEXT NOT NULL, created INTEGER NOT NULL,
  created_by TEXT NOT NULL, expires INTEGER, revoked INTEGER, last_used INTEGER, uses INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE topology_version (
  version INTEGER PRIMARY KEY, parent INTEGER, document TEXT NOT NULL, author TEXT NOT NULL,
  comment TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE topology_draft (
  id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL, base INTEGER, revision INTEGER NOT NULL
) STRICT;
CREATE TABLE wizard_draft (
  id TEXT PRIMARY KEY, document TEXT NOT NULL, revision INTEGER NOT NULL, author TEXT NOT NULL, updated INTEGER NOT NULL
) STRICT;

-- Operational state stands beside the topology; publishing never changes it, except a new pool's first row.
CREATE TABLE pool_state (
  pool TEXT PRIMARY KEY, state TEXT NOT NULL CHECK (state IN ('Normal', 'FailedOver')), since INTEGER NOT NULL,
  generation INTEGER NOT NULL, forced INTEGER NOT NULL DEFAULT 0,
  -- The side that was opened last, written before it is opened: what may be copied is decided by this.
  open_state TEXT, open_epoch INTEGER
) STRICT;
CREATE TABLE active_server (pool TEXT NOT NULL, fqdn TEXT NOT NULL, PRIMARY KEY (pool, fqdn)) STRICT;
CREATE TABLE server_address (fqdn TEXT PRIMARY KEY, host INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE endpoint (
  sip_address TEXT PRIMARY KEY, pool TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;

CREATE TABLE policy (
  identity TEXT PRIMARY KEY COLLATE NOCASE, description TEXT NOT NULL, enable INTEGER NOT NULL
) STRICT;
INSERT INTO policy VALUES ('global', '', 0);
CREATE TABLE chat_user (
  sip_address TEXT PRIMARY KEY, display_name TEXT NOT NULL, logon_name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  front_end TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1, secrets BLOB NOT NULL,
  policy TEXT COLLATE NOCASE REFERENCES policy(identity) ON DELETE SET NULL, created INTEGER NOT NULL
) STRICT;

CREATE TABLE job (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, actor TEXT NOT NULL, started INTEGER NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX job_started ON job (started);
CREATE TABLE test_run (
  id TEXT PRIMARY KEY, pool TEXT, state TEXT NOT NULL, started INTEGER NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX test_run_started ON test_run (started);
CREATE INDEX test_run_pool ON test_run (pool, started);

-- Append-only: one row when an act is opened, one when it is closed, joined by op_id.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, op_id TEXT NOT NULL, phase TEXT NOT NULL CHECK (phase IN ('opened', 'closed')),
  at INTEGER NOT NULL, document TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, UNIQUE (op_id, phase)
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
