/** Rules that let a convolution do what stands behind it: a factor and a summand for each of its output channels. */
import { type NodeId, type Shape, sizeOf } from '../../ir.ts';
import { add, broadcastTo, conv, mul, reshape } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { eitherOrder, isByChannel, isNarrower, ofKind, pair } from './operands.ts';

/** A tensor by channel as [C]; one number as []. */
function vector(r: Rewriter, id: NodeId): NodeId {
  const size = sizeOf(r.shape(id));
  return reshape(r, id, size === 1 ? [] : [size]);
}

/** conv(x, w) · s is conv(x, s · w): the filters are smaller than what they make. */
const scaledFilters: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'mul') return undefined;
  for (const [y, s] of eitherOrder(inputs)) {
    const made = r.once(y) ? ofKind(r, y, 'conv') : undefined;
    if (made === undefined || !isFactor(r, s, y, made.shape)) continue;
    const [x, w] = pair(made.inputs);
    const bias = made.inputs[2];
    const factor = vector(r, s);
    const along = r.shape(factor).length === 0 ? factor : reshape(r, factor, [sizeOf(r.shape(factor)), 1, 1, 1]);
    return conv(r, x, mul(r, w, along), made.op, bias === undefined ? undefined : mul(r, bias, factor));
  }
  return undefined;
};

function isFactor(r: Rewriter, s: NodeId, y: NodeId, [, channels = 0]: Shape): boolean {
  return isByChannel(r.shape(s), channels) && isNarrower(r, s, y);
}

/** conv(x, w) + b is a convolution with a bias. */
const bias: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'add') return undefined;
  for (const [y, b] of eitherOrder(inputs)) {
    const made = r.once(y) ? ofKind(r, y, 'conv') : undefined;
    if (made === undefined || !isFactor(r, b, y, made.shape)) continue;
    const [x, w] = pair(made.inputs);
    const own = made.inputs[2];
    const summand = vector(r, b);
    const channels = [made.shape[1] ?? 1];
    return conv(r, x, w, made.op, own === undefined ? broadcastTo(r, summand, channels) : add(r, own, summand));
  }
  return undefined;
};

export const convolutionRules: Rules = { binary: [scaledFilters, bias] };
