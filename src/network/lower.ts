import { invalid } from '../common/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/module.ts';
import { lowerActivation } from './activation.ts';
import { lowerConv, lowerFactorisedReduce, lowerSqueezeExcite } from './convolution.ts';
import { lowerFlatten, lowerLinear } from './dense.ts';
import type { Lower, Lowering, ModuleKind, ModuleOf, OpenChoices } from './lowering.ts';
import { mixture } from './mixture.ts';
import type { Layer, LoweredNetwork, Parameter, RandomInput, Statistic } from './network.ts';
import { lowerBatchNorm, lowerLayerNorm } from './normalisation.ts';
import { lowerGlobalPool, lowerPool } from './pooling.ts';
import { lowerDropout, lowerDropPath } from './regularisation.ts';
import {
  lowerChoice,
  lowerDag,
  lowerIdentity,
  lowerRepeat,
  lowerResidual,
  lowerScope,
  lowerSequential,
  lowerStack,
  lowerZero,
} from './structure.ts';
import { guarded, switched } from './switch.ts';

const LOWERINGS: { readonly [K in ModuleKind]: Lower<K> } = {
  conv: lowerConv,
  batchNorm: lowerBatchNorm,
  layerNorm: lowerLayerNorm,
  activation: lowerActivation,
  pool: lowerPool,
  globalPool: lowerGlobalPool,
  linear: lowerLinear,
  flatten: lowerFlatten,
  dropout: lowerDropout,
  dropPath: lowerDropPath,
  identity: lowerIdentity,
  zero: lowerZero,
  sequential: lowerSequential,
  residual: lowerResidual,
  repeat: lowerRepeat,
  dag: lowerDag,
  stack: lowerStack,
  squeezeExcite: lowerSqueezeExcite,
  factorisedReduce: lowerFactorisedReduce,
  choice: lowerChoice,
  scope: lowerScope,
};

/** How a supernet computes its open choices. */
const OPEN = { mixture, switch: switched } as const satisfies Readonly<
  Record<string, (g: GraphBuilder, network: Module) => OpenChoices>
>;

export interface LowerOptions {
  /** Classes, or targets of a regression. */
  readonly outputs: number;
  readonly mode: 'train' | 'infer';
  /** What becomes of open choices; without it, there must be none. */
  readonly choices?: keyof typeof OPEN;
}

/**
 * Appends a network to a graph. `network` has no open choices (`resolve` closes them), or is a supernet (`supernet` opens
 * them) and `choices` says how it computes them; values and repetitions must be decided in either. `x` is [N, C, H, W] or
 * [N, F], already normalised. In mode `train`, batch norm uses the batch's statistics and dropout draws; in `infer`, neither.
 * Both modes name the same parameters and statistics, by their paths in the tree.
 *
 * Throws UserError with the module's path when shapes do not fit, or when the output is not [N, outputs].
 */
export function lowerNetwork(g: GraphBuilder, network: Module, x: NodeId, options: LowerOptions): LoweredNetwork {
  const parameters: Parameter[] = [];
  const statistics: Statistic[] = [];
  const randomInputs: RandomInput[] = [];
  const layers: Layer[] = [];
  const open = options.choices && OPEN[options.choices](g, network);

  function lower(module: Module, input: NodeId, path: string, before: readonly NodeId[] = []): NodeId {
    const place = path === '' ? `network (${module.kind})` : `network ${path} (${module.kind})`;
    const named = (name: string) => (path === '' ? name : `${path}/${name}`);
    const l: Lowering = {
      g,
      mode: options.mode,
      outputs: options.outputs,
      before,
      open,
      child: (segment, child, value, past) =>
        segment === ''
          ? lower(child, value, path, past)
          : g.within(segment, () => lower(child, value, named(segment), past)),
      parameter(name, shape, initialiser) {
        const node = ops.input(g, named(name), shape);
        parameters.push({ path: named(name), shape, initialiser, node, when: open?.when ?? [] });
        return node;
      },
      statistic(name, shape, initial, move) {
        const node = ops.input(g, named(name), shape);
        const initialiser = { kind: 'constant', value: initial } as const;
        const when = open?.when ?? [];
        const guard = (batch: NodeId): NodeId =>
          when.length === 0 ? batch : guarded(g, when, ops.constant(g, 0, g.shape(batch)), batch);
        const moving = move && { move: { ...move, batch: guard(move.batch) } };
        statistics.push({ path: named(name), shape, initialiser, node, when, ...moving });
        return node;
      },
      random(shape) {
        const name = named('random');
        randomInputs.push({ name, shape });
        return ops.input(g, name, shape);
      },
      error: (found, rule) => invalid(place, found, rule),
    };
    const output = lowerOne(l, module, input);
    layers.push({ path, kind: module.kind, output });
    return output;
  }

  const output = lower(network, x, '');
  const batch = g.shape(x)[0] ?? 1;
  const shape = g.shape(output);
  if (shape.length !== 2 || shape[0] !== batch || shape[1] !== options.outputs) {
    throw invalid(
      'network',
      `its output is [${shape}]`,
      `it must be [${batch}, ${options.outputs}], one for each output`,
    );
  }
  return {
    output,
    parameters,
    architecture: open?.parameters ?? [],
    switches: open?.switches ?? [],
    statistics,
    randomInputs,
    layers,
  };
}

function lowerOne<K extends ModuleKind>(l: Lowering, module: ModuleOf<K>, x: NodeId): NodeId {
  const lower = LOWERINGS[module.kind] as Lower<K>;
  return lower(l, module, x);
}
