-- Where assets were made: believed positions and places beside the assets, and how many there are in each
-- cell of the map and at each place, for each audience. Derived from claims and artifacts; what is there
-- already is filled in by place.rs, which knows what is believed.

ALTER TABLE asset ADD COLUMN latitude_e7 BIGINT; -- ten-millionths of a degree
ALTER TABLE asset ADD COLUMN longitude_e7 BIGINT;
ALTER TABLE asset ADD COLUMN map_cell BIGINT; -- the cell of the finest level, see heirloom-core's map
-- Of an asset with a position or a place. Country and region follow from the position, and are '' where
-- that says nothing; the place is '' where nothing names it.
ALTER TABLE asset ADD COLUMN country TEXT /*pg COLLATE "C" */; -- ISO 3166-1, two letters
ALTER TABLE asset ADD COLUMN region TEXT /*pg COLLATE "C" */;
ALTER TABLE asset ADD COLUMN place TEXT /*pg COLLATE "C" */;
CREATE INDEX asset_on_map ON asset (audience_id, map_cell, timeline_key)
  WHERE map_cell IS NOT NULL AND deleted_at_ms IS NULL AND state <> 'replaced';
CREATE INDEX asset_by_place ON asset (audience_id, country, region, place, timeline_key)
  WHERE place IS NOT NULL AND deleted_at_ms IS NULL AND state <> 'replaced';

-- Of what is listed, so what was deleted or replaced does not count. Sums of whole numbers stay exact.
CREATE TABLE map_cell (
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  level BIGINT NOT NULL,
  cell BIGINT NOT NULL, -- its code within the level
  assets BIGINT NOT NULL,
  latitude_sum BIGINT NOT NULL,
  longitude_sum BIGINT NOT NULL,
  PRIMARY KEY (audience_id, level, cell)
) /*lite WITHOUT ROWID */;
CREATE TABLE place_count (
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  country TEXT /*pg COLLATE "C" */ NOT NULL,
  region TEXT /*pg COLLATE "C" */ NOT NULL,
  place TEXT /*pg COLLATE "C" */ NOT NULL,
  assets BIGINT NOT NULL,
  PRIMARY KEY (audience_id, country, region, place)
) /*lite WITHOUT ROWID */;

-- Each level's cells are as wide as so many of the finest, in codes: four to the power of the levels between.
CREATE VIEW map_level AS
  SELECT column1 AS level, column2 AS width FROM (VALUES (2, 268435456), (4, 16777216), (6, 1048576),
    (8, 65536), (10, 4096), (12, 256), (14, 16), (16, 1)) AS levels;

