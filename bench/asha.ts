/**
 * ASHA on real training: CIFAR-10, networks of small-cnn. For each seed, ASHA searches among N random candidates;
 * then all of its candidates are trained in full, with other seeds. Is what ASHA found as good as the best of them within
 * noise, and at which share of the epochs?
 *
 *     npm run -s bench:asha -- --data-dir FOLDER [--seeds 3] [--candidates 27] [--epochs 16] [--eta 4]
 *         [--train-samples 10000] [--workers 2] [--repeats 2] [--json] [--save]
 *
 * Both finds are trained `--repeats` times more with seeds of their own, and those are compared: the best of many noisy
 * results owes some of its rank to luck. It takes hours; progress goes to standard error.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { memoryOfProcess } from '../src/app/memory.node.ts';
import { type Setup, setUp } from '../src/app/setup.ts';
import { planOfSetup, planToJson, workerSettingsToJson } from '../src/app/study.ts';
import { entryModule } from '../src/common/package-files.node.ts';
import { mean } from '../src/report/numbers.ts';
import type { Architecture } from '../src/space/index.ts';
import type { Problem, Strategy } from '../src/strategy/strategy.ts';
import { runStudy } from '../src/study/run.ts';
import { checkSettings } from '../src/study/spec.ts';
import type { Trial } from '../src/study/store/store.ts';
import { createStudyStore } from '../src/study/study.node.ts';
import { processPool } from '../src/study/worker/process.node.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  'data-dir': { type: 'string' },
  seeds: { type: 'string', default: '3' },
  candidates: { type: 'string', default: '27' },
  epochs: { type: 'string', default: '16' },
  eta: { type: 'string', default: '4' },
  'train-samples': { type: 'string', default: '10000' },
  workers: { type: 'string', default: '2' },
  repeats: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

/** What one seed came to. Accuracies are shares of the validation samples. */
interface Row {
  readonly seed: number;
  readonly ashaEpochs: number;
  readonly fullEpochs: number;
  /** Trials of ASHA that went on from a checkpoint, and the epochs that they did not train again. */
  readonly continued: number;
  readonly epochsSaved: number;
  /** What ASHA found: where it stands among all of them trained in full (1 is the best), and as it was measured there. */
  readonly rank: number;
  readonly asha: number;
  /** The best of all of them, as it was measured. */
  readonly full: number;
  /** Means over further trainings of both; equal where they are one architecture. */
  readonly ashaAgain: number;
  readonly fullAgain: number;
  /** Standard deviation of the accuracy of one architecture over seeds, from pairs of trainings. */
  readonly noise: number;
}

