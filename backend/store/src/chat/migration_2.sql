-- mgc, schema 2: add-ins, and the highest number of a room whose last messages were removed.
CREATE TABLE addin (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, url TEXT NOT NULL) STRICT;
CREATE TABLE last_number (
  room TEXT PRIMARY KEY REFERENCES room(id) ON DELETE CASCADE, chat_id INTEGER NOT NULL
) STRICT;
