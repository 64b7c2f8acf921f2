-- What pictures look like, so that those that are alike are found. Derived from what was seen in them, whose JSON says the
-- same in digits.
CREATE TABLE asset_imprint (
  asset_id BYTEA PRIMARY KEY REFERENCES asset (id),
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
  model TEXT NOT NULL, -- which saw it
  numbers BYTEA NOT NULL -- a byte for each number
);
CREATE INDEX asset_imprint_by_artifact ON asset_imprint (artifact_id);
