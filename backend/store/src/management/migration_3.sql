-- From schema 2 to 3.
-- Certificates of Front End pools that administrators set for clients; the private key is sealed with the key file.
CREATE TABLE own_certificate (
  pool TEXT PRIMARY KEY, chain TEXT NOT NULL, private_key BLOB NOT NULL, set_at INTEGER NOT NULL, set_by TEXT NOT NULL
) STRICT;
-- Authorities of others that test messages trust: certificates in PEM.
CREATE TABLE trusted_certificate (
  name TEXT PRIMARY KEY, pem TEXT NOT NULL, added INTEGER NOT NULL, added_by TEXT NOT NULL
) STRICT;
