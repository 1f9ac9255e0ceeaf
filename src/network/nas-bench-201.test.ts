import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { sharedData } from '../common/testing/shared-data.ts';
import { parseArchitecture, resolve } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import { networkCosts } from './costs.ts';

const task = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;

const benchmark = sharedData('nas-bench-201.csv.gz');

test('parameters and FLOPs of every 32nd of the 15,625 architectures equal the published table', {
  skip: benchmark.skip,
}, () => {
  const [header, ...rows] = gunzipSync(readFileSync(benchmark.url)).toString('utf8').trim().split(/\r?\n/);
  const columns = (header ?? '').split(',');
  const [archColumn, paramsColumn, flopsColumn] = ['arch', 'params_c10', 'flops_c10'].map((c) => columns.indexOf(c));
  assert.equal(rows.length, 15_625);
  const space = SPACES['nas-bench-201'].create(task);
  for (const row of rows.filter((_, number) => number % 32 === 0)) {
    const cells = row.split(',');
    const text = cells[archColumn ?? -1] ?? '';
    const { params, flops } = networkCosts(resolve(space, parseArchitecture(space, text)), task);
    assert.deepEqual(
      { text, params, flops },
      { text, params: Number(cells[paramsColumn ?? -1]), flops: Number(cells[flopsColumn ?? -1]) },
    );
  }
});
