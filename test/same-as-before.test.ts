import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { json } from './support/netsmith.ts';

// Small studies must find what they found before tasks had their own room: the same architectures for the same seed, and
// the same metrics but for rounding. Recorded in the portable layout, whose results do not depend on the machine's vector unit, and with SGD:
// Adam makes whole steps of gradients that are 0 but for rounding, such as that of a bias before batch norm.
const RECORD = new URL('same-as-before.json', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'netsmith-same-'));
after(() => rmSync(folder, { recursive: true }));

interface Found {
  readonly architecture: unknown;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Rows of a table with a class and a number that follow from two columns and some noise. */
function table(): string {
  const rows = Array.from({ length: 120 }, (_, i) => {
    const [a, b] = [Math.sin(i * 1.7), Math.cos(i * 2.3)];
    const value = 3 * a - 2 * b + Math.sin(i * 12.9);
    return `${a.toFixed(6)},${b.toFixed(6)},${i % 3 === 0 ? 'red' : 'blue'},${value.toFixed(6)},${value > 0 ? 'yes' : 'no'}`;
  });
  const file = join(folder, 'table.csv');
  writeFileSync(file, `a,b,color,value,positive\n${rows.join('\n')}\n`);
  return file;
}

const CSV = ['--data', 'csv', '--data-dir', table(), '--space', 'mlp', '--batch-size', '16'];
const STUDIES: Readonly<Record<string, readonly string[]>> = {
  images: ['--data', 'digits', '--space', 'small-cnn', '--train-samples', '160', '--label-smoothing', '0.1', '--flip'],
  classes: [...CSV, '--label', 'positive', '--mixup', '0.2'],
  numbers: [...CSV, '--label', 'value', '--regression'],
};

const recorded: Record<string, Found[]> = existsSync(RECORD) ? JSON.parse(readFileSync(RECORD, 'utf8')) : {};

for (const [name, args] of Object.entries(STUDIES)) {
  test(`a study of ${name} gives what it gave before`, async () => {
    const out = join(folder, name);
    await json(
      'search',
      ...args,
      '--trials',
      '2',
      '--epochs',
      '2',
      '--seed',
      '1',
      '--optimizer',
      'sgd',
      '--layout',
      'portable',
      '--out',
      out,
    );
    const trials: readonly Found[] = await json('trials', out);
    const found = trials.map(({ architecture, metrics }) => ({ architecture, metrics }));
    if (process.env.RECORD_SAME_AS_BEFORE) {
      recorded[name] = found;
      writeFileSync(RECORD, `${JSON.stringify(recorded, null, 2)}\n`);
    }
    const before = recorded[name] ?? [];
    assert.equal(before.length, 2, 'there is a record');
    assert.deepEqual(
      found.map(({ architecture }) => architecture),
      before.map(({ architecture }) => architecture),
    );
    for (const [i, { metrics }] of before.entries()) {
      const now = found[i]?.metrics ?? {};
      assert.deepEqual(Object.keys(now).sort(), Object.keys(metrics).sort());
      for (const [metric, value] of Object.entries(metrics))
        assert.ok(Math.abs((now[metric] ?? Number.NaN) - value) <= 1e-6, `${metric}: ${now[metric]}, was ${value}`);
    }
  });
}
