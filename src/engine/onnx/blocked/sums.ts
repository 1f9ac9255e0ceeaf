/** Sums of convolutions, scaled tensors and biases, each computed by a chain of blocked convolutions. */
import type { NodeId, OpOf, Shape } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { four } from '../value.ts';
import type { Name } from './blocked.ts';
import { affine } from './channels.ts';
import { canConvolve, convolve, filterLayout } from './conv.ts';
import type { Term } from './fuse.ts';
import { type ConvInputGradient, convInputGrad } from './input-gradient.ts';
import { type BlockedSite, blocked, type Emitted } from './site.ts';
import { blockedView } from './views.ts';

/** The node with all that is fused into it; undefined where it is no such sum. */
export function lowerSum(s: BlockedSite, id: NodeId): Emitted | undefined {
  const terms = s.fusion.terms(id);
  if (terms === undefined) return undefined;
  const { op, shape } = s.at(id);
  return blocked(lowerTerms(s, terms, shape, op.kind === 'unary', s.batchAxis(id)));
}

/** A number for each channel, [C], of a tensor [1, C, 1, 1] or of one number. */
const byChannel = (s: BlockedSite, id: NodeId, count: number): Name => {
  const { made, model, read, reshape, shapeOf } = s;
  const { vector } = made(id);
  if (vector !== undefined) return vector;
  const name = read(id, 'plain');
  if (sizeOf(shapeOf(id)) === count) return reshape(name, [count]);
  return model.node('Expand', [reshape(name, [1]), model.ints([count])]);
};

function lowerTerms(
  s: BlockedSite,
  terms: readonly Term[],
  shape: Shape,
  relu: boolean,
  batch: number | undefined,
): Name {
  const { at, b, model, read } = s;
  const count = shape[1] ?? Number.NaN;
  const tensors = terms.flatMap((term) => (term.kind === 'tensor' ? [read(term.id, 'blocked')] : []));
  const takesBias = (term: Term) => term.kind === 'affine' || (term.kind === 'conv' && at(term.id).op.kind === 'conv');
  const products = joined(
    s,
    terms
      .filter((term) => term.kind === 'conv' || term.kind === 'affine')
      .sort((a, b) => Number(takesBias(b)) - Number(takesBias(a))),
  );
  const vectors = terms.filter((term) => term.kind === 'channels');
  const bias = vectors.reduce<Name | undefined>((sum, { id, minus }) => {
    const vector = byChannel(s, id, count);
    if (sum === undefined) return minus ? model.node('Neg', [vector]) : vector;
    return model.node(minus ? 'Sub' : 'Add', [sum, vector]);
  }, undefined);
  const start = tensors.length === 0 ? undefined : tensors.reduce((sum, name) => model.node('Add', [sum, name]));
  if (products.length === 0) {
    const sum = start as Name;
    const ones = new Float32Array(count).fill(1);
    if (bias !== undefined) return affine(b, { x: sum, shape, scale: model.floats([count], ones), bias, relu });
    return relu ? model.node('Relu', [sum]) : sum;
  }
  return products.reduce<Name | undefined>((sum, [term, ...others], i) => {
    const rest = {
      ...(i === 0 && bias !== undefined && { bias }),
      ...(sum !== undefined && { sum }),
      relu: relu && i === products.length - 1,
    };
    if (sum !== undefined && i > 0 && batch === undefined) model.declare(sum, shape);
    if (term.kind === 'conv')
      return lowerConvolution(
        s,
        term.id,
        rest,
        others.map(({ id }) => id),
      );
    const scale = byChannel(s, term.scale, count);
    return affine(b, {
      x: read(term.x, 'blocked'),
      shape,
      scale: term.minus ? model.node('Neg', [scale]) : scale,
      ...rest,
    });
  }, start) as Name;
}

type Product = Extract<Term, { kind: 'conv' | 'affine' }>;
type Gradient = Extract<Term, { kind: 'conv' }>;

