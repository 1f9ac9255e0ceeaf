import { invalid } from '../../common/errors.ts';
import type { Architecture, DecisionValue, Space } from '../space.ts';
import { type Cell, cellsOf } from './cells.ts';
import { settled } from './choose.ts';
import { describeDomain } from './domain.ts';
import { allOutput } from './reads.ts';
import { complete } from './walk.ts';

/**
 * What each option of each open choice weighs, by decision, in the order of the options: shares, as after a softmax. A decision that picks
 * inputs may have weights too, one for each earlier node (the edge normalization of PC-DARTS).
 */
export type OptionWeights = Readonly<Record<string, ArrayLike<number>>>;

/**
 * The architecture that the weights of a supernet select. Each choice takes its strongest option. Nodes that pick inputs take those of
 * the strongest edges: an edge is as strong as its strongest operation, times its own weight where the node weighs its edges. A cell
 * whose output is a decision puts out all its nodes, as it does in a supernet. In a cell that decides its wiring, an absent
 * edge is the wiring's business: `zero` is neither an operation to take nor a strength there (Liu et al. 2019, section
 * 2.4). The first of equals wins.
 *
 * Throws UserError when a choice has no weights, or there is a decision that options do not weigh (a value, a number).
 */
export function derive(space: Space, weights: OptionWeights): Architecture {
  const place = `weights of space "${space.name}"`;
  const all = cellsOf(space);
  const outputs = new Set(all.flatMap(({ output }) => (typeof output === 'object' ? [output.decision] : [])));
  const cells = all.filter(({ connections }) => connections.some(({ wiring }) => wiring !== undefined));
  const passedOver = passedOverIn(space);

  function strongest(name: string, options: readonly DecisionValue[]): { option: DecisionValue; weight: number } {
    const given = Object.hasOwn(weights, name) ? weights[name] : undefined;
    if (options.length === 1 && options[0] !== undefined) return { option: options[0], weight: given?.[0] ?? 1 };
    if (given?.length !== options.length) {
      const found = given === undefined ? 'has no weights' : `has ${given.length} weights`;
      throw invalid(place, `choice "${name}" ${found}`, `needs one for each option: ${options.join(', ')}`);
    }
    const zeros = passedOver.get(name) ?? [];
    const weighed = options.map((option, k) => ({ option, weight: given[k] ?? Number.NaN }));
    const operations = weighed.filter(({ option }) => !zeros.includes(String(option)));
    return (operations.length > 0 ? operations : weighed).reduce((best, one) =>
      one.weight > best.weight ? one : best,
    );
  }

  /** The strength of each edge that the decision `wiring` may pick. */
  function strengths(wiring: string): readonly { from: number; weight: number }[] {
    const connections = findConnections(cells, wiring);
    const ofEdges = Object.hasOwn(weights, wiring) ? weights[wiring] : undefined;
    if (ofEdges !== undefined && connections.some(({ from }) => ofEdges[from] === undefined)) {
      const found = `decision "${wiring}" has ${ofEdges.length} weights`;
      throw invalid(place, found, `needs one for each of ${connections.length} edges`);
    }
    return connections.map(({ from, edge }) => {
      if (edge === undefined && ofEdges === undefined)
        throw invalid(place, `decision "${wiring}" picks edge ${from}`, 'which has no operations');
      const operation = edge === undefined ? 1 : strongest(edge.decision, edge.options).weight;
      return { from, weight: operation * (ofEdges?.[from] ?? 1) };
    });
  }

  const derived = complete(space, (name, domain) => {
    if (domain.kind === 'values' && (domain.values.length === 1 || Object.hasOwn(weights, name)))
      return strongest(name, domain.values).option;
    if (domain.kind === 'inputs') {
      const ranked = strengths(name).toSorted((a, b) => b.weight - a.weight || a.from - b.from);
      const taken = ranked.slice(0, domain.count).map(({ from }) => from);
      return Object.freeze(taken.toSorted((a, b) => a - b));
    }
    const all = domain.kind === 'values' && outputs.has(name) ? allOutput(domain.values) : undefined;
    if (all !== undefined) return all;
    throw invalid(place, `decision "${name}" has no weights`, `must be ${describeDomain(domain)}`);
  }).architecture;
  return settled(space, derived);
}

/** The options that are never derived, by decision: those that put out nothing, in cells that decide their wiring. */
export function passedOverIn(space: Space): ReadonlyMap<string, readonly string[]> {
  const cells = cellsOf(space).filter(({ connections }) => connections.some(({ wiring }) => wiring !== undefined));
  return new Map(
    cells.flatMap(({ connections }) =>
      connections.flatMap(({ edge }) => (edge ? [[edge.decision, edge.zeros] as const] : [])),
    ),
  );
}

function findConnections(cells: readonly Cell[], wiring: string): Cell['connections'] {
  for (const { connections } of cells) {
    const found = connections.filter((connection) => connection.wiring === wiring);
    if (found.length > 0) return found;
  }
  return [];
}
