-- Schema 2: servers that are stopped or draining on purpose. No row: the server is to run.
CREATE TABLE server_service (
  fqdn TEXT PRIMARY KEY, wanted TEXT NOT NULL CHECK (wanted IN ('stopped', 'draining')), since INTEGER NOT NULL
) STRICT;
-- The guided run that has a pool's databases in hand: nothing opens them meanwhile.
ALTER TABLE pool_state ADD COLUMN held TEXT;
-- Stored test users; the password is sealed with the key file.
CREATE TABLE test_credential (
  sip_address TEXT PRIMARY KEY COLLATE NOCASE, user_name TEXT NOT NULL, secret BLOB NOT NULL, updated INTEGER NOT NULL
) STRICT;
-- Test messages that run by themselves, one row per target.
CREATE TABLE watcher (
  target TEXT PRIMARY KEY COLLATE NOCASE, document TEXT NOT NULL, next_run INTEGER NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0, missed INTEGER NOT NULL DEFAULT 0, last_run TEXT
) STRICT;
-- Roles of one's own, cloned from a standard one.
CREATE TABLE admin_role (
  name TEXT PRIMARY KEY COLLATE NOCASE, template TEXT NOT NULL, cmdlets TEXT NOT NULL, config_scopes TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;
-- Each row of the audit carries the hash of itself and of the row before it; rows of schema 1 have none.
ALTER TABLE audit ADD COLUMN hash TEXT;
-- Where a session is used from, and an id that may be shown.
ALTER TABLE session ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
-- Who is told of problems; the secret (signing key or mail password) is sealed with the key file.
CREATE TABLE alert_target (
  id TEXT PRIMARY KEY, label TEXT NOT NULL UNIQUE COLLATE NOCASE, document TEXT NOT NULL, secret BLOB, created INTEGER NOT NULL
) STRICT;
-- Problems that are there now; `told` has, by target, when it was last told.
CREATE TABLE alert (
  key TEXT PRIMARY KEY, problem TEXT NOT NULL, since INTEGER NOT NULL, looks INTEGER NOT NULL, told TEXT NOT NULL,
  acknowledged_by TEXT, acknowledged_at INTEGER
) STRICT;
-- Subjects nobody is told of for a while; '*' stands for all.
CREATE TABLE alert_mute (
  subject TEXT PRIMARY KEY COLLATE NOCASE, until INTEGER NOT NULL, actor TEXT NOT NULL
) STRICT;
-- What was or is to be told; written together with `told`, so that a kill in between loses nothing.
CREATE TABLE alert_delivery (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, at INTEGER NOT NULL,
  body TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0, error TEXT
) STRICT;
CREATE INDEX alert_delivery_pending ON alert_delivery (seq) WHERE state = 'pending';
-- Settings that stand at scopes; the global ones always exist, and what a document leaves out has its default.
CREATE TABLE configuration (
  kind TEXT NOT NULL, identity TEXT NOT NULL COLLATE NOCASE, document TEXT NOT NULL, PRIMARY KEY (kind, identity)
) STRICT;
INSERT INTO configuration VALUES ('PersistentChat', 'Global', '{}'), ('PersistentChatCompliance', 'Global', '{}');
-- Mirrors of the pools' databases, by side: where the principal is wanted and was last opened, and whether
-- the mirror has everything that was acknowledged (the witness).
CREATE TABLE mirror (
  pool TEXT NOT NULL, side TEXT NOT NULL, installed INTEGER NOT NULL, on_mirror INTEGER NOT NULL DEFAULT 0,
  opened_on_mirror INTEGER NOT NULL DEFAULT 0, forced INTEGER NOT NULL DEFAULT 0,
  synchronized INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (pool, side)
) STRICT;
-- What test messages sent and received, for the newest of them; without it the history would be mostly this.
CREATE TABLE test_trace (run TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
-- What the history asks of test messages, beside the long documents; `phases` has name=microseconds of each step.
CREATE TABLE test_fact (
  id TEXT PRIMARY KEY, started INTEGER NOT NULL, pool TEXT, target TEXT NOT NULL, state TEXT NOT NULL, cause TEXT,
  actor TEXT NOT NULL, latency INTEGER, phases TEXT NOT NULL
) STRICT;
CREATE INDEX test_fact_started ON test_fact (started, id, state, pool, cause, actor, latency);
CREATE INDEX test_fact_pool ON test_fact (pool, started, id, state, latency);
CREATE INDEX test_fact_actor ON test_fact (actor, started, id, state);
CREATE INDEX test_fact_cause ON test_fact (cause, started, id, state);
INSERT INTO test_fact
  SELECT id, started, pool, document ->> '$.summary.target', state, document ->> '$.report.diagnosis.cause',
    document ->> '$.summary.actor', document ->> '$.summary.latency_us',
    COALESCE((SELECT group_concat((value ->> '$.phase') || '=' || (value ->> '$.duration_us'), ' ') FROM json_each(document, '$.steps')), '')
  FROM test_run;
-- What a status link shows and allows: pools as a list of FQDNs (none is all), level of detail, argon2id of the passphrase.
ALTER TABLE share ADD COLUMN pools TEXT NOT NULL DEFAULT '[]';
ALTER TABLE share ADD COLUMN level TEXT NOT NULL DEFAULT 'Servers';
ALTER TABLE share ADD COLUMN passphrase TEXT;
ALTER TABLE share ADD COLUMN may_test INTEGER NOT NULL DEFAULT 0;
-- What everybody is told: announcements, and maintenance that has a beginning and an end.
CREATE TABLE announcement (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('Announcement', 'Maintenance')), text TEXT NOT NULL,
  begins INTEGER NOT NULL, ends INTEGER, created_by TEXT NOT NULL
) STRICT;
-- Processes on other machines that run servers. A token is kept as its SHA-256 and is gone once used; `key_hash`
-- is the SHA-256 of the public key that the node joined with.
CREATE TABLE node (
  name TEXT PRIMARY KEY, created INTEGER NOT NULL, token_hash TEXT, token_until INTEGER, key_hash TEXT,
  joined INTEGER, seen INTEGER, address TEXT, product TEXT
) STRICT;
