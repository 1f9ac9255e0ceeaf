/**
 * What constraints cost where networks are trained: random searches of `mobilenet` on EuroSAT, the same in all but the constraint, as a table
 * in Markdown. docs/spaces.md says how to read it.
 *
 *     npm run -s bench:constrained-study -- [--seeds K] [--trials N] [--epochs N] [--out FOLDER] [--json]
 *
 *     --seeds K      searches under each constraint (3)
 *     --trials N     networks in a search (8); --epochs N: of each of them (6)
 *     --shared DIR   the folder with eurosat-small (../shared/data)
 *     --out FOLDER   where the studies go (netsmith-constrained in the temporary folder); a run that was stopped continues there
 *
 * The value of a search is the validation accuracy of its best network. About an hour of one core; acceptance: --seeds 2, 40 minutes.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy } from '../src/node.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '3' },
  trials: { type: 'string', default: '8' },
  epochs: { type: 'string', default: '6' },
  shared: { type: 'string', default: `${import.meta.dirname}/../../shared/data` },
  out: { type: 'string', default: join(tmpdir(), 'netsmith-constrained') },
});

interface Constraint {
  readonly forbid?: string[];
  readonly fix?: Readonly<Record<string, number>>;
  readonly limits?: Readonly<Record<string, number>>;
}
const CONSTRAINTS: Readonly<Record<string, Constraint>> = {
  'no constraint': {},
  'no squeeze-and-excite': { forbid: ['expanded', 'input'] },
  'ReLU and ReLU6 alone': { forbid: ['silu', 'hardSwish'] },
  'half resolution': { fix: { resolution: 0.5 } },
  'at most 2 million FLOPs': { limits: { flops: 2_000_000 } },
  'at most 100,000 parameters': { limits: { params: 100_000 } },
};

const [seeds, trials, epochs] = [Number(flags.seeds), Number(flags.trials), Number(flags.epochs)];
interface Row {
  readonly constraint: string;
  readonly accuracy: readonly number[];
  readonly params: readonly number[];
  readonly flops: readonly number[];
}

async function search(name: string, constraint: Constraint, seed: number) {
  const study = await createStudy({
    ...{ data: 'image-folder', dataDir: join(flags.shared, 'eurosat-small', 'train'), imageSize: 32, validShare: 0.25 },
    ...{ space: 'mobilenet', strategy: 'random', epochs, flip: true, seed },
    ...constraint,
    ...{
      dir: join(flags.out, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${seed}-${trials}-${epochs}`),
      ifExists: 'continue',
    },
  });
  await study.optimize({ trials });
  const best = await study.best();
  if (best === undefined) throw new Error(`${name}, seed ${seed}: no trial is complete`);
  return best;
}

const rows: Row[] = [];
for (const [constraint, settings] of Object.entries(CONSTRAINTS)) {
  const found: Awaited<ReturnType<typeof search>>[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const best = await search(constraint, settings, seed);
    found.push(best);
    process.stderr.write(`${constraint}, seed ${seed}: ${best.metrics.accuracy?.toFixed(4)}\n`);
  }
  const all = (name: string, of: (best: (typeof found)[0]) => Readonly<Record<string, number>>) =>
    found.map((best) => of(best)[name] ?? Number.NaN);
  rows.push({
    constraint,
    accuracy: all('accuracy', (best) => best.metrics),
    params: all('params', (best) => best.costs),
    flops: all('flops', (best) => best.costs),
  });
}
if (flags.json) process.stdout.write(`${JSON.stringify(rows, undefined, 1)}\n`);
else {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const error = (values: readonly number[]) =>
    Math.sqrt(
      values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1) / values.length,
    );
  const percent = (share: number) => (100 * share).toFixed(1);
  const [free] = rows;
  const lines = rows.map(({ constraint, accuracy, params, flops }) => {
    const lost = accuracy.map((value, k) => (free?.accuracy[k] ?? Number.NaN) - value);
    return [
      constraint,
      `${percent(mean(accuracy))} ± ${percent(error(accuracy))}`,
      constraint === free?.constraint ? '' : `${percent(mean(lost))} ± ${percent(error(lost))}`,
      Math.round(mean(params)).toLocaleString('en-US'),
      `${(mean(flops) / 1e6).toFixed(2)} M`,
    ];
  });
  process.stdout.write(`${markdown(['constraint', 'accuracy %', 'lost', 'params', 'FLOPs'], lines)}\n`);
}
