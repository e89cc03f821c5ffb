-- From schema 3 to 4.

-- When a pool's log shipping runs, keeps and alerts; a pool without a row has the defaults.
CREATE TABLE log_shipping (
    pool TEXT PRIMARY KEY,
    schedule TEXT NOT NULL
) STRICT;
