-- What was done with repositories of backups, and what is to be done regularly.

CREATE TABLE backup (
  id BYTEA NOT NULL PRIMARY KEY,
  family_id BYTEA NOT NULL REFERENCES family (id),
  kind TEXT NOT NULL CHECK (kind IN ('backup', 'capture', 'check', 'prune', 'proof')),
  repository TEXT NOT NULL, -- as it was named; no secret is part of it
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
  is_scheduled BOOLEAN NOT NULL,
  outcome TEXT, -- JSON object, its shape is the kind's
  error TEXT, -- one sentence, when it failed
  started_at_ms BIGINT NOT NULL,
  ended_at_ms BIGINT
);
CREATE INDEX backup_by_family ON backup (family_id, id);
CREATE INDEX backup_by_kind ON backup (family_id, kind, id);

-- Each family has one at most.
CREATE TABLE backup_schedule (
  family_id BYTEA NOT NULL PRIMARY KEY REFERENCES family (id),
  repository TEXT NOT NULL,
  key_file TEXT NOT NULL, -- path text; the key itself is never in here
  has_folders BOOLEAN NOT NULL,
  every_hours BIGINT NOT NULL,
  proof_days BIGINT NOT NULL,
  keep_daily BIGINT NOT NULL,
  keep_weekly BIGINT NOT NULL,
  keep_monthly BIGINT NOT NULL,
  keep_yearly BIGINT NOT NULL,
  set_at_ms BIGINT NOT NULL
);
