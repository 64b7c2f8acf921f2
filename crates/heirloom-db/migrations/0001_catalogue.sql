-- Families, archives and what is in them; what is claimed and derived; runs; the audit chain.
--
-- Ids are UUID version 7, 16 bytes; hashes are BLAKE3, 32 bytes; times are milliseconds since 1970
-- (UTC) unless the name says otherwise. Only ever appended to: a change is a new migration.

CREATE TABLE family (
  id BYTEA NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  version BIGINT NOT NULL
);

-- Who may see. Each family has one of kind 'family'.
CREATE TABLE audience (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  kind TEXT NOT NULL CHECK (kind IN ('family', 'members')),
  name TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);
CREATE INDEX audience_by_family ON audience (family_id);

CREATE TABLE archive (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  audience_id BYTEA NOT NULL REFERENCES audience (id), -- of what is found there
  kind TEXT NOT NULL CHECK (kind IN ('folder', 'vault')),
  name TEXT /*pg COLLATE "C" */ NOT NULL,
  root TEXT, -- path of a folder archive, in path text
  created_at_ms BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX archive_by_name ON archive (family_id, name);

CREATE TABLE run (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  pipeline TEXT NOT NULL,
  policy TEXT NOT NULL CHECK (policy IN ('sandbox', 'production')),
  state TEXT NOT NULL CHECK (state IN
    ('pending', 'running', 'paused', 'cancelling', 'cancelled', 'done', 'failed')),
  archive_id BYTEA REFERENCES archive (id),
  parameters TEXT NOT NULL, -- JSON object
  progress TEXT NOT NULL, -- JSON object, its shape is the pipeline's
  error TEXT, -- one sentence, when it failed
  created_at_ms BIGINT NOT NULL,
  started_at_ms BIGINT,
  ended_at_ms BIGINT,
  version BIGINT NOT NULL
);
CREATE INDEX run_by_family ON run (family_id, id);
CREATE INDEX run_by_archive ON run (archive_id, id);

CREATE TABLE asset (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  content_hash BYTEA NOT NULL,
  size_bytes BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'video', 'audio', 'document', 'other')),
  media_type TEXT NOT NULL,
  -- present: at one path at least; missing: at none any more; replaced: its path has newer bytes
  state TEXT NOT NULL CHECK (state IN ('present', 'missing', 'replaced')),
  replaces_asset_id BYTEA REFERENCES asset (id),
  -- What is believed, kept beside the claims for listings.
  timeline_key BIGINT NOT NULL, -- see timeline.rs: orders listings and names search documents
  date TEXT, -- EDTF
  date_from_s BIGINT, -- first second that the date may mean, NULL when open or undated
  date_until_s BIGINT,
  title TEXT,
  name TEXT NOT NULL, -- file name, for people
  width BIGINT,
  height BIGINT,
  duration_ms BIGINT,
  added_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  deleted_at_ms BIGINT,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX asset_by_content ON asset (family_id, content_hash);
CREATE UNIQUE INDEX asset_by_timeline_key ON asset (timeline_key);
CREATE INDEX asset_listing ON asset (audience_id, timeline_key)
  WHERE deleted_at_ms IS NULL AND state <> 'replaced';
CREATE INDEX asset_deleted ON asset (audience_id, timeline_key) WHERE deleted_at_ms IS NOT NULL;
CREATE INDEX asset_by_replaced ON asset (replaces_asset_id) WHERE replaces_asset_id IS NOT NULL;

CREATE TABLE folder (
  id BYTEA NOT NULL PRIMARY KEY,
  archive_id BYTEA NOT NULL REFERENCES archive (id),
  parent_id BYTEA REFERENCES folder (id),
  path TEXT /*pg COLLATE "C" */ NOT NULL, -- path text relative to the archive's root, '' for the root itself
  -- Whether sidecars and stacks have been matched since its files last changed.
  is_settled BOOLEAN NOT NULL,
  -- Whether it was on another device than the folder that it is in: a disk that may be away.
  is_mount BOOLEAN NOT NULL,
  gone_at_ms BIGINT
);
-- PostgreSQL's index takes 2,700 bytes, and a path may be longer.
CREATE UNIQUE INDEX folder_by_path ON folder (archive_id, /*lite path *//*pg md5(path) */);
CREATE INDEX folder_by_parent ON folder (parent_id);

