/** The API, with the types that the server describes itself with. */
import type { Client } from 'openapi-fetch';
import type { components, paths } from './schema';
import { Problem } from './problem';

export type Asset = components['schemas']['Asset'];
export type AssetDetail = components['schemas']['AssetDetail'];
export type Artifact = components['schemas']['Artifact'];
export type Archive = components['schemas']['Archive'];
export type Backup = components['schemas']['Backup'];
export type BackupAlarm = components['schemas']['BackupAlarm'];
export type BackupSchedule = components['schemas']['BackupSchedule'];
export type BackupStanding = components['schemas']['BackupStanding'];
export type Claim = components['schemas']['Claim'];
export type ClaimKind = Claim['kind'];
export type Collection = components['schemas']['Collection'];
export type Decision = components['schemas']['Decision'];
export type Duplicates = components['schemas']['Duplicates'];
export type Encryption = components['schemas']['Encryption'];
export type FailureCode = NonNullable<components['schemas']['Unit']['failure_code']>;
export type ExportReport = components['schemas']['ExportReport'];
export type PublicationReport = components['schemas']['PublicationReport'];
export type Fact = components['schemas']['Fact'];
export type Found = components['schemas']['Found'];
export type ImportReport = components['schemas']['ImportReport'];
export type ImportSource = components['schemas']['ImportSource'];
export type Match = components['schemas']['Match'];
export type Transcript = components['schemas']['Transcript'];
export type KnownPlace = components['schemas']['KnownPlace'];
export type Folders = components['schemas']['Folders'];
export type Lineage = components['schemas']['Lineage'];
export type Location = components['schemas']['Location'];
export type MapCluster = components['schemas']['MapCluster'];
export type Model = components['schemas']['Model'];
export type Models = components['schemas']['Models'];
export type Passage = components['schemas']['Passage'];
export type PlaceCount = components['schemas']['PlaceCount'];
export type Places = components['schemas']['Places'];
export type Publication = components['schemas']['Publication'];
export type Reading = components['schemas']['Reading'];
export type Face = components['schemas']['Face'];
export type Faces = components['schemas']['Faces'];
export type Person = components['schemas']['Person'];
export type Portrait = components['schemas']['Portrait'];
export type Said = components['schemas']['Said'];
export type NewSaying = components['schemas']['NewSaying'];
export type Run = components['schemas']['Run'];
export type RunStep = components['schemas']['RunStep'];
export type ScanReport = components['schemas']['ScanReport'];
export type Scrub = components['schemas']['Scrub'];
export type Services = components['schemas']['Services'];
export type Similar = components['schemas']['Similar'];
export type Suggestion = components['schemas']['Suggestion'];
export type Tag = components['schemas']['Tag'];
export type Suggestions = components['schemas']['Suggestions'];
export type Store = components['schemas']['Store'];
export type Unit = components['schemas']['Unit'];
export type Upload = components['schemas']['Upload'];
export type Voice = components['schemas']['Voice'];

interface Asked {
  params?: { path?: object; query?: object; header?: object };
  body?: unknown;
  signal?: AbortSignal;
}

/** Asks the API; refusals are answers too. */
async function ask(method: string, path: string, asked: Asked = {}): Promise<Answer<unknown>> {
  const { params = {}, body, signal } = asked;
  const given = Object.entries(params.path ?? {}) as [string, string][];
  let address = given.reduce(
    (address, [name, value]) => address.replace(`{${name}}`, encodeURIComponent(value)),
    path
  );
  const query = Object.entries(params.query ?? {}).filter(([, value]) => value != null);
  if (query.length > 0) address += `?${new URLSearchParams(query as [string, string][])}`;
  const headers = new Headers({ accept: 'application/json', ...params.header });
  if (body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(address, {
    method,
    headers,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body)
  });
  const text = await response.text();
  const value: unknown = /json/.test(response.headers.get('content-type') ?? '')
    ? JSON.parse(text)
    : text;
  return response.ok ? { data: value, response } : { error: value, response };
}

/**
 * The API as `openapi-fetch` types it: each path with its parameters, its body and its answer. What is done
 * at run time is so little that the library would be three kilobytes too many on the first page.
 */
export const api = {
  GET: (path: string, asked?: Asked) => ask('GET', path, asked),
  POST: (path: string, asked?: Asked) => ask('POST', path, asked),
  PUT: (path: string, asked?: Asked) => ask('PUT', path, asked),
  PATCH: (path: string, asked?: Asked) => ask('PATCH', path, asked),
  DELETE: (path: string, asked?: Asked) => ask('DELETE', path, asked)
} as unknown as Pick<Client<paths>, 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'>;

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

/** Where a rendition of an asset is, or of one of its pages. */
export function renditionAddress(
  id: string,
  kind: 'grid' | 'screen' | 'full' | 'proxy' | 'flat',
  page?: number | null
): string {
  const address = `/api/v1/assets/${id}/renditions/${kind}`;
  return page ? `${address}?page=${page}` : address;
}

/** Where the picture is that a film shows at a moment. */
export function stillAddress(id: string, atMs: number): string {
  return `/api/v1/assets/${id}/still?at_ms=${atMs}`;
}

/** Where an original is. */
export function originalAddress(id: string): string {
  return `/api/v1/assets/${id}/original`;
}

/** The same for who only looks: one that lies in an archive is not asked for, which costs something. */
export function originalAtHand(id: string): string {
  return `${originalAddress(id)}?bring_back=false`;
}

/** Why an original is not given; nothing where it is. One in an archive is asked for by asking this. */
export async function whyNoOriginal(id: string): Promise<Problem | undefined> {
  try {
    const params = { header: { range: 'bytes=0-0' } };
    await answered(ask('GET', originalAddress(id), { params }));
  } catch (problem) {
    if (problem instanceof Problem) return problem;
  }
}

/** Where an asset is as a document that can be searched. */
export function searchableAddress(id: string): string {
  return `/api/v1/assets/${id}/searchable.pdf`;
}

/** Where the captions of a film or recording are. */
export function captionsAddress(id: string): string {
  return `/api/v1/assets/${id}/captions`;
}

/** Where the bytes of an artifact are. */
export function contentAddress(id: string): string {
  return `/api/v1/artifacts/${id}/content`;
}