/** Gradients under one stride go together: each phase of all of them is summed before the phases are interleaved. */
function joined(s: BlockedSite, products: readonly Product[]): (readonly [Product, ...Gradient[]])[] {
  const groups = new Map<string, [Product, ...Gradient[]]>();
  for (const [i, term] of products.entries()) {
    const { op } = term.kind === 'conv' ? s.at(term.id) : { op: undefined };
    const strided = op?.kind === 'convInputGrad' && Math.max(...op.stride) > 1;
    const key = strided ? `${op.stride}` : `own ${i}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [term]);
    else if (term.kind === 'conv') group.push(term);
  }
  return [...groups.values()];
}

function addByChannel(s: BlockedSite, x: Name, vector: Name, shape: Shape): Name {
  const { block, model, reshape } = s;
  const [, c] = four(shape);
  const view = reshape(x, blockedView(block, shape), 0);
  const sum = model.node('Add', [view, reshape(vector, [1, c / block, 1, 1, block])]);
  return reshape(sum, shape, 0, blockedView(block, shape));
}

interface Rest {
  readonly bias?: Name;
  readonly sum?: Name;
  readonly relu: boolean;
}

/** `others`: gradients by the input that are added, under the stride that this one has. */
function lowerConvolution(s: BlockedSite, id: NodeId, rest: Rest, others: readonly NodeId[] = []): Name {
  const { at, b, block, model, read, shapeOf } = s;
  const { shape } = at(id);
  const { op, inputs } = at(id).op.kind === 'pad' ? at(at(id).inputs[0] as NodeId) : at(id);
  const [first, w, own] = inputs as [NodeId, NodeId, NodeId | undefined];
  const filterShape = shapeOf(w);
  if (op.kind === 'convInputGrad') {
    const grad = convInputGrad(b, {
      ...gradientOf(s, id),
      ...(rest.sum !== undefined && { sum: rest.sum }),
      ...(rest.bias === undefined && { relu: rest.relu }),
      ...(others.length > 0 && { others: others.map((other) => gradientOf(s, other)) }),
    });
    if (rest.bias === undefined) return grad;
    const shifted = addByChannel(s, grad, rest.bias, shape);
    return rest.relu ? model.node('Relu', [shifted]) : shifted;
  }
  const geometry = op as OpOf<'conv'>;
  const form = canConvolve(block, shapeOf(first), filterShape, geometry) ?? 'dense';
  const vector = own === undefined ? undefined : read(own, 'plain');
  const bias =
    vector === undefined || rest.bias === undefined ? (vector ?? rest.bias) : model.node('Add', [vector, rest.bias]);
  const [, , kh, kw] = four(filterShape);
  return convolve(b, {
    x: read(first, form === 'stem' ? 'plain' : 'blocked'),
    filter: read(w, filterLayout(form)),
    kernel: [kh, kw],
    geometry,
    ...(bias !== undefined && { bias }),
    ...(rest.sum !== undefined && { sum: rest.sum }),
    relu: rest.relu,
  });
}

/** The gradient by the input that a node is, or that it puts zeros before. */
function gradientOf({ at, read, shapeOf }: BlockedSite, id: NodeId): ConvInputGradient {
  const { op: placed, inputs: behind, shape } = at(id);
  const { op, inputs } = placed.kind === 'pad' ? at(behind[0] as NodeId) : at(id);
  const [dy, w] = inputs as [NodeId, NodeId];
  const geometry = op as OpOf<'convInputGrad'>;
  const filterShape = shapeOf(w);
  const layout = geometry.groups > 1 && filterShape[1] === 1 ? 'outer' : 'filter';
  const [top, left, bottom, right] = geometry.pads;
  const [, , rows = 0, columns = 0] = placed.kind === 'pad' ? placed.before : [];
  return {
    dy: read(dy, 'blocked'),
    dyShape: shapeOf(dy),
    filter: read(w, layout),
    filterShape,
    shape,
    geometry: { ...geometry, pads: [top - rows, left - columns, bottom, right] },
  };
}
