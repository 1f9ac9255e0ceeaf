import { messageOf } from '../common/errors.ts';
import { expectSame, expectThat } from '../common/expect.node.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import { taskOf } from './index.ts';
import {
  type Arrays,
  allocate,
  type FloatArrays,
  mapValues,
  outputShape,
  rowsOf,
  splitOutput,
  splitValues,
} from './spec.ts';
import type { TaskData, TaskDefinition } from './task.ts';

/** Data that a task is tried on: raw targets of `count` samples, and what a network gives for them. */
export interface TaskExample {
  readonly data: TaskData;
  readonly count: number;
  readonly raw: Arrays;
  /** [count, ...] of all outputs, before `restore`. */
  readonly outputs: Float32Array;
}

/** A rule that every task keeps; `check` throws where it is broken. */
interface Rule {
  readonly title: string;
  check(): void;
}

/** What every task must keep. */
export function taskRules(task: TaskDefinition, { data, count, raw, outputs }: TaskExample): readonly Rule[] {
  const spec = task.spec(data);
  const shape = [count, ...outputShape(spec)];
  const given = splitValues(spec, outputs, count);
  const restored = (): FloatArrays => {
    const own = mapValues(given, (values) => values.slice());
    task.restore?.(own, data);
    return own;
  };
  const near = (a: number | undefined, b: number | undefined, what: string) =>
    expectThat(
      Math.abs((a ?? Number.NaN) - (b ?? Number.NaN)) <= 1e-5 * Math.max(1, Math.abs(b ?? 0)),
      `${what} is ${b}, not ${a}`,
    );

  const rules: Rule[] = [];
  const rule = (title: string, check: () => void) => rules.push({ title, check });

  rule('tensors are named once, have an axis for each size, and fit the example', () => {
    const encoded = task.encoding?.specs(data) ?? {};
    const all = [spec.inputs, spec.targets, spec.outputs, encoded].flatMap((specs) => Object.entries(specs));
    const fed = [spec.inputs, task.encoding === undefined ? spec.targets : encoded].flatMap((specs) =>
      Object.keys(specs),
    );
    expectSame([...new Set(fed)], fed, 'the names of inputs and targets (each once)');
    for (const [tensor, { shape: own, axes }] of all)
      expectSame(axes.length, own.length, `the number of axes of "${tensor}" [${own}]`);
    expectSame(outputs.length, sizeOf(shape), `the number of values of the outputs [${shape}]`);
    for (const [tensor, { shape: own, dtype }] of Object.entries(spec.targets)) {
      expectSame(
        raw[tensor]?.length,
        count * sizeOf(own),
        `the number of values of ${count} targets "${tensor}" [${own}]`,
      );
      expectSame(raw[tensor] instanceof Int32Array ? 'int32' : 'float32', dtype, `the dtype of the target "${tensor}"`);
    }
    expectSame(JSON.parse(JSON.stringify(spec)), spec, 'the spec as JSON');
  });

  rule('the loss that training minimizes is the loss that is scored', () => {
    const specs = task.encoding?.specs(data) ?? spec.targets;
    const encoded = task.encoding === undefined ? raw : allocate(specs, count);
    task.encoding?.fill(
      raw,
      mapValues(encoded, (values) => values as Float32Array),
      data,
      0,
    );
    const g = createGraph();
    const targets = mapValues(specs, ({ shape: own, dtype }, tensor) => ops.input(g, tensor, [count, ...own], dtype));
    const loss = task.loss(g, splitOutput(g, spec, ops.input(g, 'all outputs', shape)), targets, data);
    expectSame(g.shape(loss), [], 'the shape of the loss (one number, the mean over the batch)');
    const fed = mapValues(specs, ({ shape: own }, tensor) => ({ shape: [count, ...own], data: encoded[tensor] ?? [] }));
    const run = interpret(finish(g, { loss }), { ...fed, 'all outputs': { shape, data: outputs } });
    const scorer = task.scorer(data);
    scorer.add(restored(), raw, count, given);
    near(scorer.result().metrics.loss, run.loss?.data[0], 'loss');
  });

  rule('batches score as all samples together, by the metrics that it names', () => {
    const own = restored();
    const [together, apart] = [task.scorer(data), task.scorer(data)];
    together.add(own, raw, count, given);
    for (let i = 0; i < count; i++) {
      const [some, targets] = [rowsOf(own, spec.outputs, i, 1), rowsOf(raw, spec.targets, i, 1)];
      apart.add(some, targets, 1, rowsOf(given, spec.outputs, i, 1));
    }
    const expected = together.result().metrics;
    const found = apart.result().metrics;
    expectSame(
      Object.keys(found).sort(),
      task.metrics.map(({ metric }) => metric).sort(),
      'the metrics that the scorer gives (those that `metrics` names)',
    );
    for (const { metric } of task.metrics) near(found[metric], expected[metric], metric);
    let without: string | undefined = 'it returns a result';
    try {
      task.scorer(data).result();
    } catch (error) {
      without = /no samples/.test(messageOf(error)) ? undefined : `it throws ${messageOf(error)}`;
    }
    expectThat(without === undefined, `a scorer without samples throws an error that says "no samples"; ${without}`);
  });

  rule("an exported model answers what the network's outputs mean", () => {
    const g = createGraph();
    const raws = splitOutput(g, spec, ops.input(g, 'all outputs', shape));
    const answers = task.answer?.graph(g, raws, data) ?? raws;
    const run = interpret(finish(g, answers), { 'all outputs': { shape, data: outputs } });
    const expected = task.answer?.host(restored(), data) ?? restored();
    expectSame(
      Object.keys(answers).sort(),
      Object.keys(spec.outputs).sort(),
      'the names of the answers (those of the outputs)',
    );
    for (const [answer, values] of Object.entries(expected)) {
      expectSame(run[answer]?.data.length, values.length, `the number of values of the exported answer "${answer}"`);
      for (const [i, value] of values.entries()) near(run[answer]?.data[i], value, `${answer} ${i}`);
    }
    const one = mapValues(rowsOf(restored(), spec.outputs, 0, 1), (values) => [...values]);
    const decoded = task.decode(one, data.labels ?? []);
    expectSame(JSON.parse(JSON.stringify(decoded)), decoded, 'what `decode` returns, as JSON');
  });
  return rules;
}

