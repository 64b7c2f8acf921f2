/**
 * Where an artifact comes from and what came of it, as a graph: what was fetched, put into layers. The
 * graphs are small, and a library for them would weigh more than these lines.
 */
import type { Lineage } from '../api/client';

export interface Node {
  id: string;
  /** What it is: `original`, `name`, `sidecar`, `gone`, or `artifact`. */
  source: string;
  /** The kind of artifact, or what the input is called. */
  name: string;
  /** The page that shows more of it. */
  href?: string;
  /** Which part of the asset it is about, the tool that made it. */
  part?: string;
  tool?: string;
}

export interface Graph {
  nodes: Node[];
  /** From what was used to what was made of it. */
  edges: [string, string][];
  /** Whether there is more than is shown. */
  isCut: boolean;
}

/** How many artifacts are asked for. */
const MOST = 40;

/** Follows an artifact to what it was made from, and to what was made of it. */
export async function traceLineage(
  id: string,
  fetch: (id: string) => Promise<Lineage>
): Promise<Graph> {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, [string, string]>();
  const link = (from: string, to: string) => edges.set(`${from} ${to}`, [from, to]);
  let asked = 0;
  let isCut = false;

  async function visit(id: string, goes: { up: boolean; down: boolean }): Promise<void> {
    if (asked >= MOST) {
      isCut = true;
      return;
    }
    asked += 1;
    const made = await fetch(id);
    nodes.set(id, artifactNode(made.artifact));
    for (const input of made.inputs) {
      const isArtifact = input.source === 'artifact' && input.name;
      const from = isArtifact ? input.name! : `${input.source} ${input.hash} ${input.name ?? ''}`;
      link(from, id);
      if (isArtifact) {
        if (goes.up && !nodes.has(from)) await visit(from, { up: true, down: false });
        else if (!nodes.has(from)) nodes.set(from, { id: from, source: 'artifact', name: '' });
      } else if (!nodes.has(from)) {
        const isOriginal = input.source === 'original';
        nodes.set(from, {
          id: from,
          source: input.source,
          name: isOriginal ? made.asset_name : (input.name ?? ''),
          href: isOriginal ? `/assets/${made.asset_id}` : undefined
        });
      }
    }
    if (!goes.down) return;
    for (const artifact of made.derived) {
      link(id, artifact.id);
      if (!nodes.has(artifact.id)) {
        nodes.set(artifact.id, artifactNode(artifact));
        await visit(artifact.id, { up: false, down: true });
      }
    }
  }
  await visit(id, { up: true, down: true });
  const known = [...edges.values()].filter(([from, to]) => nodes.has(from) && nodes.has(to));
  return { nodes: [...nodes.values()], edges: known, isCut };
}

function artifactNode(artifact: Lineage['artifact']): Node {
  return {
    id: artifact.id,
    source: 'artifact',
    name: artifact.kind,
    href: `/lineage/${artifact.id}`,
    part: artifact.part || undefined,
    tool: artifact.tool
  };
}

/** A node with its place, counted in columns and rows from 0. */
export interface Placed {
  node: Node;
  column: number;
  row: number;
}

export interface Layout {
  placed: Placed[];
  columns: number;
  rows: number;
}

/**
 * Puts each node a row below the lowest of those that it came from, and in each row near those that it
 * is linked with (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981, once down and once up).
 */
export function layOut({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): Layout {
  const above = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  const below = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  for (const [from, to] of edges) {
    above.get(to)?.push(from);
    below.get(from)?.push(to);
  }
  const rowOf = new Map<string, number>();
  const findRow = (id: string, within: Set<string>): number => {
    const known = rowOf.get(id);
    if (known !== undefined) return known;
    // Nothing is made from itself; should it be told so, it stands somewhere.
    if (within.has(id)) return 0;
    within.add(id);
    const rows = above.get(id)!.map((from) => findRow(from, within) + 1);
    within.delete(id);
    const row = Math.max(0, ...rows);
    rowOf.set(id, row);
    return row;
  };
  const rows: Node[][] = [];
  for (const node of nodes) (rows[findRow(node.id, new Set())] ??= []).push(node);
  for (let row = 0; row < rows.length; row++) rows[row] ??= [];

  const at = new Map<string, number>();
  const number = () =>
    rows.forEach((row) => row.forEach((node, i) => at.set(node.id, i - (row.length - 1) / 2)));
  const sort = (row: Node[], near: Map<string, string[]>) => {
    const middle = (node: Node) => {
      const places = near.get(node.id)!.map((id) => at.get(id)!);
      return places.length ? places.reduce((a, b) => a + b, 0) / places.length : at.get(node.id)!;
    };
    const keyed = row.map((node) => [middle(node), node] as const);
    keyed.sort((a, b) => a[0] - b[0]);
    row.splice(0, row.length, ...keyed.map(([, node]) => node));
  };
  number();
  for (const row of rows.slice(1)) (sort(row, above), number());
  for (const row of rows.slice(0, -1).reverse()) (sort(row, below), number());

  const columns = Math.max(1, ...rows.map((row) => row.length));
  const placed = rows.flatMap((nodes, row) =>
    nodes.map((node, i) => ({ node, row, column: i + (columns - nodes.length) / 2 }))
  );
  return { placed, columns, rows: rows.length };
}
