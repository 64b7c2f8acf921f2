-- Collections are made by people, and many assets are spoken of at once.

ALTER TABLE collection ADD COLUMN description TEXT NOT NULL DEFAULT '';
-- A name is taken among those who see it: that somebody else has one of that name is not told.
DROP INDEX collection_by_name;
CREATE UNIQUE INDEX collection_by_name ON collection (audience_id, name) WHERE deleted_at_ms IS NULL;
CREATE INDEX collection_member_by_position ON collection_member (collection_id, position, asset_id);

-- What was said about many assets at once, and is taken back at once.
ALTER TABLE claim ADD COLUMN batch_id BYTEA;
CREATE INDEX claim_by_batch ON claim (batch_id) WHERE batch_id IS NOT NULL;
