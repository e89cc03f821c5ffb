-- mgc, schema 4: lists and searches of rooms read names and categories from an index, not from the rooms.
CREATE INDEX room_listed ON room (name, category) WHERE deleted_at IS NULL;
