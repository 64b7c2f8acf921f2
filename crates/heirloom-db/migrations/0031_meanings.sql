-- What pictures show, as directions in a space that texts lie in too. Derived from what was seen in them, whose JSON says the
-- same in digits.
CREATE TABLE asset_meaning (
  asset_id BYTEA PRIMARY KEY REFERENCES asset (id),
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE,
  model TEXT NOT NULL, -- which saw it
  numbers BYTEA NOT NULL -- a byte for each number
);
CREATE INDEX asset_meaning_by_artifact ON asset_meaning (artifact_id);
