import { invalid } from '../common/errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { lowerActivation, lowerGlu } from './activation.ts';
import { lowerConv, lowerConvTranspose, lowerFactorizedReduce, lowerSqueezeExcite } from './convolution.ts';
import { lowerFirstChannels, lowerFlatten, lowerLinear } from './dense.ts';
import { gated, gatedSum } from './gated.ts';
import { type GeneratedForm, generated } from './generated.ts';
import type { Lower, Lowering, ModuleKind, ModuleOf, OpenChoices } from './lowering.ts';
import { concrete, type MixtureForm, mixture, mixtureOf } from './mixture.ts';
import type {
  AuxiliaryOutput,
  CarriedState,
  Chosen,
  Initializer,
  Layer,
  LoweredNetwork,
  Parameter,
  RandomInput,
  Role,
  Statistic,
} from './network.ts';
import { lowerBatchNorm, lowerLayerNorm } from './normalization.ts';
import { filledPositions } from './padding.ts';
import { pathSums } from './paths.ts';
import { lowerPiecewiseLinear } from './piecewise-linear.ts';
import { lowerGlobalPool, lowerLast, lowerPool } from './pooling.ts';
import { lowerRecurrent } from './recurrent.ts';
import { lowerHighway, lowerRecurrentCell } from './recurrent-cell.ts';
import { lowerRecurrentGraph } from './recurrent-graph.ts';
import { lowerDropout, lowerDropPath } from './regularization.ts';
import { lowerResize } from './resize.ts';
import { lowerAttention, lowerClassToken, lowerEmbedding, lowerPatches, lowerPositions } from './sequence.ts';
import {
  lowerAuxiliary,
  lowerChoice,
  lowerDag,
  lowerIdentity,
  lowerRepeat,
  lowerResidual,
  lowerRows,
  lowerScope,
  lowerSequential,
  lowerShared,
  lowerStack,
  lowerZero,
} from './structure.ts';
import { guarded, operations, switched, wired } from './switch.ts';
import { timeSteps } from './time-steps.ts';

const LOWERINGS: { readonly [K in ModuleKind]: Lower<K> } = {
  conv: lowerConv,
  convTranspose: lowerConvTranspose,
  resize: lowerResize,
  batchNorm: lowerBatchNorm,
  layerNorm: lowerLayerNorm,
  activation: lowerActivation,
  glu: lowerGlu,
  pool: lowerPool,
  globalPool: lowerGlobalPool,
  last: lowerLast,
  linear: lowerLinear,
  flatten: lowerFlatten,
  firstChannels: lowerFirstChannels,
  embedding: lowerEmbedding,
  positions: lowerPositions,
  patches: lowerPatches,
  classToken: lowerClassToken,
  piecewiseLinear: lowerPiecewiseLinear,
  attention: lowerAttention,
  recurrent: lowerRecurrent,
  recurrentCell: lowerRecurrentCell,
  recurrentGraph: lowerRecurrentGraph,
  highway: lowerHighway,
  dropout: lowerDropout,
  dropPath: lowerDropPath,
  identity: lowerIdentity,
  zero: lowerZero,
  sequential: lowerSequential,
  shared: lowerShared,
  rows: lowerRows,
  auxiliary: lowerAuxiliary,
  residual: lowerResidual,
  repeat: lowerRepeat,
  dag: lowerDag,
  stack: lowerStack,
  squeezeExcite: lowerSqueezeExcite,
  factorizedReduce: lowerFactorizedReduce,
  choice: lowerChoice,
  scope: lowerScope,
};

/** The input that says how much of a training is done. */
const PROGRESS = 'progress';

/** How a supernet computes its open choices. */
const OPEN = {
  ...{ mixture, concrete, paths: pathSums },
  ...{ switch: switched, operations, wired, gated, gatedSum },
} as const satisfies Readonly<
  Record<string, (g: GraphBuilder, network: Module, mode: 'train' | 'infer') => OpenChoices>
>;

