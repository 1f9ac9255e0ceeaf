import type { Rng } from '../common/random.ts';
import { createGraph } from '../graph/builder.ts';
import type { DType, HostTensor, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Module } from '../space/tree/module.ts';
import { edgeName, looseNodes, presentReads, readsOf } from '../space/tree/reads.ts';
import { lowerNetwork } from './lower.ts';
import {
  chainOf,
  changed,
  type Flow,
  isIdentity,
  joinOf,
  type Morphing,
  opened,
  type Placed,
  sumOf,
  unrelated,
  within,
} from './morphism/flow.ts';
import { insert, rectified, silence } from './morphism/insert.ts';
import {
  foldBatchNorm,
  followBatchNorm,
  followConv,
  followFactorizedReduce,
  followLayerNorm,
  followLinear,
  followSqueezeExcite,
  followWhole,
} from './morphism/layers.ts';

export interface MorphRequest {
  /** Both without open choices. */
  readonly parent: Module;
  readonly child: Module;
  /** The parent's parameters and statistics by path; others are ignored. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Shape of what both read, without the batch: [C, H, W], [C, T], [F], or of tokens [T]. */
  readonly input: Shape;
  /** int32: tokens. float32 by default. */
  readonly dtype?: DType;
  readonly outputs: number;
  /** As in `lowerNetwork`. */
  readonly shape?: Shape;
  readonly vocabulary?: number;
  readonly quantiles?: readonly (readonly number[])[];
  /** How repeated channels share what is read from them. */
  rng(...labels: readonly string[]): Rng;
}

export interface Morphism {
  /** Parameters and statistics of the child, by path; what is missing starts from scratch. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Where the child computes something else than the parent, and why. None: it computes the same, when not training. */
  readonly departures: readonly string[];
}

/**
 * Weights with which a network continues from another's (network morphism: Chen, Goodfellow & Shlens 2016, "Net2Net";
 * Wei et al. 2016). The two trees are walked side by side, and each layer of the child gets what its place in the parent
 * had, such that outputs in inference mode are the parent's:
 *
 * - wider: channels are repeated, and what is read from them is divided (`dense`);
 * - deeper: a new layer passes on what it reads (`insert`): convolution, batch norm, ReLU after a ReLU, residual block;
 * - a larger kernel or a smaller dilation: zeros around the weights, or between them;
 * - an operation on an edge that was nothing: its last scale is 0;
 * - batch norm where there was none, or none after a layer with a bias;
 * - a new residual block of attention: its output projection is 0.
 *
 * Anything else is no morphism: a narrower layer (the first channels), a smaller kernel (its center), fewer layers, another
 * activation, a layer norm over channels that are repeated unevenly, a new layer before SiLU or GELU. Embeddings, positions,
 * attention, recurrent layers, transposed convolutions and what is shared are taken over as they are or not at all. The child then
 * takes over what it can, as near to the parent as may be, and `departures` names each place.
 *
 * Throws UserError where either network cannot be built.
 */
export function morphWeights(request: MorphRequest): Morphism {
  const { weights } = request;
  const [parent, child] = [shapesOf(request.parent, request), shapesOf(request.child, request)];
  const found: Record<string, HostTensor> = {};
  const departures: string[] = [];
  const m: Morphing = {
    parent: (path) => (Object.hasOwn(weights, path) ? weights[path] : undefined),
    set(path, shape, data) {
      const wanted = child.tensors.get(path);
      if (String(wanted) !== String(shape))
        throw new Error(`"${path}" became [${shape}]; the network's is [${wanted}]`);
      found[path] = { shape, data };
    },
    copy(from, to) {
      const owned = [...child.tensors].filter(([path]) => path.startsWith(within(to, '')));
      const copies = owned.map(([path, shape]) => [path, shape, m.parent(from + path.slice(to.length))] as const);
      if (copies.some(([, shape, tensor]) => String(tensor?.shape) !== String(shape))) return false;
      for (const [path, shape, tensor] of copies)
        if (tensor !== undefined) m.set(path, shape, Float32Array.from(tensor.data));
      return true;
    },
    parentShape: (path) => parent.outputs.get(path) ?? [],
    childShape: (path) => child.outputs.get(path) ?? [],
    tensorShape: (path) => child.tensors.get(path),
    depart: (path, why) => departures.push(`${path}: ${why}`),
    rng: (path) => request.rng('morphism', path),
  };
  const channels = Array.from({ length: request.input[0] ?? 1 }, (_, i) => i);
  const x: Flow = { of: channels, from: channels.length, positive: false };
  follow(m, { module: request.parent, path: '' }, { module: request.child, path: '' }, x, []);
  return { weights: found, departures };
}

