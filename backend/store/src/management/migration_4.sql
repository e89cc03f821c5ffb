-- From schema 3 to 4.
-- Groups of the directory and units of users. A member is a SIP address or the distinguished name of a group.
CREATE TABLE chat_group (
  dn TEXT PRIMARY KEY COLLATE NOCASE, description TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE TABLE chat_group_member (
  group_dn TEXT NOT NULL COLLATE NOCASE REFERENCES chat_group (dn) ON DELETE CASCADE,
  member TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (group_dn, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_group_of_member ON chat_group_member (member);
ALTER TABLE chat_user ADD COLUMN ou TEXT NOT NULL DEFAULT '';

-- When a pool's log shipping runs, keeps and alerts; a pool without a row has the defaults.
CREATE TABLE log_shipping (
    pool TEXT PRIMARY KEY,
    schedule TEXT NOT NULL
) STRICT;
