-- An edited version and its original are a stack, too. A condition cannot be changed in SQLite: the tables are made anew.

CREATE TABLE stack_next (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  folder_id BYTEA NOT NULL REFERENCES folder (id),
  kind TEXT NOT NULL CHECK (kind IN ('live_photo', 'raw_jpeg', 'burst', 'edited')),
  name TEXT NOT NULL, -- what its files have in common
  cover_asset_id BYTEA NOT NULL REFERENCES asset (id)
);
INSERT INTO stack_next (id, family_id, folder_id, kind, name, cover_asset_id)
  SELECT id, family_id, folder_id, kind, name, cover_asset_id FROM stack;
CREATE TABLE stack_member_next (
  stack_id BYTEA NOT NULL REFERENCES stack_next (id),
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  position BIGINT NOT NULL,
  PRIMARY KEY (stack_id, asset_id)
);
INSERT INTO stack_member_next (stack_id, asset_id, position)
  SELECT stack_id, asset_id, position FROM stack_member;
DROP TABLE stack_member;
DROP TABLE stack;
ALTER TABLE stack_next RENAME TO stack;
ALTER TABLE stack_member_next RENAME TO stack_member;
CREATE UNIQUE INDEX stack_by_name ON stack (folder_id, kind, name);
CREATE INDEX stack_member_by_asset ON stack_member (asset_id);
