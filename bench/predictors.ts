/**
 * Predictors on NAS-Bench-201: each learns the validation accuracy of some random cells, and is judged by how it orders others.
 * docs/predictors.md says how to read it.
 *
 *     npm run -s bench:predictors -- [--dataset cifar-100] [--cells 50 --cells 100 ...] [--seeds 5] [--held-out 500] [--only NAME]
 *                                    [--json] [--save]
 *
 * The table's test column is not read. Progress goes to standard error.
 */
import { kendall } from '../src/common/correlation.ts';
import { rng } from '../src/common/random.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { type Known, type PredictorOptions, trainPredictor } from '../src/estimate/predictor/predictor.ts';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { type Architecture, sample } from '../src/space/index.ts';
import { standardized } from '../src/strategy/observations.ts';
import { ENSEMBLES, ensembleFor } from '../src/strategy/surrogate/ensembles.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';
import { meanInterval } from './support/mean-interval.ts';

const flags = parseFlags({
  dataset: { type: 'string', default: 'cifar-100' },
  cells: { type: 'string', multiple: true, default: ['50', '100', '200'] },
  seeds: { type: 'string', default: '5' },
  'held-out': { type: 'string', default: '500' },
  only: { type: 'string', multiple: true, default: [] },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const whole = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  say(`--${name} ${text}: it must be a whole number from ${least}`);
  process.exit(2);
};
const counts = flags.cells.map((text) => whole('cells', text, 2));
const [seeds, heldOut] = [whole('seeds', flags.seeds, 2), whole('held-out', flags['held-out'], 2)];

const when = circumstances(1);
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const table = await openNasBench201();
const accuracyOf = (architecture: Architecture) => table.lookup(architecture, flags.dataset)?.metrics.accuracy ?? 0;

type Learn = (known: readonly Known[], seed: number) => Promise<(architecture: Architecture) => number>;
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value / values.length, 0);

const ofEstimator =
  (options: PredictorOptions): Learn =>
  async (known, seed) => {
    const predict = await trainPredictor(table.space, known, options, rng('bench', seed), {
      engine: async () => engine,
    });
    return (architecture) => predict(architecture).mean;
  };
const ofBananas =
  (model: (typeof ENSEMBLES)[number]): Learn =>
  async (known, seed) => {
    const targets = standardized(known.map(({ value }) => value));
    const architectures = known.map(({ architecture }) => architecture);
    const train = ensembleFor(model, table.space);
    const predict = await train(engine, architectures, targets, rng('bench', seed), 5);
    return (architecture) => mean(predict(architecture));
  };
const models: Readonly<Record<string, Learn>> = {
  params: async () => (architecture) => table.lookup(architecture, flags.dataset)?.costs.params ?? 0,
  forest: ofEstimator({ model: 'forest', features: 'graph' }),
  'gaussian-process': ofEstimator({ model: 'gaussian-process', features: 'graph' }),
  'mlp-ensemble': ofEstimator({ model: 'mlp-ensemble', features: 'graph' }),
  'graph-network': ofEstimator({ model: 'graph-network', features: 'graph' }),
  ...Object.fromEntries(ENSEMBLES.map((model) => [`bananas, model=${model}`, ofBananas(model)])),
};
const unknown = flags.only.find((name) => !Object.hasOwn(models, name));
if (unknown !== undefined) {
  say(`--only ${unknown}: it must be one of ${Object.keys(models).join('; ')}`);
  process.exit(2);
}

/** Different random cells: the first ones to learn from, the others held out. */
function cellsOf(seed: number, count: number): Known[] {
  const found = new Map<string, Architecture>();
  for (let i = 0; found.size < count; i++) {
    const one = sample(table.space, rng('bench predictors', seed, i));
    found.set(JSON.stringify(one), one);
  }
  return [...found.values()].map((architecture) => ({ architecture, value: accuracyOf(architecture) }));
}

const most = Math.max(...counts);
const rows: { model: string; cells: number; taus: number[]; cpuSeconds: number }[] = [];
for (const [model, learn] of Object.entries(models)) {
  if (flags.only.length > 0 && !flags.only.includes(model)) continue;
  for (const cells of counts) {
    const before = process.cpuUsage().user;
    const taus: number[] = [];
    for (let seed = 0; seed < seeds; seed++) {
      const drawn = cellsOf(seed, most + heldOut);
      const predict = await learn(drawn.slice(0, cells), seed);
      const held = drawn.slice(most);
      taus.push(
        kendall(
          held.map(({ architecture }) => predict(architecture)),
          held.map(({ value }) => value),
        ),
      );
    }
    rows.push({ model, cells, taus, cpuSeconds: (process.cpuUsage().user - before) / 1e6 / seeds });
    say(`${model}, ${cells} cells: ${mean(taus).toFixed(3)}`);
  }
}
await engine.dispose();
const text = (taus: readonly number[]) => {
  const { mean: center, half } = meanInterval(taus);
  return `${center.toFixed(3)} ± ${half.toFixed(3)}`;
};
const tauOf = (model: string, cells: number) => rows.find((row) => row.model === model && row.cells === cells)?.taus;
const lines = [...new Set(rows.map(({ model }) => model))].map((model) => [
  model,
  ...counts.map((cells) => text(tauOf(model, cells) ?? [])),
]);
process.stdout.write(
  flags.json
    ? `${JSON.stringify(rows, undefined, 1)}\n`
    : `${markdown(['predictor', ...counts.map((cells) => `${cells} cells`)], lines)}\n`,
);
if (flags.save) say(`saved: ${saveResult('predictors', when, { dataset: flags.dataset, seeds, heldOut, rows })}`);
