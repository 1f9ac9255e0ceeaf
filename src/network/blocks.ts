import { invalid } from '../common/errors.ts';
import { createGraph } from '../graph/builder.ts';
import type { Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Task } from '../space/space.ts';
import type { Module } from '../space/tree/module.ts';
import { featuresOf } from './block-features.ts';
import { endsOf } from './costs.ts';
import { lowerNetwork } from './lower.ts';

/** A part of a network that computes from one tensor alone to another, with all that its latency depends on. */
export interface Block {
  /** The same for blocks that compute the same: the module, and the shape of what it reads. */
  readonly key: string;
  readonly part: Module;
  /** Without the batch. */
  readonly input: Shape;
  readonly output: Shape;
  /** What its latency can be predicted from, in the order of `BLOCK_FEATURES`. */
  readonly features: readonly number[];
  /** It hands on what it reads. */
  readonly isEmpty: boolean;
}

/** A nested chain of at most so many layers with weights is one block, such as an inverted bottleneck; of a longer one, each layer is. */
const MOST_WEIGHTED = 4;

const WEIGHTED: readonly Module['kind'][] = [
  ...(['conv', 'convTranspose', 'linear', 'embedding', 'attention', 'factorizedReduce'] as const),
  ...(['recurrent', 'recurrentCell', 'recurrentGraph', 'highway'] as const),
];
/** Fused with the layer before, or cheap: never a block of their own unless nothing stands before them. */
const ATTACHED: readonly Module['kind'][] = ['batchNorm', 'layerNorm', 'activation', 'glu'];
/** What inference does not compute. */
const ABSENT: readonly Module['kind'][] = ['identity', 'dropout', 'dropPath'];

/**
 * The blocks that a resolved network is a chain of, in order: its latency is nearly the sum of theirs. Branches (a residual, the cell of a DAG) are never
 * cut, so a network that is one large cell is one block. `known` keeps blocks from one network to the next. Throws UserError where the network
 * cannot be built, and for one that reads tokens.
 */
export function blocksOf(network: Module, task: Task, known = new Map<string, Block>()): readonly Block[] {
  if (task.vocabulary !== undefined)
    throw invalid(
      'blocks of a network',
      'it reads tokens',
      'only networks of images, sequences and tables are cut into blocks',
    );
  const whole = inferred(network);
  const parts = mentionsInput(whole) ? [whole] : unitsOf(whole, true).map(joined);
  let shape: Shape = task.input;
  return parts.flatMap((part) => {
    const key = JSON.stringify([part, shape]);
    const block = known.get(key) ?? { key, part, input: shape, ...lowered(part, task, shape) };
    known.set(key, block);
    shape = block.output;
    return block.isEmpty ? [] : [block];
  });
}

const joined = (unit: readonly Module[]): Module =>
  unit.length === 1 && unit[0] !== undefined ? unit[0] : { kind: 'sequential', children: unit };

function lowered(part: Module, task: Task, input: Shape): Pick<Block, 'output' | 'features' | 'isEmpty'> {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, ...input]);
  const { output } = lowerNetwork(g, part, x, { ...endsOf(task), shape: 'any', mode: 'infer' });
  return { output: g.shape(output).slice(1), features: featuresOf(g, x, output), isEmpty: output === x };
}

/** The network as inference computes it: without decisions, repetitions written out, without what only training does. */
function inferred(module: Module): Module {
  switch (module.kind) {
    case 'choice': {
      const [only] = Object.values(module.options);
      return only === undefined ? module : inferred(only);
    }
    case 'scope':
    case 'auxiliary':
      return inferred(module.body);
    case 'repeat': {
      const body = inferred(module.body);
      return { kind: 'sequential', children: Array.from({ length: Number(module.times) }, () => body) };
    }
    case 'sequential': {
      const children = module.children.map(inferred).filter((child) => !isAbsent(child));
      return { kind: 'sequential', children };
    }
    case 'residual':
      return { ...module, body: inferred(module.body), shortcut: inferred(module.shortcut) };
    case 'stack':
      return { ...module, cells: module.cells.map(inferred) };
    case 'dag':
      return {
        ...module,
        entries: module.entries.map(inferred),
        nodes: module.nodes.map((node) => ({
          ...node,
          body: inferred(node.body),
          edges: node.edges.map(inferred),
          ...(node.further && { further: node.further.map((read) => ({ ...read, edges: read.edges.map(inferred) })) }),
        })),
      };
    default:
      return module;
  }
}

const isAbsent = (module: Module) =>
  ABSENT.includes(module.kind) || (module.kind === 'sequential' && module.children.length === 0);

/** The modules of each block of a chain. */
function unitsOf(module: Module, isOutermost = false): readonly (readonly Module[])[] {
  if (module.kind !== 'sequential') return [[module]];
  if (!isOutermost && isOneBlock(module)) return [module.children];
  const units: Module[][] = [];
  /** Whether the last unit may take more layers. */
  let isOpen = false;
  for (const child of leaves(module)) {
    const last = units.at(-1);
    if (ATTACHED.includes(child.kind) && last !== undefined) {
      last.push(child);
    } else if (isComposite(child)) {
      units.push(...unitsOf(child).map((unit) => [...unit]));
      isOpen = false;
    } else if (isOpen && last !== undefined && !(isWeighted(child) && last.some(isWeighted))) {
      last.push(child);
    } else {
      units.push([child]);
      isOpen = true;
    }
  }
  return units;
}

/** A chain without branches, of few layers with weights. */
function isOneBlock({ children }: Module & { kind: 'sequential' }): boolean {
  const flat = children.flatMap((child) => (child.kind === 'sequential' ? child.children : [child]));
  const weighted = flat.filter(isWeighted).length;
  return weighted >= 1 && weighted <= MOST_WEIGHTED && flat.every((child) => !isComposite(child));
}

/** The children of a chain; those of a chain within it that has no weights are its own. */
function leaves({ children }: Module & { kind: 'sequential' }): readonly Module[] {
  return children.flatMap((child) =>
    child.kind === 'sequential' && !child.children.some((one) => isWeighted(one) || isComposite(one))
      ? child.children
      : [child],
  );
}

const isWeighted = (module: Module) => WEIGHTED.includes(module.kind);
const isComposite = (module: Module) => ['sequential', 'residual', 'dag', 'stack', 'shared'].includes(module.kind);

/** Whether something in it depends on the network's own input, which a part does not have. */
function mentionsInput(module: Module): boolean {
  return JSON.stringify(module).includes('"factor":"input"');
}
