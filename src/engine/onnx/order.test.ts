import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { createGraph, finish } from '../../graph/builder.ts';
import { gradients } from '../../graph/differentiate.ts';
import type { Graph } from '../../graph/ir.ts';
import * as ops from '../../graph/ops.ts';
import { optimize } from '../../graph/passes.ts';
import { lowerGraph } from './lower.ts';

type Proto = onnxProto.onnx.INodeProto;

const LAYERS = 12;

/** A step of a chain of convolutions, whose filters are cut from one vector, and their gradients joined to one. */
function chainStep(): Graph {
  const g = createGraph();
  const size = 16 * 16 * 9;
  const weights = ops.input(g, 'weights', [LAYERS * size]);
  const parts = Array.from({ length: LAYERS }, (_, i) => ops.slice(g, weights, [i * size], [(i + 1) * size]));
  const geometry = { stride: [1, 1], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 } as const;
  const filters = parts.map((part) => ops.reshape(g, part, [16, 16, 3, 3]));
  const y = filters.reduce((x, w) => ops.tanh(g, ops.conv(g, x, w, geometry)), ops.input(g, 'x', [4, 16, 8, 8]));
  const loss = ops.reduceMean(g, ops.mul(g, y, y), [0, 1, 2, 3]);
  const slopes = gradients(g, loss, filters).map((slope) => ops.reshape(g, slope, [size]));
  const next = ops.sub(g, weights, ops.scale(g, ops.concat(g, slopes, 0), 0.1));
  return optimize(finish(g, { loss, next }));
}

/**
 * ONNX Runtime's order (`Graph::ReverseDFSFrom`): depth first from the nodes that nothing reads towards the inputs; of several,
 * the one listed last comes first, and is computed after what it reads.
 */
function walked(nodes: readonly Proto[]): Proto[] {
  const maker = new Map(nodes.flatMap(({ output }, i) => (output ?? []).map((name) => [name, i] as const)));
  const reads = nodes.map(({ input }) =>
    [...new Set((input ?? []).flatMap((name) => maker.get(name) ?? []))].sort((a, b) => b - a),
  );
  const read = new Set(reads.flat());
  const seen = new Set<number>();
  const order: Proto[] = [];
  const visit = (i: number): void => {
    if (seen.has(i)) return;
    seen.add(i);
    for (const from of reads[i] ?? []) visit(from);
    order.push(nodes[i] as Proto);
  };
  for (let i = nodes.length - 1; i >= 0; i--) if (!read.has(i)) visit(i);
  return order;
}

/** How many values are in memory at most. Views are none of their own, and parts of the weights are small. */
function mostAlive(order: readonly Proto[]): number {
  const sources = new Map(
    order.flatMap(({ opType, input, output }) => (opType === 'Reshape' ? [[output?.[0], input?.[0]] as const] : [])),
  );
  const source = (name: string): string => (sources.has(name) ? source(sources.get(name) ?? '') : name);
  const last = new Map(order.flatMap(({ input }, at) => (input ?? []).map((name) => [source(name), at] as const)));
  const alive = new Set<string>();
  const counts = order.map(({ opType, output }, at) => {
    for (const name of opType === 'Reshape' || opType === 'Split' ? [] : (output ?? [])) alive.add(name);
    const count = alive.size;
    for (const name of alive) if ((last.get(name) ?? order.length) <= at) alive.delete(name);
    return count;
  });
  return Math.max(...counts);
}

for (const block of [0, 16]) {
  const graph = chainStep();
  const { model } = lowerGraph(graph, { target: 'cpu', block, carries: { next: 'weights' } });
  const nodes = onnxProto.onnx.ModelProto.decode(model).graph?.node ?? [];

  test(`gradients of filters are computed as soon as they can be, block ${block}`, () => {
    const order = walked(nodes);
    assert.equal(order.length, nodes.length);
    // Each layer leaves its activation until its filter's gradient takes the place.
    const [most, added] = [mostAlive(order), mostAlive(nodes.toReversed())];
    assert.ok(added < 2 * LAYERS && most <= added + 2, `${most} values alive, ${added} in the graph's order`);
  });

  test(`every node is read, block ${block}`, () => {
    const wanted = new Set([...nodes.flatMap(({ input }) => input ?? []), ...Object.keys(graph.outputs)]);
    const unread = nodes.filter(({ output }) => !output?.some((name) => wanted.has(name)));
    assert.deepEqual(unread, []);
  });
}
