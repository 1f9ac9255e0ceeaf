/**
 * Whether a learning rate chosen by a few steps is better than the recipe's: trains with the recipe and other rates on validation samples
 * (never the test part), and with what rules say that choose a rate.
 *
 *     npm run -s bench:rates -- [--task NAME ...] [--seeds 1] [--train-samples N] [--epochs N] [--json] [--save]
 *
 * Compared by steps, not by time. docs/recipes.md says what came of it.
 */
import { existsSync } from 'node:fs';
import { openEngine } from '../src/app/engine.ts';
import { rng } from '../src/common/random.ts';
import { deviation, mean } from '../src/report/numbers.ts';
import { conv, globalAvgPool, linear, type Module, relu, sequential } from '../src/space/index.ts';
import { type TrainRequest, trainNetwork } from '../src/train/loop.ts';
import { openPrograms } from '../src/train/programs.ts';
import { probeRate } from '../src/train/rate-probe.ts';
import { recipeFor } from '../src/train/recipe.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { rangeTest, shortRuns } from './recipes/range-test.ts';
import { dataOf, TASKS as RECIPE_TASKS, type RecipeTask } from './recipes/tasks.ts';
import { parseFlags } from './support/flags.ts';

/** Deep networks without normalization and without shortcuts. */
const deep = (layer: () => readonly Module[]) => Array.from({ length: 12 }, layer).flat();
const plainCnn = sequential(...deep(() => [conv(32, 3), relu()]), globalAvgPool(), linear('outputs'));
const plainMlp = sequential(...deep(() => [linear(128), relu()]), linear('outputs'));
const { digits, california, adult } = RECIPE_TASKS;
const TASKS: Readonly<Record<string, RecipeTask>> = {
  ...RECIPE_TASKS,
  ...(digits && { 'digits, plain': { ...digits, epochs: 10, network: () => plainCnn } }),
  ...(california && { 'california, plain': { ...california, epochs: 10, network: () => plainMlp } }),
  ...(adult && { 'adult, plain': { ...adult, epochs: 4, network: () => plainMlp } }),
};

const flags = parseFlags({
  task: { type: 'string', multiple: true, default: Object.keys(TASKS) },
  seeds: { type: 'string', default: '1' },
  'train-samples': { type: 'string' },
  epochs: { type: 'string' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

interface Row {
  readonly task: string;
  readonly seed: number;
  readonly rule: string;
  readonly rate: number;
  /** Accuracy or R2 of the validation samples after the last epoch. */
  readonly value: number;
  /** Steps that the rule has taken, by those of the training. */
  readonly cost: number;
}

const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 2);
const say = (line: string) => process.stderr.write(`${line}\n`);

async function measure(name: string, task: RecipeTask, seed: number): Promise<Row[]> {
  const given = flags['train-samples'];
  const request = { ...task.request, ...(given !== undefined && { trainSamples: Number(given) }) };
  const data = await dataOf({ ...task, request }, seed);
  const epochs = Number(flags.epochs ?? task.epochs);
  const settings = { ...DEFAULT_SETTINGS, epochs, ...recipeFor(data.info, epochs).settings };
  const training: TrainRequest = {
    ...{ engine, programs: openPrograms(engine), network: task.network(data.info), ...data, settings },
    rng: (...labels) => rng(seed, 'rates', ...labels),
  };
  const steps = epochs * Math.max(1, Math.floor(data.info.counts.train / settings.batchSize));
  const values = new Map<number, number>();
  const rows: Row[] = [];
  const add = async (rule: string, rate: number, cost = 0) => {
    if (!values.has(rate)) values.set(rate, await valueAt(training, rate));
    const row = { task: name, seed, rule, rate, value: values.get(rate) ?? Number.NaN, cost: cost / steps };
    say(`${name} seed ${seed}  ${rule}: rate ${rate.toPrecision(2)}, ${(100 * row.value).toFixed(2)} (${cost} steps)`);
    rows.push(row);
  };
  const { learningRate } = settings;
  await add('recipe', learningRate);
  const probe = await probeRate(training);
  await add('probe', probe.rate, 30 * probe.tried.length);
  const range = await rangeTest(training);
  await add('range test, a tenth of the minimum', range.minimum / 10, range.steps);
  await add('range test, steepest', range.steepest, range.steps);
  const short = await shortRuns(training, [1 / 3, 1, 3]);
  await add('best of three short runs', short.rate, short.steps);
  for (const factor of [0.1, 1 / 3, 3]) await add(`recipe x ${factor.toPrecision(1)}`, factor * learningRate);
  await training.programs?.dispose();
  return rows;
}

/** 0 where the training diverges. */
async function valueAt(request: TrainRequest, learningRate: number): Promise<number> {
  try {
    const training = await trainNetwork({ ...request, settings: { ...request.settings, learningRate } });
    await training.dispose();
    const { accuracy, r2 } = training.history.at(-1)?.valid ?? {};
    return accuracy ?? r2 ?? Number.NaN;
  } catch {
    return 0;
  }
}

const when = circumstances(1);
const rows: Row[] = [];
for (const name of flags.task) {
  const task = TASKS[name];
  if (task === undefined) throw new Error(`--task: "${name}"; must be one of ${Object.keys(TASKS).join(', ')}`);
  if (task.request.dir !== undefined && !existsSync(task.request.dir)) say(`${name}: skipped, no ${task.request.dir}`);
  else for (let seed = 0; seed < Number(flags.seeds); seed++) rows.push(...(await measure(name, task, seed)));
}
await engine.dispose();

const summary = Object.values(Object.groupBy(rows, ({ task, rule }) => `${task} ${rule}`)).flatMap((group = []) => {
  const [first] = group;
  if (first === undefined) return [];
  const values = group.map(({ value }) => value);
  const rates = group.map(({ rate }) => rate);
  return [
    { task: first.task, rule: first.rule, rates, mean: mean(values), deviation: deviation(values), cost: first.cost },
  ];
});
if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, summary, rows }, null, 2)}\n`);
else
  for (const { task, rule, rates, mean, deviation, cost } of summary)
    console.log(
      `${task.padEnd(14)} ${rule.padEnd(36)} ${(100 * mean).toFixed(2).padStart(6)} ± ${(100 * deviation).toFixed(2)}   ${(100 * cost).toFixed(1).padStart(5)} % of the steps   rates ${rates.map((rate) => rate.toPrecision(2)).join(' ')}`,
    );
if (flags.save) say(`saved: ${saveResult('rates', when, { summary, rows })}`);
