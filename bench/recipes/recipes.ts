/**
 * Which training settings suit which data: settings that differ in one thing each, on validation samples (never the test part).
 *
 *     npm run -s bench:recipes -- [--task NAME ...] [--only TEXT ...] [--seeds 1]
 *         [--train-samples N] [--valid-share SHARE] [--epochs N] [--short] [--json] [--save]
 *
 * `recipe` is what `recipeFor` says of the data; `--short` shows in minutes that everything runs (1,000 samples, 2 epochs).
 * Compared by epochs, not by time, so other work on the machine does not matter. The seed also divides the data where they have no
 * test part of their own. Data are those of ../shared/data and Fashion-MNIST (NETSMITH_FASHION_MNIST: the folder of its files).
 */
import { existsSync } from 'node:fs';
import { openEngine } from '../../src/app/engine.ts';
import { rng } from '../../src/common/random.ts';
import type { DatasetInfo } from '../../src/data/dataset.ts';
import { deviation, mean } from '../../src/report/numbers.ts';
import { trainNetwork } from '../../src/train/loop.ts';
import { openPrograms } from '../../src/train/programs.ts';
import { recipeFor, WARMUP_SHARE } from '../../src/train/recipe.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from '../../src/train/settings.ts';
import { circumstances, saveResult } from '../engine/results.ts';
import { parseFlags } from '../support/flags.ts';
import { type Change, dataOf, type RecipeTask, TASKS } from './tasks.ts';

const flags = parseFlags({
  task: { type: 'string', multiple: true, default: Object.keys(TASKS) },
  only: { type: 'string', multiple: true },
  seeds: { type: 'string', default: '1' },
  'train-samples': { type: 'string' },
  'valid-share': { type: 'string' },
  epochs: { type: 'string' },
  short: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

interface Row {
  readonly task: string;
  readonly change: string;
  readonly seed: number;
  /** Accuracy or R2 of the validation samples: after the last epoch, and the best of all epochs with its number. */
  readonly last: number;
  readonly best: number;
  readonly bestEpoch: number;
  /** Means over classes, after the last epoch; NaN for a regression. */
  readonly recall: number;
  readonly f1: number;
  readonly epochs: number;
  readonly seconds: number;
}

/** The name of the row of `recipeFor`. */
const RECIPE = 'recipe';
const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 2);

function settingsOf(info: DatasetInfo, task: RecipeTask, change: string): TrainSettings {
  const epochs = Number(flags.epochs ?? (flags.short ? 2 : task.epochs));
  if (change === RECIPE) return { ...DEFAULT_SETTINGS, epochs, ...recipeFor(info, epochs).settings };
  const { network: _, recipe, ...settings }: Change = task.changes[change] ?? {};
  if (recipe) return { ...DEFAULT_SETTINGS, epochs, ...recipeFor(info, epochs).settings, patience: 0, ...settings };
  return { ...DEFAULT_SETTINGS, epochs, warmupEpochs: WARMUP_SHARE * epochs, ...task.base, ...settings };
}

async function measure(name: string, task: RecipeTask, change: string, seed: number): Promise<Row> {
  const given = flags['train-samples'] ?? (flags.short ? '1000' : undefined);
  const share = flags['valid-share'];
  const request = {
    ...task.request,
    ...(given !== undefined && { trainSamples: Number(given) }),
    ...(share !== undefined && { validShare: Number(share) }),
  };
  const { info, train, valid } = await dataOf({ ...task, request }, seed);
  const settings = settingsOf(info, task, change);
  const began = performance.now();
  const training = await trainNetwork({
    engine,
    programs: openPrograms(engine, { keep: 0 }),
    network: (task.changes[change]?.network ?? task.network)(info),
    ...{ info, train, valid, settings },
    rng: (...labels) => rng(seed, 'recipes', ...labels),
  });
  await training.dispose();
  const curve = training.history.map(({ valid }) => valid.accuracy ?? valid.r2 ?? Number.NaN);
  const best = Math.max(...curve);
  const { recall = Number.NaN, f1 = Number.NaN } = training.history.at(-1)?.valid ?? {};
  const row = {
    ...{ task: name, change, seed, last: curve.at(-1) ?? Number.NaN, best, bestEpoch: curve.indexOf(best) + 1 },
    ...{ recall, f1, epochs: settings.epochs, seconds: (performance.now() - began) / 1000 },
  };
  process.stderr.write(
    `${name}  ${change}  seed ${seed}: ${(100 * row.last).toFixed(2)} (best ${(100 * best).toFixed(2)} after ${row.bestEpoch} of ${row.epochs} epochs), ${row.seconds.toFixed(0)} s\n`,
  );
  return row;
}

const when = circumstances(1);
const rows: Row[] = [];
for (const name of flags.task) {
  const task = TASKS[name];
  if (task === undefined) throw new Error(`--task: "${name}"; must be one of ${Object.keys(TASKS).join(', ')}`);
  if (task.request.dir !== undefined && !existsSync(task.request.dir)) {
    process.stderr.write(`${name}: skipped, there is no ${task.request.dir}\n`);
    continue;
  }
  for (const change of ['base', RECIPE, ...Object.keys(task.changes)]) {
    if (flags.only !== undefined && !flags.only.includes(change)) continue;
    for (let seed = 0; seed < Number(flags.seeds); seed++) rows.push(await measure(name, task, change, seed));
  }
}
await engine.dispose();

const summary = Object.values(Object.groupBy(rows, ({ task, change }) => `${task} ${change}`)).flatMap((group) => {
  const [first] = group ?? [];
  if (group === undefined || first === undefined) return [];
  const last = group.map((row) => row.last);
  return [
    {
      task: first.task,
      change: first.change,
      mean: mean(last),
      deviation: deviation(last),
      best: mean(group.map((row) => row.best)),
      recall: mean(group.map((row) => row.recall)),
      f1: mean(group.map((row) => row.f1)),
    },
  ];
});
if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, summary, rows }, null, 2)}\n`);
else
  for (const row of summary) {
    const percent = (value: number) => (100 * value).toFixed(2).padStart(6);
    console.log(
      `${row.task.padEnd(14)} ${row.change.padEnd(22)} ${percent(row.mean)} ± ${(100 * row.deviation).toFixed(2)}   best epoch ${percent(row.best)}   recall ${percent(row.recall)}   f1 ${percent(row.f1)}`,
    );
  }
if (flags.save) process.stderr.write(`saved: ${saveResult('recipes', when, { summary, rows })}\n`);
