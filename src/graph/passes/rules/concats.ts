/**
 * Rules for a forward graph that do without tensors joined along their channels, as the end of a DARTS cell joins its nodes: what
 * reads the whole reads the parts. Then nothing is copied to join them, nor to cut their gradient apart, and a ReLU of a
 * part is shared with what else reads it.
 */
import type { NodeId, OpOf } from '../../ir.ts';
import { add, concat, conv, slice } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { ofKind, pair } from './operands.ts';

/** Cuts between whole blocks of channels need no change of layout, for any block size. */
const BLOCK = 16;
const CHANNELS = 1;

/** The parts of [N, C, H, W] joined along the channels at whole blocks. */
function partsOf(r: Rewriter, id: NodeId | undefined): readonly NodeId[] | undefined {
  const joined = ofKind(r, id, 'concat');
  if (joined === undefined || joined.op.axis !== CHANNELS || joined.shape.length !== 4) return undefined;
  return joined.inputs.every((part) => (r.shape(part)[CHANNELS] ?? 0) % BLOCK === 0) ? joined.inputs : undefined;
}

const ofParts: Rule<'unary'> = (r, op, [x]) => joinedAgain(r, x, (part) => r.add(op, [part]));

/** A cut along other axes. */
const slicedParts: Rule<'slice'> = (r, { starts, ends }, [x = -1]) => {
  const channels = r.shape(x)[CHANNELS] ?? 0;
  if (starts[CHANNELS] !== 0 || ends[CHANNELS] !== channels) return undefined;
  return joinedAgain(r, x, (part) => slice(r, part, starts, ends.with(CHANNELS, r.shape(part)[CHANNELS] ?? 0)));
};

/** A reduction over the pixels. */
const reducedParts: Rule<'reduce'> = (r, op, [x]) =>
  op.axes.some((axis) => axis <= CHANNELS) ? undefined : joinedAgain(r, x, (part) => r.add(op, [part]));

function joinedAgain(r: Rewriter, x: NodeId | undefined, of: (part: NodeId) => NodeId): NodeId | undefined {
  const parts = partsOf(r, x);
  return parts === undefined ? undefined : concat(r, parts.map(of), CHANNELS);
}

/** A convolution of the whole is the sum of convolutions of the parts, each with its part of the filters. */
const summedParts: Rule<'conv'> = (r, op, inputs) => {
  const [x, w] = pair(inputs);
  const parts = op.groups === 1 ? partsOf(r, x) : undefined;
  if (parts === undefined || parts.length < 2) return undefined;
  let start = 0;
  const terms = parts.map((part, i) => {
    const end = start + (r.shape(part)[CHANNELS] ?? 0);
    const shape = r.shape(w);
    const filters = slice(r, w, [0, start, 0, 0], shape.with(CHANNELS, end));
    start = end;
    return conv(r, part, filters, op satisfies OpOf<'conv'>, i === 0 ? inputs[2] : undefined);
  });
  return terms.reduce((sum, term) => add(r, sum, term));
};

export const concatRules: Rules = {
  unary: [ofParts],
  slice: [slicedParts],
  reduce: [reducedParts],
  conv: [summedParts],
};
