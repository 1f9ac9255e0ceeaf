import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGraph, finish } from '../../graph/builder.ts';
import { interpret } from '../../graph/interpret.ts';
import * as ops from '../../graph/ops.ts';
import type { TaskData, TaskDefinition } from '../task.ts';

/** Data that a task is tried on: raw targets of `count` samples, and outputs of a network. */
export interface TaskExample {
  readonly data: TaskData;
  readonly count: number;
  readonly raw: Float32Array;
  /** [count, outputs], before `restore`. */
  readonly outputs: Float32Array;
}

/** What every task must keep. */
export function testTask(name: string, task: TaskDefinition, { data, count, raw, outputs }: TaskExample): void {
  const shape = [count, data.outputs];
  const restored = () => {
    const own = outputs.slice();
    task.restore(own, data);
    return own;
  };
  const near = (a: number | undefined, b: number | undefined, what: string) =>
    assert.ok(
      Math.abs((a ?? Number.NaN) - (b ?? Number.NaN)) <= 1e-5 * Math.max(1, Math.abs(b ?? 0)),
      `${what}: ${a}, ${b}`,
    );

  test(`${name}: the loss that training minimizes is the loss that is scored`, () => {
    const targets = new Float32Array(count * data.outputs);
    task.targets(raw, targets, data, 0);
    const g = createGraph();
    const loss = task.loss(g, ops.input(g, 'output', shape), ops.input(g, 'targets', shape));
    assert.deepEqual(g.shape(loss), []);
    const run = interpret(finish(g, { loss }), { output: { shape, data: outputs }, targets: { shape, data: targets } });
    const scorer = task.scorer(data);
    scorer.add(restored(), raw, count);
    near(scorer.result().metrics.loss, run.loss?.data[0], 'loss');
  });

  test(`${name}: batches score as all samples together, by the metrics that it names`, () => {
    const own = restored();
    const [together, apart] = [task.scorer(data), task.scorer(data)];
    together.add(own, raw, count);
    const size = task.targetSize(data);
    for (let i = 0; i < count; i++)
      apart.add(own.subarray(i * data.outputs, (i + 1) * data.outputs), raw.subarray(i * size, (i + 1) * size), 1);
    const expected = together.result().metrics;
    const found = apart.result().metrics;
    assert.deepEqual(Object.keys(found).sort(), [...task.metrics].sort());
    for (const metric of task.metrics) near(found[metric], expected[metric], metric);
    assert.throws(() => task.scorer(data).result(), /no samples/);
  });

  test(`${name}: an exported model answers what the network's outputs mean`, () => {
    const g = createGraph();
    const answer = task.answer(g, ops.input(g, 'output', shape), data);
    const run = interpret(finish(g, { answer }), { output: { shape, data: outputs } });
    for (const [i, value] of task.answerOf(restored(), data).entries()) near(run.answer?.data[i], value, `value ${i}`);
  });
}
