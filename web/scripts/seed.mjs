/**
 * A library of many, made from the sample one: its catalogue gets so many assets more, and the pictures that
 * were drawn of the sample are shared by all of them. By SQL of our own, while no server runs.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** From the end of 2024 back over fifty years. */
const LAST_S = 1_735_689_599;
const YEARS_S = 50 * 31_556_952;
/** The first seconds of 1974 and of 1950. */
const IN_1974 = 126_230_400;
const IN_1950 = -631_152_000;
/** Above this, only what has to be there is: three of twenty are pictures, and dates rest on nothing. */
const MANY = 500_000;
/** SQLite's own size of a page. */
const PAGE_BYTES = 4096;
/** How many seconds a date may mean, as the catalogue counts it: ten years, a year, a day. */
const SPAN = { decade: 1, year: 2, day: 3 };

/**
 * Adds assets to the catalogue in a data folder: nine in twenty of them pictures, three in ten without a date,
 * some of which only a year or a decade is known. Their number is in their name.
 *
 * @param {string} folder the data folder, with the sample library prepared in it
 * @param {number} count
 */
export function seed(folder, count) {
  const undated = Math.floor(count * 0.3);
  const decade = Math.floor(count / 1000);
  const year = Math.floor(count / 500);
  const dated = count - undated - decade - year;
  const pictures = count > MANY ? 3 : 9;
  const taken = `${LAST_S} - n * ${Math.floor(YEARS_S / dated)}`;
  const day = `strftime('%Y-%m-%dT%H:%M:%S', ${taken}, 'unixepoch')`;
  const sql = `
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
    BEGIN;
    ${insertAssets(pictures, 0, dated, keyOf(taken, SPAN.day, '0'), bucketOf(taken, SPAN.day), day)}
    ${insertAssets(pictures, dated, year, keyOf(`${IN_1974}`, SPAN.year, 'n'), bucketOf(`${IN_1974}`, SPAN.year), `'1974'`)}
    ${insertAssets(pictures, dated + year, decade, keyOf(`${IN_1950}`, SPAN.decade, 'n'), bucketOf(`${IN_1950}`, SPAN.decade), `'195X'`)}
    ${insertAssets(pictures, count - undated, undated, '(-9223372036854775807 - 1) + 65536 + n', '-1099511627776', 'NULL')}
    ${count > MANY ? '' : insertDates()}
    CREATE TEMP TABLE drawn AS
      SELECT row_number() OVER () - 1 AS i, grid.blob_hash, look.payload
      FROM artifact AS look JOIN artifact AS grid USING (subject_id, subject_part)
      WHERE look.kind = 'look' AND grid.kind = 'grid' AND subject_part = '' LIMIT 20;
    ${insertArtifacts('look', 'payload, NULL')}
    ${insertArtifacts('grid', 'NULL, drawn.blob_hash')}
    COMMIT;`;
  const catalogue = join(folder, 'catalogue.db');
  execFileSync('sqlite3', ['-bail', catalogue], { input: sql });
  addChecksums(catalogue);
}

/**
 * Gives each page the checksum that another SQLite left out: see cksumvfs.c of heirloom-sqlite.
 *
 * @param {string} catalogue
 */
function addChecksums(catalogue) {
  const file = openSync(catalogue, 'r+');
  const page = new Uint32Array(PAGE_BYTES / 4);
  const last = page.length - 2;
  for (let at = 0; readSync(file, page, 0, PAGE_BYTES, at) === PAGE_BYTES; at += PAGE_BYTES) {
    let s1 = 0;
    let s2 = 0;
    for (let i = 0; i < last; i += 2) {
      s1 = (s1 + page[i] + s2) >>> 0;
      s2 = (s2 + page[i + 1] + s1) >>> 0;
    }
    page[last] = s1;
    page[last + 1] = s2;
    writeSync(file, page, last * 4, 8, at + last * 4);
  }
  closeSync(file);
}

/**
 * A timeline key: see timeline.rs of heirloom-db.
 *
 * @param {string} second
 * @param {number} span
 * @param {string} counter
 */
function keyOf(second, span, counter) {
  return `((${second} + 549755813888) << 23) + (${span} << 21) + ${counter}`;
}

/**
 * The number of a bucket: see bucket.rs of heirloom-core.
 *
 * @param {string} second
 * @param {number} span
 */
function bucketOf(second, span) {
  const part = (/** @type {string} */ what) => `strftime('${what}', ${second}, 'unixepoch')`;
  return `(${part('%Y')} * 12 + ${part('%m')} - 1) * 4 + ${span}`;
}

/**
 * @param {number} pictures how many in twenty
 * @param {number} from
 * @param {number} howMany
 * @param {string} key
 * @param {string} bucket
 * @param {string} date
 */
function insertAssets(pictures, from, howMany, key, bucket, date) {
  return `
    INSERT INTO asset (id, family_id, audience_id, content_hash, size_bytes, kind, media_type, state,
        timeline_key, bucket, date, name, width, height, added_at_ms, updated_at_ms, version)
      SELECT CAST(printf('%016d', n) AS BLOB), family_id, audience_id, CAST(printf('%032d', n) AS BLOB), 1,
        CASE WHEN n % 20 < ${pictures} THEN 'image' ELSE 'document' END,
        CASE WHEN n % 20 < ${pictures} THEN 'image/jpeg' ELSE 'application/pdf' END, 'present',
        ${key}, ${bucket}, ${date}, 'seeded ' || n, 570, 380, 1, 1, 1
      FROM (SELECT ${from} + value AS n FROM generate_series(0, ${howMany - 1}))
      CROSS JOIN (SELECT family_id, audience_id FROM asset LIMIT 1);`;
}

/** What is believed of a date rests on a claim, and is worked out again from it whenever an asset changes. */
function insertDates() {
  return `
    INSERT INTO claim (subject_id, id, subject_kind, subject_part, family_id, kind, value, is_negation,
        author_kind, source, confidence, made_at_ms)
      SELECT id, id, 'asset', '', family_id, 'date', json_quote(date), 0, 'operator', '', 1, 1
      FROM asset WHERE name LIKE 'seeded %' AND date IS NOT NULL;`;
}

/**
 * @param {string} kind
 * @param {string} content
 */
function insertArtifacts(kind, content) {
  return `
    INSERT INTO artifact (id, family_id, subject_kind, subject_id, subject_part, kind, tool, tool_version,
        model_id, parameters, inputs, attempt, artifact_key, is_deterministic, payload, blob_hash, made_at_ms)
      SELECT CAST(printf('${kind[0]}%015d', n) AS BLOB), family_id, 'asset', id, '', '${kind}', 'seed', 1, '',
        '{}', '[]', 0, CAST(printf('%-32s', '${kind}') AS BLOB), 1, ${content}, 1
      FROM (SELECT id, family_id, CAST(substr(name, 8) AS INTEGER) AS n FROM asset
        WHERE name LIKE 'seeded %' AND kind = 'image')
      JOIN drawn ON i = n % (SELECT COUNT(*) FROM drawn);`;
}
