import { invalid } from '../common/errors.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { closed, imageShape, type Lower, type Lowering } from './lowering.ts';

export const lowerIdentity: Lower<'identity'> = (_l, _module, x) => x;

export const lowerZero: Lower<'zero'> = (l, module, x) => {
  const stride = closed(module.stride);
  if (stride === 1) return ops.zerosLike(l.g, x);
  imageShape(l, x);
  const geometry = { kernel: [1, 1], stride: [stride, stride], pads: [0, 0, 0, 0] } as const;
  return ops.zerosLike(l.g, ops.avgPool(l.g, x, geometry));
};

export const lowerSequential: Lower<'sequential'> = (l, module, x) =>
  module.children.reduce((value, child, i) => l.child(String(i), child, value), x);

export const lowerResidual: Lower<'residual'> = (l, module, x) =>
  sum(l, [l.child('body', module.body, x), l.child('shortcut', module.shortcut, x)]);

export const lowerRepeat: Lower<'repeat'> = (l, module, x) => {
  let value = x;
  for (let i = 0; i < closed(module.times); i++) value = l.child(String(i), module.body, value);
  return value;
};

/** Edges are named `from->to`, a node's own body by the node's number. */
export const lowerDag: Lower<'dag'> = (l, module, x) => {
  const values = [x];
  for (const [i, node] of module.nodes.entries()) {
    const to = i + 1;
    if (!Array.isArray(node.from))
      throw invalid('network', `the inputs of node ${to} are open`, 'resolve the space first');
    const incoming = (node.from as readonly number[]).map((from) => {
      const [edge, value] = [node.edges[from], values[from]];
      if (edge === undefined || value === undefined)
        throw l.error(`node ${to} reads node ${from}`, 'a node reads earlier nodes');
      return l.child(`${from}->${to}`, edge, value);
    });
    values.push(l.child(String(to), node.body, node.combine === 'sum' ? sum(l, incoming) : join(l, incoming)));
  }
  return module.output === 'last' ? (values[values.length - 1] ?? x) : join(l, values.slice(1));
};

/** A choice that `resolve` left with one option: its key is part of the path, as it is in a supernet. */
export const lowerChoice: Lower<'choice'> = (l, module, x) => {
  const [only, ...others] = Object.entries(module.options);
  if (only === undefined || others.length > 0) {
    throw invalid('network', `choice "${module.name}" is open`, 'resolve the space with an architecture first');
  }
  return l.child(only[0], only[1], x);
};

/** `resolve` leaves no scopes, so a scope adds nothing to the path: supernet and network name their parameters alike. */
export const lowerScope: Lower<'scope'> = (l, module, x) => l.child('', module.body, x);

function sum(l: Lowering, values: readonly NodeId[]): NodeId {
  return values.reduce((total, value) => {
    const [a, b] = [l.g.shape(total), l.g.shape(value)];
    if (String(a) !== String(b)) throw l.error(`[${a}] and [${b}] meet`, 'what is added must have one shape');
    return ops.add(l.g, total, value);
  });
}

function join(l: Lowering, values: readonly NodeId[]): NodeId {
  const [only, ...others] = values;
  return only !== undefined && others.length === 0 ? only : ops.concat(l.g, values, 1);
}