export interface LowerOptions {
  /** Classes, or targets of a regression. */
  readonly outputs: number;
  readonly mode: 'train' | 'infer';
  /** What becomes of open choices; without it, there must be none. */
  readonly choices?: keyof typeof OPEN | MixtureForm | GeneratedForm;
  /** How the output must be shaped, without the batch; [outputs] by default. `any`: a part of a network. */
  readonly shape?: Shape | 'any';
  /** How many different tokens there are, where x is of tokens. */
  readonly vocabulary?: number;
  /** Whether token 0 fills the positions behind the last one that a sample has. */
  readonly padded?: boolean;
  /** Positions of the longest sample, where all samples of x are cut to fewer. A learned table of positions has a row for each of them. */
  readonly longest?: number;
  /** Of each feature of a table, `Task.quantiles`. */
  readonly quantiles?: readonly (readonly number[])[];
  /** Whether there are auxiliary heads, whose outputs come beside the network's (`auxiliary`). */
  readonly auxiliary?: boolean;
  /** Whether recurrent layers begin with a state that is fed, and give out theirs (`states`). Without, they begin with zeros. */
  readonly state?: boolean;
}

/** Kinds that take tokens, or hand on what they get. All others compute with numbers. */
const TAKES_TOKENS: ReadonlySet<ModuleKind> = new Set<ModuleKind>([
  'embedding',
  'sequential',
  'shared',
  'auxiliary',
  'repeat',
  'stack',
  'dag',
  'residual',
  'choice',
  'scope',
  'identity',
]);

/**
 * Appends a network to a graph. `network` has no open choices (`resolve` closes them), or is a supernet (`supernet` opens
 * them) and `choices` says how it computes them; values and repetitions must be decided in either. `x` is [N, C, H, W], [N, C, T]
 * or [N, F], already normalized, or tokens, int32 [N, T]. In mode `train`, batch norm uses the batch's statistics and dropout draws; in `infer`, neither.
 * Both modes name the same parameters and statistics, by their paths in the tree.
 *
 * Throws UserError with the module's path when shapes do not fit, or when the output is not [N, outputs] or of `shape`.
 */
