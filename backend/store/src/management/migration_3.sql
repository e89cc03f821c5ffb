-- From schema 2 to 3.
-- Authorities of others that test messages trust: certificates in PEM.
CREATE TABLE trusted_certificate (
  name TEXT PRIMARY KEY, pem TEXT NOT NULL, added INTEGER NOT NULL, added_by TEXT NOT NULL
) STRICT;
