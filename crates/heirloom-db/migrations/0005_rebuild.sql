-- Making things again: what came out otherwise than before.

-- Of a unit that made again what was there: whether something came out otherwise.
ALTER TABLE unit ADD COLUMN has_changed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX unit_changed ON unit (run_id, id) WHERE has_changed = TRUE;
-- Of the units that are done: those.
ALTER TABLE run_step ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;

/*lite
-- Shows how often each word is in the index; holds nothing itself.
CREATE VIRTUAL TABLE search_count USING fts5vocab (search_index, row);
*/
