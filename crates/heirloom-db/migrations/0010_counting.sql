-- PostgreSQL counts what a statement changed at once, where it counted row by row: of hundreds of assets that
-- are stored together most change the same few counts.

/*pg
DROP TRIGGER timeline_bucket_counted ON asset;
DROP TRIGGER timeline_bucket_moved ON asset;
DROP FUNCTION count_timeline_bucket();
DROP TRIGGER asset_places ON asset;
DROP FUNCTION count_asset_places();

-- What is counted of an asset; -1 of what it was, 1 of what it becomes.
CREATE TYPE counted AS (assets BIGINT, audience_id BYTEA, bucket BIGINT, kind TEXT, latitude_e7 BIGINT,
  longitude_e7 BIGINT, map_cell BIGINT, country TEXT, region TEXT, place TEXT);

-- Counts are changed in one order, so that no two transactions that change one count each wait for each other.
CREATE FUNCTION count_assets() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
  changes counted[] := ARRAY[]::counted[];
BEGIN
  IF TG_OP <> 'INSERT' THEN
    changes := changes || ARRAY(SELECT ROW(-1, audience_id, bucket, kind, latitude_e7, longitude_e7, map_cell,
        country, region, place)::counted
      FROM was WHERE deleted_at_ms IS NULL AND state <> 'replaced');
  END IF;
  IF TG_OP <> 'DELETE' THEN
    changes := changes || ARRAY(SELECT ROW(1, audience_id, bucket, kind, latitude_e7, longitude_e7, map_cell,
        country, region, place)::counted
      FROM becomes WHERE deleted_at_ms IS NULL AND state <> 'replaced');
  END IF;
  -- Most that is changed of an asset is not counted.
  IF TG_OP = 'UPDATE' THEN
    changes := ARRAY(SELECT ROW(SUM(assets), audience_id, bucket, kind, latitude_e7, longitude_e7, map_cell,
        country, region, place)::counted
      FROM unnest(changes)
      GROUP BY audience_id, bucket, kind, latitude_e7, longitude_e7, map_cell, country, region, place
      HAVING SUM(assets) <> 0);
  END IF;
  IF cardinality(changes) = 0 THEN
    RETURN NULL;
  END IF;
  INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
    SELECT audience_id, bucket, kind, SUM(assets)::BIGINT FROM unnest(changes)
    GROUP BY audience_id, bucket, kind HAVING SUM(assets) <> 0
    ORDER BY audience_id, bucket, kind
    ON CONFLICT (audience_id, bucket, kind) DO UPDATE SET assets = timeline_bucket.assets + excluded.assets;
  INSERT INTO map_cell (audience_id, level, cell, assets, latitude_sum, longitude_sum)
    SELECT audience_id, level, map_cell / width, SUM(assets)::BIGINT, SUM(assets * latitude_e7)::BIGINT,
        SUM(assets * longitude_e7)::BIGINT
      FROM unnest(changes), map_level WHERE map_cell IS NOT NULL AND place IS NOT NULL
      GROUP BY audience_id, level, map_cell / width
      HAVING SUM(assets) <> 0 OR SUM(assets * latitude_e7) <> 0 OR SUM(assets * longitude_e7) <> 0
      ORDER BY audience_id, level, map_cell / width
    ON CONFLICT (audience_id, level, cell) DO UPDATE SET assets = map_cell.assets + excluded.assets,
      latitude_sum = map_cell.latitude_sum + excluded.latitude_sum,
      longitude_sum = map_cell.longitude_sum + excluded.longitude_sum;
  INSERT INTO place_count (audience_id, country, region, place, assets)
    SELECT audience_id, country, region, place, SUM(assets)::BIGINT FROM unnest(changes)
    WHERE place IS NOT NULL
    GROUP BY audience_id, country, region, place HAVING SUM(assets) <> 0
    ORDER BY audience_id, country, region, place
    ON CONFLICT (audience_id, country, region, place) DO UPDATE SET
      assets = place_count.assets + excluded.assets;
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM map_cell c USING unnest(changes) w, map_level l
      WHERE w.assets < 0 AND c.audience_id = w.audience_id AND c.level = l.level
        AND c.cell = w.map_cell / l.width AND c.assets = 0;
    DELETE FROM place_count p USING unnest(changes) w
      WHERE w.assets < 0 AND p.audience_id = w.audience_id AND p.country = w.country
        AND p.region = w.region AND p.place = w.place AND p.assets = 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER assets_added AFTER INSERT ON asset REFERENCING NEW TABLE AS becomes
  FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
CREATE TRIGGER assets_removed AFTER DELETE ON asset REFERENCING OLD TABLE AS was
  FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
CREATE TRIGGER assets_changed AFTER UPDATE ON asset REFERENCING OLD TABLE AS was NEW TABLE AS becomes
  FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
*/
