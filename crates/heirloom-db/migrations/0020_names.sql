-- What assets are asked for by: names of people, places, cameras and tags, and how many assets have each, for each
-- audience. Derived from claims and artifacts (see name.rs, which fills in what is there already) and kept by what
-- changes the assets, so that nothing is ever offered that only somebody else may see.

ALTER TABLE asset ADD COLUMN names TEXT; -- JSON array of [field, words, name], NULL where nothing is named

-- Of what is listed, so what was deleted or replaced does not count. In the order in which names are looked up.
CREATE TABLE name_count (
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  field TEXT /*pg COLLATE "C" */ NOT NULL,
  words TEXT /*pg COLLATE "C" */ NOT NULL, -- folded, with spaces between them
  name TEXT /*pg COLLATE "C" */ NOT NULL, -- as it is written
  assets BIGINT NOT NULL,
  PRIMARY KEY (audience_id, field, words, name)
) /*lite WITHOUT ROWID */;

/*lite
CREATE TABLE name_change (
  assets BIGINT NOT NULL, -- -1 of what an asset was, 1 of what it becomes
  audience_id BYTEA NOT NULL,
  names TEXT NOT NULL
);
CREATE TRIGGER asset_named_new AFTER INSERT ON asset
WHEN NEW.names IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced' BEGIN
  INSERT INTO name_change VALUES (1, NEW.audience_id, NEW.names);
END;
CREATE TRIGGER asset_named_gone AFTER DELETE ON asset
WHEN OLD.names IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced' BEGIN
  INSERT INTO name_change VALUES (-1, OLD.audience_id, OLD.names);
END;
CREATE TRIGGER asset_named AFTER UPDATE OF audience_id, names, state, deleted_at_ms ON asset
WHEN (OLD.audience_id, OLD.names, OLD.state, OLD.deleted_at_ms)
  IS NOT (NEW.audience_id, NEW.names, NEW.state, NEW.deleted_at_ms)
BEGIN
  INSERT INTO name_change SELECT -1, OLD.audience_id, OLD.names
    WHERE OLD.names IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced';
  INSERT INTO name_change SELECT 1, NEW.audience_id, NEW.names
    WHERE NEW.names IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced';
END;

-- With what is counted for the timeline and the map (0011). Most assets of a batch have the same names.
CREATE TRIGGER names_settle INSTEAD OF INSERT ON count_settled BEGIN
  INSERT INTO name_count (audience_id, field, words, name, assets)
    SELECT c.audience_id, n.value ->> 0 AS field, n.value ->> 1 AS words, n.value ->> 2 AS name, SUM(c.assets)
    FROM (SELECT audience_id, names, SUM(assets) AS assets FROM name_change
        GROUP BY audience_id, names HAVING SUM(assets) <> 0) c, json_each(c.names) n
    WHERE TRUE GROUP BY c.audience_id, field, words, name HAVING SUM(c.assets) <> 0
    ON CONFLICT (audience_id, field, words, name) DO UPDATE SET assets = name_count.assets + excluded.assets;
  DELETE FROM name_count WHERE assets = 0 AND (audience_id, field, words, name) IN
    (SELECT c.audience_id, n.value ->> 0, n.value ->> 1, n.value ->> 2
      FROM (SELECT DISTINCT audience_id, names FROM name_change WHERE assets < 0) c, json_each(c.names) n);
  DELETE FROM name_change;
END;
*/
/*pg
CREATE TYPE name_change AS (assets BIGINT, audience_id BYTEA, names TEXT);

-- Counts are changed in one order, so that no two transactions that change one count each wait for each other.
CREATE FUNCTION count_names() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
  changes name_change[] := ARRAY[]::name_change[];
BEGIN
  IF TG_OP <> 'INSERT' THEN
    changes := changes || ARRAY(SELECT ROW(-COUNT(*), audience_id, names)::name_change FROM was
      WHERE names IS NOT NULL AND deleted_at_ms IS NULL AND state <> 'replaced' GROUP BY audience_id, names);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    changes := changes || ARRAY(SELECT ROW(COUNT(*), audience_id, names)::name_change FROM becomes
      WHERE names IS NOT NULL AND deleted_at_ms IS NULL AND state <> 'replaced' GROUP BY audience_id, names);
  END IF;
  IF TG_OP = 'UPDATE' THEN
    changes := ARRAY(SELECT ROW(SUM(assets), audience_id, names)::name_change FROM unnest(changes)
      GROUP BY audience_id, names HAVING SUM(assets) <> 0);
  END IF;
  IF cardinality(changes) = 0 THEN
    RETURN NULL;
  END IF;
  INSERT INTO name_count (audience_id, field, words, name, assets)
    SELECT c.audience_id, n ->> 0, n ->> 1, n ->> 2, SUM(c.assets)::BIGINT
    FROM unnest(changes) c, jsonb_array_elements(c.names::jsonb) n
    GROUP BY 1, 2, 3, 4 HAVING SUM(c.assets) <> 0 ORDER BY 1, 2, 3, 4
    ON CONFLICT (audience_id, field, words, name) DO UPDATE SET assets = name_count.assets + excluded.assets;
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM name_count t USING unnest(changes) c, jsonb_array_elements(c.names::jsonb) n
      WHERE c.assets < 0 AND t.audience_id = c.audience_id AND t.field = n ->> 0 AND t.words = n ->> 1
        AND t.name = n ->> 2 AND t.assets = 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER names_added AFTER INSERT ON asset REFERENCING NEW TABLE AS becomes
  FOR EACH STATEMENT EXECUTE FUNCTION count_names();
CREATE TRIGGER names_removed AFTER DELETE ON asset REFERENCING OLD TABLE AS was
  FOR EACH STATEMENT EXECUTE FUNCTION count_names();
CREATE TRIGGER names_changed AFTER UPDATE ON asset REFERENCING OLD TABLE AS was NEW TABLE AS becomes
  FOR EACH STATEMENT EXECUTE FUNCTION count_names();
*/