/** Runs a study in its own folder to its end and returns its trials. */
async function trialsOf(setup: Setup, strategy: Strategy, problem: Problem, what: string): Promise<readonly Trial[]> {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-asha-'));
  const dir = join(folder, 'study');
  const plan = planOfSetup(setup);
  const store = await createStudyStore(dir, { name: what, settings: planToJson(plan), state: strategy.init(problem) });
  const { settings } = setup;
  const workerSettings = workerSettingsToJson({ plan, memoryBytes: memoryOfProcess(settings, settings.workers) });
  try {
    await runStudy({
      store,
      strategy,
      problem,
      workers: processPool({
        workers: settings.workers,
        entry: entryModule('app/worker.node'),
        study: resolve(dir),
        settings: workerSettings,
      }),
      budget: {},
      onEvent: (event) => {
        if (event.kind !== 'ended') return;
        const { trial, fidelity, metrics, state } = event.trial;
        const epochs = problem.fidelities[fidelity]?.epochs;
        say(`${what}, trial ${trial}: ${state} at ${epochs} epochs, accuracy ${metrics.accuracy?.toFixed(4)}`);
      },
    });
    return await store.trials('search');
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Proposes what it is given, each once, in full. */
function listed(architectures: readonly Architecture[]): Strategy<number> {
  return {
    name: 'listed',
    init: () => 0,
    async ask(problem, next, _, count) {
      const some = architectures.slice(next, next + count);
      const fidelity = problem.fidelities.length - 1;
      return [next + some.length, some.map((architecture) => ({ architecture, fidelity, start: { kind: 'fresh' } }))];
    },
    tell: async (_, next) => next,
  };
}

const accuracy = ({ metrics }: Trial) => metrics.accuracy ?? 0;
const best = (trials: readonly Trial[]) => trials.reduce((a, b) => (accuracy(b) > accuracy(a) ? b : a));
const epochsIn = (trials: readonly Trial[]) => trials.reduce((sum, { curve }) => sum + curve.length, 0);
const same = (a: Architecture, b: Architecture) => JSON.stringify(a) === JSON.stringify(b);

async function compare(seed: number): Promise<Row> {
  const settings = checkSettings(
    {
      data: 'cifar-10',
      dataDir: resolve(flags['data-dir'] ?? ''),
      validShare: 0.1,
      trainSamples: Number(flags['train-samples']),
      space: 'small-cnn',
      strategy: 'asha',
      strategyOptions: { inner: 'unique', eta: Number(flags.eta), candidates: Number(flags.candidates) },
      epochs: Number(flags.epochs),
      workers: Number(flags.workers),
      seed,
    },
    (name) => `--${name}`,
  );
  const setup = await setUp(settings);
  const { problem } = setup;
  const top = problem.fidelities.length - 1;
  const searched = await trialsOf(setup, setup.strategy, problem, `seed ${seed}, ASHA`);
  const candidates = searched.filter(({ start }) => start.kind === 'fresh').map(({ architecture }) => architecture);
  const other = { ...problem, seed: seed + 1000 };
  const inFull = await trialsOf(setup, listed(candidates), other, `seed ${seed}, all in full`);
  const found = best(searched.filter(({ state, fidelity }) => state === 'complete' && fidelity === top));
  const winner = best(inFull);
  const finds = same(found.architecture, winner.architecture) ? [found] : [found, winner];
  const repeats = Number(flags.repeats);
  const again = await trialsOf(
    setup,
    listed(finds.flatMap(({ architecture }) => Array<Architecture>(repeats).fill(architecture))),
    { ...problem, seed: seed + 2000 },
    `seed ${seed}, again`,
  );
  const againOf = (find: Trial) =>
    mean(again.filter(({ architecture }) => same(architecture, find.architecture)).map(accuracy));
  const inFullOf = (trial: Trial) => inFull.find(({ architecture }) => same(architecture, trial.architecture));
  const pairs = searched
    .filter(({ state, fidelity }) => state === 'complete' && fidelity === top)
    .map((trial) => accuracy(trial) - accuracy(inFullOf(trial) ?? trial));
  const continued = searched.filter(({ start }) => start.kind === 'continue');
  const foundInFull = accuracy(inFullOf(found) ?? found);
  return {
    seed,
    ashaEpochs: epochsIn(searched),
    fullEpochs: epochsIn(inFull),
    continued: continued.length,
    epochsSaved: continued.reduce((sum, { curve }) => sum + (curve[0]?.step ?? 1) - 1, 0),
    rank: 1 + inFull.filter((trial) => accuracy(trial) > foundInFull).length,
    asha: foundInFull,
    full: accuracy(winner),
    ashaAgain: againOf(found),
    fullAgain: againOf(winner),
    noise: Math.sqrt(mean(pairs.map((difference) => difference ** 2)) / 2),
  };
}

if (flags['data-dir'] === undefined) {
  say('--data-dir: the folder of the CIFAR-10 binaries');
  process.exit(2);
}
const when = circumstances(Number(flags.workers));
const rows: Row[] = [];
for (let seed = 0; seed < Number(flags.seeds); seed++) rows.push(await compare(seed));

const differences = rows.map((row) => row.ashaAgain - row.fullAgain);
const summary = {
  candidates: Number(flags.candidates),
  epochs: Number(flags.epochs),
  eta: Number(flags.eta),
  trainSamples: Number(flags['train-samples']),
  repeats: Number(flags.repeats),
  shareOfEpochs: mean(rows.map(({ ashaEpochs, fullEpochs }) => ashaEpochs / fullEpochs)),
  difference: mean(differences),
  /** Of that mean, by the noise of single trainings alone. */
  deviation: Math.sqrt(mean(rows.map(({ noise }) => noise ** 2)) * (2 / Number(flags.repeats) / rows.length)),
};
if (flags.json) process.stdout.write(`${JSON.stringify({ ...summary, rows }, null, 2)}\n`);
else {
  const share = (value: number) => `${(100 * value).toFixed(2)} %`;
  for (const row of rows)
    console.log(
      `seed ${row.seed}: ${row.ashaEpochs} of ${row.fullEpochs} epochs; found number ${row.rank} of all; trained again ` +
        `${share(row.ashaAgain)}, the best of all ${share(row.fullAgain)}; ${row.continued} trials continued, ${row.epochsSaved} epochs not trained twice`,
    );
  console.log(
    `${share(summary.shareOfEpochs)} of the epochs; difference ${share(summary.difference)} ± ${share(summary.deviation)}`,
  );
}
if (flags.save) say(`saved: ${saveResult('asha', when, { ...summary, rows })}`);
