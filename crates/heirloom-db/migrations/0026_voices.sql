-- Whose voices are in recordings, so that one is known again in another. Derived from transcripts, whose JSON may lie in
-- blobs, which the catalogue never reads.
CREATE TABLE asset_voice (
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  label BIGINT NOT NULL, -- what passages of the transcript call it, from 0
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
  model TEXT NOT NULL, -- which took the voiceprint
  numbers BYTEA NOT NULL, -- the voiceprint, a byte for each number
  spoken_ms BIGINT NOT NULL,
  passages TEXT NOT NULL, -- JSON: [[from, until], …] in milliseconds, what it says
  PRIMARY KEY (asset_id, label)
);
CREATE INDEX asset_voice_by_artifact ON asset_voice (artifact_id);

-- How many of them there are; NULL for a transcript that was stored before they were kept, until it was read.
ALTER TABLE asset_text ADD COLUMN voices BIGINT;
CREATE INDEX asset_text_without_voices ON asset_text (asset_id) WHERE voices IS NULL AND times IS NOT NULL;
