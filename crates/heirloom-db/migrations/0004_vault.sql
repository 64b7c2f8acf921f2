-- The vault: originals whose bytes are in the blob store, and what is on its way there.

-- Each family has one at most.
CREATE UNIQUE INDEX archive_vault ON archive (family_id) WHERE kind = 'vault';

-- Blobs that are originals. Their bytes stay for as long as the asset does.
CREATE TABLE original_blob (
  asset_id BYTEA NOT NULL PRIMARY KEY REFERENCES asset (id),
  content_hash BYTEA NOT NULL REFERENCES blob (content_hash)
);
CREATE INDEX original_blob_by_content ON original_blob (content_hash);

-- Files on their way into the vault. The bytes that have come lie in the data folder.
CREATE TABLE upload (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  account_id BYTEA, -- whose it is; NULL for the operator
  run_id BYTEA REFERENCES run (id), -- the addition that it is a part of
  name TEXT NOT NULL, -- path text
  size_bytes BIGINT NOT NULL,
  received_bytes BIGINT NOT NULL, -- so many are on the disk for certain
  content_hash BYTEA, -- what the bytes were promised to be
  modified_at_ms BIGINT, -- when its sender's file was modified
  process BOOLEAN NOT NULL, -- whether it is to be processed once it is added
  state TEXT NOT NULL CHECK (state IN ('receiving', 'done', 'refused')),
  outcome TEXT, -- what was done with it
  asset_id BYTEA, -- what it has become; it may be purged since
  problem TEXT, -- why it was refused: the code of the API and one sentence, as JSON
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL
);
CREATE INDEX upload_by_content ON upload (family_id, content_hash) WHERE state = 'receiving';
CREATE INDEX upload_by_expiry ON upload (expires_at_ms);
CREATE INDEX upload_by_run ON upload (run_id);
