/** Runs the graph engineer's cases on an engine and compares with the reference interpreter; for any device. */
import assert from 'node:assert/strict';
import { interpret } from '../../graph/interpret.ts';
import type { Graph, HostTensor } from '../../graph/ir.ts';
import type { GraphCase } from '../../graph/testing/cases.ts';
import { gradientGraph } from '../../graph/testing/check.ts';
import type { Engine, Feeds, Program } from '../engine.ts';
import { regressionFeeds, regressionStart, regressionStep } from './regression.ts';

type Fed = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>>;

export function toFloat32(feeds: Fed): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );
}

/** The feeds of a case as an engine takes them. */
export function feedsOf({ feeds, indices = [] }: GraphCase): Feeds {
  const whole = Object.entries(feeds).filter(([name]) => indices.includes(name));
  return {
    ...toFloat32(feeds),
    ...Object.fromEntries(whole.map(([name, { shape, data }]) => [name, { shape, data: Int32Array.from(data) }])),
  };
}

/** Outputs within 1e-4 of the largest; gradients (`d NAME`) within 1e-3 of their norm. */
export async function assertAgreement(compile: (graph: Graph) => Promise<Program>, testCase: GraphCase): Promise<void> {
  const graph = gradientGraph(testCase);
  const expected = interpret(graph, testCase.feeds);
  const program = await compile(graph);
  try {
    const actual = await program.run(feedsOf(testCase));
    assert.deepEqual(Object.keys(actual).sort(), Object.keys(graph.outputs).sort());
    for (const [name, { shape, data }] of Object.entries(expected)) {
      const found = actual[name];
      assert.deepEqual(found?.shape, shape, name);
      const difference = data.map((v, i) => v - (found?.data[i] ?? Number.NaN));
      const [size, bound] = name.startsWith('d ') ? [norm, 1e-3] : [largest, 1e-4];
      const error = size(difference) / (size(data) || 1);
      assert.ok(error < bound, `${name} differs by ${error}`);
    }
  } finally {
    await program.dispose();
  }
}

/** The kinds of operators in these graphs. */
export function kindsIn(graphs: readonly Graph[]): Set<string> {
  return new Set(graphs.flatMap(({ nodes }) => nodes.map(({ op }) => op.kind)));
}

const largest = (values: Float64Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

/** Five steps of training in which every carried tensor follows the interpreter's. */
export async function assertTrainsLikeReference(engine: Engine): Promise<void> {
  const { graph, carries } = regressionStep();
  const program = await engine.compile(graph, carries);
  const state = engine.createState(regressionStart());
  let reference: Record<string, { shape: readonly number[]; data: Float64Array | Float32Array }> = regressionStart();
  for (let step = 0; step < 5; step++) {
    const feeds = regressionFeeds(step);
    const expected = interpret(graph, { ...reference, ...feeds });
    const { loss, ...others } = await program.run(feeds, state);
    assert.deepEqual(others, {}, 'carried outputs are not returned');
    assert.ok(Math.abs((loss?.data[0] ?? 0) - (expected.loss?.data[0] ?? 0)) < 1e-5);
    const current = await state.read();
    reference = Object.fromEntries(
      Object.entries(carries).map(([output, name]) => [
        name,
        expected[output] ?? { shape: [], data: new Float64Array() },
      ]),
    );
    for (const [name, { data }] of Object.entries(reference)) {
      const difference = [...data].map((v, i) => Math.abs(v - (current[name]?.data[i] ?? Number.NaN)));
      assert.ok(Math.max(...difference) < 1e-5, `step ${step}: ${name}`);
    }
  }
  state.dispose();
  await program.dispose();
}
