/** What an architecture of the space `hierarchical` says: motifs as graphs whose edges are labeled. Nothing here knows of networks. */
import type { Architecture, DecisionValue, Domain, Membership, OpenTree, TreeArchitecture } from '../../space.ts';
import { decisions } from '../../tree/decisions.ts';

/** Level 1, with the names of its operations. */
export const PRIMITIVES = [
  'conv1x1',
  'depthwiseConv3x3',
  'sepConv3x3',
  'maxPool3x3',
  'avgPool3x3',
  'identity',
] as const;
/** There is no edge. */
export const NONE = 'none';

export interface HierarchyOptions {
  /** Levels, that of the primitives and that of the cell included. */
  readonly levels: number;
  /** Motifs of each level between primitives and cell. */
  readonly motifs: number;
  /** Nodes of such a motif, and of the cell, input and output included. */
  readonly nodes: number;
  readonly cellNodes: number;
}

export interface Motif {
  /** `motifL.N`, or `cell`. */
  readonly name: string;
  /** 2 for motifs of primitives. */
  readonly level: number;
  readonly nodes: number;
  /** What its edges may be, beside none. */
  readonly labels: readonly string[];
}

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export const CELL = 'cell';
export const motifName = (level: number, number: number): string => `motif${level}.${number}`;
export const edgeOf = (motif: string, from: number, to: number): string => `${motif}:${from}->${to}`;

/** All motifs, the lowest level first; the cell is the last. */
export function motifsOf({ levels, motifs, nodes, cellNodes }: HierarchyOptions): readonly Motif[] {
  const names = (level: number) => Array.from({ length: motifs }, (_, i) => motifName(level, i + 1));
  const labels = (level: number): readonly string[] => (level === 2 ? PRIMITIVES : names(level - 1));
  const inner = Array.from({ length: levels - 2 }, (_, i) => i + 2);
  return [
    ...inner.flatMap((level) => names(level).map((name) => ({ name, level, nodes, labels: labels(level) }))),
    { name: CELL, level: levels, nodes: cellNodes, labels: labels(levels) },
  ];
}

/** The pairs of nodes that an edge may join, in the order of the decisions. */
export const pairsOf = (nodes: number): readonly (readonly [number, number])[] =>
  Array.from({ length: nodes - 1 }, (_, i) =>
    Array.from({ length: i + 1 }, (_unused, from) => [from, i + 1] as const),
  ).flat();

/** The edges of each motif that are on a path from its input to its output, through motifs that have such a path themselves. */
export function liveEdges(motifs: readonly Motif[], architecture: Architecture): ReadonlyMap<string, readonly Edge[]> {
  const live = new Map<string, readonly Edge[]>();
  for (const { name, level, nodes } of motifs) {
    const passes = (label: string) => label !== NONE && (level === 2 || (live.get(label)?.length ?? 0) > 0);
    const edges = pairsOf(nodes).flatMap(([from, to]): readonly Edge[] => {
      const label = String(architecture[edgeOf(name, from, to)] ?? NONE);
      return passes(label) ? [{ from, to, label }] : [];
    });
    live.set(name, onPaths(edges, nodes));
  }
  return live;
}

function onPaths(edges: readonly Edge[], nodes: number): readonly Edge[] {
  const reached = new Set([0]);
  // Edges stand by the node that they lead to.
  for (const { from, to } of edges) if (reached.has(from)) reached.add(to);
  const needed = new Set([nodes - 1]);
  for (const { from, to } of edges.toReversed()) if (needed.has(to)) needed.add(from);
  return edges.filter(({ from, to }) => reached.has(from) && needed.has(to));
}

/** The motifs that the cell is made of, itself included. */
export function usedMotifs(live: ReadonlyMap<string, readonly Edge[]>): ReadonlySet<string> {
  const used = new Set<string>();
  const visit = (name: string) => {
    if (used.has(name) || !live.has(name)) return;
    used.add(name);
    for (const { label } of live.get(name) ?? []) visit(label);
  };
  visit(CELL);
  return used;
}

/**
 * Edges on no path from input to output become none, and so do those of motifs that nothing uses. Where constraints leave the motifs of a
 * level alike, equal motifs become one and they are numbered in the order in which they are used; where they leave the edges of a motif
 * of primitives alike, its nodes are numbered so that isomorphic ones become equal.
 */