interface Shapes {
  /** Outputs of modules, without the batch. */
  readonly outputs: ReadonlyMap<string, Shape>;
  readonly tensors: ReadonlyMap<string, Shape>;
}

function shapesOf(network: Module, { input, dtype, outputs, shape, vocabulary, quantiles }: MorphRequest): Shapes {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, ...input], dtype);
  const { layers, parameters, statistics } = lowerNetwork(g, network, x, {
    outputs,
    mode: 'infer',
    ...(shape && { shape }),
    ...(vocabulary !== undefined && { vocabulary }),
    ...(quantiles !== undefined && { quantiles }),
  });
  return {
    outputs: new Map(layers.map(({ path, output }) => [path, g.shape(output).slice(1)])),
    tensors: new Map([...parameters, ...statistics].map(({ path, shape }) => [path, shape])),
  };
}

/** Both at the same place; `before`: what the stack around them has put out before x, the newest first. */
function follow(m: Morphing, parent: Placed, child: Placed, x: Flow, before: readonly Flow[]): Flow {
  const [p, c] = [opened(parent), opened(child)];
  const chains = [chainOf(p), chainOf(c)] as const;
  if (chains[0] && chains[1]) return followChain(m, chains[0], chains[1], c.path, x);
  if (p.module.kind !== c.module.kind) return replace(m, p, c, x);
  return followAlike(m, p, c, x, before);
}

/** Modules in a row, one by one from the first; what one of them has more is new, or gone. */
function followChain(m: Morphing, parent: readonly Placed[], child: readonly Placed[], path: string, x: Flow): Flow {
  const nothing: Placed = { module: { kind: 'identity' }, path };
  return Array.from({ length: Math.max(parent.length, child.length) }).reduce<Flow>((flow, _, i) => {
    const [p, c] = [parent[i], child[i]];
    if (p && c) return follow(m, p, c, flow, []);
    return c ? insert(m, c, flow) : replace(m, opened(p ?? nothing), nothing, flow);
  }, x);
}

/** Modules of different kinds. */
function replace(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  if (isIdentity(p, x)) return insert(m, c, x);
  if (p.module.kind === 'zero') {
    silence(m, c);
    return { ...unrelated(m, p.path, c.path), positive: true, zero: true };
  }
  const gone = isIdentity(c, x);
  if (gone && p.module.kind === 'batchNorm' && foldBatchNorm(m, p, x)) return changed(x);
  m.depart(c.path, gone ? `${p.module.kind} ${p.path} is gone` : `${p.module.kind} became ${c.module.kind}`);
  if (!gone) return unrelated(m, p.path, c.path);
  const from = m.parentShape(p.path)[0] ?? 1;
  return { of: x.of.map((_, i) => i % from), from, positive: false };
}

