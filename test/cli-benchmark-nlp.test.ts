import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { json, refusedIn } from './support/netsmith.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-nlp-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A small table in the form of the release: Elman networks with a chain of activations. */
function writeRows(): string {
  const cell = (activations: readonly string[]) => {
    const nodes = activations.map((act, i) => {
      const name = i === activations.length - 1 ? 'h_new_0' : `a${i}`;
      return [name, { op: `activation_${act}`, input: [i === 0 ? 'f' : `a${i - 1}`] }] as const;
    });
    return JSON.stringify({ f: { op: 'linear', input: ['x', 'h_prev_0'] }, ...Object.fromEntries(nodes) });
  };
  const chains = [['tanh'], ['sigm'], ['leaky_relu'], ['tanh', 'sigm'], ['sigm', 'tanh'], ['tanh', 'tanh', 'sigm']];
  const rows = chains.map((chain, i) => {
    const numbers = [50, 15_066_078, 5 + i / 10, 150 + 10 * i, 4.9 + i / 10, 100 + i];
    return ['OK', ...numbers, `"${cell(chain).replaceAll('"', '""')}"`].join(',');
  });
  const header = 'status,epochs_run,num_params,val_loss,val_ppl,test_loss,seconds_per_epoch,recepie_json';
  const file = join(folder, 'nlp.csv');
  writeFileSync(file, [header, ...rows, ''].join('\n'));
  return file;
}

test('a CSV of NAS-Bench-NLP is searched, resumed, evaluated and reported', async () => {
  const [file, dir] = [writeRows(), join(folder, 'study')];
  const options = ['--strategy', 'aging-evolution', '--strategy-options', 'population=3,sample=2', '--seed', '2'];
  await json('search', '--benchmark', file, ...options, '--trials', '3', '--out', dir);
  const found = await json('resume', dir, '--trials', '12');
  assert.equal(found.trials, 12);
  assert.deepEqual(found.best.metrics, { loss: 5, perplexity: 150 });
  assert.equal(found.best.costs.params, 15_066_078);
  assert.equal(found.best.text ?? '', 'n0=linear(h_prev_0,x) h_new_0=tanh(n0)');
  const { test: tested } = await json('evaluate', dir);
  assert.equal(tested.loss.mean, 4.9);
  assert.doesNotMatch(readFileSync((await json('report', dir)).file, 'utf8'), /netsmith export|NaN/);
  const again = ['search', '--benchmark', file, '--trials', '3', '--out', join(folder, 'refused')];
  await refusedIn(folder, /tpe/, ...again, '--strategy', 'tpe');
  await refusedIn(folder, /has no decisions to constrain/, ...again, '--forbid', 'tanh');
});

test('strategies are compared on it, with the regret against its best cell', async () => {
  const compared = await json(
    ...['compare', '--benchmark', writeRows(), '--strategies', 'aging-evolution:population=3:sample=2'],
    ...['--trials', '4', '--seeds', '3', '--out', join(folder, 'compared')],
  );
  for (const { regret, likeness, valid } of compared.competitors) {
    assert.ok(Math.abs(regret.mean - (valid.mean - 5)) < 1e-9);
    if (likeness !== undefined) assert.ok(likeness.distance === 1 - likeness.equal);
  }
});