export function hierarchyMembership(options: HierarchyOptions): Omit<Membership, 'network'> {
  const motifs = motifsOf(options);
  return {
    refusal(architecture) {
      if ((liveEdges(motifs, architecture).get(CELL)?.length ?? 0) > 0) return undefined;
      return { found: 'its cell has no path from input to output', rule: 'must have one, without none' };
    },
    repair: (architecture, tree) => withPath(architecture, motifs, domainsOf(tree)),
    canonical(architecture, tree) {
      const domains = domainsOf(tree);
      const numbered = withOrderedNodes(pruned(architecture, motifs, domains), motifs, domains);
      return Object.freeze(pruned(withOrderedMotifs(numbered, motifs, options, domains), motifs, domains));
    },
    deadEnd(architecture, tree) {
      const domains = domainsOf(tree);
      const named = new Set<string>([CELL]);
      for (const motif of inWalkOrder(motifs)) {
        const { name, nodes, level } = motif;
        const edges = pairsOf(nodes).flatMap(([from, to]): readonly Edge[] => {
          const label = String(architecture[edgeOf(name, from, to)] ?? NONE);
          return label === NONE ? [] : [{ from, to, label }];
        });
        const decisionOf = ({ from, to }: Edge) => edgeOf(name, from, to);
        const isFree = (edge: Edge) => domains.get(decisionOf(edge))?.includes(NONE) === true;
        if (!named.has(name)) {
          const idle = edges.find(isFree);
          if (idle !== undefined) return decisionOf(idle);
          continue;
        }
        const last = edgeOf(name, nodes - 2, nodes - 1);
        const passing = onPaths(edges, nodes);
        const isEmpty = passing.length === 0 && (name === CELL || areFree(name, motifs, domains));
        const hasDead = edges.some((edge) => isFree(edge) && !passing.includes(edge));
        const isOrdered = () => {
          const ordered = withOrderedNodes(architecture, [motif], domains);
          return pairsOf(nodes).every(
            ([from, to]) => ordered[edgeOf(name, from, to)] === architecture[edgeOf(name, from, to)],
          );
        };
        if (isEmpty || hasDead || (level === 2 && !isOrdered())) return last;
        for (const { label } of edges) named.add(label);
      }
      return undefined;
    },
    counts(architecture, decision) {
      const live = liveEdges(motifs, architecture);
      const name = decision.slice(0, decision.indexOf(':'));
      if (!usedMotifs(live).has(name)) return false;
      return (
        architecture[decision] === NONE ||
        (live.get(name) ?? []).some(({ from, to }) => edgeOf(name, from, to) === decision)
      );
    },
    size: () => undefined,
  };
}

/** As decisions stand: each motif before those that it is made of, so that it is known early which of these are used. */
export const inWalkOrder = (motifs: readonly Motif[]): readonly Motif[] => motifs.toSorted((a, b) => b.level - a.level);

/** Whether all edges that may be this motif may be none. */
const areFree = (label: string, motifs: readonly Motif[], domains: Domains): boolean =>
  motifs.every(
    (motif) =>
      !motif.labels.includes(label) ||
      domainsIn(motif, domains).every((domain) => !domain.includes(label) || domain.includes(NONE)),
  );

type Domains = ReadonlyMap<string, readonly string[]>;

/** Trees are frozen, so what was found for one stays true. */
const known = new WeakMap<OpenTree, Domains>();

function domainsOf(tree: OpenTree): Domains {
  const valuesOf = (domain: Domain) => (domain.kind === 'values' ? domain.values.map(String) : []);
  const found = known.get(tree) ?? new Map(decisions(tree).map(({ name, domain }) => [name, valuesOf(domain)]));
  known.set(tree, found);
  return found;
}

/** What constraints leave of a motif's edges, in order. */
const domainsIn = ({ name, nodes }: Motif, domains: Domains) =>
  pairsOf(nodes).map(([from, to]) => domains.get(edgeOf(name, from, to)) ?? []);

/** Edges without effect are none where constraints allow it; of a motif that no edge names, otherwise the first value. */
function pruned(architecture: TreeArchitecture, motifs: readonly Motif[], domains: Domains): TreeArchitecture {
  const live = liveEdges(motifs, architecture);
  const used = usedMotifs(live);
  const found: Record<string, DecisionValue> = { ...architecture };
  const edges = motifs.map(({ name, nodes }) =>
    pairsOf(nodes).map(([from, to]) => [edgeOf(name, from, to), from, to] as const),
  );
  for (const [i, { name }] of motifs.entries())
    for (const [decision, from, to] of edges[i] ?? []) {
      const isLive = used.has(name) && live.get(name)?.some((edge) => edge.from === from && edge.to === to);
      if (isLive !== true && domains.get(decision)?.includes(NONE)) found[decision] = NONE;
    }
  const named = new Set<DecisionValue>(Object.values(found));
  for (const [i, { name }] of motifs.entries())
    if (name !== CELL && !named.has(name))
      for (const [decision] of edges[i] ?? []) {
        const domain = domains.get(decision) ?? [];
        found[decision] = domain.includes(NONE) ? NONE : (domain[0] ?? NONE);
      }
  return found;
}