/*lite
CREATE TRIGGER asset_enters_map_new AFTER INSERT ON asset
WHEN NEW.map_cell IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced'
BEGIN
  INSERT INTO map_cell SELECT NEW.audience_id, level, NEW.map_cell / width, 1, NEW.latitude_e7, NEW.longitude_e7
    FROM map_level WHERE TRUE
    ON CONFLICT (audience_id, level, cell) DO UPDATE SET assets = map_cell.assets + 1,
      latitude_sum = map_cell.latitude_sum + excluded.latitude_sum,
      longitude_sum = map_cell.longitude_sum + excluded.longitude_sum;
END;
CREATE TRIGGER asset_enters_map AFTER UPDATE OF audience_id, map_cell, latitude_e7, longitude_e7, state,
  deleted_at_ms ON asset
WHEN NEW.map_cell IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced'
  AND (OLD.map_cell IS NULL OR OLD.deleted_at_ms IS NOT NULL OR OLD.state = 'replaced'
    OR OLD.audience_id <> NEW.audience_id OR OLD.latitude_e7 <> NEW.latitude_e7
    OR OLD.longitude_e7 <> NEW.longitude_e7)
BEGIN
  INSERT INTO map_cell SELECT NEW.audience_id, level, NEW.map_cell / width, 1, NEW.latitude_e7, NEW.longitude_e7
    FROM map_level WHERE TRUE
    ON CONFLICT (audience_id, level, cell) DO UPDATE SET assets = map_cell.assets + 1,
      latitude_sum = map_cell.latitude_sum + excluded.latitude_sum,
      longitude_sum = map_cell.longitude_sum + excluded.longitude_sum;
END;
CREATE TRIGGER asset_leaves_map AFTER UPDATE OF audience_id, map_cell, latitude_e7, longitude_e7, state,
  deleted_at_ms ON asset
WHEN OLD.map_cell IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced'
  AND (NEW.map_cell IS NULL OR NEW.deleted_at_ms IS NOT NULL OR NEW.state = 'replaced'
    OR OLD.audience_id <> NEW.audience_id OR OLD.latitude_e7 <> NEW.latitude_e7
    OR OLD.longitude_e7 <> NEW.longitude_e7)
BEGIN
  UPDATE map_cell SET assets = assets - 1, latitude_sum = latitude_sum - OLD.latitude_e7,
      longitude_sum = longitude_sum - OLD.longitude_e7
    WHERE audience_id = OLD.audience_id
      AND (level, cell) IN (SELECT level, OLD.map_cell / width FROM map_level);
  DELETE FROM map_cell WHERE audience_id = OLD.audience_id AND assets = 0
    AND (level, cell) IN (SELECT level, OLD.map_cell / width FROM map_level);
END;
CREATE TRIGGER asset_leaves_map_gone AFTER DELETE ON asset
WHEN OLD.map_cell IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced'
BEGIN
  UPDATE map_cell SET assets = assets - 1, latitude_sum = latitude_sum - OLD.latitude_e7,
      longitude_sum = longitude_sum - OLD.longitude_e7
    WHERE audience_id = OLD.audience_id
      AND (level, cell) IN (SELECT level, OLD.map_cell / width FROM map_level);
  DELETE FROM map_cell WHERE audience_id = OLD.audience_id AND assets = 0
    AND (level, cell) IN (SELECT level, OLD.map_cell / width FROM map_level);
END;

CREATE TRIGGER asset_enters_place_new AFTER INSERT ON asset
WHEN NEW.place IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced'
BEGIN
  INSERT INTO place_count VALUES (NEW.audience_id, NEW.country, NEW.region, NEW.place, 1)
    ON CONFLICT (audience_id, country, region, place) DO UPDATE SET assets = place_count.assets + 1;
END;
CREATE TRIGGER asset_enters_place AFTER UPDATE OF audience_id, country, region, place, state, deleted_at_ms
  ON asset
WHEN NEW.place IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced'
  AND (OLD.place IS NULL OR OLD.deleted_at_ms IS NOT NULL OR OLD.state = 'replaced'
    OR OLD.audience_id <> NEW.audience_id OR OLD.country <> NEW.country OR OLD.region <> NEW.region
    OR OLD.place <> NEW.place)
BEGIN
  INSERT INTO place_count VALUES (NEW.audience_id, NEW.country, NEW.region, NEW.place, 1)
    ON CONFLICT (audience_id, country, region, place) DO UPDATE SET assets = place_count.assets + 1;
END;
CREATE TRIGGER asset_leaves_place AFTER UPDATE OF audience_id, country, region, place, state, deleted_at_ms
  ON asset
WHEN OLD.place IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced'
  AND (NEW.place IS NULL OR NEW.deleted_at_ms IS NOT NULL OR NEW.state = 'replaced'
    OR OLD.audience_id <> NEW.audience_id OR OLD.country <> NEW.country OR OLD.region <> NEW.region
    OR OLD.place <> NEW.place)
BEGIN
  UPDATE place_count SET assets = assets - 1 WHERE audience_id = OLD.audience_id
    AND country = OLD.country AND region = OLD.region AND place = OLD.place;
  DELETE FROM place_count WHERE audience_id = OLD.audience_id AND country = OLD.country
    AND region = OLD.region AND place = OLD.place AND assets = 0;
END;
CREATE TRIGGER asset_leaves_place_gone AFTER DELETE ON asset
WHEN OLD.place IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced'
BEGIN
  UPDATE place_count SET assets = assets - 1 WHERE audience_id = OLD.audience_id
    AND country = OLD.country AND region = OLD.region AND place = OLD.place;
  DELETE FROM place_count WHERE audience_id = OLD.audience_id AND country = OLD.country
    AND region = OLD.region AND place = OLD.place AND assets = 0;
END;
*/
/*pg
-- Rows are changed in one order, so that no two transactions that change one asset each wait for each other.
CREATE FUNCTION count_asset_places() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
  was BOOLEAN := FALSE;
  becomes BOOLEAN := FALSE;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    was := OLD.place IS NOT NULL AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced';
  END IF;
  IF TG_OP <> 'DELETE' THEN
    becomes := NEW.place IS NOT NULL AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced';
  END IF;
  IF NOT was AND NOT becomes THEN
    RETURN NULL;
  END IF;
  IF was AND becomes AND (OLD.audience_id, OLD.latitude_e7, OLD.longitude_e7, OLD.country, OLD.region, OLD.place)
      IS NOT DISTINCT FROM
      (NEW.audience_id, NEW.latitude_e7, NEW.longitude_e7, NEW.country, NEW.region, NEW.place) THEN
    RETURN NULL;
  END IF;
  IF was AND OLD.map_cell IS NOT NULL OR becomes AND NEW.map_cell IS NOT NULL THEN
    INSERT INTO map_cell
      SELECT audience_id, level, cell, SUM(assets)::BIGINT, SUM(latitude)::BIGINT, SUM(longitude)::BIGINT FROM (
        SELECT OLD.audience_id, level, OLD.map_cell / width AS cell, -1 AS assets,
            -OLD.latitude_e7 AS latitude, -OLD.longitude_e7 AS longitude
          FROM map_level WHERE was AND OLD.map_cell IS NOT NULL
        UNION ALL
        SELECT NEW.audience_id, level, NEW.map_cell / width, 1, NEW.latitude_e7, NEW.longitude_e7
          FROM map_level WHERE becomes AND NEW.map_cell IS NOT NULL) AS changes
      GROUP BY audience_id, level, cell ORDER BY level, audience_id, cell
      ON CONFLICT (audience_id, level, cell) DO UPDATE SET assets = map_cell.assets + excluded.assets,
        latitude_sum = map_cell.latitude_sum + excluded.latitude_sum,
        longitude_sum = map_cell.longitude_sum + excluded.longitude_sum;
  END IF;
  IF was AND OLD.map_cell IS NOT NULL THEN
    DELETE FROM map_cell c USING map_level l WHERE c.audience_id = OLD.audience_id AND c.level = l.level
      AND c.cell = OLD.map_cell / l.width AND c.assets = 0;
  END IF;
  INSERT INTO place_count
    SELECT audience_id, country, region, place, SUM(assets)::BIGINT FROM (
      SELECT OLD.audience_id, OLD.country, OLD.region, OLD.place, -1 AS assets WHERE was
      UNION ALL
      SELECT NEW.audience_id, NEW.country, NEW.region, NEW.place, 1 WHERE becomes) AS changes
    GROUP BY audience_id, country, region, place HAVING SUM(assets) <> 0
    ORDER BY audience_id, country, region, place
    ON CONFLICT (audience_id, country, region, place) DO UPDATE SET
      assets = place_count.assets + excluded.assets;
  IF was THEN
    DELETE FROM place_count WHERE audience_id = OLD.audience_id AND country = OLD.country
      AND region = OLD.region AND place = OLD.place AND assets = 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER asset_places AFTER INSERT OR DELETE
  OR UPDATE OF audience_id, latitude_e7, longitude_e7, map_cell, country, region, place, state, deleted_at_ms
  ON asset FOR EACH ROW EXECUTE FUNCTION count_asset_places();
*/
