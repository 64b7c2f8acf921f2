-- What stands in documents, by which they are found: the beginning of the newest text of each, as much as
-- the index holds. Derived from artifacts, whose JSON may lie in blobs, which the catalogue never reads.
CREATE TABLE asset_text (
  asset_id BYTEA NOT NULL PRIMARY KEY REFERENCES asset (id),
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
  words TEXT NOT NULL
);
CREATE INDEX asset_text_by_artifact ON asset_text (artifact_id);
