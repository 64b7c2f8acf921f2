/** The API, with the types that the server describes itself with. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';
import { Problem } from './problem';

export type Asset = components['schemas']['Asset'];
export type AssetDetail = components['schemas']['AssetDetail'];
export type Artifact = components['schemas']['Artifact'];
export type Archive = components['schemas']['Archive'];
export type Claim = components['schemas']['Claim'];
export type ClaimKind = Claim['kind'];
export type Fact = components['schemas']['Fact'];
export type Found = components['schemas']['Found'];
export type Match = components['schemas']['Match'];
export type Lineage = components['schemas']['Lineage'];
export type Location = components['schemas']['Location'];
export type Run = components['schemas']['Run'];
export type RunStep = components['schemas']['RunStep'];
export type ScanReport = components['schemas']['ScanReport'];
export type Unit = components['schemas']['Unit'];
export type Upload = components['schemas']['Upload'];

export const api = createClient<paths>({
  // Read anew for each request: tests and service workers put their own in its place.
  fetch: (request) => globalThis.fetch(request)
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/**
 * What was answered.
 *
 * @throws {Problem} when it was refused, or when nobody answered.
 */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw Problem.offline(cause);
  }
  if (!answer.response.ok) throw Problem.of(answer.error, answer.response);
  return answer.data as NonNullable<T>;
}

/** Where a rendition of an asset is. */
export function renditionAddress(id: string, kind: 'grid' | 'screen' | 'full' | 'proxy'): string {
  return `/api/v1/assets/${id}/renditions/${kind}`;
}

/** Where an original is. */
export function originalAddress(id: string): string {
  return `/api/v1/assets/${id}/original`;
}

/** Where the bytes of an artifact are. */
export function contentAddress(id: string): string {
  return `/api/v1/artifacts/${id}/content`;
}
