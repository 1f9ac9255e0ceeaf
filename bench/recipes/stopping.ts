/**
 * Which weights of a training to keep, and how long to train where there is nothing to validate on: last epoch, best epoch, averages,
 * shorter trainings. The test part is never opened.
 *
 *     npm run -s bench:stopping -- [--task NAME ...] [--seeds 8] [--first 0] [--no-final] [--json] [--save]
 *
 * Validation samples are divided in two: the epoch is chosen on one half, and every value is measured on the other, so a value is not
 * better because it was chosen. `trial` trains on the training samples, `final` on these and the first half. Epochs and settings are
 * those of `netsmith run` (`recipeFor`, `mostEpochsOf`). Compared by epochs, not by time.
 */
import { openEngine } from '../../src/app/engine.ts';
import { mostEpochsOf } from '../../src/app/plan-run.ts';
import { rng } from '../../src/common/random.ts';
import type { DatasetInfo, Samples } from '../../src/data/dataset.ts';
import type { HostTensor } from '../../src/graph/ir.ts';
import { deviation, mean } from '../../src/report/numbers.ts';
import { openTraining } from '../../src/train/loop.ts';
import { openPrograms } from '../../src/train/programs.ts';
import { recipeFor } from '../../src/train/recipe.ts';
import { concatSamples } from '../../src/train/samples.ts';
import { DEFAULT_SETTINGS } from '../../src/train/settings.ts';
import { circumstances, saveResult } from '../engine/results.ts';
import { parseFlags } from '../support/flags.ts';
import { dataOf, TASKS } from './tasks.ts';

