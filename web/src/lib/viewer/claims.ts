/** Claims in words: what they say, and who says so. */
import type { Artifact, Claim, ClaimKind } from '../api/client';
import { dateInWords } from '../date/words';
import { countryInWords, regionInWords, townInWords } from '../place/places';
import { locale, say, type Word } from '../words/words.svelte';

export function kindOfClaim(kind: ClaimKind): string {
  return say(`claim_${kind}` as Word);
}

/** The town, the region and the country that a position is in, of a claim that names the position. */
export function placeOf(claim: Claim, artifacts: readonly Artifact[]): string | undefined {
  if (claim.kind !== 'place' || claim.author.kind !== 'artifact') return undefined;
  const { id } = claim.author;
  const made = artifacts.find((artifact) => artifact.id === id && artifact.kind === 'place');
  const named = made?.payload as Partial<Record<'country' | 'region' | 'name', string>> | undefined;
  if (!named?.country || !named.name) return undefined;
  const { country, region, name } = named;
  const parts = [
    townInWords(country, name),
    region && regionInWords(country, region),
    countryInWords(country)
  ];
  // A city may be a region, or a country, of its own.
  return [...new Set(parts.filter(Boolean))].join(', ');
}

/** What a claim says, as people say it. */
export function valueInWords(claim: Pick<Claim, 'kind' | 'value'>): string {
  const { kind, value } = claim;
  if (kind === 'date') return dateInWords(String(value));
  if (kind === 'position') return positionInWords(value);
  if (kind === 'rating') {
    if (value === -1) return say('rating_rejected');
    return Number(value) > 0 ? say('rating_stars', { count: Number(value) }) : say('rating_none');
  }
  if (kind === 'orientation') {
    return Number(value) === 1 ? say('upright') : say('turned', { number: Number(value) });
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function positionInWords(value: unknown): string {
  const { latitude, longitude, altitude_m } = value as Record<string, number | undefined>;
  if (latitude === undefined || longitude === undefined) return '';
  const half = (angle: number, positive: Word, negative: Word) => {
    const number = new Intl.NumberFormat(locale(), { maximumFractionDigits: 5 }).format(
      Math.abs(angle)
    );
    return `${number}° ${say(angle < 0 ? negative : positive)}`;
  };
  const words = `${half(latitude, 'north', 'south')} ${half(longitude, 'east', 'west')}`;
  if (altitude_m == null) return words;
  return `${words}, ${say('above_sea', { metres: Math.round(altitude_m) })}`;
}

const FROM_CAMERA = ['exif', 'makernote', 'sony', 'crw', 'flir', 'quicktime', 'udta', 'avi'];

/** Where a claim comes from, as people say it. */
export function sourceInWords(claim: Claim): string {
  if (claim.author.kind === 'operator') {
    return claim.source ? say('said_by_you_from', { source: claim.source }) : say('said_by_you');
  }
  if (claim.author.kind === 'account') return say('said_by_somebody');
  const source = claim.source.split(':')[0] ?? '';
  if (FROM_CAMERA.includes(source)) return say('from_camera');
  if (['sidecar-xmp', 'aae', 'photoprism', 'icloud', 'immich'].includes(source))
    return say('from_sidecar');
  if (source === 'takeout') return say('from_takeout');
  if (source === 'name') return say('from_name');
  if (source === 'folder') return say('from_folder');
  if (source === 'position') return say('from_position');
  if (source === 'seen') return say('from_seen');
  return say('from_file');
}

export function isByPerson(claim: Claim): boolean {
  return claim.author.kind !== 'artifact';
}

/** What a person says most often, first. */
export const SAYABLE = [
  'title',
  'date',
  'person',
  'place',
  'caption',
  'tag',
  'author',
  'rating'
] as const;
export type Sayable = (typeof SAYABLE)[number];
