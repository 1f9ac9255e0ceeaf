import { UserError } from '../../../common/errors.ts';
import type { Architecture } from '../../space.ts';
import {
  avgPool,
  batchNorm,
  choice,
  conv,
  dagOfNodes,
  dropout,
  globalAvgPool,
  identity,
  linear,
  maxPool,
  relu,
  residual,
  sequential,
  zero,
} from '../../tree/builders.ts';
import { convBnRelu } from '../../tree/composites.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { trainingOf, withTraining } from '../training.ts';
import {
  CELL,
  type Edge,
  edgeOf,
  type HierarchyOptions,
  hierarchyMembership,
  inWalkOrder,
  liveEdges,
  type Motif,
  motifName,
  motifsOf,
  NONE,
  type PRIMITIVES,
  pairsOf,
} from './hierarchical-motifs.ts';
import { hierarchyText } from './hierarchical-notation.ts';
import { imageOf, reductions } from './images.ts';

/** Stages of cells, with twice the channels of the one before. */
const STAGES = 3;
/** No network has more primitives in a cell: motifs of motifs multiply. */
const MOST_PRIMITIVES = 4096;

/** All have stride 1 and keep the channels. */
const OPERATIONS = {
  conv1x1: convBnRelu(1),
  depthwiseConv3x3: sequential(conv('same', 3, { groups: 'depthwise' }), batchNorm(), relu()),
  sepConv3x3: separable('same', 1),
  maxPool3x3: maxPool(3),
  avgPool3x3: avgPool(3),
  identity: identity(),
} as const satisfies Readonly<Record<(typeof PRIMITIVES)[number], Module>>;

function separable(channels: number | 'same', stride: 1 | 2): Module {
  return sequential(conv('same', 3, { stride, groups: 'depthwise' }), conv(channels, 1), batchNorm(), relu());
}

/**
 * Hierarchical representations (Liu et al. 2018, arXiv:1711.00436): motifs of motifs. Edges of a motif of level 2 are primitive operations
 * or none, edges of one of level 3 are motifs of level 2, and so on; the one motif of the highest level is the cell. As in the paper there
 * are 3 levels by default, 6 motifs of 4 nodes and a cell of 5 nodes; `levels` 2 is the paper's flat space. 7^46 = 7.5e38 labelings, many
 * of which are one network (`hierarchyMembership`).
 *
 * Cells stand in a row: `cells` in each of 3 stages, with separable convolutions between them, of stride 2 and twice the channels
 * between the stages. A node that is reached by several edges concatenates them and projects them to the channels of its stage by a 1x1
 * convolution; none contributes nothing.
 *
 * Differs: the paper leaves the projection to the primitives, so channels would grow with the motifs; images are halved less often
 * where they are small; architectures are drawn evenly rather than by mutations of trivial ones; a shortcut around each cell lets deep
 * ones train (`shortcut=false`: none, as in the paper).
 */
export const hierarchical = defineSpace(
  'hierarchical',
  (task, options) => {
    const motifs = motifsOf(options);
    const most = motifs.length === 1 ? 1 : pairsOf(options.nodes).length ** (options.levels - 2);
    const primitives = pairsOf(options.cellNodes).length * most;
    if (primitives > MOST_PRIMITIVES)
      throw new UserError(
        `a cell could have ${primitives} primitive operations; may have ${MOST_PRIMITIVES}: take fewer levels or nodes`,
      );
    const network = skeleton(imageOf(task), options, () => sequential(...inWalkOrder(motifs).map(openMotif)));
    return withTraining(network, task, options);
  },
  {
    description:
      'motifs of motifs (Liu et al. 2018): cells whose edges are small graphs, whose edges are operations; 7.5e38 labelings',
    defaults: {
      levels: { default: 3, whole: true, min: 2, max: 5 },
      motifs: { default: 6, whole: true, min: 2, max: 32 },
      nodes: { default: 4, whole: true, min: 3, max: 7 },
      cellNodes: { default: 5, whole: true, min: 3, max: 16 },
      cells: { default: 1, whole: true, min: 1, max: 16 },
      channels: { default: 16, whole: true, min: 2, max: 1024 },
      dropout: { default: 0, min: 0, below: 1 },
      shortcut: true,
      tune: false,
    },
    text: (_task, options) => hierarchyText(options),
    membership: (task, options) => ({
      ...hierarchyMembership(options),
      network(architecture) {
        const live = liveEdges(motifsOf(options), architecture);
        return skeleton(imageOf(task), options, (channels) => closedMotif(CELL, live, channels));
      },
    }),
    handDesigned: (task, options) =>
      Object.fromEntries(
        Object.entries({ residual: ['identity'], separable: [] }).map(([name, shortcut]) => [
          name,
          { ...blockOf(options, shortcut), ...(options.tune && trainingOf(task)) },
        ]),
      ),
  },
);

