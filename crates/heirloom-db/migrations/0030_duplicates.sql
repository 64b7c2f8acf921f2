-- What pictures are told from others by, and which of them belong together. Derived from artifacts, and gone with them.
CREATE TABLE asset_traits (
  asset_id BYTEA NOT NULL PRIMARY KEY REFERENCES asset (id),
  artifact_id BYTEA NOT NULL REFERENCES artifact (id) ON DELETE CASCADE, -- whose JSON has the miniature
  prints BYTEA, -- fingerprints of the miniature, eight bytes each; NULL of what is too small or too plain
  exact_hash BYTEA, -- the same only of the very same picture; NULL where that is not certain
  sharpness DOUBLE PRECISION,
  clipped DOUBLE PRECISION,
  is_compared BOOLEAN NOT NULL -- with all others that are
);
CREATE INDEX asset_traits_by_artifact ON asset_traits (artifact_id);
CREATE INDEX asset_traits_to_compare ON asset_traits (asset_id) WHERE NOT is_compared;

-- Two pictures that belong together, the first of them first.
CREATE TABLE alike (
  asset_id BYTEA NOT NULL REFERENCES asset_traits (asset_id) ON DELETE CASCADE,
  other_id BYTEA NOT NULL REFERENCES asset_traits (asset_id) ON DELETE CASCADE,
  why TEXT NOT NULL CHECK (why IN ('exact', 'near', 'burst')),
  likeness DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (asset_id, other_id)
);
CREATE INDEX alike_by_other ON alike (other_id);

-- What people say of what belongs together, and what they said there at once.
CREATE INDEX claim_of_same ON claim (family_id) WHERE kind = 'same';
CREATE INDEX claim_of_duplicates ON claim (family_id, batch_id) WHERE source = 'duplicates';
