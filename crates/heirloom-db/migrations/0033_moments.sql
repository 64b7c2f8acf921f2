-- A face of a film is seen best at a moment, and seen at others as well.
ALTER TABLE face ADD COLUMN at_ms BIGINT; -- NULL in a picture
ALTER TABLE face ADD COLUMN moments TEXT; -- JSON: [ms, …], all that it is seen at; NULL in a picture
