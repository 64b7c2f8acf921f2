-- What came from another library keeps where it was there. Its bytes lie in the vault.

-- Where an asset was in the library that it was brought from: a path of one of its archives.
CREATE TABLE asset_origin (
  id BYTEA NOT NULL PRIMARY KEY, -- of the location there
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  archive TEXT NOT NULL, -- that archive's name
  archive_kind TEXT NOT NULL CHECK (archive_kind IN ('folder', 'vault')),
  path TEXT NOT NULL, -- path text below that archive's root
  size_bytes BIGINT NOT NULL,
  modified_at_ns BIGINT NOT NULL,
  found_at_ms BIGINT NOT NULL,
  damaged_at_ms BIGINT,
  gone_at_ms BIGINT,
  -- The place in the vault that its bytes were given here, if they came with it. It may be gone since.
  location_id BYTEA
);
CREATE INDEX asset_origin_by_asset ON asset_origin (asset_id);

-- Sidecars that were brought along: their bytes are in the blob store.
CREATE TABLE sidecar_origin (
  sidecar_id BYTEA NOT NULL PRIMARY KEY REFERENCES sidecar (id) ON DELETE CASCADE,
  content_hash BYTEA NOT NULL REFERENCES blob (content_hash),
  archive TEXT NOT NULL,
  archive_kind TEXT NOT NULL CHECK (archive_kind IN ('folder', 'vault')),
  path TEXT NOT NULL
);
CREATE INDEX sidecar_origin_by_content ON sidecar_origin (content_hash);
