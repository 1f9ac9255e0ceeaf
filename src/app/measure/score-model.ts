/** Scores an exported ONNX file on the test samples of a data set. */
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import { openModel } from '../../report/exported-model.ts';
import type { ReadModel } from '../../report/export/onnx.ts';
import { isTaskKind, TASK_KINDS, taskOf } from '../../task/index.ts';
import { allocate, type FloatArrays, mapValues } from '../../task/spec.ts';

export interface ScoredModel {
  readonly metrics: Metrics;
  /** Test samples. */
  readonly samples: number;
}

/** Throws UserError, with `place`, for a model that is for other data, or answers with numbers that are not finite. */
export async function scoreModel(
  engine: Engine,
  place: string,
  model: ReadModel,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<ScoredModel> {
  const { info, task: own } = dataset.search;
  checkSameData(place, model, dataset);
  if (!isTaskKind(info.kind))
    throw invalid('--data', `the task ${info.kind}`, `models are scored for ${TASK_KINDS.join(' and ')}`);
  const task = taskOf(info, own);
  const spec = task.spec(info);
  const samples = await dataset.openTest();
  if (samples.count === 0) throw invalid('--data', info.name, 'has no test samples to score a model on');
  const opened = await openModel(engine, place, model, own);
  const scorer = task.scorer(info);
  try {
    for (let from = 0; from < samples.count; from += opened.batch) {
      signal.throwIfAborted();
      const count = Math.min(opened.batch, samples.count - from);
      const [inputs, targets] = [allocate(spec.inputs, count), allocate(spec.targets, count)];
      await samples.read(
        Array.from({ length: count }, (_, i) => from + i),
        { ...inputs, ...targets },
      );
      const { answers, outputs } = await opened.answer(inputs, count);
      const wrong = answers.find((answer) => 'error' in answer);
      if (wrong !== undefined && 'error' in wrong) throw invalid(place, wrong.error, 'must answer each test sample');
      const given = task.classes ? asOutputs(outputs) : outputs;
      scorer.add(given, targets, count, given);
    }
    return { metrics: scorer.result().metrics, samples: samples.count };
  } finally {
    await opened.dispose();
  }
}

/** The logarithm of a probability is a logit that gives it. */
const asOutputs = (probabilities: FloatArrays): FloatArrays =>
  mapValues(probabilities, (values) => values.map((value) => Math.log(Math.max(value, 1e-38))));

function checkSameData(place: string, { metadata }: ReadModel, { search: { info, task } }: Dataset): void {
  const refuse = (what: string, model: string, data: string) =>
    invalid(place, `its ${what} is ${model}`, `the data "${info.name}" (--data) have ${data}`);
  const sizes = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  if (metadata.task !== info.kind) throw refuse('task', metadata.task, info.kind);
  if (!isDeepStrictEqual([...metadata.input], [...info.input]))
    throw refuse('input', sizes(metadata.input), sizes(info.input));
  if (!isDeepStrictEqual([...metadata.labels], [...info.labels]))
    throw refuse('labels', `${metadata.labels.length} others`, `${info.labels.length} of their own`);
  const { inputs, states } = metadata.tensors;
  const { inputs: given } = taskOf(info, task).spec(info);
  if (!isDeepStrictEqual(Object.keys(inputs), Object.keys(given)) || Object.keys(states).length > 0)
    throw refuse('list of inputs', Object.keys({ ...inputs, ...states }).join(', '), Object.keys(given).join(', '));
  if (!isDeepStrictEqual(plain(metadata.encoding), plain(info.encoding)))
    throw refuse('encoding of columns', 'another', 'one of their own: --label and --seed must be those that it was trained with');
}

/** Without fields that are undefined. */
const plain = (value: unknown): unknown => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