interface SkeletonOptions {
  readonly cells: number;
  readonly channels: number;
  readonly dropout: number;
  /** Whether what a cell reads is added to what it puts out. */
  readonly shortcut: boolean;
}

function skeleton(
  image: ReturnType<typeof imageOf>,
  { cells, channels, dropout: rate, shortcut }: SkeletonOptions,
  cell: (channels: number) => Module,
): Module {
  const { stem, stages } = reductions(image, STAGES);
  const halvings = Array.from({ length: stem }, () => convBnRelu(3, channels, 2));
  return sequential(
    ...(stem > 0 ? halvings : [convBnRelu(3, channels)]),
    ...stages.flatMap((stride, stage) => {
      const width = channels * 2 ** stage;
      return Array.from({ length: cells }, (_, i) => {
        const isFirst = i === 0;
        const before = isFirst ? (stage === 0 ? [] : [separable(width, stride)]) : [separable('same', 1)];
        return [...before, shortcut ? residual(cell(width)) : cell(width)];
      }).flat();
    }),
    ...[globalAvgPool(), dropout(rate), linear('outputs')],
  );
}

/** The decisions of a motif. What its labels stand for is in the network of an architecture. */
function openMotif({ name, level, nodes, labels }: Motif): Module {
  const stands = (label: string) =>
    level === 2 ? OPERATIONS[label as keyof typeof OPERATIONS] : sequential(convBnRelu(1));
  const options = { [NONE]: zero(), ...Object.fromEntries(labels.map((label) => [label, stands(label)])) };
  return dagOfNodes(nodes - 1, (to) => ({ edge: (from) => choice(edgeOf(name, from, to), options) }));
}

/** A motif that has a path, without the edges that are none. */
function closedMotif(name: string, live: ReadonlyMap<string, readonly Edge[]>, channels: number): Module {
  const edges = live.get(name) ?? [];
  const nodes = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
  return dagOfNodes(nodes.length - 1, (node) => {
    const into = edges.filter(({ to }) => to === nodes[node]);
    return {
      from: into.map(({ from }) => nodes.indexOf(from)),
      combine: 'concat',
      edge(source) {
        const label = into.find(({ from }) => from === nodes[source])?.label;
        if (label === undefined) return identity();
        const isPrimitive = !live.has(label);
        const module = isPrimitive ? OPERATIONS[label as keyof typeof OPERATIONS] : closedMotif(label, live, channels);
        // A choice that is made: its key names the operation in drawings.
        return {
          kind: 'choice',
          name: edgeOf(name, nodes[source] ?? 0, nodes[node] ?? 0),
          options: { [label]: module },
        };
      },
      body: into.length > 1 ? convBnRelu(1, channels) : identity(),
    };
  });
}

/** The cell is one motif after another, each of them two separable convolutions, with these primitives beside them. */
function blockOf(options: HierarchyOptions, shortcut: readonly string[]): Architecture {
  const found: Record<string, string> = {};
  for (const { name, level, nodes, labels } of motifsOf(options)) {
    for (const [from, to] of pairsOf(nodes)) found[edgeOf(name, from, to)] = NONE;
    if (name !== CELL && name !== motifName(level, 1)) continue;
    const label = level === 2 ? 'sepConv3x3' : (labels[0] ?? NONE);
    const last = nodes - 1;
    found[edgeOf(name, 0, 1)] = label;
    found[edgeOf(name, 1, last)] = label;
    if (level === 2) for (const one of shortcut) found[edgeOf(name, 0, last)] = one;
  }
  return found;
}
