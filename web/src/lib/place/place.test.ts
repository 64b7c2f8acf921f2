import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unwrapLine, unwrapRing } from './around';
import { addressOf, boundsOfCell, boxOf, countryInWords, isPlace, spotOf } from './places';
import { GERMAN, GERMAN_TOWNS, regionIn, townIn } from './regions';

const bounds = (west: number, south: number, east: number, north: number) => ({
  getWest: () => west,
  getSouth: () => south,
  getEast: () => east,
  getNorth: () => north
});

describe('a part of the map', () => {
  it.each([
    ['as it is', [13, 52, 14, 53], '13.00000,52.00000,14.00000,53.00000'],
    ['once around the world', [170, -20, 190, -10], '170.00000,-20.00000,-170.00000,-10.00000'],
    ['further around', [-541, 0, -539, 1], '179.00000,0.00000,-179.00000,1.00000'],
    ['wider than the world', [-300, -95, 300, 95], '-180.00000,-90.00000,180.00000,90.00000']
  ] as const)('is asked for %s', (_, [west, south, east, north], expected) => {
    expect(boxOf(bounds(west, south, east, north))).toBe(expected);
  });

  it('is where its cell is', () => {
    const [west, south, east, north] = boundsOfCell('10/550/335');
    expect(west).toBeLessThan(13.3777);
    expect(east).toBeGreaterThan(13.3777);
    expect(south).toBeLessThan(52.5163);
    expect(north).toBeGreaterThan(52.5163);
    expect(boundsOfCell('2/0/0')[0]).toBe(-180);
  });
});

describe('a shape across the date line', () => {
  it('goes on beyond it', () => {
    const ring = [
      [179, 60],
      [-179, 61],
      [-178, 60],
      [179, 60]
    ];
    expect(unwrapRing(ring).map(([longitude]) => longitude)).toEqual([179, 181, 182, 179]);
    expect(unwrapLine([[-179, 1], [179, 2]])).toEqual([[-179, 1], [-181, 2]]); // prettier-ignore
  });

  it('is closed at the pole that it goes around', () => {
    const ring = [-180, -90, 0, 90, -180].map((longitude) => [longitude, -80]);
    const around = unwrapRing(ring);
    expect(around.at(-1)).toEqual(around[0]);
    expect(around.slice(5)).toEqual([[180, -90], [-180, -90], [-180, -80]]); // prettier-ignore
  });
});

describe('a place in the address', () => {
  it.each([
    ['/places', { country: '' }, false],
    ['/places?country=DE', { country: 'DE' }, false],
    ['/places?country=DE&region=', { country: 'DE', region: '' }, false],
    ['/places?country=none&name=Oma+%26+Opa', { country: 'none', name: 'Oma & Opa' }, true],
    ['/places?cell=8%2F134%2F87', { country: '', cell: '8/134/87' }, true]
  ])('%s reads back', (address, spot, isSingle) => {
    expect(addressOf(spot)).toBe(address);
    const read = spotOf(new URL(address, 'http://localhost').searchParams);
    expect(read).toEqual(spot);
    expect(isPlace(read)).toBe(isSingle);
  });

  it('has the country in words, or its code', () => {
    expect(countryInWords('DE')).toBe('Germany');
    expect(countryInWords('nowhere at all')).toBe('nowhere at all');
  });
});

describe('a region', () => {
  it('has its German name for who reads German', () => {
    expect(regionIn('de-DE', 'DE', 'Bavaria')).toBe('Bayern');
    expect(regionIn('en-GB', 'DE', 'Bavaria')).toBe('Bavaria');
    expect(regionIn('de-DE', 'DE', 'Bremen')).toBe('Bremen');
    expect(regionIn('de-DE', 'FR', 'Brittany')).toBe('Brittany');
    expect(townIn('de-DE', 'IT', 'Venice')).toBe('Venedig');
    expect(townIn('en-GB', 'IT', 'Venice')).toBe('Venice');
    expect(townIn('de-DE', 'US', 'Venice')).toBe('Venice');
  });

  it('is shown by the German name by which it is found', () => {
    const found = (of: string) =>
      readFileSync(`../crates/heirloom-pipeline/places/${of}.tsv`, 'utf8').trimEnd().split('\n');
    const shown = (all: typeof GERMAN) =>
      Object.entries(all).flatMap(([country, names]) =>
        Object.entries(names).map(([name, german]) => `${country}\t${name}\t${german}`)
      );
    expect(shown(GERMAN)).toEqual(found('regions'));
    const towns = found('towns');
    expect(shown(GERMAN_TOWNS).filter((town) => !towns.includes(town))).toEqual([]);
  });
});
