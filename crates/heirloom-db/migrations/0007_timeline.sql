-- How many assets each stretch of the timeline has (see heirloom-core's bucket), for each who may see and
-- each kind: what a page for a million assets needs to know before it shows one. Derived from the
-- assets, and kept by what changes them, so that it is never other than they are.

ALTER TABLE asset ADD COLUMN bucket BIGINT NOT NULL DEFAULT 0; -- of its timeline_key

-- From timeline keys to years and months, in whole numbers: the days are counted from the first of March
-- of a year long before any date. (The number that follows the years is 20,000 times 12 months, less two
-- because years begin in January after all.)
UPDATE asset SET bucket = counted.bucket FROM (
  SELECT id, (years * 12 + (5 * day_of_year + 2) / 153 - 239998) * 4
      + CASE WHEN day_of_year = 306 AND second_of_day = 0 THEN span ELSE 3 END AS bucket
  FROM (
    SELECT id, span, second_of_day, eras * 400 + years AS years,
        day - (365 * years + years / 4 - years / 100) AS day_of_year
    FROM (
      SELECT id, span, second_of_day, eras, day,
          (day - day / 1460 + day / 36524 - day / 146096) / 365 AS years
      FROM (
        SELECT id, span, second_of_day, days / 146097 AS eras, days % 146097 AS day
        FROM (
          SELECT id, (timeline_key >> 21) & 3 AS span, ((timeline_key >> 23) - 44288) % 86400 AS second_of_day,
              ((timeline_key >> 23) - 44288) / 86400 - 6362914 + 719468 + 50 * 146097 AS days
          FROM asset WHERE timeline_key >= 0) AS dated) AS in_eras) AS in_years) AS in_days) AS counted
WHERE counted.id = asset.id;
UPDATE asset SET bucket = -1099511627776 WHERE timeline_key < 0;

CREATE INDEX asset_missing ON asset (family_id) WHERE state = 'missing';

CREATE TABLE timeline_bucket (
  audience_id BYTEA NOT NULL REFERENCES audience (id),
  bucket BIGINT NOT NULL,
  kind TEXT NOT NULL,
  assets BIGINT NOT NULL,
  PRIMARY KEY (audience_id, bucket, kind)
) /*lite WITHOUT ROWID */;
INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
  SELECT audience_id, bucket, kind, COUNT(*) FROM asset
  WHERE deleted_at_ms IS NULL AND state <> 'replaced' GROUP BY audience_id, bucket, kind;

/*lite
CREATE TRIGGER timeline_bucket_added AFTER INSERT ON asset
WHEN NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced' BEGIN
  INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
    VALUES (NEW.audience_id, NEW.bucket, NEW.kind, 1)
    ON CONFLICT (audience_id, bucket, kind) DO UPDATE SET assets = assets + 1;
END;
CREATE TRIGGER timeline_bucket_removed AFTER DELETE ON asset
WHEN OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced' BEGIN
  UPDATE timeline_bucket SET assets = assets - 1
    WHERE audience_id = OLD.audience_id AND bucket = OLD.bucket AND kind = OLD.kind;
END;
CREATE TRIGGER timeline_bucket_left AFTER UPDATE OF audience_id, bucket, kind, state, deleted_at_ms ON asset
WHEN OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced' BEGIN
  UPDATE timeline_bucket SET assets = assets - 1
    WHERE audience_id = OLD.audience_id AND bucket = OLD.bucket AND kind = OLD.kind;
END;
CREATE TRIGGER timeline_bucket_entered AFTER UPDATE OF audience_id, bucket, kind, state, deleted_at_ms ON asset
WHEN NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced' BEGIN
  INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
    VALUES (NEW.audience_id, NEW.bucket, NEW.kind, 1)
    ON CONFLICT (audience_id, bucket, kind) DO UPDATE SET assets = assets + 1;
END;
*/
/*pg
CREATE FUNCTION count_timeline_bucket() RETURNS TRIGGER LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.deleted_at_ms IS NULL AND OLD.state <> 'replaced' THEN
    UPDATE timeline_bucket SET assets = assets - 1
      WHERE audience_id = OLD.audience_id AND bucket = OLD.bucket AND kind = OLD.kind;
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.deleted_at_ms IS NULL AND NEW.state <> 'replaced' THEN
    INSERT INTO timeline_bucket (audience_id, bucket, kind, assets)
      VALUES (NEW.audience_id, NEW.bucket, NEW.kind, 1)
      ON CONFLICT (audience_id, bucket, kind) DO UPDATE SET assets = timeline_bucket.assets + 1;
  END IF;
  RETURN NULL;
END
$body$;
CREATE TRIGGER timeline_bucket_counted AFTER INSERT OR DELETE ON asset
  FOR EACH ROW EXECUTE FUNCTION count_timeline_bucket();
CREATE TRIGGER timeline_bucket_moved AFTER UPDATE OF audience_id, bucket, kind, state, deleted_at_ms ON asset
  FOR EACH ROW WHEN (OLD.audience_id IS DISTINCT FROM NEW.audience_id OR OLD.bucket <> NEW.bucket
    OR OLD.kind <> NEW.kind OR OLD.state <> NEW.state
    OR OLD.deleted_at_ms IS DISTINCT FROM NEW.deleted_at_ms)
  EXECUTE FUNCTION count_timeline_bucket();
*/