/** Data that a task is for, as a search has them (`SearchData`). */
export interface TaskSamples {
  readonly info: TaskData & { readonly kind: string };
  readonly train: { readonly count: number; read(indices: readonly number[], into: Arrays): Promise<void> };
  readonly task?: TaskDefinition;
}

/** The first samples of these data, and invented outputs of a network. */
export async function exampleOf({ info, train, task: own }: TaskSamples, most = 5): Promise<TaskExample> {
  const spec = taskOf(info, own).spec(info);
  const count = Math.min(most, train.count);
  const raw = allocate(spec.targets, count);
  await train.read([...Array(count).keys()], raw);
  const length = count * sizeOf(outputShape(spec));
  return { data: info, count, raw, outputs: Float32Array.from({ length }, (_, i) => 2 * Math.sin(i * 1.7)) };
}

/**
 * Checks that a task keeps the rules that training, measuring and exporting rely on, over the first samples of its data: tensors
 * that fit together, a loss that is scored as it is trained, scores that do not depend on the batches, an export that answers what
 * the network's outputs mean. Nothing is trained. Throws Error, with the rule, at the first one that is broken.
 */
export async function checkTask(data: TaskSamples): Promise<void> {
  const task = taskOf(data.info, data.task);
  for (const { title, check } of taskRules(task, await exampleOf(data))) {
    try {
      check();
    } catch (error) {
      throw new Error(`task "${data.info.kind}" breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}
