import { invalid } from '../common/errors.ts';
import { PADDING } from '../task/class-numbers.ts';
import { isTaskKind, ownTaskOf, TASK_KINDS, taskOf } from '../task/index.ts';
import { type Arrays, allocate, onlyOf, type TaskSpec, type TensorSpecs } from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import { inParts, type OwnTest } from './assemble.ts';
import type { DataRequest, Dataset, DatasetInfo, Samples } from './dataset.ts';
import { divide } from './split.ts';
import { inputQuantiles, inputStatistics, targetStatistics } from './statistics.ts';

/** What the commands pass to a data set of your own: `--data-dir`, `--seed`, `--valid-share` and `--train-samples`. */
export type OwnDataRequest = Pick<DataRequest, 'dir' | 'seed' | 'validShare' | 'trainSamples'>;

/** A data set of your own, once it is open. Shapes are without the batch. */
export interface OwnData
  extends Pick<DatasetInfo, 'input' | 'labels' | 'range'>,
    Partial<Pick<DatasetInfo, 'outputs' | 'mean' | 'deviation' | 'target' | 'notes'>> {
  /**
   * Training samples. The parts that are not given are taken from them, by the seed: 20 % for the test, then `--valid-share` of the
   * rest for validation.
   */
  readonly train: Samples;
  readonly valid?: Samples;
  /** Nothing is read of it before `evaluate`, its checksum aside. A function opens it only then. */
  readonly test?: Samples | OwnTest;
}

/** A data set of your own as the command line takes it from a file. */
export interface DatasetDefinition {
  readonly name: string;
  readonly kind: string;
  readonly task?: TaskDefinition;
  /** Reads and divides it. Throws UserError, with its name, for what does not fit together. */
  open(request: OwnDataRequest): Promise<Dataset>;
}

/** What `defineDataset` is given. */
export interface OwnDataset {
  readonly name: string;
  /** What it is for: `classification` (the default), `regression`, or the name of a task of your own. */
  readonly kind?: string;
  /** A task of your own (docs/tasks.md), or one of Netsmith's with another loss or metric (`withLoss`, `withMetric`). */
  readonly task?: TaskDefinition;
  open(request: OwnDataRequest): OwnData | Promise<OwnData>;
}

/**
 * A data set of your own, as a file exports it: `netsmith search --data ./mine.ts`. Netsmith divides it, and computes means and
 * deviations over the training part, where `open` does not give them. `checkDataset` says whether it keeps the rules of a data set.
 */
export function defineDataset({ name, kind = 'classification', task, open }: OwnDataset): DatasetDefinition {
  return Object.freeze({
    name,
    kind,
    ...(task && { task }),
    open: async (request: OwnDataRequest) =>
      divided({ name, kind, ...(task && { task }) }, await open(request), request),
  });
}

async function divided(
  { name, kind, task: own }: Omit<DatasetDefinition, 'open'>,
  data: OwnData,
  request: OwnDataRequest,
): Promise<Dataset> {
  const place = `data set "${name}"`;
  checkForm(place, kind, own, data);
  const task = taskOf({ kind }, own);
  const { input, labels, range, outputs = labels.length, train: pool, valid, test } = data;
  const shapes = { name, input, outputs, labels };
  const spec = task.spec(shapes);
  const targets =
    task.classes || task.standardized
      ? await targetsOf(`${place}, training samples`, pool, spec, task.classes ? outputs : undefined)
      : new Float32Array();
  const parts = divide(
    {
      ...{ place, count: pool.count, ownTest: test !== undefined, ownValid: valid !== undefined },
      ...(task.classes && { classes: { of: targets, names: labels } }),
    },
    request,
  );
  const [main = '', mainSpec] = Object.entries(spec.inputs)[0] ?? [];
  const isMeasured = mainSpec?.dtype === 'float32' && String(mainSpec.shape) === String(input);
  const measured = isMeasured ? await inputStatistics(pool, parts.train, input, main) : { mean: [], deviation: [] };
  const { mean = measured.mean, deviation = measured.deviation } = data;
  const isTable = isMeasured && input.length === 1;
  const quantiles = isTable ? await inputQuantiles(pool, parts.train, { mean, deviation }, main) : undefined;
  const target = task.standardized ? (data.target ?? targetStatistics(targets, outputs, parts.train)) : undefined;
  return inParts(
    {
      info: {
        ...{ name, kind, input, outputs, labels, mean, deviation },
        ...(range && { range }),
        ...(quantiles && { quantiles }),
        ...(target && { target }),
        // Frozen below, and the task stays the user's.
        ...(own && {
          ownTask: structuredClone(
            ownTaskOf(
              { ...shapes, kind, mean, deviation, ...(quantiles && { quantiles }), ...(target && { target }) },
              own,
            ),
          ),
        }),
      },
      ...{ pool, valid, notes: data.notes ?? [] },
      test: test && ('open' in test ? test : { count: test.count, open: async () => test }),
      ...(own && { task: own }),
    },
    parts,
  );
}

