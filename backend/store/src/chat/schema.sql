-- mgc, schema 1.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE category (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, document TEXT NOT NULL
) STRICT;
CREATE TABLE room (
  id TEXT PRIMARY KEY, category TEXT NOT NULL REFERENCES category(id), name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX room_category ON room (category);
CREATE TABLE message (
  room TEXT NOT NULL REFERENCES room(id) ON DELETE CASCADE, chat_id INTEGER NOT NULL, at INTEGER NOT NULL,
  author TEXT NOT NULL, author_display TEXT NOT NULL, text TEXT NOT NULL, rtf TEXT, client_id TEXT NOT NULL,
  PRIMARY KEY (room, chat_id), UNIQUE (author, client_id)
) STRICT, WITHOUT ROWID;
-- Acts of the portal, recorded in the same transaction as what they did.
CREATE TABLE applied_operation (op_id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT;
