/**
 * What a long search costs: bytes of memory that each trial leaves behind, and the time of an `ask` early and late, over 100,000
 * trials of NAS-Bench-201 (each of which is kept). docs/search.md says how to read it.
 *
 *     node --conditions=netsmith-source bench/long-search.ts [--only NAME] [--trials N] [--json] [--save]
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openNasBench201 } from '../src/estimate/tabular/nas-bench-201.node.ts';
import { createStrategy } from '../src/strategy/index.ts';
import type { Strategy } from '../src/strategy/strategy.ts';
import { simulate, tabularProblem } from '../src/study/simulate.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { median } from './engine/statistics.ts';
import { markdown } from './engine/tables.ts';

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: ['random', 'aging-evolution'] },
    trials: { type: 'string', default: '100000' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});
const most = Number(flags.trials);
/** Tenths: memory and times are compared between the second and the last, when everything has been compiled. */
const tenth = Math.floor(most / 10);
if (!(tenth >= 1)) {
  process.stderr.write(`--trials ${flags.trials}: it must be a number from 10\n`);
  process.exit(2);
}
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const when = circumstances(1);
const table = await openNasBench201();

/** Bytes in use once nothing is left that could go. */
function heap(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measure(name: string) {
  const asks = new Float64Array(most);
  const inner = createStrategy(name);
  const strategy: Strategy = {
    ...inner,
    async ask(problem, state, firstTrial, count) {
      const start = performance.now();
      const answer = await inner.ask(problem, state, firstTrial, count);
      asks[firstTrial] = 1000 * (performance.now() - start);
      return answer;
    },
  };
  const heaps: number[] = [];
  const { trials } = await simulate({
    strategy,
    problem: tabularProblem(table, 'cifar-10', 0),
    table,
    dataset: 'cifar-10',
    budget: { evaluations: most },
    until({ trial }) {
      if ((trial + 1) % tenth === 0) heaps.push(heap());
      return false;
    },
  });
  const [early = Number.NaN, late = Number.NaN] = [heaps[1], heaps[9]];
  return {
    strategy: name,
    trials: trials.length,
    bytesPerTrial: Math.round((late - early) / (8 * tenth)),
    /** Medians of the second tenth of the trials and of the last. */
    askMicroseconds: [
      median([...asks.slice(tenth, 2 * tenth)]),
      median([...asks.slice(9 * tenth, 10 * tenth)]),
    ] as const,
  };
}

const rows = [];
for (const name of flags.only) rows.push(await measure(name));
if (flags.json) process.stdout.write(`${JSON.stringify(rows, undefined, 1)}\n`);
else {
  const cells = rows.map(({ strategy, trials, bytesPerTrial, askMicroseconds: [early, late] }) => {
    return [strategy, trials, bytesPerTrial, Number(early.toPrecision(3)), Number(late.toPrecision(3))];
  });
  process.stdout.write(`${markdown(['strategy', 'trials', 'bytes a trial', 'µs early', 'µs late'], cells)}\n`);
}
if (flags.save) process.stderr.write(`saved: ${saveResult('long-search', when, { rows })}\n`);
