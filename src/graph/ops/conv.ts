/**
 * Convolution and its two gradients. All three are the same sum over (n, o, c, ky, kx, oy, ox) of products x·w·y, each
 * solved for one of the three; so each one's gradients are the other two, and differentiation is closed.
 */
import { type ConvGeometry, type NodeId, type Op, type OpOf, type Shape, sizeOf } from '../ir.ts';
import { add, conv, convTranspose as inputGrad, reduceSum, reshape, transpose } from './construct.ts';
import { arity, at, type Definition, type GraphBuilder, refuse, sameShape } from './definition.ts';

/** The size of the output along one axis. */
function outputSize(size: number, kernel: number, geometry: ConvGeometry, axis: 0 | 1): number {
  const { stride, dilation, pads } = geometry;
  const padded = size + pads[axis] + pads[axis === 0 ? 2 : 3];
  return Math.floor((padded - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
}

const geometryOf = ({ stride, dilation, pads, groups }: ConvGeometry): ConvGeometry => ({
  stride,
  dilation,
  pads,
  groups,
});

/** The shape rule of the convolution of x by w, for any of the three operators. */
function convShape(op: Op & ConvGeometry, shapes: readonly Shape[], x: Shape, w: Shape): Shape {
  if (x.length !== 4 || w.length !== 4) refuse(op, shapes, 'x is [N, C, H, W] and w is [O, C/groups, kH, kW]');
  const { stride, dilation, pads, groups } = op;
  const whole = (least: number) => (n: number) => Number.isInteger(n) && n >= least;
  if (![...stride, ...dilation, groups].every(whole(1))) {
    refuse(op, shapes, `stride, dilation and groups are at least 1, found [${stride}], [${dilation}] and ${groups}`);
  }
  if (!pads.every(whole(0))) refuse(op, shapes, `pads are whole and not negative, found [${pads}]`);
  const [n, c, h, wd] = x as [number, number, number, number];
  const [o, i, kh, kw] = w as [number, number, number, number];
  if (i * groups !== c)
    refuse(op, shapes, `${c} channels are ${groups} groups of ${c / groups}, the filters read ${i}`);
  if (o % groups !== 0) refuse(op, shapes, `${o} filters are not divisible into ${groups} groups`);
  const [oh, ow] = [outputSize(h, kh, op, 0), outputSize(wd, kw, op, 1)];
  if (oh < 1 || ow < 1) refuse(op, shapes, `the kernel fits into the padded input, output [${oh},${ow}]`);
  return [n, o, oh, ow];
}

function convFlops(w: Shape, y: Shape): number {
  return sizeOf(y) * sizeOf(w.slice(1));
}

/** The gradient of conv by w: x [N, C, H, W], dy [N, O, oH, oW] -> [O, C/groups, kH, kW]. */
function weightGrad(g: GraphBuilder, x: NodeId, dy: NodeId, geometry: ConvGeometry, shape: Shape): NodeId {
  return g.add({ kind: 'convWeightGrad', shape, ...geometryOf(geometry) }, [x, dy]);
}

/** Whether a convolution by filters of this shape looks at one pixel at a time, and at each. */
export function isPointwise({ stride, pads }: ConvGeometry, w: Shape): boolean {
  return [...stride, ...w.slice(2)].every((n) => n === 1) && pads.every((n) => n === 0);
}

/** 1x1 filters [groups · I, I, 1, 1] with inputs and outputs exchanged within each group. */
function exchanged(g: GraphBuilder, w: NodeId, groups: number): NodeId {
  const shape = g.shape(w);
  const inner = at(shape, 1);
  return reshape(g, transpose(g, reshape(g, w, [groups, inner, inner]), [0, 2, 1]), shape);
}

/** Called for each run of `count` products: x from `xi` in steps of `xStep`, y from `yi` in steps of 1, w at `wi`. */
type Row = (xi: number, xStep: number, yi: number, wi: number, count: number) => void;

/** Walks all products of a convolution of x by w giving y, a row of the output at a time; padding is left out. */
function walk(geometry: ConvGeometry, x: Shape, w: Shape, y: Shape, row: Row): void {
  const [n, c, h, width] = x as [number, number, number, number];
  const [o, i, kh, kw] = w as [number, number, number, number];
  const [, , oh, ow] = y as [number, number, number, number];
  const { stride, dilation, pads, groups } = geometry;
  const filters = o / groups;
  for (let kx = 0; kx < kw; kx++) {
    // Columns ox for which 0 <= ox * stride + shift < width.
    const shift = kx * dilation[1] - pads[1];
    const first = Math.max(0, Math.ceil(-shift / stride[1]));
    const count = Math.min(ow, Math.floor((width - 1 - shift) / stride[1]) + 1) - first;
    if (count <= 0) continue;
    for (let image = 0; image < n; image++) {
      for (let filter = 0; filter < o; filter++) {
        const channel0 = Math.floor(filter / filters) * i;
        for (let channel = 0; channel < i; channel++) {
          for (let ky = 0; ky < kh; ky++) {
            const wi = ((filter * i + channel) * kh + ky) * kw + kx;
            for (let oy = 0; oy < oh; oy++) {
              const iy = oy * stride[0] + ky * dilation[0] - pads[0];
              if (iy < 0 || iy >= h) continue;
              const xi = ((image * c + channel0 + channel) * h + iy) * width + first * stride[1] + shift;
              row(xi, stride[1], ((image * o + filter) * oh + oy) * ow + first, wi, count);
            }
          }
        }
      }
    }
  }
}

export const convDefinition: Definition<OpOf<'conv'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2, 3);
    const [x, w, bias] = [at(inputs, 0), at(inputs, 1), inputs[2]];
    const shape = convShape(op, inputs, x, w);
    if (bias !== undefined && !sameShape(bias, [at(w, 0)])) refuse(op, inputs, `the bias is [${w[0]}]`);
    return shape;
  },
  flops: (_op, inputs, output) => convFlops(at(inputs, 1), output) + (inputs.length > 2 ? sizeOf(output) : 0),
  gradient(g, { op, inputs, upstream, wants }) {
    const [x, w] = [at(inputs, 0), at(inputs, 1)];
    return [
      wants(0) ? inputGrad(g, upstream, w, op, g.shape(x)) : undefined,
      wants(1) ? weightGrad(g, x, upstream, op, g.shape(w)) : undefined,
      wants(2) ? reduceSum(g, upstream, [0, 2, 3]) : undefined,
    ];
  },
  kernel(op, inputs, shape) {
    const [x, w, bias] = [at(inputs, 0), at(inputs, 1), inputs[2]];
    const y = new Float64Array(sizeOf(shape));
    const [, filters, oh, ow] = shape as [number, number, number, number];
    if (bias !== undefined) {
      for (let i = 0; i < y.length; i++) y[i] = bias.data[Math.floor(i / (oh * ow)) % filters] ?? Number.NaN;
    }
    walk(op, x.shape, w.shape, shape, (xi, xStep, yi, wi, count) => {
      const weight = w.data[wi] ?? Number.NaN;
      for (let j = 0; j < count; j++) {
        y[yi + j] = (y[yi + j] ?? Number.NaN) + weight * (x.data[xi + j * xStep] ?? Number.NaN);
      }
    });
    return y;
  },
};