/** Throws UserError for what no data set may be. */
function checkForm(place: string, kind: string, task: TaskDefinition | undefined, data: OwnData): void {
  const refuse = (found: string, rule: string) => invalid(place, found, rule);
  if (task === undefined && !isTaskKind(kind))
    throw refuse(`kind is "${kind}"`, `must be one of ${TASK_KINDS.join(', ')}, or come with the task`);
  const { input, labels, outputs = labels?.length, train, valid, test } = data;
  const isSize = (size: unknown) => Number.isSafeInteger(size) && Number(size) >= 1;
  if (!Array.isArray(input) || input.length < 1 || input.length > 3 || !input.every(isSize))
    throw refuse(`input is ${JSON.stringify(input)}`, 'must be the shape of a sample: one to three sizes');
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every((label) => typeof label === 'string'))
    throw refuse(`labels are ${JSON.stringify(labels)}`, 'must be names: of the classes, targets or tokens');
  if (new Set(labels).size < labels.length) throw refuse('labels repeat a name', 'must be different names');
  if (!isSize(outputs)) throw refuse(`outputs is ${JSON.stringify(outputs)}`, 'must be a whole number of at least 1');
  if (isTaskKind(kind) && outputs !== labels.length)
    throw refuse(`outputs is ${outputs}`, `must be the number of labels, ${labels.length}`);
  for (const [part, samples, method] of [
    ['train', train, 'read'],
    ['valid', valid, 'read'],
    ['test', test, test !== undefined && 'open' in test ? 'open' : 'read'],
  ] as const) {
    if (samples === undefined && part !== 'train') continue;
    const found = samples !== undefined && typeof Reflect.get(samples, method) === 'function';
    if (!found || !isSize(samples.count))
      throw refuse(
        `${part} is not a set of samples`,
        'must have a count of at least 1 and a method read(indices, into)',
      );
  }
}

/** Samples read at once: bounds the memory. */
const CHUNK = 256;

/** The only target of all samples. */
async function targetsOf(
  place: string,
  samples: Samples,
  { targets }: TaskSpec,
  classes: number | undefined,
): Promise<Float32Array> {
  const indices = [...Array(samples.count).keys()];
  const parts: number[] = [];
  for (let start = 0; start < indices.length; start += CHUNK) {
    const chunk = indices.slice(start, start + CHUNK);
    const into = allocate(targets, chunk.length);
    await samples.read(chunk, into);
    checkValues(place, into, targets, classes);
    for (const value of onlyOf(into)) parts.push(value);
  }
  return Float32Array.from(parts);
}

/** Throws UserError, with `place`, for the first value that no sample of these tensors may have. */
export function checkValues(place: string, read: Arrays, specs: TensorSpecs, classes: number | undefined): void {
  for (const [name, { values: below, dtype, padded }] of Object.entries(specs)) {
    const most = dtype === 'int32' ? below : name === 'target' ? classes : undefined;
    const least = padded ? PADDING : 0;
    const wrong = read[name]?.find(
      (value) =>
        !Number.isFinite(value) || (most !== undefined && !(value >= least && value < most && Number.isInteger(value))),
    );
    if (wrong === undefined) continue;
    const rule = most === undefined ? 'must be a finite number' : `must be a whole number from ${least} to ${most - 1}`;
    throw invalid(place, `"${name}" has the value ${wrong}`, rule);
  }
}
