-- SQLite, which has no triggers for whole statements, notes what changes of the counts and adds it up once, at
-- the end of each transaction: of hundreds of assets that are stored together most change the same few counts,
-- and what is stored and then believed otherwise comes to nothing. Nobody else sees a count before that end.

/*lite
DROP TRIGGER timeline_bucket_added;
DROP TRIGGER timeline_bucket_removed;
DROP TRIGGER timeline_bucket_left;
DROP TRIGGER timeline_bucket_entered;
DROP TRIGGER asset_enters_map_new;
DROP TRIGGER asset_enters_map;
DROP TRIGGER asset_leaves_map;
DROP TRIGGER asset_leaves_map_gone;
DROP TRIGGER asset_enters_place_new;
DROP TRIGGER asset_enters_place;
DROP TRIGGER asset_leaves_place;
DROP TRIGGER asset_leaves_place_gone;

CREATE TABLE count_change (
  assets BIGINT NOT NULL, -- -1 of what an asset was, 1 of what it becomes
  audience_id BYTEA NOT NULL,
  bucket BIGINT NOT NULL,
  kind TEXT NOT NULL,
  latitude_e7 BIGINT,
  longitude_e7 BIGINT,
  map_cell BIGINT,
  country TEXT,
  region TEXT,
  place TEXT
);
CREATE TRIGGER asset_counted_new AFTER INSERT ON asset
WHEN NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced' BEGIN
  INSERT INTO count_change VALUES (1, NEW.audience_id, NEW.bucket, NEW.kind, NEW.latitude_e7, NEW.longitude_e7,
    NEW.map_cell, NEW.country, NEW.region, NEW.place);
END;
CREATE TRIGGER asset_counted_gone AFTER DELETE ON asset
WHEN OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced' BEGIN
  INSERT INTO count_change VALUES (-1, OLD.audience_id, OLD.bucket, OLD.kind, OLD.latitude_e7, OLD.longitude_e7,
    OLD.map_cell, OLD.country, OLD.region, OLD.place);
END;
CREATE TRIGGER asset_counted AFTER UPDATE OF audience_id, bucket, kind, latitude_e7, longitude_e7, map_cell,
  country, region, place, state, deleted_at_ms ON asset
WHEN (OLD.audience_id, OLD.bucket, OLD.kind, OLD.latitude_e7, OLD.longitude_e7, OLD.map_cell, OLD.country,
    OLD.region, OLD.place, OLD.state, OLD.deleted_at_ms)
  IS NOT (NEW.audience_id, NEW.bucket, NEW.kind, NEW.latitude_e7, NEW.longitude_e7, NEW.map_cell, NEW.country,
    NEW.region, NEW.place, NEW.state, NEW.deleted_at_ms)
BEGIN
  INSERT INTO count_change SELECT -1, OLD.audience_id, OLD.bucket, OLD.kind, OLD.latitude_e7, OLD.longitude_e7,
    OLD.map_cell, OLD.country, OLD.region, OLD.place
    WHERE OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced';
  INSERT INTO count_change SELECT 1, NEW.audience_id, NEW.bucket, NEW.kind, NEW.latitude_e7, NEW.longitude_e7,
    NEW.map_cell, NEW.country, NEW.region, NEW.place
    WHERE NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced';
END;

-- To insert into this view is to add up what was noted.
CREATE VIEW count_settled AS SELECT 1 AS settled;
CREATE TRIGGER counts_settle INSTEAD OF INSERT ON count_settled BEGIN
  INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
    SELECT audience_id, bucket, kind, SUM(assets) FROM count_change WHERE TRUE
    GROUP BY audience_id, bucket, kind HAVING SUM(assets) <> 0
    ON CONFLICT (audience_id, bucket, kind) DO UPDATE SET assets = timeline_bucket.assets + excluded.assets;
  INSERT INTO map_cell (audience_id, level, cell, assets, latitude_sum, longitude_sum)
    SELECT audience_id, level, map_cell / width AS cell, SUM(assets), SUM(assets * latitude_e7),
        SUM(assets * longitude_e7)
      FROM count_change JOIN map_level WHERE map_cell IS NOT NULL
      GROUP BY audience_id, level, cell
      HAVING SUM(assets) <> 0 OR SUM(assets * latitude_e7) <> 0 OR SUM(assets * longitude_e7) <> 0
    ON CONFLICT (audience_id, level, cell) DO UPDATE SET assets = map_cell.assets + excluded.assets,
      latitude_sum = map_cell.latitude_sum + excluded.latitude_sum,
      longitude_sum = map_cell.longitude_sum + excluded.longitude_sum;
  INSERT INTO place_count (audience_id, country, region, place, assets)
    SELECT audience_id, country, region, place, SUM(assets) FROM count_change WHERE place IS NOT NULL
    GROUP BY audience_id, country, region, place HAVING SUM(assets) <> 0
    ON CONFLICT (audience_id, country, region, place) DO UPDATE SET assets = place_count.assets + excluded.assets;
  DELETE FROM map_cell WHERE assets = 0 AND (audience_id, level, cell) IN
    (SELECT audience_id, level, map_cell / width FROM count_change JOIN map_level
      WHERE assets < 0 AND map_cell IS NOT NULL);
  DELETE FROM place_count WHERE assets = 0 AND (audience_id, country, region, place) IN
    (SELECT audience_id, country, region, place FROM count_change WHERE assets < 0 AND place IS NOT NULL);
  DELETE FROM count_change;
END;
*/