export function lowerNetwork(g: GraphBuilder, network: Module, x: NodeId, options: LowerOptions): LoweredNetwork {
  const parameters: Parameter[] = [];
  const statistics: Statistic[] = [];
  const randomInputs: RandomInput[] = [];
  const states: CarriedState[] = [];
  const layers: Layer[] = [];
  const heads: AuxiliaryOutput[] = [];
  let isInHead = false;
  let progress: NodeId | undefined;
  const positions = options.padded === true && g.dtype(x) === 'int32' ? filledPositions(g, x) : undefined;
  let readsPadding = false;
  const filled = (value: NodeId): NodeId | undefined => {
    const found = positions?.(value);
    if (positions !== undefined && found === undefined && g.shape(value).length === 3) readsPadding = true;
    return found;
  };
  /** Where in `parameters` a shared tensor stands, by its path. */
  const sharedTensors = new Map<string, number>();
  const times = timeSteps();
  const { choices, mode } = options;
  const open = choices && openedBy(choices);

  function openedBy(form: NonNullable<LowerOptions['choices']>): OpenChoices {
    if (typeof form === 'string') return OPEN[form](g, network, mode);
    return form.kind === 'mixture' ? mixtureOf(g, network, form) : generated(g, network, form);
  }

  /** `owner`: what the names of parameters begin with. The path, but within `shared`. */
  function lower(module: Module, input: NodeId, path: string, before: readonly NodeId[] = [], owner = path): NodeId {
    const place = path === '' ? `network (${module.kind})` : `network ${path} (${module.kind})`;
    const named = (name: string) => (path === '' ? name : `${path}/${name}`);
    const owned = (name: string) => (owner === '' ? name : `${owner}/${name}`);
    const trained = (name: string, shape: Shape, initializer: Initializer, role?: Role): NodeId => {
      const tensor = owned(name);
      const when = open?.when ?? [];
      const index = sharedTensors.get(tensor);
      const known = index === undefined ? undefined : parameters[index];
      if (index !== undefined && known !== undefined) {
        if (String(known.shape) !== String(shape)) {
          const found = `"${tensor}" is [${shape}] here, and [${known.shape}] where it was used before`;
          throw invalid(place, found, 'what is shared has one shape');
        }
        parameters[index] = { ...known, when: inCommon(known.when, when) };
        return known.node;
      }
      if (owner !== path || times.isInside) sharedTensors.set(tensor, parameters.length);
      const node = ops.input(g, tensor, shape);
      const isAuxiliary = isInHead && { isAuxiliary: true as const };
      parameters.push({ path: tensor, shape, initializer, node, when, ...isAuxiliary, ...(role && { role }) });
      return node;
    };
    if (g.dtype(input) === 'int32' && !TAKES_TOKENS.has(module.kind))
      throw invalid(place, 'input is tokens', 'it computes with numbers: add embedding() before it');
    const l: Lowering = {
      g,
      mode: options.mode,
      outputs: options.outputs,
      vocabulary: options.vocabulary,
      filled,
      quantiles: options.quantiles,
      input: g.shape(x),
      longest: options.longest,
      before,
      open,
      child: (segment, child, value, past) =>
        segment === ''
          ? lower(child, value, path, past, owner)
          : g.within(segment, () => lower(child, value, named(segment), past, owned(segment))),
      shared: (name, body, value) => lower(body, value, path, before, `shared/${name}`),
      parameter(name, shape, initializer, role) {
        const base = trained(name, shape, initializer, role);
        return open?.generate?.(base, (part, ...of) => trained(`${name}/${part}`, ...of)) ?? base;
      },
      statistic(name, shape, initial, move) {
        const known = times.isInside ? statistics.findIndex((one) => one.path === named(name)) : -1;
        const node = statistics[known]?.node ?? ops.input(g, named(name), shape);
        const initializer = { kind: 'constant', value: initial } as const;
        const when = open?.when ?? [];
        const guard = (batch: NodeId): NodeId =>
          when.length === 0 ? batch : guarded(g, when, ops.constant(g, 0, g.shape(batch)), batch);
        const moving = move && { move: { ...move, batch: guard(move.batch) } };
        if (statistics[known] !== undefined) {
          statistics[known] = times.moved(g, statistics[known], moving?.move);
          return node;
        }
        const own = {
          path: named(name),
          shape,
          initializer,
          node,
          when,
          ...(isInHead && { isAuxiliary: true as const }),
        };
        statistics.push({ ...own, ...moving });
        return node;
      },
      random(shape) {
        const name = named('random');
        return times.once(name, () => {
          randomInputs.push({ name, shape });
          return ops.input(g, name, shape);
        });
      },
      overTime: (steps, step) => times.over(steps, step),
      progress() {
        if (progress === undefined) {
          randomInputs.push({ name: PROGRESS, shape: [], isProgress: true });
          progress = ops.input(g, PROGRESS, []);
        }
        return progress;
      },
      auxiliary(weight, lowerHead) {
        if (options.auxiliary !== true) return;
        const outer = isInHead;
        isInHead = true;
        try {
          heads.push({ output: lowerHead(), weight });
        } finally {
          isInHead = outer;
        }
      },
      stateIn(name, shape) {
        if (options.state !== true) return undefined;
        const full = named(`state/${name}`);
        const node = ops.input(g, full, shape);
        states.push({ name: full, shape, input: node, output: node });
        return node;
      },
      stateOut(name, output) {
        const i = states.findIndex((state) => state.name === named(`state/${name}`));
        const state = states[i];
        if (state !== undefined) states[i] = { ...state, output };
      },
      error: (found, rule) => invalid(place, found, rule),
    };
    const output = lowerOne(l, module, input);
    times.add(layers, { path, kind: module.kind, output, when: open?.when ?? [] });
    return output;
  }

  const output = lower(network, x, '');
  const batch = g.shape(x)[0] ?? 1;
  const shape = g.shape(output);
  if (options.shape === 'any') return finished();
  const wanted = [batch, ...(options.shape ?? [options.outputs])];
  for (const [place, found] of [['network', shape], ...heads.map((head) => ['auxiliary head', g.shape(head.output)])]) {
    if (String(found) === String(wanted)) continue;
    const rule = `it must be [${wanted.join(', ')}]${options.shape === undefined ? ', one for each output' : ''}`;
    throw invalid(String(place), `its output is [${found}]`, rule);
  }
  return finished();

  function finished(): LoweredNetwork {
    return {
      output,
      auxiliary: heads,
      parameters: [...parameters, ...(open?.weights ?? [])],
      architecture: open?.parameters ?? [],
      switches: open?.switches ?? [],
      statistics,
      randomInputs: [...randomInputs, ...(open?.randomInputs ?? [])],
      states,
      layers,
      readsPadding,
    };
  }
}

/** The options that must be chosen for either of two uses: what both begin with. */
function inCommon(a: readonly Chosen[], b: readonly Chosen[]): readonly Chosen[] {
  const end = a.findIndex((one, i) => one.name !== b[i]?.name || one.option !== b[i]?.option);
  return end < 0 ? a : a.slice(0, end);
}

function lowerOne<K extends ModuleKind>(l: Lowering, module: ModuleOf<K>, x: NodeId): NodeId {
  const lower = LOWERINGS[module.kind] as Lower<K>;
  return lower(l, module, x);
}
