-- From schema 2 to 3.
-- Certificates of Front End pools that administrators set for clients; the private key is sealed with the key file.
CREATE TABLE own_certificate (
  pool TEXT PRIMARY KEY, chain TEXT NOT NULL, private_key BLOB NOT NULL, set_at INTEGER NOT NULL, set_by TEXT NOT NULL
) STRICT;
-- Authorities of others that test messages trust: certificates in PEM.
CREATE TABLE trusted_certificate (
  name TEXT PRIMARY KEY, pem TEXT NOT NULL, added INTEGER NOT NULL, added_by TEXT NOT NULL
) STRICT;
-- Accounts: a password that somebody else has set must be changed first; the second factor's secret is sealed with
-- the key file (`totp_pending` until its first code came), `totp_step` is the last 30 seconds a code was taken for.
ALTER TABLE account ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN totp BLOB;
ALTER TABLE account ADD COLUMN totp_pending BLOB;
ALTER TABLE account ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
-- Recovery codes that were not used yet, as SHA-256.
CREATE TABLE recovery_code (
  account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name) ON DELETE CASCADE, code_hash BLOB NOT NULL,
  PRIMARY KEY (account, code_hash)
) STRICT;
-- One-time links with which a person sets a password: of an account, or of a chat user by SIP address.
CREATE TABLE password_link (
  id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('account', 'user')),
  subject TEXT NOT NULL COLLATE NOCASE, created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER NOT NULL,
  UNIQUE (kind, subject)
) STRICT;
-- Several drafts, each with its name; the one of before is called main.
CREATE TABLE named_draft (
  name TEXT PRIMARY KEY COLLATE NOCASE, document TEXT NOT NULL, base INTEGER, revision INTEGER NOT NULL,
  author TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT;
INSERT INTO named_draft SELECT 'main', document, base, revision, '', 0, 0 FROM topology_draft;
DROP TABLE topology_draft;
-- Which revision last changed which field of which object: what a conflict at a field is told by.
CREATE TABLE draft_field (
  draft TEXT NOT NULL COLLATE NOCASE, place TEXT NOT NULL, revision INTEGER NOT NULL, author TEXT NOT NULL,
  PRIMARY KEY (draft, place)
) STRICT;
ALTER TABLE wizard_draft ADD COLUMN topology_draft TEXT NOT NULL DEFAULT 'main';
