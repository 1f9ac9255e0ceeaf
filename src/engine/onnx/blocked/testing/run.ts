/** Runs functions that write blocked nodes, and compares with the reference interpreter. */
import assert from 'node:assert/strict';
import { rng } from '../../../../common/random.ts';
import { createGraph, finish } from '../../../../graph/builder.ts';
import { interpret } from '../../../../graph/interpret.ts';
import { type Shape, sizeOf } from '../../../../graph/ir.ts';
import type { GraphBuilder } from '../../../../graph/ops.ts';
import { input } from '../../../../graph/ops.ts';
import { nodeRuntime } from '../../../runtime/node.node.ts';
import { createModel } from '../../model.ts';
import type { Blocked, Name } from '../blocked.ts';
import { type Layout, permute } from '../layout.ts';
import { probeBlock } from '../probe.ts';

const runtime = nodeRuntime();
const found = await probeBlock(runtime, { device: 'cpu', threads: 1, optimization: 'none', keep: [] });

/** Options of a test that needs blocked operators. */
export const OPTIONS = found === 0 ? { skip: 'this processor has no blocked operators' } : {};
/** This machine's block; where there is none, one to name tests by. */
export const BLOCK = found === 0 ? 16 : found;

/** A tensor's logical shape, and in which layout the blocked nodes get or give it. */
export interface Placed {
  readonly shape: Shape;
  readonly layout: Layout;
}

export interface BlockedCase {
  readonly inputs: readonly (Placed & { /** Few values, so that there are ties. */ readonly ties?: boolean })[];
  readonly output: Placed;
  readonly blocked: (b: Blocked, inputs: readonly Name[]) => Name;
  readonly reference: (g: GraphBuilder, inputs: readonly number[]) => number;
  /** The largest error allowed, over the largest value of the result; 1e-5 by default. */
  readonly tolerance?: number;
}

/** The case agrees with the interpreter, with the batch known to the model or left open. */
export async function assertCase(test: BlockedCase, openBatch = false): Promise<void> {
  const random = rng('blocked case', test.inputs.length);
  const values = test.inputs.map(({ shape, ties }) =>
    Float32Array.from({ length: sizeOf(shape) }, () =>
      ties === true ? Math.round(random.float() * 3 - 2) : random.normal(),
    ),
  );
  const g = createGraph();
  const names = test.inputs.map((_, i) => `x${i}`);
  const outcome = test.reference(
    g,
    names.map((name, i) => input(g, name, test.inputs[i]?.shape ?? [])),
  );
  const fed = names.map((name, i) => [name, { shape: test.inputs[i]?.shape ?? [], data: values[i] ?? [] }] as const);
  const expected = interpret(finish(g, { y: outcome }), Object.fromEntries(fed)).y;
  assert.deepEqual(expected?.shape, test.output.shape);

  const model = createModel('case');
  for (const [i, { shape, layout }] of test.inputs.entries()) {
    model.input(
      `x${i}`,
      openBatch && shape.length === 4 && layout !== 'filter' && layout !== 'outer' ? ['N', ...shape.slice(1)] : shape,
    );
  }
  model.output(
    'y',
    openBatch ? ['N', ...test.output.shape.slice(1)] : test.output.shape,
    test.blocked({ model, block: BLOCK }, names),
  );
  const session = await runtime.createSession(model.encode(), {
    device: 'cpu',
    threads: 2,
    optimization: 'none',
    keep: [],
  });
  try {
    const feeds = test.inputs.map(({ shape, layout }, i) => {
      const data = permute(values[i] ?? new Float32Array(), shape, layout, BLOCK, 'to blocked');
      return [`x${i}`, runtime.wrap({ shape, data })] as const;
    });
    const { y } = await session.run(Object.fromEntries(feeds), {});
    assert.deepEqual([...(y?.shape ?? [])], [...test.output.shape]);
    const result = permute(y?.data ?? new Float32Array(), test.output.shape, test.output.layout, BLOCK, 'to plain');
    const largest = expected?.data.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12) ?? 0;
    const error =
      expected?.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (result[i] ?? Number.NaN)), 0), 0) ?? 1;
    assert.ok(error / largest < (test.tolerance ?? 1e-5), `differs by ${error / largest} of the largest`);
  } finally {
    await session.dispose();
  }
}
