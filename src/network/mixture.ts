import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';
import { type Lowering, type ModuleOf, type OpenChoices, sum } from './lowering.ts';
import { incomingRows } from './mixture-edges.ts';
import type { ArchitectureParameter, OpenDecision } from './network.ts';
import { onPartOfChannels } from './partial-channels.ts';
import { dropChannels } from './regularization.ts';

/** Deviation of fresh architecture parameters around zero, as in DARTS: all options weigh nearly the same at first. */
export const DEVIATION = 1e-3;

/** The input, [], of the rate at which channels behind identities among the options are dropped in training. */
export const SKIP_DROPOUT = 'architecture:skipDropout';

/** How a mixture differs from that of DARTS. */
export interface MixtureForm {
  readonly kind: 'mixture';
  /** 1/partial of the channels pass through the options of a choice, the rest go around them (PC-DARTS); 1, the default: all. */
  readonly partial?: number;
  /** Whether the nodes of cells also weigh the edges that come in (PC-DARTS). */
  readonly edges?: boolean;
  /** Whether identities among the options have dropout (P-DARTS), at the rate that `SKIP_DROPOUT` is fed. */
  readonly skipDropout?: boolean;
}

/**
 * The continuous relaxation of DARTS (Liu et al. 2019, equation 2): an open choice becomes the sum of its options'
 * outputs, each times its share in the softmax of the decision's parameters; `zero` adds nothing, but has its share. Where
 * wiring is open, all edges are there. The parameters of all decisions with equally many options are the rows of one
 * tensor, so that the softmax and an optimizer's update are a few operators for any number of decisions.
 *
 * `network` names its choices by their decisions (`supernet` of the space does).
 */
export function mixture(g: GraphBuilder, network: Module, form: Omit<MixtureForm, 'kind'> = {}): OpenChoices {
  const { partial = 1, edges = false, skipDropout = false } = form;
  const rows = edges ? incomingRows(network) : undefined;
  const { parameters, weights, rate } = g.within('architecture', () => {
    const options = weighed(g, 'architecture', openDecisions(network));
    const incoming = weighed(g, 'edges', rows?.decisions ?? []);
    return {
      parameters: [...options.parameters, ...incoming.parameters],
      weights: { options: options.weights, edges: incoming.weights },
      rate: skipDropout ? ops.input(g, SKIP_DROPOUT, []) : undefined,
    };
  });
  const dropped = (l: Lowering, option: Module, value: NodeId) =>
    rate === undefined || option.kind !== 'identity' ? value : dropChannels(l, value, rate);
  return {
    parameters,
    switches: [],
    when: [],
    choose(l, module, x) {
      const shares = weights.options.get(module.name) ?? [];
      return onPartOfChannels(l, x, { parts: partial, choice: module.name }, (part) =>
        weightedSum(l, module, part, shares, dropped),
      );
    },
    edge: (lower) => lower(),
    weigh(dag, node, incoming) {
      const shares = weights.edges.get(rows?.nameOf(dag, node) ?? '');
      return shares === undefined ? incoming : incoming.map((value, k) => ops.mul(g, value, shares[k] ?? value));
    },
  };
}

/** A row for each decision, a column for each option (of open wiring, for each earlier node): 1 where it counts, 0 where it is left out. */
export interface PathInput {
  readonly name: string;
  /** [decisions, options] */
  readonly shape: Shape;
  readonly decisions: readonly (OpenDecision & { readonly isWiring: boolean })[];
}

/** The inputs of a supernet of paths. */
export function pathInputs(network: Module): readonly PathInput[] {
  const decisions = [
    ...openDecisions(network).map((one) => ({ ...one, isWiring: false })),
    ...openWirings(network).map((one) => ({ ...one, isWiring: true })),
  ];
  return [...Map.groupBy(decisions, ({ options }) => options.length)].map(([count, rows]) => ({
    name: `paths:${count}`,
    shape: [rows.length, count],
    decisions: rows,
  }));
}

