-- Runs that derive: what is planned of them, how far each step is, and the work in flight.

-- Assets are planned in falling order of their ids; this is the last that was.
ALTER TABLE run ADD COLUMN planned_until BYTEA;
ALTER TABLE run ADD COLUMN is_planned BOOLEAN NOT NULL DEFAULT TRUE;
-- How many assets there are to plan, and how many of them are planned.
ALTER TABLE run ADD COLUMN assets BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN assets_planned BIGINT NOT NULL DEFAULT 0;
CREATE INDEX run_unended ON run (id) WHERE state IN ('pending', 'running', 'paused', 'cancelling');

-- Counts of a step's units by state, kept in the transactions that change them. What was there
-- already when it was planned has no unit and is counted as present.
CREATE TABLE run_step (
  run_id BYTEA NOT NULL REFERENCES run (id),
  position BIGINT NOT NULL,
  step TEXT NOT NULL,
  present BIGINT NOT NULL DEFAULT 0,
  pending BIGINT NOT NULL DEFAULT 0, -- or running
  done BIGINT NOT NULL DEFAULT 0,
  skipped BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  cancelled BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, step)
);

ALTER TABLE unit ADD COLUMN work_key BYTEA; -- the artifact key of the step's first output
ALTER TABLE unit ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0; -- how many processes it has killed
-- Of a failed unit: whether the same work would fail again.
ALTER TABLE unit ADD COLUMN is_permanent BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE unit ADD COLUMN duration_ms BIGINT; -- of the last attempt
ALTER TABLE unit ADD COLUMN log TEXT; -- what its tool said, the end of it
DROP INDEX unit_by_run;
CREATE INDEX unit_by_run ON unit (run_id, id);
CREATE INDEX unit_open ON unit (run_id, step, ready_at_ms) WHERE state IN ('pending', 'running');
CREATE INDEX unit_failed ON unit (subject_id) WHERE state = 'failed';

DROP INDEX artifact_by_run;
CREATE INDEX artifact_by_run ON artifact (run_id, subject_id);
CREATE INDEX artifact_by_unit ON artifact (unit_id) WHERE unit_id IS NOT NULL;
