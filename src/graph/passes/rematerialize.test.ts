import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGraph, finish } from '../builder.ts';
import type { Graph, NodeId, OpKind, Shape } from '../ir.ts';
import { peakBytes } from '../liveness.ts';
import * as ops from '../ops.ts';
import { optimize } from '../passes.ts';
import {
  convolution,
  feedsOf,
  forwardOf,
  largestDifference,
  type Network,
  withGradients,
} from '../testing/networks.ts';
import { rematerialize } from './rematerialize.ts';

const IMAGE: Shape = [4, 16, 16, 16];
const ANY_PEAK = 0;

const count = ({ nodes }: Graph, ...kinds: readonly OpKind[]) =>
  nodes.filter(({ op }) => kinds.includes(op.kind)).length;
const trained = (network: Network) => optimize(withGradients(forwardOf(network, IMAGE)));

/** Depthwise and 1x1 convolutions in turn. */
const separable =
  (depth: number): Network =>
  (g, x) => {
    let y = x;
    for (let i = 0; i < depth; i++) {
      y = convolution(g, y, `depthwise ${i}`, { kernel: 3, groups: 16 });
      y = ops.relu(g, convolution(g, y, `pointwise ${i}`, { kernel: 1 }));
    }
    return y;
  };

describe('rematerialization', () => {
  it('computes 1x1 convolutions a second time for the backward part, with the same values', () => {
    const graph = trained(separable(4));
    const result = rematerialize(graph, ANY_PEAK);
    assert.ok(peakBytes(result) < 0.9 * peakBytes(graph), `${peakBytes(result)} of ${peakBytes(graph)}`);
    const feeds = feedsOf(graph, 'rematerialize');
    assert.equal(largestDifference(graph, result, feeds), 0);
    assert.ok(count(result, 'conv') > count(graph, 'conv'));
  });

  it('leaves 3x3 convolutions alone', () => {
    const filters = ({ nodes }: Graph) =>
      nodes.filter(({ op, inputs }) => op.kind === 'conv' && nodes[inputs[1] ?? -1]?.shape[2] === 3).length;
    const graph = trained(separable(4));
    assert.equal(filters(rematerialize(graph, ANY_PEAK)), filters(graph));
    const dense = trained((g, x) => convolution(g, convolution(g, x, 'a', { kernel: 3 }), 'b', { kernel: 3 }));
    assert.equal(rematerialize(dense, ANY_PEAK), dense);
  });

  it('puts the copy behind what it is multiplied with, so that it is computed late', () => {
    const { nodes } = rematerialize(trained(separable(4)), ANY_PEAK);
    const keyOf = (id: NodeId) => JSON.stringify([nodes[id]?.op, nodes[id]?.inputs]);
    const seen = new Set<string>();
    let copies = 0;
    for (const [id, { op, inputs }] of nodes.entries()) {
      const isCopy = op.kind === 'conv' && seen.has(keyOf(id));
      seen.add(keyOf(id));
      if (!isCopy) continue;
      copies++;
      const relu = nodes.findIndex((node) => node.inputs.includes(id));
      const reader = nodes.find((node) => node.inputs.includes(relu));
      const others = reader?.inputs.filter((from) => from !== relu) ?? [];
      assert.ok(others.every((from) => from < id));
      assert.ok(inputs.every((from) => from < id));
    }
    assert.ok(copies > 0);
  });

  it('does what is computed already only once: optimized and rematerialized again, the graph has as many nodes', () => {
    const once = rematerialize(trained(separable(4)), ANY_PEAK);
    const twice = rematerialize(optimize(once), ANY_PEAK);
    assert.deepEqual([twice.nodes.length, peakBytes(twice)], [once.nodes.length, peakBytes(once)]);
  });

  it('keeps what an output is, and what others are computed from', () => {
    const g = createGraph();
    const x = ops.input(g, 'x', IMAGE);
    const a = ops.exp(g, x);
    const b = ops.relu(g, a);
    // At the peak a, b and all of these are alive; b starts from a, and only one of them can go.
    const wide = Array.from({ length: 6 }, (_, i) =>
      ops.matmul(g, ops.add(g, b, ops.constant(g, i)), x, { transposeB: true }),
    );
    const sum = wide.reduce((total, y) => ops.matmul(g, total, y));
    const graph = finish(g, { y: ops.add(g, ops.mul(g, sum, b), a) });
    const result = rematerialize(graph, ANY_PEAK);
    assert.equal(count(result, 'unary'), count(graph, 'unary') + 1);
    assert.equal(largestDifference(graph, result, feedsOf(graph, 'chain')), 0);
    assert.equal(rematerialize(finish(g, { ...graph.outputs, a, b }), ANY_PEAK).nodes.length, graph.nodes.length);
  });

  it('does nothing where memory is not short', () => {
    const graph = trained(separable(4));
    assert.equal(rematerialize(graph), graph);
    assert.equal(rematerialize(graph, peakBytes(graph) + 1), graph);
    assert.notEqual(rematerialize(graph, peakBytes(graph)), graph);
  });
});
