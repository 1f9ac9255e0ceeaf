import type { NodeId } from '../graph/ir.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { closed, type Lower, type Lowering } from './lowering.ts';

/**
 * Along each axis a product with a constant matrix of weights. As PyTorch's `interpolate` with align_corners=False and the sizes
 * given: the center of output pixel i is at (i + ½) · in/out − ½ of the input; nearest takes ⌊i · in/out⌋.
 */
export const lowerResize: Lower<'resize'> = (l, module, x) => {
  const { g } = l;
  const [, channels, ...sides] = g.shape(x);
  if (channels === undefined || sides.length === 0 || sides.length > 2)
    throw l.error(`input is [${g.shape(x)}]`, 'it needs images, [N, C, H, W], or sequences, [N, C, T]');
  const wanted = sizesOf(l, module.factor === 'input' ? 'input' : closed(module.factor), sides);
  const mode = closed(module.mode);
  return sides.reduce((value, from, i) => alongAxis(l, value, i + 2, mode, [from, wanted[i] ?? from]), x);
};

function sizesOf(l: Lowering, factor: number | 'input', sides: readonly number[]): readonly number[] {
  if (factor !== 'input') return sides.map((size) => Math.max(1, Math.floor(size * factor)));
  // Tokens, [N, T], have no axis of channels.
  const sizes = l.input.slice(l.input.length === 2 ? 1 : 2);
  if (sizes.length !== sides.length)
    throw l.error(`the network's input is [${l.input}]`, `it must have ${sides.length} axes of positions, as this one`);
  return sizes;
}

/** The product along one axis: the last as it lies, another turned to the end and back. */
function alongAxis(
  l: Lowering,
  x: NodeId,
  axis: number,
  mode: 'nearest' | 'bilinear',
  [from, to]: readonly [number, number],
): NodeId {
  if (from === to) return x;
  const { g } = l;
  const end = g.shape(x).length - 1;
  const turn = g.shape(x).map((_, k) => (k === axis ? end : k === end ? axis : k));
  const turned = ops.transpose(g, x, turn);
  const outer = g.shape(turned).slice(0, -1);
  const rows = ops.reshape(g, turned, [sizeOf(outer), from]);
  const product = ops.matmul(g, rows, ops.constant(g, interpolation(mode, from, to), [from, to]));
  return ops.transpose(g, ops.reshape(g, product, [...outer, to]), turn);
}

/** [from, to]: what each output takes of each input. */
function interpolation(mode: 'nearest' | 'bilinear', from: number, to: number): readonly number[] {
  const weights = new Array<number>(from * to).fill(0);
  const add = (source: number, i: number, weight: number) => {
    const k = Math.min(from - 1, source) * to + i;
    weights[k] = (weights[k] ?? 0) + weight;
  };
  for (let i = 0; i < to; i++) {
    if (mode === 'nearest') {
      add(Math.floor((i * from) / to), i, 1);
      continue;
    }
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const before = Math.floor(place);
    add(before, i, 1 - (place - before));
    add(before + 1, i, place - before);
  }
  return weights;
}
