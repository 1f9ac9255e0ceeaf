/**
 * Search strategies on NAS-Bench-201: each searches the table by 12-epoch validation accuracy for 12,000 simulated seconds on CIFAR-10
 * (for the other data sets: 109 evaluations), and is judged by the 200-epoch test accuracy of what it found. docs/search.md says how to read it.
 *
 *     npm run -s bench:search -- [--json] [--seeds N] [--only NAME] [--dataset NAME] [--save]
 *
 * Options are tried out with `--only NAME --options population=30,sample=10 --first-seed 1000 --no-top`. Progress goes to standard error.
 */
import { availableParallelism } from 'node:os';
import { createStrategy } from '../src/strategy/index.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { CONTENDERS } from './search/contenders.ts';
import { BUDGET_EVALUATIONS, BUDGET_SECONDS, type SearchOrder } from './search/play.ts';
import { playAll } from './search/pool.ts';
import { type Summary, summaryOf, summaryTable } from './search/summary.ts';
import { parseFlags } from './support/flags.ts';

const DATASETS = ['cifar-10', 'cifar-100', 'imagenet16-120'];
/** A tenth of a percent of the table is hard to find: random search needs 677 evaluations in half of its runs. */
const MOST_EVALUATIONS = 2000;
const flags = parseFlags({
  json: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '500' },
  'first-seed': { type: 'string', default: '0' },
  only: { type: 'string', multiple: true, default: [] },
  dataset: { type: 'string', multiple: true, default: [] },
  options: { type: 'string', default: '' },
  top: { type: 'boolean', default: true },
  processes: { type: 'string', default: String(availableParallelism()) },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

function refuse(line: string): never {
  say(line);
  process.exit(2);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= least
    ? value
    : refuse(`--${name} ${text}: it must be a whole number from ${least}`);
}

function known(name: string, wanted: readonly string[], all: readonly string[]): readonly string[] {
  const unknown = wanted.find((one) => !all.includes(one));
  if (unknown !== undefined) refuse(`--${name} ${unknown}: it must be one of ${all.join(', ')}`);
  return wanted.length === 0 ? all : all.filter((one) => wanted.includes(one));
}

/** `population=30,sample=10` */
function optionsOf(text: string): Readonly<Record<string, unknown>> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      const literal = { true: true, false: false }[value];
      return [name, literal ?? (Number.isNaN(Number(value)) ? value : Number(value))];
    }),
  );
}

const strategies = known('only', flags.only, CONTENDERS);
const datasets = known('dataset', flags.dataset, DATASETS);
const [seeds, firstSeed] = [whole('seeds', flags.seeds, 1), whole('first-seed', flags['first-seed'], 0)];
const processes = whole('processes', flags.processes, 1);
const options = optionsOf(flags.options);
for (const name of strategies) createStrategy(name, options);
const when = circumstances(1);

const rows: Summary[] = [];
for (const strategy of strategies) for (const dataset of datasets) await judge(strategy, dataset);

async function judge(strategy: string, dataset: string): Promise<void> {
  try {
    const orders = Array.from({ length: seeds }, (_, i): SearchOrder => {
      return { strategy, options, dataset, seed: firstSeed + i, most: flags.top ? MOST_EVALUATIONS : 0 };
    });
    let told = performance.now();
    const ends = await playAll(orders, processes, (done) => {
      if (performance.now() - told < 5000) return;
      told = performance.now();
      say(`${strategy}, ${dataset}: ${done} of ${seeds}`);
    });
    const row = summaryOf({ strategy, dataset, budgetSeconds: BUDGET_SECONDS }, ends);
    say(`${strategy}, ${dataset}: ${row.mean.toFixed(2)} ± ${row.sd.toFixed(2)}`);
    rows.push(row);
  } catch (error) {
    process.exitCode = 1;
    say(`${strategy}, ${dataset} failed: ${error instanceof Error ? error.message : error}`);
  }
}

if (flags.json) {
  const shown = rows.map(({ strategy, dataset, budgetSeconds, seeds, mean, sd, evaluationsToTop }) => {
    return { strategy, dataset, budgetSeconds, seeds, mean, sd, evaluationsToTop };
  });
  process.stdout.write(`${JSON.stringify(shown, undefined, 1)}\n`);
} else process.stdout.write(`${summaryTable(rows)}\n`);
if (flags.save) {
  const setting = { firstSeed, options, budgetEvaluations: BUDGET_EVALUATIONS, mostEvaluations: MOST_EVALUATIONS };
  say(`saved: ${saveResult('search', when, { ...setting, rows })}`);
}