/**
 * Several paths at once (Bender et al. 2018): an open choice becomes the sum of those of its options that the inputs `pathInputs` have at
 * 1. All options are computed. Where wiring is open, so are all edges, each times 1 or 0.
 */
export function pathSums(g: GraphBuilder, network: Module): OpenChoices {
  const weights = g.within('paths', () =>
    pathInputs(network).map((one) => scalarsOf(g, ops.input(g, one.name, one.shape), one.decisions)),
  );
  const all = new Map(weights.flatMap((rows) => [...rows]));
  return {
    parameters: [],
    switches: [],
    when: [],
    choose: (l, module, x) => weightedSum(l, module, x, all.get(module.name) ?? []),
    edge(lower, wiring, from) {
      const [value, weight] = [lower(), all.get(wiring)?.[from]];
      return weight === undefined ? value : ops.mul(g, value, weight);
    },
  };
}

/** Trained tensors for decisions, and the shares of their options: scalars by decision, in the order of its options. */
function weighed(
  g: GraphBuilder,
  family: string,
  all: readonly OpenDecision[],
): { readonly parameters: readonly ArchitectureParameter[]; readonly weights: ReadonlyMap<string, readonly NodeId[]> } {
  const parameters: ArchitectureParameter[] = [];
  const weights = new Map<string, readonly NodeId[]>();
  for (const [count, decisions] of Map.groupBy(all, ({ options }) => options.length)) {
    const path = `${family}:${count}`;
    const shape = [decisions.length, count];
    const node = ops.input(g, path, shape);
    parameters.push({ path, shape, initializer: { kind: 'normal', deviation: DEVIATION }, node, when: [], decisions });
    for (const [name, scalars] of scalarsOf(g, ops.exp(g, ops.logSoftmax(g, node)), decisions))
      weights.set(name, scalars);
  }
  return { parameters, weights };
}

/** The elements of a tensor by the decisions of its rows. */
function scalarsOf(g: GraphBuilder, x: NodeId, decisions: readonly OpenDecision[]) {
  return new Map(
    decisions.map(({ name, options }, row) => [
      name,
      options.map((_, k) => ops.reshape(g, ops.slice(g, x, [row, k], [row + 1, k + 1]), [])),
    ]),
  );
}

/** The options of a choice, each times its weight. `after`: what becomes of an option's output before. */
function weightedSum(
  l: Lowering,
  module: ModuleOf<'choice'>,
  x: NodeId,
  weights: readonly NodeId[],
  after: (l: Lowering, option: Module, value: NodeId) => NodeId = (_l, _option, value) => value,
): NodeId {
  const terms = Object.entries(module.options).flatMap(([key, option], k) => {
    const weight = weights[k];
    if (weight === undefined)
      throw l.error(`choice "${module.name}" has an option ${k + 1}`, 'a decision has one domain');
    return option.kind === 'zero' ? [] : [ops.mul(l.g, after(l, option, l.child(key, option, x, l.before)), weight)];
  });
  const [nothing] = Object.values(module.options);
  if (terms.length === 0 && nothing !== undefined) return l.child('', nothing, x, l.before);
  return sum(l, terms);
}

/** The choices still open, in the order of the walk, each name once. */
export function openDecisions(module: Module, found = new Map<string, OpenDecision>()): OpenDecision[] {
  if (module.kind === 'choice') {
    const options = Object.keys(module.options);
    if (options.length > 1) found.set(module.name, found.get(module.name) ?? { name: module.name, options });
  }
  for (const child of childrenOf(module)) openDecisions(child, found);
  return [...found.values()];
}

/** The wiring still open, each name once; its options are the numbers of the nodes that may be read. */
function openWirings(module: Module, found = new Map<string, OpenDecision>()): OpenDecision[] {
  if (module.kind === 'dag') {
    for (const { from, edges } of module.nodes)
      if ('kind' in from) found.set(from.name, { name: from.name, options: edges.map((_, i) => String(i)) });
  }
  for (const child of childrenOf(module)) openWirings(child, found);
  return [...found.values()];
}
