/** How a tensor in blocks of channels lies in memory, as a shape that an element-wise operator can read it in. */
import type { Shape } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import type { Layout } from './layout.ts';

/** A filter of one tap: in memory [O/B, I, B], whichever layout it has. */
const isMatrix = ([, , kh, kw]: Shape): boolean => kh === 1 && kw === 1;

/** Whether a number of channels is one of blocks: parts of a block cannot be joined and cut in this layout. */
export const isWhole = (block: number, channels = 0): boolean => channels % block === 0;

export const blockedView = (block: number, shape: Shape): Shape => {
  const [n, c, h, w] = four(shape);
  return [n, c / block, h, w, block];
};

/** The dimensions in which an operand of an element-wise operator lies in memory beside a tensor in this layout. */
export function operandView(
  block: number,
  operand: Shape,
  shape: Shape,
  layout: Layout,
): { readonly dims: Shape; readonly as: Layout } | undefined {
  const [n, c, h, w] = four([...Array(4 - operand.length).fill(1), ...operand]);
  const [first, second] = four(shape);
  const pixel = h === 1 && w === 1;
  const split = (size: number, whole: number): readonly [number, number] | undefined =>
    size === 1 ? [1, 1] : size === whole ? [size / block, block] : undefined;
  if (layout === 'blocked') {
    const channels = split(c, second);
    if (channels === undefined) return undefined;
    return { dims: [n, channels[0], h, w, channels[1]], as: c === 1 || pixel ? 'plain' : 'blocked' };
  }
  const outer = split(n, first);
  if (outer === undefined) return undefined;
  if (isMatrix(shape)) return n === 1 || c === 1 ? { dims: [outer[0], c, outer[1]], as: 'plain' } : undefined;
  if (layout === 'outer') return c === 1 && pixel ? { dims: [outer[0], 1, 1, 1, outer[1]], as: 'plain' } : undefined;
  const inner = split(c, second);
  if (inner === undefined || !pixel || (n !== 1 && c !== 1)) return undefined;
  return { dims: [outer[0], inner[0], 1, 1, inner[1], outer[1]], as: 'plain' };
}

/** The view of a whole tensor that such operands broadcast against. */
export function wholeView(block: number, shape: Shape, layout: Layout): Shape {
  const [o, i, kh, kw] = four(shape);
  if (layout === 'blocked') return blockedView(block, shape);
  if (isMatrix(shape)) return [o / block, i, block];
  return layout === 'filter' ? [o / block, i / block, kh, kw, block, block] : [o / block, i, kh, kw, block];
}