export const convInputGradDefinition: Definition<OpOf<'convInputGrad'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const [dy, w] = [at(inputs, 0), at(inputs, 1)];
    const y = convShape(op, inputs, op.shape, w);
    return sameShape(y, dy) ? op.shape : refuse(op, inputs, `a conv of [${op.shape}] gives [${y}], dy is [${dy}]`);
  },
  flops: (_op, inputs) => convFlops(at(inputs, 1), at(inputs, 0)),
  gradient(g, { op, inputs, upstream, wants }) {
    const [dy, w] = [at(inputs, 0), at(inputs, 1)];
    return [
      wants(0) ? conv(g, upstream, w, op) : undefined,
      wants(1) ? weightGrad(g, upstream, dy, op, g.shape(w)) : undefined,
    ];
  },
  kernel(op, inputs, shape) {
    const [dy, w] = [at(inputs, 0), at(inputs, 1)];
    const dx = new Float64Array(sizeOf(shape));
    walk(op, shape, w.shape, dy.shape, (xi, xStep, yi, wi, count) => {
      const weight = w.data[wi] ?? Number.NaN;
      for (let j = 0; j < count; j++) {
        dx[xi + j * xStep] = (dx[xi + j * xStep] ?? Number.NaN) + weight * (dy.data[yi + j] ?? Number.NaN);
      }
    });
    return dx;
  },
};

export const convWeightGradDefinition: Definition<OpOf<'convWeightGrad'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const [x, dy] = [at(inputs, 0), at(inputs, 1)];
    const y = convShape(op, inputs, x, op.shape);
    return sameShape(y, dy) ? op.shape : refuse(op, inputs, `a conv by [${op.shape}] gives [${y}], dy is [${dy}]`);
  },
  flops: (op, inputs) => convFlops(op.shape, at(inputs, 1)),
  gradient(g, { op, inputs, upstream, wants }) {
    const [x, dy] = [at(inputs, 0), at(inputs, 1)];
    // Products of the channels of one tensor: both gradients are convolutions of it, and so is their sum.
    if (x === dy && isPointwise(op, op.shape)) {
      return [wants(0) ? conv(g, x, add(g, upstream, exchanged(g, upstream, op.groups)), op) : undefined];
    }
    return [
      wants(0) ? inputGrad(g, dy, upstream, op, g.shape(x)) : undefined,
      wants(1) ? conv(g, x, upstream, op) : undefined,
    ];
  },
  kernel(op, inputs, shape) {
    const [x, dy] = [at(inputs, 0), at(inputs, 1)];
    const dw = new Float64Array(sizeOf(shape));
    walk(op, x.shape, shape, dy.shape, (xi, xStep, yi, wi, count) => {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += (x.data[xi + j * xStep] ?? Number.NaN) * (dy.data[yi + j] ?? Number.NaN);
      dw[wi] = (dw[wi] ?? Number.NaN) + sum;
    });
    return dw;
  },
};
