// Our boosted trees against scikit-learn's HistGradientBoosting: the same rows, encoded alike, the same validation rows for early stopping.
//   python3 -m venv /tmp/sklearn && /tmp/sklearn/bin/pip install scikit-learn pandas
//   npx node --conditions=netsmith-source bench/parity/boosting.ts --python /tmp/sklearn/bin/python [--data ../shared/data] [--seeds 3]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { columnsOf } from '../../src/baseline/columns.ts';
import type { Samples } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { fitBoosting } from '../../src/model/boosting.ts';
import { predictTrees } from '../../src/model/trees.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string', default: '../shared/data' },
    seeds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'boosting-'));
const text = (path: string) => {
  const bytes = readFileSync(join(values.data, path));
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};
/** Both files of adult as one: the split is ours. */
const adult = () => `${text('adult/adult-train.csv.gz')}${text('adult/adult-test.csv.gz').replace(/^.*\n/, '')}`;
const sets = [
  { name: 'adult', text: adult, label: undefined, regression: false },
  {
    name: 'california-housing',
    text: () => text('california-housing/housing.csv.gz'),
    label: 'median_house_value',
    regression: true,
  },
  { name: 'credit-g', text: () => text('credit-g/credit-g.csv'), label: 'class', regression: false },
] as const;

async function rowsOf(samples: Samples, width: number) {
  const [input, target] = [new Float32Array(samples.count * width), new Float32Array(samples.count)];
  await samples.read([...new Array(samples.count).keys()], { input, target });
  return { table: { rows: samples.count, columns: width, data: input }, targets: target };
}

function score(outputs: Float32Array, classes: number, targets: Float32Array, regression: boolean): number {
  const rows = targets.length;
  if (!regression) {
    let right = 0;
    for (let i = 0; i < rows; i++) {
      let best = 0;
      for (let k = 1; k < classes; k++)
        if ((outputs[i * classes + k] as number) > (outputs[i * classes + best] as number)) best = k;
      if (best === targets[i]) right++;
    }
    return right / rows;
  }
  const mean = targets.reduce((sum, y) => sum + y, 0) / rows;
  const [left, total] = targets.reduce(
    ([a, b], y, i) => [a + (y - (outputs[i] as number)) ** 2, b + (y - mean) ** 2] as [number, number],
    [0, 0] as [number, number],
  );
  return 1 - left / total;
}

try {
  for (const set of sets) {
    if (values.only !== undefined && values.only !== set.name) continue;
    const file = join(folder, `${set.name}.csv`);
    writeFileSync(file, set.text());
    for (let seed = 0; seed < Number(values.seeds); seed++) {
      const data = await openDataset({
        ...{ name: 'csv', dir: file, seed, regression: set.regression },
        ...(set.label !== undefined && { label: set.label }),
      });
      const { info } = data.search;
      const width = info.input[0] ?? 0;
      const parts = {
        train: await rowsOf(data.search.train, width),
        valid: await rowsOf(data.search.valid, width),
        test: await rowsOf(await data.openTest(), width),
      };
      const columns = columnsOf(info);
      const { regression } = set;
      const started = process.cpuUsage();
      const fitted = fitBoosting({
        ...{ ...parts.train, columns, valid: parts.valid, outputs: info.outputs },
        loss: regression ? 'squared-error' : 'log-loss',
      });
      // Of the processor: other work on the machine does not count.
      const { user, system } = process.cpuUsage(started);
      const seconds = (user + system) / 1e6;
      const value = (part: keyof typeof parts) =>
        score(predictTrees(fitted.trees, parts[part].table.data, width), info.outputs, parts[part].targets, regression);
      const shape = { set: set.name, seed, rows: parts.train.table.rows, columns: columns.length };
      const ours = { model: 'netsmith', valid: value('valid'), test: value('test'), rounds: fitted.rounds, seconds };
      console.log(JSON.stringify({ ...shape, ...ours }));
      for (const [name, { table, targets }] of Object.entries(parts)) {
        writeFileSync(join(folder, `${name}.x`), table.data);
        writeFileSync(join(folder, `${name}.y`), targets);
      }
      writeFileSync(join(folder, 'columns.json'), JSON.stringify({ columns, width, regression }));
      const script = join(import.meta.dirname, 'boosting_reference.py');
      const lines = execFileSync(values.python, [script, folder], {
        encoding: 'utf8',
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      });
      for (const line of lines.trim().split('\n')) console.log(JSON.stringify({ ...shape, ...JSON.parse(line) }));
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
