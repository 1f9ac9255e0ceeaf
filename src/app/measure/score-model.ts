/** Scores an exported ONNX file on the test samples of a data set. */
import { isDeepStrictEqual } from 'node:util';
import { invalid } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ReadModel } from '../../report/export/onnx.ts';
import { openModel } from '../../report/exported-model.ts';
import type { StudySettings } from '../../study/spec.ts';
import { factsOf, isTaskKind, TASK_KINDS, taskOf } from '../../task/index.ts';
import { allocate, type FloatArrays, mapValues } from '../../task/spec.ts';
import { openEngine } from '../engine.ts';
import { ownFilesOf } from '../own-files.ts';
import { openData } from '../setup.ts';
import { type Contestant, knownValue } from './contestants.ts';

/** Its metrics. Throws UserError, with `place`, for a model that is for other data, or answers with numbers that are not finite. */
async function scoreModel(
  engine: Engine,
  place: string,
  model: ReadModel,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<Metrics> {
  const { info, task: own } = dataset.search;
  checkSameData(place, model, dataset);
  if (!isTaskKind(info.kind))
    throw invalid('--data', `the task ${info.kind}`, `models are scored for ${TASK_KINDS.join(', ')}`);
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
    return scorer.result().metrics;
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
    throw refuse(
      'encoding of columns',
      'another',
      'one of their own: --label and --seed must be those that it was trained with',
    );
}

/** Without fields that are undefined. */
const plain = (value: unknown): unknown => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

/**
 * Files that Netsmith exported, with their value on the test samples of the data that `settings` name. Images are read in the size of the first
 * model unless the settings say another. Throws UserError where there is no such file, and where one is for other data.
 */
export async function scored(
  contestants: readonly Contestant[],
  settings: StudySettings,
  signal: AbortSignal,
): Promise<readonly Contestant[]> {
  const [first] = contestants.flatMap(({ read }) => read ?? []);
  if (first === undefined)
    throw invalid(
      '--data',
      `"${settings.data}"`,
      'scores files that Netsmith exported, and there is none among the networks',
    );
  const [channels, height, width] = first.metadata.input;
  const images = settings.data === 'image-folder' && width !== undefined && width === height;
  const sized = {
    ...settings,
    ...(images && { imageSize: settings.imageSize ?? width }),
    ...(images && (channels === 1 || channels === 3) && { imageChannels: settings.imageChannels ?? channels }),
  };
  const dataset = await openData(sized, ownFilesOf(sized), {});
  const [objective] = factsOf(dataset.search.info).metrics;
  const engine = await openEngine(sized, 1);
  try {
    const found: Contestant[] = [];
    for (const one of contestants) {
      if (one.read === undefined) found.push(one);
      else {
        const metrics = await scoreModel(engine, `model "${one.name}"`, one.read, dataset, signal);
        const value = knownValue(objective, metrics, 'test');
        found.push({ ...one, ...(value && { value }) });
      }
    }
    return found;
  } finally {
    await engine.dispose();
  }
}