-- Where an asset is, and where it was.
CREATE TABLE asset_location (
  id BYTEA NOT NULL PRIMARY KEY,
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  folder_id BYTEA NOT NULL REFERENCES folder (id),
  name TEXT /*pg COLLATE "C" */ NOT NULL, -- path text
  size_bytes BIGINT NOT NULL,
  modified_at_ns BIGINT NOT NULL, -- nanoseconds since 1970, as the file system has them
  changed_at_ns BIGINT NOT NULL, -- the same; nobody can put this one back
  found_at_ms BIGINT NOT NULL,
  damaged_at_ms BIGINT, -- when its bytes were found to be others although size and time are the same
  gone_at_ms BIGINT -- NULL while it is there
);
CREATE UNIQUE INDEX asset_location_here ON asset_location (folder_id, name) WHERE gone_at_ms IS NULL;
CREATE INDEX asset_location_by_asset ON asset_location (asset_id);
CREATE INDEX asset_location_damaged ON asset_location (folder_id)
  WHERE damaged_at_ms IS NOT NULL AND gone_at_ms IS NULL;

-- An asset at a path that was another's. Settled when a scan has been everywhere: the other may
-- have been moved.
CREATE TABLE replacement (
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  replaced_asset_id BYTEA NOT NULL REFERENCES asset (id),
  archive_id BYTEA NOT NULL REFERENCES archive (id),
  PRIMARY KEY (asset_id, replaced_asset_id)
);
CREATE INDEX replacement_by_replaced ON replacement (replaced_asset_id);
CREATE INDEX replacement_by_archive ON replacement (archive_id);

-- Content that was removed for good: a scan that meets it again passes it over. A sidecar is known by
-- a hash over its name and its content too (see sidecar.rs).
CREATE TABLE purged_content (
  family_id BYTEA NOT NULL REFERENCES family (id),
  content_hash BYTEA NOT NULL,
  purged_at_ms BIGINT NOT NULL,
  PRIMARY KEY (family_id, content_hash)
);

-- Files that describe assets beside them: XMP, Takeout JSON, AAE.
CREATE TABLE sidecar (
  id BYTEA NOT NULL PRIMARY KEY,
  folder_id BYTEA NOT NULL REFERENCES folder (id),
  name TEXT /*pg COLLATE "C" */ NOT NULL, -- path text
  kind TEXT NOT NULL,
  content_hash BYTEA NOT NULL,
  size_bytes BIGINT NOT NULL,
  modified_at_ns BIGINT NOT NULL,
  changed_at_ns BIGINT NOT NULL,
  found_at_ms BIGINT NOT NULL,
  gone_at_ms BIGINT
);
CREATE UNIQUE INDEX sidecar_here ON sidecar (folder_id, name) WHERE gone_at_ms IS NULL;
CREATE INDEX sidecar_by_folder ON sidecar (folder_id);
CREATE TABLE asset_sidecar (
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  sidecar_id BYTEA NOT NULL REFERENCES sidecar (id),
  PRIMARY KEY (asset_id, sidecar_id)
);
CREATE INDEX asset_sidecar_by_sidecar ON asset_sidecar (sidecar_id);

-- Assets of one moment: Live Photo, RAW with JPEG, burst.
CREATE TABLE stack (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  folder_id BYTEA NOT NULL REFERENCES folder (id),
  kind TEXT NOT NULL CHECK (kind IN ('live_photo', 'raw_jpeg', 'burst')),
  name TEXT NOT NULL, -- what its files have in common
  cover_asset_id BYTEA NOT NULL REFERENCES asset (id)
);
CREATE UNIQUE INDEX stack_by_name ON stack (folder_id, kind, name);
CREATE TABLE stack_member (
  stack_id BYTEA NOT NULL REFERENCES stack (id),
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  position BIGINT NOT NULL,
  PRIMARY KEY (stack_id, asset_id)
);
CREATE INDEX stack_member_by_asset ON stack_member (asset_id);

CREATE TABLE document (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  title TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  deleted_at_ms BIGINT,
  version BIGINT NOT NULL
);
CREATE INDEX document_by_audience ON document (audience_id, id);
CREATE TABLE document_page (
  document_id BYTEA NOT NULL REFERENCES document (id),
  position BIGINT NOT NULL,
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  page BIGINT NOT NULL, -- page of that asset, from 1
  PRIMARY KEY (document_id, position)
);
CREATE INDEX document_page_by_asset ON document_page (asset_id);