/** Motifs of primitives whose edges may all be the same: of all numberings of their inner nodes the one with the least labels. */
function withOrderedNodes(
  architecture: TreeArchitecture,
  motifs: readonly Motif[],
  domains: Domains,
): TreeArchitecture {
  const found: Record<string, DecisionValue> = { ...architecture };
  for (const motif of motifs) {
    if (motif.level !== 2 || !areAlike(domainsIn(motif, domains))) continue;
    const { name, nodes } = motif;
    const labelAt = (from: number, to: number) => String(architecture[edgeOf(name, from, to)] ?? NONE);
    const inner = Array.from({ length: nodes - 2 }, (_, i) => i + 1);
    const sequences = permutations(inner).flatMap((order) => {
      const numbers = [0, ...order, nodes - 1];
      const isRising = pairsOf(nodes).every(
        ([from, to]) => labelAt(from, to) === NONE || numbers.indexOf(from) < numbers.indexOf(to),
      );
      return isRising ? [pairsOf(nodes).map(([from, to]) => labelAt(numbers[from] ?? 0, numbers[to] ?? 0))] : [];
    });
    const least = sequences.reduce((one, other) => (`${other}` < `${one}` ? other : one));
    for (const [i, [from, to]] of pairsOf(nodes).entries()) found[edgeOf(name, from, to)] = least[i] ?? NONE;
  }
  return found;
}

function withOrderedMotifs(
  architecture: TreeArchitecture,
  motifs: readonly Motif[],
  { levels }: HierarchyOptions,
  domains: Domains,
): TreeArchitecture {
  let now = architecture;
  const change = (motif: Motif, label: (old: string) => string) => {
    const edges = pairsOf(motif.nodes).map(([from, to]) => edgeOf(motif.name, from, to));
    now = { ...now, ...Object.fromEntries(edges.map((edge) => [edge, label(String(now[edge]))])) };
  };
  const ofLevel = (level: number) => motifs.filter((motif) => motif.level === level);
  const labels = ({ name, nodes }: Motif) => pairsOf(nodes).map(([from, to]) => String(now[edgeOf(name, from, to)]));
  const isFree = (level: number) =>
    new Set(ofLevel(level).map((motif) => JSON.stringify(domainsIn(motif, domains)))).size === 1 &&
    ofLevel(level + 1).every((motif) =>
      domainsIn(motif, domains).every((domain) => motif.labels.every((label) => domain.includes(label))),
    );
  // From below, since a motif is as another only once the motifs in it are.
  for (let level = 2; level < levels; level++) {
    if (!isFree(level)) continue;
    const known = new Map<string, string>();
    const standIns = new Map<string, string>();
    for (const motif of ofLevel(level)) {
      const key = labels(motif).join();
      standIns.set(motif.name, known.get(key) ?? motif.name);
      if (!known.has(key)) known.set(key, motif.name);
    }
    for (const motif of ofLevel(level + 1)) change(motif, (old) => standIns.get(old) ?? old);
  }
  // From above, since the order of use is that in the motifs above.
  for (let level = levels - 1; level >= 2; level--) {
    if (!isFree(level)) continue;
    const order = [...new Set(ofLevel(level + 1).flatMap(labels))].filter((label) => label !== NONE);
    const names = ofLevel(level).map(({ name }) => name);
    const all = [...order, ...names.filter((name) => !order.includes(name))];
    const numbers = new Map(all.map((name, i) => [name, names[i] ?? name]));
    const before = new Map(ofLevel(level).map((motif) => [motif.name, labels(motif)]));
    for (const motif of ofLevel(level + 1)) change(motif, (old) => numbers.get(old) ?? old);
    for (const [old, name] of numbers)
      for (const [i, [from, to]] of pairsOf(ofLevel(level)[0]?.nodes ?? 2).entries())
        now = { ...now, [edgeOf(name, from, to)]: before.get(old)?.[i] ?? NONE };
  }
  return now;
}

const areAlike = (lists: readonly (readonly string[])[]) => new Set(lists.map((list) => list.join())).size <= 1;

function permutations(items: readonly number[]): readonly (readonly number[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

/** An edge from input to output in the cell, and in each motif that it needs, where constraints allow it. */
function withPath(architecture: TreeArchitecture, motifs: readonly Motif[], domains: Domains): TreeArchitecture {
  const found: Record<string, DecisionValue> = { ...architecture };
  for (let name: string | undefined = CELL; name !== undefined; ) {
    const motif: Motif | undefined = motifs.find((one) => one.name === name);
    if (motif === undefined) break;
    const edge = edgeOf(motif.name, 0, motif.nodes - 1);
    const label = domains.get(edge)?.find((one) => one !== NONE);
    if (label === undefined) break;
    found[edge] = label;
    name = label;
  }
  return found;
}
