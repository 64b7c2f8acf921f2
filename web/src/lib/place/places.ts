/** Places: what they are called, and where in the app they are. */
import { locale } from '../words/words.svelte';
import { regionIn, townIn } from './regions';

/** A place, a region, a country, or a cell of the map: what stands in the address. */
export interface Spot {
  /** `none` for what no country is known of; empty for all countries. */
  country: string;
  region?: string;
  name?: string;
  cell?: string;
}

export const NO_COUNTRY = 'none';

/** What a country is called in the language of the reader. */
export function countryInWords(code: string): string {
  try {
    return new Intl.DisplayNames(locale(), { type: 'region' }).of(code) ?? code;
  } catch {
    // The code is none that the browser knows.
    return code;
  }
}

/** What a region is called in the language of the reader, as far as that is known. */
export const regionInWords = (country: string, region: string) =>
  regionIn(locale(), country, region);

/** The same of a town. */
export const townInWords = (country: string, name: string) => townIn(locale(), country, name);

/** The spot that an address names. */
export function spotOf(params: URLSearchParams): Spot {
  const spot: Spot = { country: params.get('country') ?? '' };
  for (const part of ['region', 'name', 'cell'] as const) {
    const value = params.get(part);
    if (value !== null) spot[part] = value;
  }
  return spot;
}

/** The address of a spot. */
export function addressOf(spot: Partial<Spot>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(spot)) {
    if (value !== undefined && !(name === 'country' && value === '')) params.set(name, value);
  }
  const query = params.toString();
  return query ? `/places?${query}` : '/places';
}

/** Whether it is a single place, of which the assets themselves are shown. */
export function isPlace(spot: Spot): boolean {
  return spot.cell !== undefined || spot.name !== undefined;
}

interface Bounds {
  getWest(): number;
  getSouth(): number;
  getEast(): number;
  getNorth(): number;
}

/** A part of a map that goes round and round, as the API asks for it. */
export function boxOf(bounds: Bounds): string {
  const south = Math.max(-90, bounds.getSouth());
  const north = Math.min(90, bounds.getNorth());
  let [west, east] = [bounds.getWest(), bounds.getEast()];
  if (east - west >= 360) [west, east] = [-180, 180];
  else [west, east] = [onceAround(west), onceAround(east)];
  return [west, south, east, north].map((degrees) => degrees.toFixed(5)).join(',');
}

function onceAround(longitude: number): number {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** West, south, east and north of a cell of the map. */
export function boundsOfCell(cell: string): [number, number, number, number] {
  const [level = 0, x = 0, y = 0] = cell.split('/').map(Number);
  const count = 2 ** level;
  const longitude = (at: number) => (at / count) * 360 - 180;
  const latitude = (at: number) =>
    (Math.atan(Math.sinh(Math.PI * (1 - (2 * at) / count))) * 180) / Math.PI;
  return [longitude(x), latitude(y + 1), longitude(x + 1), latitude(y)];
}