CREATE TABLE collection (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  name TEXT NOT NULL,
  query TEXT, -- of a dynamic collection; a static one has members
  frozen_at_ms BIGINT,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  deleted_at_ms BIGINT,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX collection_by_name ON collection (family_id, name) WHERE deleted_at_ms IS NULL;
CREATE INDEX collection_by_audience ON collection (audience_id, id);
CREATE TABLE collection_member (
  collection_id BYTEA NOT NULL REFERENCES collection (id),
  asset_id BYTEA NOT NULL REFERENCES asset (id),
  position BIGINT NOT NULL,
  added_at_ms BIGINT NOT NULL,
  PRIMARY KEY (collection_id, asset_id)
);
CREATE INDEX collection_member_by_asset ON collection_member (asset_id);

-- Bytes that rows here refer to; what no row refers to may be collected.
CREATE TABLE blob (
  content_hash BYTEA NOT NULL PRIMARY KEY,
  size_bytes BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL
);

-- Blobs that the last row let go of: their bytes are to be removed from the store as soon as it is safe.
CREATE TABLE unneeded_blob (
  content_hash BYTEA NOT NULL PRIMARY KEY,
  noted_at_ms BIGINT NOT NULL
);

CREATE TABLE unit (
  id BYTEA NOT NULL PRIMARY KEY,
  run_id BYTEA NOT NULL REFERENCES run (id),
  step TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BYTEA NOT NULL,
  subject_part TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('pending', 'running', 'done', 'skipped', 'failed', 'cancelled')),
  attempts BIGINT NOT NULL,
  ready_at_ms BIGINT NOT NULL, -- when it may be leased: new, waiting to be tried again, or its lease ran out
  lease_token BIGINT NOT NULL, -- rises with each lease; a write with an older one is refused
  error TEXT,
  ended_at_ms BIGINT
);
CREATE INDEX unit_by_run ON unit (run_id, state, ready_at_ms);
CREATE INDEX unit_by_subject ON unit (subject_id);

CREATE TABLE artifact (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  subject_kind TEXT NOT NULL,
  subject_id BYTEA NOT NULL,
  subject_part TEXT NOT NULL,
  kind TEXT NOT NULL,
  tool TEXT NOT NULL,
  tool_version BIGINT NOT NULL,
  model_id TEXT NOT NULL, -- '' when no model took part
  parameters TEXT NOT NULL, -- JSON object, keys sorted
  inputs TEXT NOT NULL, -- JSON array of hashes
  attempt BIGINT NOT NULL,
  artifact_key BYTEA NOT NULL, -- hash over all of the above
  is_deterministic BOOLEAN NOT NULL,
  payload TEXT, -- JSON, when it is small
  blob_hash BYTEA REFERENCES blob (content_hash), -- when it is not
  run_id BYTEA REFERENCES run (id),
  unit_id BYTEA REFERENCES unit (id),
  made_at_ms BIGINT NOT NULL
);
-- The subject is part of the key; in front it keeps the entries of a scan next to each other.
CREATE UNIQUE INDEX artifact_by_key ON artifact (subject_id, artifact_key);
CREATE INDEX artifact_by_subject ON artifact (subject_id, kind);
CREATE INDEX artifact_by_blob ON artifact (blob_hash) WHERE blob_hash IS NOT NULL;
CREATE INDEX artifact_by_run ON artifact (run_id);

-- Kept in the order of their subjects: a subject's claims are always read together.
CREATE TABLE claim (
  subject_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_part TEXT NOT NULL,
  family_id BYTEA NOT NULL REFERENCES family (id),
  kind TEXT NOT NULL,
  value TEXT NOT NULL, -- JSON
  is_negation BOOLEAN NOT NULL,
  author_kind TEXT NOT NULL CHECK (author_kind IN ('operator', 'account', 'artifact')),
  author_id BYTEA, -- NULL for the operator
  source TEXT NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  made_at_ms BIGINT NOT NULL,
  undone_at_ms BIGINT,
  carried_from_id BYTEA, -- the claim as it was first made, about an asset that was replaced
  PRIMARY KEY (subject_id, id)
) /*lite WITHOUT ROWID */;

-- What was made with which idempotency key, so that it is made once however often it is asked for.
CREATE TABLE once (
  family_id BYTEA NOT NULL REFERENCES family (id),
  key_hash BYTEA NOT NULL,
  request_hash BYTEA NOT NULL,
  made_id BYTEA NOT NULL,
  made_at_ms BIGINT NOT NULL,
  PRIMARY KEY (family_id, key_hash)
);
CREATE INDEX once_by_time ON once (made_at_ms);

-- One chain per family: each entry's hash covers the hash before it and the salted hash of its
-- values, which live in a table of their own that can be erased without breaking the chain.
CREATE TABLE audit (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  position BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  action TEXT NOT NULL,
  values_hash BYTEA NOT NULL,
  entry_hash BYTEA NOT NULL
);
CREATE UNIQUE INDEX audit_by_position ON audit (family_id, position);
CREATE TABLE audit_value (
  audit_id BYTEA NOT NULL PRIMARY KEY REFERENCES audit (id),
  salt BYTEA NOT NULL,
  content TEXT NOT NULL -- JSON: actor, subject, details
);