const flags = parseFlags({
  task: { type: 'string', multiple: true, default: ['titanic', 'credit-g', 'california', 'adult'] },
  seeds: { type: 'string', default: '8' },
  first: { type: 'string', default: '0' },
  final: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

type Weights = Readonly<Record<string, HostTensor>>;

/** Of one training: what each half of the validation samples says after each epoch. */
interface Curves {
  readonly chosenBy: readonly number[];
  readonly lossOfChosenBy: readonly number[];
  readonly measured: readonly number[];
  /** With weights that are averages, on the second half. */
  readonly averages: Readonly<Record<string, number>>;
}

const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 2);

/** Every second sample from `first` on. */
const half = (samples: Samples, first: 0 | 1): Samples => ({
  count: Math.floor((samples.count + 1 - first) / 2),
  read: (indices, into) =>
    samples.read(
      indices.map((index) => 2 * index + first),
      into,
    ),
});

function averageOf(all: readonly Weights[]): Weights {
  const [one = {}] = all;
  return Object.fromEntries(
    Object.entries(one).map(([name, { shape, data }]) => [
      name,
      { shape, data: data.map((_, i) => mean(all.map((weights) => weights[name]?.data[i] ?? Number.NaN))) },
    ]),
  );
}

const scoreOf = ({ accuracy, r2 }: Readonly<Record<string, number>>) => accuracy ?? r2 ?? Number.NaN;

async function curvesOf(
  info: DatasetInfo,
  network: Parameters<typeof openTraining>[0]['network'],
  train: Samples,
  [chooses, measures]: readonly [Samples, Samples],
  epochs: number,
  seed: number,
): Promise<Curves> {
  const settings = { ...DEFAULT_SETTINGS, epochs, ...recipeFor(info, epochs).settings };
  const request = {
    ...{ engine, network, info, train, settings },
    programs: openPrograms(engine, { keep: 0 }),
    rng: (...labels: readonly (string | number)[]) => rng(seed, 'stopping', ...labels),
  };
  const training = await openTraining(request);
  const [chosenBy, lossOfChosenBy, measured, weights]: [number[], number[], number[], Weights[]] = [[], [], [], []];
  while (training.history.length < epochs) {
    await training.epoch();
    const { metrics } = await training.measure(chooses);
    chosenBy.push(scoreOf(metrics));
    lossOfChosenBy.push(metrics.loss ?? metrics.mse ?? Number.NaN);
    measured.push(scoreOf((await training.measure(measures)).metrics));
    weights.push(await training.weights());
  }
  await training.dispose();
  const averages: Record<string, number> = {};
  for (const [name, share] of [
    ['average of the last half', 1 / 2],
    ['average of the last quarter', 1 / 4],
  ] as const) {
    const averaged = await openTraining({ ...request, initial: averageOf(weights.slice(-Math.ceil(share * epochs))) });
    averages[name] = scoreOf((await averaged.measure(measures)).metrics);
    await averaged.dispose();
  }
  return { chosenBy, lossOfChosenBy, measured, averages };
}

const indexOfBest = (values: readonly number[]) => values.indexOf(Math.max(...values));
/** The first epoch, from 0, after which `patience` epochs bring nothing better; the last where there is none. */
function stopAt(values: readonly number[], patience: number): number {
  let best = 0;
  for (const [i, value] of values.entries()) {
    if (value > (values[best] ?? Number.NaN)) best = i;
    else if (i - best >= patience) return i;
  }
  return values.length - 1;
}
/** The mean over each epoch and its neighbors: a single lucky epoch counts less. */
const smoothed = (values: readonly number[]) => values.map((_, i) => mean(values.slice(Math.max(0, i - 1), i + 2)));

async function measure(name: string, seed: number): Promise<Readonly<Record<string, number>>> {
  const task = TASKS[name];
  if (task === undefined) throw new Error(`--task: "${name}"; must be one of ${Object.keys(TASKS).join(', ')}`);
  const { info, train, valid } = await dataOf({ ...task, request: { ...task.request, validShare: 0.4 } }, seed);
  const halves = [half(valid, 0), half(valid, 1)] as const;
  const network = task.network(info);
  const epochs = mostEpochsOf(info, 0);
  const trial = await curvesOf(info, network, train, halves, epochs, seed);
  const at = (curve: Curves, index: number) => curve.measured[index] ?? Number.NaN;
  const losses = trial.lossOfChosenBy.map((loss) => -loss);
  const [best, bestLoss, bestSmooth] = [trial.chosenBy, losses, smoothed(trial.chosenBy)].map(indexOfBest);
  const patience = Math.ceil(epochs / 4);
  const stopped = stopAt(trial.chosenBy, patience);
  const stoppedByLoss = stopAt(losses, patience);
  const both = concatSamples(info, train, halves[0]);
  const finals = new Map<number, Curves>();
  const final = async (of: number) => {
    const known = finals.get(of) ?? (await curvesOf(info, network, both, halves, of, seed));
    finals.set(of, known);
    return known;
  };
  const row: Record<string, number> = {
    'trial: last': at(trial, epochs - 1),
    'trial: best': at(trial, best ?? 0),
    'trial: best loss': at(trial, bestLoss ?? 0),
    'trial: best, smoothed': at(trial, bestSmooth ?? 0),
    'trial: patience of a quarter': at(trial, indexOfBest(trial.chosenBy.slice(0, stopped + 1))),
    'its epochs': stopped + 1,
    'trial: patience of a quarter by loss': at(trial, indexOfBest(losses.slice(0, stoppedByLoss + 1))),
    'its epochs by loss': stoppedByLoss + 1,
    'chooser at last': trial.chosenBy.at(-1) ?? Number.NaN,
    'chooser at best': trial.chosenBy[best ?? 0] ?? Number.NaN,
    'chooser at best loss': trial.chosenBy[bestLoss ?? 0] ?? Number.NaN,
    'best epoch': (best ?? 0) + 1,
    'best epoch by loss': (bestLoss ?? 0) + 1,
  };
  if (flags.final) {
    const whole = await final(epochs);
    Object.assign(row, {
      'final: last': at(whole, epochs - 1),
      'final: stopped at the best epoch of the trial': at(whole, best ?? 0),
      'final: half as long': at(await final(Math.ceil(epochs / 2)), Math.ceil(epochs / 2) - 1),
      'final: a quarter as long': at(await final(Math.ceil(epochs / 4)), Math.ceil(epochs / 4) - 1),
      'final: an eighth as long': at(await final(Math.ceil(epochs / 8)), Math.ceil(epochs / 8) - 1),
      'final: as long as to the best loss': at(await final((bestLoss ?? 0) + 1), bestLoss ?? 0),
    });
  }
  for (const [of, curves] of [
    ['trial', trial],
    ['final', finals.get(epochs)],
  ] as const)
    for (const [what, value] of Object.entries(curves?.averages ?? {})) row[`${of}: ${what}`] = value;
  process.stderr.write(`${name} seed ${seed}: ${epochs} epochs, ${JSON.stringify(row)}\n`);
  return row;
}

const when = circumstances(1);
const summary = [];
for (const task of flags.task) {
  const rows: Readonly<Record<string, number>>[] = [];
  for (let seed = Number(flags.first); seed < Number(flags.first) + Number(flags.seeds); seed++)
    rows.push(await measure(task, seed));
  for (const what of Object.keys(rows[0] ?? {})) {
    const values = rows.map((row) => row[what] ?? Number.NaN);
    const base = what.startsWith('trial') ? 'trial: last' : 'final: last';
    const gains = rows.map((row) => (row[what] ?? Number.NaN) - (row[base] ?? Number.NaN));
    const error = deviation(gains) / Math.sqrt(gains.length);
    summary.push({ task, what, mean: mean(values), gain: mean(gains), error });
  }
}
await engine.dispose();

if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, summary }, null, 2)}\n`);
else
  for (const { task, what, mean, gain, error } of summary)
    console.log(
      /epoch/.test(what) && !what.startsWith('final')
        ? `${task.padEnd(12)} ${what.padEnd(46)} ${mean.toFixed(1)}`
        : `${task.padEnd(12)} ${what.padEnd(46)} ${(100 * mean).toFixed(2)}   ${(100 * gain).toFixed(2)} ± ${(100 * error).toFixed(2)}`,
    );
if (flags.save) process.stderr.write(`saved: ${saveResult('stopping', when, { summary })}\n`);
