/** A loss or a metric of a user's own in the place of a task's, or beside them. */
import type { Objective } from '../common/metrics.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { interpret } from '../graph/interpret.ts';
import { type Graph, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Scorer } from './metrics.ts';
import { type Arrays, type FloatArrays, mapValues, type TensorSpecs } from './spec.ts';
import type { TargetEncoding, TaskData, TaskDefinition } from './task.ts';

/**
 * The task with another loss: a function over the graph builder that gives the mean over the batch, []. Training minimizes it,
 * and `loss` among the metrics is it, too, computed in float64 on the host.
 */
export function withLoss(task: TaskDefinition, loss: TaskDefinition['loss']): TaskDefinition {
  const { encoding, ...rest } = task;
  // Another loss expects targets that are distributions, and need not be linear in them.
  const changed = { ...rest, ...(encoding && { encoding: withoutWeights(encoding) }), loss };
  return { ...changed, scorer: (data) => lossScorer(changed, data, task.scorer(data)) };
}

function withoutWeights({ weigh: _, ...encoding }: TargetEncoding): TargetEncoding {
  return encoding;
}

/** What a metric of one's own adds up. */
export interface MetricScorer extends Pick<Scorer, 'add'> {
  /** Over all samples that were added. */
  value(): number;
}

/** The task with one more metric, measured on validation and test samples, batch by batch. */
export function withMetric(
  task: TaskDefinition,
  objective: Objective,
  scorer: (data: TaskData) => MetricScorer,
): TaskDefinition {
  const others = task.metrics.filter(({ metric }) => metric !== objective.metric);
  const [first = objective, ...rest] = others;
  return {
    ...task,
    metrics: others.length === 0 ? [objective] : [first, ...rest, objective],
    scorer(data) {
      const [base, own] = [task.scorer(data), scorer(data)];
      return {
        add(...batch) {
          base.add(...batch);
          own.add(...batch);
        },
        result() {
          const measured = base.result();
          return { ...measured, metrics: { ...measured.metrics, [objective.metric]: own.value() } };
        },
      };
    },
  };
}

/** Scores by `base`, but for `loss`: that is the task's, each batch weighed by its samples. */
function lossScorer(task: TaskDefinition, data: TaskData, base: Scorer): Scorer {
  const spec = task.spec(data);
  const targets = task.encoding?.specs(data) ?? spec.targets;
  const graphs = new Map<number, Graph>();
  let [total, samples] = [0, 0];

  function graphOf(count: number): Graph {
    const known = graphs.get(count);
    if (known !== undefined) return known;
    const g = createGraph();
    const nodes = (specs: TensorSpecs, nameOf: (name: string) => string) =>
      mapValues(specs, ({ shape, dtype }, name) => ops.input(g, nameOf(name), [count, ...shape], dtype));
    const loss = task.loss(g, nodes(spec.outputs, outputName), nodes(targets, targetName), data);
    const graph = finish(g, { loss });
    graphs.set(count, graph);
    return graph;
  }

  return {
    add(outputs, raw, count, given) {
      base.add(outputs, raw, count, given);
      const encoded = encodeTargets(task, raw, targets, data, count);
      const feeds = {
        ...tensors(given, spec.outputs, count, outputName),
        ...tensors(encoded, targets, count, targetName),
      };
      total += count * (interpret(graphOf(count), feeds).loss?.data[0] ?? Number.NaN);
      samples += count;
    },
    result() {
      const measured = base.result();
      return { ...measured, metrics: { ...measured.metrics, loss: total / samples } };
    },
  };
}

/** An output may be called as a target is. */
const outputName = (name: string) => `output ${name}`;
const targetName = (name: string) => `target ${name}`;

function encodeTargets(task: TaskDefinition, raw: Arrays, specs: TensorSpecs, data: TaskData, count: number): Arrays {
  if (task.encoding === undefined) return raw;
  const encoded: FloatArrays = mapValues(specs, ({ shape }) => new Float32Array(count * sizeOf(shape)));
  task.encoding.fill(raw, encoded, data, 0);
  return encoded;
}

function tensors(arrays: Arrays, specs: TensorSpecs, count: number, nameOf: (name: string) => string) {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [
      nameOf(name),
      { shape: [count, ...shape], data: arrays[name] ?? new Float32Array() },
    ]),
  );
}

/** A loss: the mean over the batch, [], as a function over the graph builder. `targets` are encoded. */
export type Loss = TaskDefinition['loss'];

/** A loss of one's own as the command line takes it from a file. */
export interface LossDefinition {
  readonly name: string;
  readonly of: Loss;
}

/** A loss of one's own, as a file exports it: `netsmith search --loss ./mine.ts`. */
export function defineLoss({ name, of }: LossDefinition): LossDefinition {
  return Object.freeze({ name, of });
}

/** A metric of one's own beside those of the task. */
export interface OwnMetric extends Pick<Objective, 'direction'> {
  /** For people: `share`. */
  readonly unit?: string;
  /** Opened for each pass over validation or test samples. */
  scorer(data: TaskData): MetricScorer;
}

/** A metric of one's own as the command line takes it from a file. */
export interface MetricDefinition extends Required<OwnMetric> {
  readonly name: string;
}

/** A metric of one's own, as a file exports it: `netsmith search --metric ./mine.ts`. `name` consists of letters and digits. */
export function defineMetric({
  name,
  direction,
  unit = '',
  scorer,
}: OwnMetric & { readonly name: string }): MetricDefinition {
  return Object.freeze({ name, direction, unit, scorer });
}

/** What may be replaced in a task, or added to it. */
export interface TaskChanges {
  readonly loss?: Loss | undefined;
  readonly metrics?: Readonly<Record<string, OwnMetric>> | undefined;
}

/** The task with these changes. */
export function withChanges(task: TaskDefinition, { loss, metrics = {} }: TaskChanges): TaskDefinition {
  return Object.entries(metrics).reduce(
    (changed, [metric, { direction, unit = '', scorer }]) =>
      withMetric(changed, { metric, direction, unit }, (data) => scorer(data)),
    loss === undefined ? task : withLoss(task, loss),
  );
}

/** Builds a task's loss for a batch of two samples. Throws what the loss throws, and Error where it gives no single number. */
export function checkLoss(task: TaskDefinition, data: TaskData): void {
  const { outputs, targets: raw } = task.spec(data);
  const g = createGraph();
  const nodes = (specs: TensorSpecs, nameOf: (name: string) => string) =>
    mapValues(specs, ({ shape, dtype }, name) => ops.input(g, nameOf(name), [2, ...shape], dtype));
  const found: unknown = task.loss(
    g,
    nodes(outputs, outputName),
    nodes(task.encoding?.specs(data) ?? raw, targetName),
    data,
  );
  if (typeof found !== 'number' || g.nodes[found] === undefined)
    throw new Error('it must return a node of the graph, what an operator of `ops` returns');
  const shape = g.shape(found);
  if (shape.length > 0)
    throw new Error(
      `it returns the shape [${shape.join(', ')}], and must return one number, []: the mean over the batch`,
    );
}