/** Modules of one kind that are not chains. */
function followAlike(m: Morphing, p: Placed, c: Placed, x: Flow, before: readonly Flow[]): Flow {
  const differ = (...fields: readonly string[]) => {
    const [one, other] = [p.module, c.module].map((module): Readonly<Record<string, unknown>> => ({ ...module }));
    const field = fields.find((name) => String(one?.[name]) !== String(other?.[name]));
    if (field !== undefined) m.depart(c.path, `${field} ${one?.[field]} became ${other?.[field]}`);
  };
  switch (c.module.kind) {
    case 'conv':
      return followConv(m, p, c, x);
    case 'linear':
      return followLinear(m, p, c, x);
    case 'batchNorm':
      return followBatchNorm(m, p, c, x);
    case 'layerNorm':
      return followLayerNorm(m, p, c, x);
    case 'squeezeExcite':
      return followSqueezeExcite(m, p, c, x);
    case 'factorizedReduce':
      return followFactorizedReduce(m, p, c, x);
    case 'activation': {
      differ('fn');
      const flow = changed(x, ['relu', 'relu6', 'sigmoid', 'hardSigmoid'].includes(String(c.module.fn)));
      return c.module.fn === 'relu' && x.moments ? { ...flow, moments: rectified(x.moments) } : flow;
    }
    case 'convTranspose':
    case 'embedding':
    case 'positions':
    case 'patches':
    case 'classToken':
    case 'attention':
    case 'recurrent':
    case 'recurrentCell':
    case 'recurrentGraph':
    case 'highway':
    case 'shared':
    case 'rows':
      return followWhole(m, p, c, x);
    case 'resize':
      differ('mode', 'factor');
      return changed(x, x.positive);
    case 'last':
      differ('at');
      return changed(x, x.positive);
    case 'pool':
      differ('op', 'kernel', 'stride', 'padding');
      return changed(x, x.positive);
    case 'globalPool':
      differ('op');
      return changed(x, x.positive);
    case 'glu':
      differ('fn');
      return halved(m, p, c, x);
    case 'piecewiseLinear':
      return encoded(m, p, c, x);
    case 'flatten':
      return flattened(m, p, c, x);
    case 'firstChannels':
      return cut(m, p, c, x);
    case 'zero':
      differ('stride');
      return { ...unrelated(m, p.path, c.path), positive: true, zero: true };
    case 'identity':
    case 'dropout':
    case 'dropPath':
      return x;
    case 'residual': {
      const parts = (['body', 'shortcut'] as const).map((part) => follow(m, partOf(p, part), partOf(c, part), x, []));
      return sumOf(m, c.path, parts) ?? x;
    }
    case 'stack':
      return followStack(m, p, c, x);
    case 'dag':
      return followDag(m, p, c, x, before);
    default:
      throw new Error(`a ${c.module.kind} in a network without open choices`);
  }
}

function partOf({ module, path }: Placed, part: 'body' | 'shortcut'): Placed {
  return { module: (module as Extract<Module, { kind: 'residual' }>)[part], path: within(path, part) };
}

/** Channel c of H·W pixels becomes features c·H·W and following. */
function flattened(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  const [before, after] = [m.parentShape(p.path)[0] ?? 1, m.childShape(c.path)[0] ?? 1];
  const each = after / x.of.length;
  if (before / x.from !== each) {
    m.depart(c.path, 'images are of another size');
    return unrelated(m, p.path, c.path);
  }
  const of = x.of.flatMap((channel) => Array.from({ length: each }, (_, i) => channel * each + i));
  return changed({ of, from: before, positive: x.positive }, x.positive);
}

/** The first channels that the child keeps are of the first that the parent keeps, or there is no relation. */
function cut(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  const [from, to] = [m.parentShape(p.path)[0] ?? 1, m.childShape(c.path)[0] ?? 1];
  const of = x.of.slice(0, to);
  if (of.length === to && of.every((channel) => channel < from)) return { of, from, positive: x.positive };
  m.depart(c.path, `the first ${from} channels became the first ${to}`);
  return unrelated(m, p.path, c.path);
}

/** Channel c of a gated unit is made of channels c and c + half: known where what it reads is as it was. */
function halved(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  if (x.from === x.of.length && x.of.every((channel, i) => channel === i))
    return { of: x.of.slice(0, x.of.length / 2), from: x.from / 2, positive: false };
  m.depart(c.path, 'a gated linear unit is taken over only with the channels that it had');
  return unrelated(m, p.path, c.path);
}

/** Both add the same to what they read, or nothing of it is known. */
function encoded(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  const [before, after] = [m.parentShape(p.path)[0] ?? 1, m.childShape(c.path)[0] ?? 1];
  if (before === after) return changed({ ...x, of: Array.from({ length: after }, (_, i) => i), from: before });
  m.depart(c.path, 'numbers are encoded by other bins');
  return unrelated(m, p.path, c.path);
}

