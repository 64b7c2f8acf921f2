/**
 * The map itself: MapLibre on a base map that is shipped with the app. It is large, so nothing but the map
 * page's button loads this file, and the service worker keeps none of it.
 */
import { Map as MapLibre, Marker, setWorkerUrl, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Feature, FeatureCollection, Position } from 'geojson';
import { feature, mesh } from 'topojson-client';
import type { GeometryObject, Topology } from 'topojson-specification';
import atlasUrl from 'world-atlas/countries-50m.json?url';
import { Problem } from '../api/problem';
import { unwrapLine, unwrapRing } from './around';

export { Marker };

/** The nearest that one can come: cells are 600 metres wide there. */
export const NEAREST = 13;

/** A map in an element, in the colours that the page has there. */
export async function drawMap(container: HTMLElement): Promise<MapLibre> {
  const answer = await fetch(atlasUrl);
  if (!answer.ok) throw Problem.offline(answer.status);
  const atlas = (await answer.json()) as Topology;
  setWorkerUrl(workerUrl);
  const map = new MapLibre({
    container,
    style: styleOf(atlas, container),
    center: [10, 30],
    zoom: 0.5,
    maxZoom: NEAREST,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  return map;
}

/** The colours of the page, which change with the theme. */
export function coloursOf(element: HTMLElement): Record<'sea' | 'land' | 'border', string> {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return { sea: colour('--shade'), land: colour('--surface'), border: colour('--line') };
}

function styleOf(atlas: Topology, element: HTMLElement): StyleSpecification {
  const { sea, land, border } = coloursOf(element);
  const { land: shape, countries } = atlas.objects;
  if (!shape || countries?.type !== 'GeometryCollection')
    throw new Error('the base map is another');
  const polygons = polygonsOf(feature(atlas, shape));
  const lines = mesh(atlas, countries as GeometryObject<object>).coordinates;
  return {
    version: 8,
    sources: {
      land: {
        type: 'geojson',
        data: { type: 'MultiPolygon', coordinates: polygons.map((rings) => rings.map(unwrapRing)) }
      },
      borders: {
        type: 'geojson',
        data: { type: 'MultiLineString', coordinates: lines.map(unwrapLine) }
      }
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': sea } },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': land } },
      {
        id: 'borders',
        type: 'line',
        source: 'borders',
        paint: { 'line-color': border, 'line-width': 0.75 }
      }
    ]
  };
}

/** The polygons of a shape, however it holds them. */
function polygonsOf(shape: Feature | FeatureCollection): Position[][][] {
  if (shape.type === 'FeatureCollection') return shape.features.flatMap(polygonsOf);
  const { geometry } = shape;
  if (geometry.type === 'Polygon') return [geometry.coordinates];
  return geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
}
