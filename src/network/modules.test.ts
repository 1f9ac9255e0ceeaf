import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpret } from '../graph/interpret.ts';
import type { Module } from '../space/tree/module.ts';
import { caseGraph, MODULE_CASES } from './testing/cases.ts';

const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, v) => sum + v * v, 0));

for (const moduleCase of MODULE_CASES) {
  test(`${moduleCase.name}: gradients agree with central differences`, () => {
    const { graph, feeds, differentiable } = caseGraph(moduleCase);
    const exact = interpret(graph, feeds);
    // Only the scalar is wanted while differencing.
    const forward = {
      nodes: graph.nodes.slice(0, (graph.outputs.value ?? 0) + 1),
      outputs: { value: graph.outputs.value ?? 0 },
    };
    const valueAt = () => interpret(forward, feeds).value?.data[0] ?? Number.NaN;
    for (const name of differentiable) {
      const data = feeds[name]?.data ?? new Float64Array();
      const gradient = exact[`d ${name}`]?.data ?? new Float64Array();
      assert.equal(gradient.length, data.length);
      const step = 1e-5;
      const difference = Float64Array.from(data, (kept, i) => {
        data[i] = kept + step;
        const above = valueAt();
        data[i] = kept - step;
        const below = valueAt();
        data[i] = kept;
        return (above - below) / (2 * step) - (gradient[i] ?? Number.NaN);
      });
      // A gradient that is zero by construction (a bias before batch norm) has no scale of its own.
      const scale = Math.max(norm(gradient), 1e-3);
      assert.ok(norm(difference) / scale < 1e-6, `${name}: ${norm(difference) / scale}`);
    }
  });
}

test('every module kind is among the cases', () => {
  const seen = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value) seen.add(String(value.kind));
    for (const child of Object.values(value)) visit(child);
  };
  visit(MODULE_CASES);
  const kinds = {
    conv: 0,
    batchNorm: 0,
    layerNorm: 0,
    activation: 0,
    glu: 0,
    pool: 0,
    globalPool: 0,
    last: 0,
    convTranspose: 0,
    resize: 0,
    embedding: 0,
    positions: 0,
    patches: 0,
    classToken: 0,
    piecewiseLinear: 0,
    attention: 0,
    recurrent: 0,
    recurrentCell: 0,
    recurrentGraph: 0,
    highway: 0,
    shared: 0,
    rows: 0,
    auxiliary: 0,
    linear: 0,
    flatten: 0,
    firstChannels: 0,
    dropout: 0,
    dropPath: 0,
    identity: 0,
    zero: 0,
    sequential: 0,
    residual: 0,
    repeat: 0,
    dag: 0,
    stack: 0,
    squeezeExcite: 0,
    factorizedReduce: 0,
    scope: 0,
    choice: 0,
  } satisfies Record<Module['kind'], number>;
  // A choice needs a space and an architecture: nas-bench-201.test.ts lowers them.
  assert.deepEqual(
    Object.keys(kinds).filter((kind) => !seen.has(kind)),
    ['choice'],
  );
});
