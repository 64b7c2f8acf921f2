import { describe, expect, it } from 'vitest';
import type { Lineage } from '../api/client';
import { layOut, traceLineage, type Node } from './graph';

const node = (id: string): Node => ({ id, source: 'artifact', name: id });

function rowsOf(ids: string, edges: string[]): Record<string, number> {
  const { placed } = layOut({
    nodes: [...ids].map(node),
    edges: edges.map((edge) => [edge[0]!, edge[1]!])
  });
  return Object.fromEntries(placed.map((it) => [it.node.id, it.row]));
}

describe('a graph of lineage', () => {
  it('has everything below what it came from', () => {
    expect(rowsOf('a', [])).toEqual({ a: 0 });
    expect(rowsOf('cba', ['ab', 'bc', 'ac'])).toEqual({ a: 0, b: 1, c: 2 });
    expect(rowsOf('abcd', ['ab', 'ac', 'bd', 'cd'])).toEqual({ a: 0, b: 1, c: 1, d: 2 });
  });

  it('stands still also when it is told that something came from itself', () => {
    expect(Object.keys(rowsOf('ab', ['ab', 'ba']))).toHaveLength(2);
  });

  it('puts nothing on top of anything else, and in the middle', () => {
    const { placed, columns, rows } = layOut({
      nodes: [...'abcd'].map(node),
      edges: [
        ['a', 'b'],
        ['a', 'c'],
        ['a', 'd']
      ]
    });
    expect([columns, rows]).toEqual([3, 2]);
    expect(placed.find((it) => it.node.id === 'a')!.column).toBe(1);
    expect(new Set(placed.map((it) => `${it.row} ${it.column}`)).size).toBe(4);
  });

  it('does not cross lines that need not cross', () => {
    const { placed } = layOut({
      nodes: [...'abxy'].map(node),
      edges: [
        ['a', 'y'],
        ['b', 'x']
      ]
    });
    const column = (id: string) => placed.find((it) => it.node.id === id)!.column;
    expect(column('a') < column('b')).toBe(column('y') < column('x'));
  });

  it('is followed up to the originals and down to what was made of it, and not to its siblings', async () => {
    const artifact = (id: string) => ({ id, kind: id, tool: 't', part: '' });
    const lineage = (id: string, inputs: string[], derived: string[]) =>
      ({
        artifact: artifact(id),
        asset_id: 'asset',
        asset_name: 'a.jpg',
        inputs: inputs.map((name) =>
          name === 'o'
            ? { source: 'original', hash: 'h', name: null }
            : { source: 'artifact', hash: name, name }
        ),
        derived: derived.map(artifact)
      }) as unknown as Lineage;
    const all: Record<string, Lineage> = {
      first: lineage('first', ['o'], ['middle', 'sibling']),
      middle: lineage('middle', ['first'], ['last']),
      last: lineage('last', ['middle', 'other'], [])
    };
    const asked: string[] = [];
    const graph = await traceLineage('middle', (id) => {
      asked.push(id);
      return Promise.resolve(all[id]!);
    });
    expect(asked.sort()).toEqual(['first', 'last', 'middle']);
    expect(graph.nodes.map((it) => it.name).sort()).toEqual([
      '',
      'a.jpg',
      'first',
      'last',
      'middle'
    ]);
    expect(graph.nodes.find((it) => it.source === 'original')!.href).toBe('/assets/asset');
    expect(graph.edges).toHaveLength(4);
    expect(graph.isCut).toBe(false);
  });
});
