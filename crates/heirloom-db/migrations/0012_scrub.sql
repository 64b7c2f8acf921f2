-- How far the bytes are that are read again, slowly and over and over, to find damage while there is a copy.

CREATE TABLE scrub_pass (
  began_at_ms BIGINT NOT NULL PRIMARY KEY,
  part TEXT NOT NULL, -- blobs, originals
  after BYTEA, -- the hash or the place of what was looked at last in that part
  blobs BIGINT NOT NULL,
  originals BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  damaged BIGINT NOT NULL, -- found in this pass
  mended BIGINT NOT NULL,
  ended_at_ms BIGINT
);
