-- Who was away is told which runs have ended meanwhile.
CREATE INDEX run_ended ON run (family_id, ended_at_ms);
