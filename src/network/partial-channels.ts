import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { type Lowering, overImages } from './lowering.ts';

/**
 * Partial channels of PC-DARTS (Xu et al. 2020, section 3.2): the first 1/`parts` of the channels of x, [N, C, ...], pass through `body`;
 * the rest go around it, by max pooling where it makes the sides smaller. Then the channels of all parts alternate, so that other
 * channels pass through the next choice. The parameters of `body` are those of a network with 1/`parts` of the channels.
 *
 * Throws UserError where C is no multiple of `parts`, and where `body` does not divide the sides. It must keep the number of channels
 * (`checkKeepsChannels`).
 */
export function onPartOfChannels(
  l: Lowering,
  x: NodeId,
  { parts, choice }: { readonly parts: number; readonly choice: string },
  body: (part: NodeId) => NodeId,
): NodeId {
  if (parts === 1) return body(x);
  const { g } = l;
  const shape = g.shape(x);
  const [n = 1, channels = 1, ...sides] = shape;
  if (channels % parts !== 0)
    throw l.error(
      `choice "${choice}" reads ${channels} channels`,
      `1/${parts} of them pass through its options: must be a multiple of ${parts}`,
    );
  const cut = channels / parts;
  const start = sides.map(() => 0);
  const part = ops.slice(g, x, [0, 0, ...start], [n, cut, ...sides]);
  const through = body(part);
  const left = g.shape(through).slice(2);
  const rest = ops.slice(g, x, [0, cut, ...start], [n, channels, ...sides]);
  const around = String(left) === String(sides) ? rest : pooled(l, rest, left);
  if (String(g.shape(around).slice(2)) !== String(left))
    throw l.error(
      `options of choice "${choice}" make [${g.shape(through)}] of [${g.shape(part)}]`,
      'partial channels need options that divide the sides',
    );
  const joined = ops.concat(g, [through, around], 1);
  const grouped = ops.reshape(g, joined, [n, parts, cut, ...left]);
  const alternating = ops.transpose(g, grouped, [0, 2, 1, ...left.map((_, i) => 3 + i)]);
  return ops.reshape(g, alternating, [n, channels, ...left]);
}

/** The largest of each window, as many windows as the sides in `wanted`; the last may be cut off. */
function pooled(l: Lowering, x: NodeId, wanted: readonly number[]): NodeId {
  return overImages(l, x, (images, [, , height, width]) => {
    const [w = 1, h = 1] = wanted.toReversed();
    const stride = [Math.ceil(height / h), Math.ceil(width / w)] as const;
    const pads = [0, 0, Math.max(0, stride[0] * h - height), Math.max(0, stride[1] * w - width)] as const;
    return ops.maxPool(l.g, images, { kernel: stride, stride, pads });
  });
}

/** Throws UserError for an option that cannot take a part of the channels: it makes another number of them of `part`, or larger sides. */
export function checkKeepsChannels(l: Lowering, part: NodeId, made: NodeId, name: string): void {
  const [[, channels, ...sides], [, given, ...left]] = [l.g.shape(part), l.g.shape(made)];
  const fits = left.length === sides.length && left.every((side, i) => side <= (sides[i] ?? 0));
  if (given !== channels || !fits)
    throw l.error(
      `${name} makes [${l.g.shape(made)}] of [${l.g.shape(part)}]`,
      'partial channels need options that keep the number of channels',
    );
}
