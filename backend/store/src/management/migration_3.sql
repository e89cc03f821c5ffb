-- From schema 2 to 3.
-- Certificates of Front End pools that administrators set for clients; the private key is sealed with the key file.
CREATE TABLE own_certificate (
  pool TEXT PRIMARY KEY, chain TEXT NOT NULL, private_key BLOB NOT NULL, set_at INTEGER NOT NULL, set_by TEXT NOT NULL
) STRICT;
