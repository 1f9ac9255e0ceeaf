import type { NodeId, Shape } from '../ir.ts';
import {
  cast,
  causalMask,
  constant,
  equal,
  gather,
  indices,
  input,
  less,
  logSoftmax,
  mul,
  scatterAdd,
  softmax,
  transpose,
  where,
} from '../ops.ts';
import { type GraphCase, graphCase, indexTensor, tensor } from './case.ts';

/** A case with a float32 feed `x` and a feed `at` of indices below `below`. */
function indexed(
  name: string,
  x: Shape,
  at: Shape,
  below: number,
  body: (g: Parameters<GraphCase['build']>[0], x: NodeId, at: NodeId) => NodeId,
): GraphCase {
  return {
    name,
    feeds: { x: tensor(`${name} x`, x), at: indexTensor(`${name} at`, at, below) },
    indices: ['at'],
    build: (g) => ({ y: body(g, input(g, 'x', x), input(g, 'at', at, 'int32')) }),
  };
}

export const gatherCases: readonly GraphCase[] = [
  indexed('gather rows', [5, 3], [4], 5, (g, x, at) => gather(g, x, at)),
  indexed('gather numbers', [6], [2, 3], 6, (g, x, at) => gather(g, x, at)),
  indexed('gather of tokens, channels first', [7, 4], [2, 5], 7, (g, x, at) =>
    transpose(g, gather(g, x, at), [0, 2, 1]),
  ),
  indexed('scatterAdd rows', [4, 3], [4], 5, (g, x, at) => scatterAdd(g, x, at, 5)),
  indexed('scatterAdd to many rows', [2, 3, 2], [2, 3], 300, (g, x, at) => scatterAdd(g, x, at, 300)),
  indexed('scatterAdd of images', [2, 3, 2, 2], [2, 3], 4, (g, x, at) => scatterAdd(g, x, at, 4)),
  graphCase('gather with constant indices', { x: [[4, 2]] }, (g, x = 0) => gather(g, x, indices(g, [3, 0, 3]))),
  indexed('cast', [2, 3], [2, 3], 9, (g, x, at) => mul(g, x, cast(g, at))),
  indexed('equal of tokens', [2, 3], [2, 3], 3, (g, x, at) => mul(g, x, equal(g, at, indices(g, [1], [])))),
  graphCase('less', { a: [[2, 3], 'distinct'], b: [[3], 'normal'] }, (g, a = 0, b = 0) => mul(g, a, less(g, a, b))),
  graphCase('where, a causal mask', { a: [[2, 4, 4]], b: [[4, 1]] }, (g, a = 0, b = 0) =>
    where(g, causalMask(g, 4), a, b),
  ),
  graphCase('where, a causal mask with a window', { a: [[2, 4, 4]], b: [[4, 1]] }, (g, a = 0, b = 0) =>
    where(g, causalMask(g, 4, 2), a, b),
  ),
  graphCase('where with a number', { a: [[3, 4], 'distinct'] }, (g, a = 0) =>
    where(g, less(g, a, constant(g, 0)), constant(g, -2), a),
  ),
  ...[0, 1, 2].map((axis) =>
    graphCase(`logSoftmax along ${axis}`, { x: [[2, 3, 4]] }, (g, x = 0) => logSoftmax(g, x, axis)),
  ),
  graphCase('softmax along 1', { x: [[2, 3, 2, 2]] }, (g, x = 0) => softmax(g, x, 1)),
  graphCase('masked softmax', { x: [[2, 4, 4]] }, (g, x = 0) =>
    softmax(g, where(g, causalMask(g, 4), x, constant(g, -1e9)), 2),
  ),
];
