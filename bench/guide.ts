/**
 * The tables of docs/guide.md, all looked up in NAS-Bench-201: what each strategy has found after a number of evaluations, and how high the best of k
 * random evaluations stands among all architectures. A search sees validation accuracy after 12 epochs; test accuracy after 200 epochs is
 * read once it has ended.
 *
 *     npm run -s bench:guide -- [--json] [--seeds N] [--only NAME] [--dataset NAME] [--save]
 *
 *     --seeds N       searches of each strategy on each data set (100)
 *     --evaluations N the largest budget: 10, 30, 100 or 300 (300)
 *     --only NAME     one strategy, may be repeated (all; the rule of thumb needs random)
 *     --dataset NAME  one data set, may be repeated (all)
 *     --json          the rows instead of tables; --save also writes bench/results/guide-DATE.json
 *
 * With 300 evaluations, those that fit a model at each trial (pnas, controller, gaussian-process, bananas) take 2 to 5 s of a core for each search,
 * the others below 0.6 s.
 */
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { BUDGETS, type Find, openSearches } from './guide/play.ts';
import { budgetRows, resultText, thumbRows } from './guide/tables.ts';
import { CONTENDERS } from './search/contenders.ts';
import { parseFlags } from './support/flags.ts';

const DATASETS = ['cifar-10', 'cifar-100', 'imagenet16-120'];
const flags = parseFlags({
  json: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '100' },
  evaluations: { type: 'string', default: '300' },
  only: { type: 'string', multiple: true, default: [] },
  dataset: { type: 'string', multiple: true, default: [] },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const refuse = (line: string): never => {
  say(line);
  process.exit(2);
};

function known(name: string, wanted: readonly string[], all: readonly string[]): readonly string[] {
  const unknown = wanted.find((one) => !all.includes(one));
  if (unknown !== undefined) refuse(`--${name} ${unknown}: must be one of ${all.join(', ')}`);
  return wanted.length === 0 ? all : all.filter((one) => wanted.includes(one));
}

const strategies = known('only', flags.only, CONTENDERS);
const datasets = known('dataset', flags.dataset, DATASETS);
const seeds = Number(flags.seeds);
if (!(Number.isInteger(seeds) && seeds >= 1)) refuse(`--seeds ${flags.seeds}: must be a whole number of at least 1`);
const most = Number(flags.evaluations);
if (!BUDGETS.includes(most)) refuse(`--evaluations ${flags.evaluations}: must be one of ${BUDGETS.join(', ')}`);
const when = circumstances(1);
const { search, largest } = await openSearches({
  engine: () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 }),
});
const finds: Find[] = [];
for (const strategy of strategies)
  for (const dataset of datasets) {
    const start = process.cpuUsage();
    for (let seed = 0; seed < seeds; seed++) finds.push(...(await search({ strategy, dataset, seed, most })));
    const { user, system } = process.cpuUsage(start);
    say(`${strategy}, ${dataset}: ${((user + system) / 1e6 / seeds).toFixed(2)} s of processor time a search`);
  }
const result = { largest: datasets.map(largest), thumb: thumbRows(finds), budgets: budgetRows(finds) };
if (flags.json) process.stdout.write(`${JSON.stringify(result, undefined, 1)}\n`);
else process.stdout.write(`${resultText(result)}\n`);
if (flags.save) say(`saved: ${saveResult('guide', when, { seeds, most, ...result })}`);