function followStack(m: Morphing, p: Placed, c: Placed, x: Flow): Flow {
  const cells = ({ module, path }: Placed) =>
    (module as Extract<Module, { kind: 'stack' }>).cells.map((cell, i) => ({
      module: cell,
      path: within(path, String(i)),
    }));
  const [parent, child] = [cells(p), cells(c)];
  if (parent.length > child.length) m.depart(c.path, `${parent.length - child.length} cells are gone`);
  const outputs = child.reduce<readonly Flow[]>(
    ([newest = x, ...before], cell, i) => {
      const counterpart = parent[i];
      return [counterpart ? follow(m, counterpart, cell, newest, before) : insert(m, cell, newest), newest, ...before];
    },
    [x],
  );
  return outputs[0] ?? x;
}

function followDag(m: Morphing, p: Placed, c: Placed, x: Flow, before: readonly Flow[]): Flow {
  const [parent, child] = [p.module, c.module] as readonly [Dag, Dag];
  const present = presentReads(child);
  const presentBefore = presentReads(parent);
  const form = ({ entries, nodes, output }: Dag, reads: typeof present) => [
    entries.length,
    nodes.map((node) => readsOf(node).length),
    output,
    (output === 'loose' || output === 'looseMean') && looseNodes(entries.length, nodes),
    reads.map((ofNode) => ofNode.every(({ length }) => length === 0)),
  ];
  const differ = JSON.stringify(form(parent, presentBefore)) !== JSON.stringify(form(child, present));
  if (differ) {
    m.depart(c.path, 'its nodes are others');
    return unrelated(m, p.path, c.path);
  }
  const past = [x, ...before];
  const at = (module: Module, placed: Placed, name: string): Placed => ({ module, path: within(placed.path, name) });
  const values: (Flow | undefined)[] = child.entries.map((entry, i) => {
    const value = past[Math.min(child.entries.length - 1 - i, past.length - 1)] ?? x;
    return follow(m, at(parent.entries[i] ?? entry, p, String(i)), at(entry, c, String(i)), value, []);
  });
  for (const [i, node] of child.nodes.entries()) {
    const to = values.length;
    const old = parent.nodes[i] ?? node;
    const before = readsOf(old);
    if (present[i]?.every(({ length }) => length === 0)) {
      values.push(undefined);
      continue;
    }
    const incoming = readsOf(node).flatMap((read, k) => {
      const oldRead = before[k] ?? read;
      const [sources, oldSources] = [present[i]?.[k] ?? [], presentBefore[i]?.[k] ?? []];
      const own = sources.map((from): Flow => {
        const name = edgeName(from, to, k);
        const [value, edge, source] = [values[from] ?? x, read.edges[from], oldRead.edges[from]];
        if (edge === undefined || source === undefined) throw new Error(`node ${to} reads node ${from}`);
        if (oldSources.includes(from)) return follow(m, at(source, p, name), at(edge, c, name), value, []);
        silence(m, at(edge, c, name));
        const channels =
          m.childShape(within(c.path, name)).length > 0 ? m.childShape(within(c.path, name))[0] : undefined;
        return {
          of: Array.from({ length: channels ?? 1 }, (_, k) => k),
          from: channels ?? 1,
          positive: true,
          zero: true,
        };
      });
      for (const from of oldSources) {
        const edge = oldRead.edges[from];
        const lost = !sources.includes(from) && edge && opened({ module: edge, path: '' }).module.kind !== 'zero';
        if (lost) m.depart(c.path, `the edge ${edgeName(from, to, k)} is gone`);
      }
      return own;
    });
    const isJoin = node.combine === 'concat';
    if (node.combine !== old.combine || (isJoin && JSON.stringify(present[i]) !== JSON.stringify(presentBefore[i])))
      m.depart(c.path, `node ${to} combines other inputs`);
    const joined = isJoin ? joinOf(incoming) : sumOf(m, within(c.path, String(to)), incoming);
    values.push(follow(m, at(old.body, p, String(to)), at(node.body, c, String(to)), joined ?? x, []));
  }
  if (child.output === 'last') return values.at(-1) ?? x;
  const isLoose = child.output === 'loose' || child.output === 'looseMean';
  const loose = isLoose ? looseNodes(child.entries.length, child.nodes) : undefined;
  const put = loose ? loose.map((node) => values[node]) : values.slice(child.entries.length);
  const filled = put.filter((value) => value !== undefined);
  if (child.output === 'mean' || child.output === 'looseMean') return sumOf(m, c.path, filled) ?? x;
  return joinOf(filled);
}

type Dag = Extract<Module, { kind: 'dag' }>;
