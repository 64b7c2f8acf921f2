-- What is kept on IPFS: which collections, in which form, and by whose word.

CREATE TABLE publication (
  collection_id BYTEA NOT NULL PRIMARY KEY REFERENCES collection (id),
  state TEXT NOT NULL CHECK (state IN ('exported', 'publishing', 'published', 'failed', 'unpinning', 'unpinned')),
  is_plain BOOLEAN NOT NULL, -- anybody can read it
  includes_private BOOLEAN NOT NULL, -- also what the whole family may not see
  layout TEXT NOT NULL, -- how files are cut: the same file has another name in another layout
  key_hash BYTEA REFERENCES blob (content_hash), -- the key that opens it; a blob like others
  consented_by TEXT NOT NULL, -- who chose all this
  consented_at_ms BIGINT NOT NULL,
  root_cid TEXT, -- the folder that was published last
  files BIGINT NOT NULL, -- originals in it
  bytes BIGINT NOT NULL, -- as they lie there
  error TEXT, -- one sentence, when it failed
  published_at_ms BIGINT,
  unpinned_at_ms BIGINT
);

-- Originals that a node was given, so that they need not be sent again and are known when it is asked to let go.
CREATE TABLE published_file (
  collection_id BYTEA NOT NULL REFERENCES publication (collection_id),
  cid TEXT NOT NULL,
  asset_id BYTEA NOT NULL, -- which may be purged since: what was published was published
  size_bytes BIGINT NOT NULL,
  sent_at_ms BIGINT NOT NULL,
  PRIMARY KEY (collection_id, cid)
);

-- Who was asked to keep a folder, and how far that is.
CREATE TABLE publication_pin (
  collection_id BYTEA NOT NULL REFERENCES publication (collection_id),
  place TEXT NOT NULL CHECK (place IN ('node', 'service')),
  cid TEXT NOT NULL,
  request_id TEXT, -- what a service calls it
  status TEXT NOT NULL CHECK (status IN ('queued', 'pinning', 'pinned', 'failed')),
  error TEXT,
  changed_at_ms BIGINT NOT NULL,
  PRIMARY KEY (collection_id, place, cid)
);
