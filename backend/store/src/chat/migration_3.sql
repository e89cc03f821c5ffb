-- mgc, schema 3: rooms that were deleted and can still be restored. Their name is free for others meanwhile.
ALTER TABLE room ADD COLUMN deleted_at INTEGER;
ALTER TABLE room ADD COLUMN deleted_by TEXT;
CREATE INDEX room_deleted ON room (deleted_at) WHERE deleted_at IS NOT NULL;
