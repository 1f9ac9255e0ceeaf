import { invalid } from '../common/errors.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { DagOutput } from '../space/tree/module.ts';
import { allOutput, edgeName, looseNodes, presentReads, readsOf, sourcesOf } from '../space/tree/reads.ts';
import {
  closed,
  imageShape,
  type Lower,
  type Lowering,
  type ModuleOf,
  overImages,
  sizeOfWindow,
  sum,
} from './lowering.ts';

export const lowerIdentity: Lower<'identity'> = (_l, _module, x) => x;

export const lowerZero: Lower<'zero'> = (l, module, x) => {
  const stride = closed(module.stride);
  if (stride === 1) return ops.zerosLike(l.g, x);
  const geometry = { kernel: [1, 1], stride: sizeOfWindow(l, x, stride), pads: [0, 0, 0, 0] } as const;
  return overImages(l, x, (images) => ops.zerosLike(l.g, ops.avgPool(l.g, images, geometry)));
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

/** What comes in goes through the entries, the last output of a stack through the last of them. */
function entriesOf(l: Lowering, { entries }: ModuleOf<'dag'>, x: NodeId): NodeId[] {
  const past = [x, ...l.before];
  const oldest = past.length - 1;
  return entries.map((entry, i) => {
    const value = past[Math.min(entries.length - 1 - i, oldest)] ?? x;
    return l.child(String(i), entry, value);
  });
}

/** Edges are named `from->to`, a node's own body, or an input's entry, by the node's number. */
export const lowerDag: Lower<'dag'> = (l, module, x) => {
  /** Nothing for a node that gets only none, where something is concatenated. */
  const values: (NodeId | undefined)[] = entriesOf(l, module, x);
  // In a supernet all edges stay, so that one number of channels suits every member.
  const present = l.open === undefined ? presentReads(module) : undefined;
  for (const [i, node] of module.nodes.entries()) {
    const to = values.length;
    const incoming = readsOf(node).flatMap((read, k) => {
      const sources = present?.[i]?.[k] ?? sourcesOf(read);
      const edges = sources.map((source) => () => {
        const [edge, value] = [read.edges[source], values[source]];
        if (edge === undefined || value === undefined)
          throw l.error(`node ${to} reads node ${source}`, 'a node reads earlier nodes');
        return l.child(edgeName(source, to, k), edge, value);
      });
      if (l.open !== undefined) return l.open.read(l, read, edges);
      if ('kind' in read.from)
        throw l.error(`the inputs of node ${to} are open (${read.from.name})`, 'resolve the space first');
      return edges.map((lower) => lower());
    });
    if (incoming.length === 0) values.push(undefined);
    else values.push(l.child(String(to), node.body, node.combine === 'sum' ? sum(l, incoming) : join(l, incoming)));
  }
  return outputOf(l, module, values);
};

function outputOf(l: Lowering, { entries, nodes, output }: ModuleOf<'dag'>, values: readonly (NodeId | undefined)[]) {
  const inputs = entries.length;
  // In a supernet a cell puts out all nodes where that is left open: one number of channels suits every member.
  const isLeft = l.open !== undefined && typeof output === 'object' && output.kind === 'pick';
  const kind = (isLeft ? allOutput(output.values) : undefined) ?? closed<DagOutput>(output);
  const isLoose = kind === 'loose' || kind === 'looseMean';
  const loose = isLoose ? looseNodes(inputs, nodes) : [];
  if (loose === undefined)
    throw l.error(
      `its output is '${kind}', and its inputs are open`,
      "a supernet needs output 'concat', 'mean' or 'last'",
    );
  const put = kind === 'last' ? values.slice(-1) : isLoose ? loose.map((node) => values[node]) : values.slice(inputs);
  const filled = put.filter((value) => value !== undefined);
  if (filled.length === 0)
    throw l.error('all that comes to its output is none', 'a path from its input to its output must be without none');
  if (kind !== 'mean' && kind !== 'looseMean') return join(l, filled);
  return filled.length === 1 ? sum(l, filled) : ops.mul(l.g, sum(l, filled), ops.constant(l.g, 1 / filled.length));
}

export const lowerShared: Lower<'shared'> = (l, module, x) => l.shared(module.name, module.body, x);

/** Rows are further samples of a batch. */
export const lowerRows: Lower<'rows'> = (l, module, x) => {
  const { g } = l;
  const [n, c, h, w] = imageShape(l, x);
  const rows = ops.reshape(g, ops.transpose(g, x, [0, 2, 1, 3]), [n * h, c, w]);
  const read = l.child('body', module.body, rows);
  const shape = g.shape(read);
  const [, channels, length] = shape;
  if (channels === undefined || length === undefined || shape.length > 3)
    throw l.error(`what reads a row gives [${shape}]`, 'it must give a sequence, [N, C, T]');
  return ops.transpose(g, ops.reshape(g, read, [n, h, channels, length]), [0, 2, 1, 3]);
};

/** The body stands in the module's own place, so that its parameters are named as without the head. */
export const lowerAuxiliary: Lower<'auxiliary'> = (l, module, x) => {
  const value = l.child('', module.body, x, l.before);
  l.auxiliary(module.weight, () => l.child('auxiliary', module.head, value));
  return value;
};

export const lowerStack: Lower<'stack'> = (l, module, x) =>
  module.cells
    .reduce<readonly NodeId[]>(
      ([newest = x, ...before], cell, i) => [l.child(String(i), cell, newest, before), newest, ...before],
      [x],
    )
    .at(0) ?? x;

/** A choice with one option, as `resolve` leaves it, has its key in the path; so have all options of an open one. */
export const lowerChoice: Lower<'choice'> = (l, module, x) => {
  const [only, ...others] = Object.entries(module.options);
  if (only !== undefined && others.length === 0) return l.child(only[0], only[1], x, l.before);
  if (l.open !== undefined) return l.open.choose(l, module, x);
  throw invalid('network', `choice "${module.name}" is open`, 'resolve the space with an architecture first');
};

/** `resolve` leaves no scopes, so a scope adds nothing to the path: supernet and network name their parameters alike. */
export const lowerScope: Lower<'scope'> = (l, module, x) => {
  // Open choices are identified by their full names, which would include a scope.
  if (l.open !== undefined) throw l.error(`scope "${module.name}"`, 'use the supernet of the space');
  return l.child('', module.body, x, l.before);
};

function join(l: Lowering, values: readonly NodeId[]): NodeId {
  const [only, ...others] = values;
  return only !== undefined && others.length === 0 ? only : ops.concat(l.g, values, 1);
}
