import type { OpKind, OpOf } from './ir.ts';
import { convDefinition, convInputGradDefinition, convWeightGradDefinition } from './ops/conv.ts';
import type { Definition } from './ops/definition.ts';
import {
  binaryDefinition,
  castDefinition,
  clipDefinition,
  compareDefinition,
  unaryDefinition,
  whereDefinition,
} from './ops/elementwise.ts';
import { gatherDefinition, scatterAddDefinition } from './ops/gather.ts';
import { constantDefinition, inputDefinition } from './ops/leaf.ts';
import { matmulDefinition } from './ops/matmul.ts';
import {
  avgPoolDefinition,
  avgPoolGradDefinition,
  maxPoolDefinition,
  maxPoolGatherDefinition,
  maxPoolScatterDefinition,
} from './ops/pool.ts';
import { logSoftmaxDefinition, reduceDefinition } from './ops/reduce.ts';
import { selectDefinition } from './ops/select.ts';
import {
  broadcastToDefinition,
  concatDefinition,
  padDefinition,
  reshapeDefinition,
  sliceDefinition,
  transposeDefinition,
} from './ops/shape.ts';

export * from './ops/construct.ts';
export type { Definition, GraphBuilder, Tensor } from './ops/definition.ts';

type Definitions = { readonly [K in OpKind]: Definition<OpOf<K>> };

/** What every operator means. A kind without a definition does not compile. */
export const OPS = {
  input: inputDefinition,
  constant: constantDefinition,
  cast: castDefinition,
  unary: unaryDefinition,
  clip: clipDefinition,
  binary: binaryDefinition,
  reduce: reduceDefinition,
  logSoftmax: logSoftmaxDefinition,
  compare: compareDefinition,
  where: whereDefinition,
  gather: gatherDefinition,
  scatterAdd: scatterAddDefinition,
  broadcastTo: broadcastToDefinition,
  reshape: reshapeDefinition,
  transpose: transposeDefinition,
  slice: sliceDefinition,
  pad: padDefinition,
  concat: concatDefinition,
  select: selectDefinition,
  matmul: matmulDefinition,
  conv: convDefinition,
  convInputGrad: convInputGradDefinition,
  convWeightGrad: convWeightGradDefinition,
  maxPool: maxPoolDefinition,
  maxPoolScatter: maxPoolScatterDefinition,
  maxPoolGather: maxPoolGatherDefinition,
  avgPool: avgPoolDefinition,
  avgPoolGrad: avgPoolGradDefinition,
} satisfies Definitions;

/** The definition of an operator, typed by its kind. */
export function definitionOf<K extends OpKind>(kind: K): Definition<OpOf<K>> {
  const definitions: Definitions = OPS;
  return definitions[kind];
}
