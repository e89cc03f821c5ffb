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
-- Settings that stand at scopes; the global ones always exist, and what a document leaves out has its default.
CREATE TABLE configuration (
  kind TEXT NOT NULL, identity TEXT NOT NULL COLLATE NOCASE, document TEXT NOT NULL, PRIMARY KEY (kind, identity)
) STRICT;
INSERT INTO configuration VALUES ('PersistentChat', 'Global', '{}'), ('PersistentChatCompliance', 'Global', '{}');
