-- What came to nothing is known, so that no run tries it again.
CREATE INDEX unit_skipped ON unit (subject_id) WHERE state = 'skipped' AND is_permanent = TRUE;
