import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../../common/random.ts';
import { sharedData } from '../../common/testing/shared-data.ts';
import { readTable } from '../../data/readers/table.node.ts';
import { nasBenchNlpTestOf } from '../../report/tabular/nas-bench-nlp-test.ts';
import { searchSpaceOf } from '../../space/index.ts';
import type { Cells } from './csv.ts';
import { nasBenchNlpOf } from './nas-bench-nlp.ts';

const recipe = (act: string, linear = '"x", "h_prev_0"') =>
  `{"f": {"op": "linear", "input": [${linear}]}, "h_new_0": {"op": "activation_${act}", "input": ["f"]}}`;
const ROWS = [
  ['OK', '50', '15066078', '5.2', '180', '5.0', '100', recipe('tanh')],
  ['OK', '50', '15066078', '5.4', '220', '5.2', '140', recipe('tanh', '"h_prev_0", "x"')],
  ['OK', '40', '15066078', '5.5', '240', '5.4', '50', recipe('sigm')],
  ['loss is nan!', '1', '15066078', '', '', '', '50', recipe('leaky_relu')],
];
const NAMES = ['status', 'epochs_run', 'num_params', 'val_loss', 'val_ppl', 'test_loss', 'seconds_per_epoch'];
const cells: Cells = {
  columns: [...NAMES, 'recepie_json'].map((name, i) => ({ name, cells: ROWS.map((row) => row[i] ?? '') })),
  rows: ROWS.length,
  lines: ROWS.map((_, i) => i + 2),
};

test('equal cells are one row with the means, and trainings that failed are none', () => {
  const table = nasBenchNlpOf('csv', cells);
  assert.equal(table.size, 2);
  const space = searchSpaceOf(table.space);
  const tanh = space.parse('h_new_0=tanh(a) a=linear(x,h_prev_0)');
  const row = table.lookup(tanh, 'wikitext-2');
  assert.deepEqual(
    { ...row, metrics: { perplexity: row?.metrics.perplexity } },
    {
      metrics: { perplexity: 200 },
      seconds: 50 * 120,
      costs: { params: 15_066_078 },
    },
  );
  assert.ok(Math.abs((row?.metrics.loss ?? 0) - 5.3) < 1e-12);
  assert.ok(Math.abs((nasBenchNlpTestOf('csv', cells)(tanh, 'wikitext-2') ?? 0) - 5.1) < 1e-12);
  assert.throws(() => space.parse('h_new_0=leakyRelu(a) a=linear(x,h_prev_0)'), { name: 'UserError' });
  const other = space.mutate(tanh, rng('any'));
  assert.equal(table.lookup(other, 'wikitext-2')?.metrics.perplexity, 240);
});

test('a table without the columns of NAS-Bench-NLP is refused with those that it has', () => {
  const columns = cells.columns.filter(({ name }) => name !== 'recepie_json');
  assert.throws(() => nasBenchNlpOf('csv', { ...cells, columns }), {
    name: 'UserError',
    message:
      /^csv, line 1: there is no column "recepie_json"; a table of NAS-Bench-NLP has one; the columns are status, /u,
  });
});

const file = sharedData('nas-tables/nas-bench-nlp-wikitext2.csv.gz');

test('the release: different cells with finite perplexities; the LSTM has its own', { skip: file.skip }, async () => {
  const table = nasBenchNlpOf('csv', await readTable(file.url.pathname));
  const space = searchSpaceOf(table.space);
  assert.equal(table.size, 263);
  const lstm = space.parse(
    'a=linear(x,h_prev_0) b=linear(x,h_prev_0) c=linear(x,h_prev_0) d=linear(x,h_prev_0) i=tanh(a) j=sigmoid(b) ' +
      'f=sigmoid(c) o=tanh(d) p=product(f,h_prev_1) q=product(i,j) h_new_1=sum(p,q) t=tanh(h_new_1) h_new_0=product(t,o)',
  );
  assert.equal(table.lookup(lstm, 'wikitext-2')?.metrics.perplexity, 96.31);
  for (let i = 0; i < 20; i++) {
    const row = table.lookup(space.sample(rng('rows', i)), 'wikitext-2');
    assert.ok((row?.metrics.perplexity ?? 0) > 90 && (row?.seconds ?? 0) > 0);
  }
});
