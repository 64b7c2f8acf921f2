-- What stands in a film is found beside what is said in it. A key cannot be changed in SQLite: the table is made anew.

CREATE TABLE asset_text_next (
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  is_said BOOLEAN NOT NULL, -- else it stands there
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
  words TEXT NOT NULL,
  times TEXT, -- JSON: [[from, until], …] in milliseconds, NULL for what is read
  voices BIGINT, -- NULL for a transcript that was stored before they were kept, until it was read
  spots TEXT, -- JSON: [{page, box, at_ms}, …], one for each line, NULL for what was not read so
  PRIMARY KEY (asset_id, is_said)
);
INSERT INTO asset_text_next (asset_id, is_said, artifact_id, words, times, voices, spots)
  SELECT asset_id, times IS NOT NULL, artifact_id, words, times, voices, spots FROM asset_text;
DROP TABLE asset_text;
ALTER TABLE asset_text_next RENAME TO asset_text;
CREATE INDEX asset_text_by_artifact ON asset_text (artifact_id);
CREATE INDEX asset_text_without_voices ON asset_text (asset_id) WHERE voices IS NULL AND times IS NOT NULL;
