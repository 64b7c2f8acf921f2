/** Albums and saved searches, as the API has them. */
import { answered, api, type Asset, type Collection } from '../api/client';
import { DRAGGED } from '../library/tile';
import { say } from '../words/words.svelte';

/** How many assets the API takes at once. */
export const MOST_AT_ONCE = 5000;

const path = (id: string) => ({ path: { id } });

/** A part of the collections, the newest first. */
export function listCollections(after?: string, deleted = false) {
  const query = { limit: 100, after, deleted };
  return answered(api.GET('/api/v1/collections', { params: { query } }));
}

/** All that something can be put into by hand. */
export async function listAlbums(): Promise<Collection[]> {
  const all: Collection[] = [];
  let after: string | undefined;
  do {
    const part = await listCollections(after);
    all.push(...part.items.filter((it) => !it.is_dynamic && it.frozen_at_ms == null));
    after = part.next ?? undefined;
  } while (after);
  return all;
}

export function getCollection(id: string): Promise<Collection> {
  return answered(api.GET('/api/v1/collections/{id}', { params: path(id) }));
}

interface New {
  name: string;
  description?: string;
  query?: string;
  assets?: string[];
}

/** Makes a collection, however often the line breaks: the key is made once for each wish. */
export function createCollection(wish: New, key: string): Promise<Collection> {
  const { name, description = '', query = null, assets = [] } = wish;
  return answered(
    api.POST('/api/v1/collections', {
      params: { header: { 'idempotency-key': key } },
      body: { name, description, query, assets }
    })
  );
}

export function updateCollection(
  { id, version }: Collection,
  body: { name?: string; description?: string; query?: string }
): Promise<Collection> {
  const header = { 'if-match': `"${version}"` };
  return answered(api.PATCH('/api/v1/collections/{id}', { params: { ...path(id), header }, body }));
}

export function addMembers(id: string, assets: string[]) {
  return answered(
    api.POST('/api/v1/collections/{id}/assets', { params: path(id), body: { assets } })
  );
}

export function removeMembers(id: string, assets: string[]) {
  const params = path(id);
  return answered(api.POST('/api/v1/collections/{id}/assets/remove', { params, body: { assets } }));
}

/** Moves something to right before another, or to the end. */
export function moveMember(id: string, asset: string, before: string | null) {
  const body = { asset_id: asset, before_asset_id: before };
  return answered(api.POST('/api/v1/collections/{id}/assets/move', { params: path(id), body }));
}

export function freezeCollection({ id, version }: Collection): Promise<Collection> {
  const header = { 'if-match': `"${version}"` };
  return answered(api.POST('/api/v1/collections/{id}/freeze', { params: { ...path(id), header } }));
}

export function deleteCollection(id: string): Promise<Collection> {
  return answered(api.DELETE('/api/v1/collections/{id}', { params: path(id) }));
}

export function restoreCollection(id: string): Promise<Collection> {
  return answered(api.POST('/api/v1/collections/{id}/restore', { params: path(id) }));
}

/** Whether something can be put into it by hand. */
export function isEditable(collection: Collection): boolean {
  return !collection.is_dynamic && collection.frozen_at_ms == null && !collection.deleted_at_ms;
}

export function kindInWords(collection: Collection): string {
  if (collection.is_dynamic) return say('collection_search');
  return say(collection.frozen_at_ms == null ? 'collection_album' : 'collection_frozen');
}

export function countInWords({ count, has_more }: Collection): string {
  return say(has_more ? 'collection_count_more' : 'collection_count', { count });
}

/** Whether assets are being dragged here. */
export function isDragOfAssets(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes(DRAGGED) ?? false;
}

/** The assets that were dropped here; whatever else was dropped is none. */
export function droppedAssets(event: DragEvent): string[] {
  try {
    const ids: unknown = JSON.parse(event.dataTransfer?.getData(DRAGGED) ?? '');
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** Adds what was dropped on a collection and gives the words for it. */
export async function addDropped(collection: Collection, assets: string[]): Promise<string> {
  let count = 0;
  for (let at = 0; at < assets.length; at += MOST_AT_ONCE) {
    const changed = await addMembers(collection.id, assets.slice(at, at + MOST_AT_ONCE));
    count += changed.changed;
  }
  return say('collection_added', { count, name: collection.name });
}
