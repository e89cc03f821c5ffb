-- Schema 2: servers that are stopped or draining on purpose. No row: the server is to run.
CREATE TABLE server_service (
  fqdn TEXT PRIMARY KEY, wanted TEXT NOT NULL CHECK (wanted IN ('stopped', 'draining')), since INTEGER NOT NULL
) STRICT;
-- The guided run that has a pool's databases in hand: nothing opens them meanwhile.
ALTER TABLE pool_state ADD COLUMN held TEXT;
