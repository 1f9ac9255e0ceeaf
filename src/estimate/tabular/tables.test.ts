import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { sharedData } from '../../common/testing/shared-data.ts';
import { openNasBench201Test } from '../../report/tabular/nas-bench-201-test.node.ts';
import { first, formatArchitecture, parseArchitecture, successor } from '../../space/index.ts';
import { continuousSpace, nasBench201, tinySpace } from '../../strategy/testing/problems.ts';
import { openNasBench201 } from './nas-bench-201.node.ts';
import { ordinalIn } from './ordinal.ts';
import { openPack, packColumns } from './pack.ts';

const SOURCE = sharedData('nas-bench-201.csv.gz');

suite('a pack of columns', () => {
  test('gives back what was packed, to its decimals', async () => {
    const values = [0, 0.5, 123.45678, 65_535.4, 2 ** 40];
    const packed = packColumns('about it', [
      { name: 'a', values, decimals: 2 },
      { name: 'b', values: [1, 2, 3, 4, 5], decimals: 0 },
    ]);
    const pack = await openPack(Uint8Array.from(gzipSync(packed)));
    assert.deepEqual([pack.about, pack.rows], ['about it', 5]);
    assert.deepEqual([...pack.column('a')], [0, 0.5, 123.46, 65_535.4, 2 ** 40]);
    assert.deepEqual([...pack.column('b')], [1, 2, 3, 4, 5]);
    assert.throws(() => pack.column('c'), /no column "c"/);
  });

  test('refuses what it cannot hold', () => {
    for (const value of [-1, Number.NaN, 2 ** 50])
      assert.throws(() => packColumns('', [{ name: 'a', values: [value], decimals: 0 }]), /column "a": holds/);
  });
});

suite('the number of an architecture', () => {
  test('is its place in the order of enumeration', () => {
    for (const space of [tinySpace, nasBench201]) {
      const ordinal = ordinalIn(space);
      let [one, number] = [first(space) as ReturnType<typeof successor>, 0];
      for (; one !== undefined; one = successor(space, one)) assert.equal(ordinal(one), number++);
      assert.ok(number === 18 || number === 15_625);
    }
  });

  test('is not there for others', () => {
    assert.equal(ordinalIn(tinySpace)({ ...first(tinySpace), channels: 5 }), undefined);
    assert.equal(ordinalIn(tinySpace)({}), undefined);
    assert.throws(() => ordinalIn(continuousSpace), { name: 'UserError' });
  });
});

suite('NAS-Bench-201', () => {
  test('has the best architectures that its authors name', async () => {
    const table = await openNasBench201();
    const test200 = await openNasBench201Test(table.space);
    assert.equal(table.size, 15_625);
    let [best, bestTest] = [0, 0];
    for (let one: ReturnType<typeof successor> = first(table.space); one; one = successor(table.space, one)) {
      best = Math.max(best, table.lookup(one, 'cifar-10')?.metrics.accuracy ?? 0);
      bestTest = Math.max(bestTest, test200(one, 'cifar-10') ?? 0);
    }
    assert.equal(best, 0.84892);
    assert.equal(bestTest, 0.943733); // 94.37 %: Dong & Yang 2020, table 5.
  });

  test('knows an architecture by its decisions, whatever their order', async () => {
    const table = await openNasBench201();
    const text = '|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|';
    const architecture = parseArchitecture(table.space, text);
    const expected = {
      metrics: { accuracy: 0.82834 },
      seconds: 130.1785,
      costs: { params: 802_426, flops: 113_951_370 },
    };
    const backwards = Object.fromEntries(Object.entries(architecture).toReversed());
    for (const one of [architecture, backwards]) assert.deepEqual(table.lookup(one, 'cifar-10'), expected);
    assert.deepEqual(table.lookup(architecture, 'cifar-100')?.metrics, { accuracy: 0.578 });
    assert.equal(table.lookup(architecture, 'cifar-100')?.seconds, undefined);
    assert.equal(table.lookup({ ...architecture, '0->1': 'conv_5x5' }, 'cifar-10'), undefined);
    assert.throws(() => table.lookup(architecture, 'mnist'), /no data set "mnist"; must be one of cifar-10, cifar-100/);
  });

  test('keeps its test columns from what a search holds', async () => {
    const table = await openNasBench201();
    const row = table.lookup(first(table.space), 'cifar-10');
    assert.deepEqual(Object.keys(row?.metrics ?? {}), ['accuracy']);
    const names = await openPack(Uint8Array.from(readFileSync(new URL('./nas-bench-201.pack', import.meta.url))));
    for (const name of ['c10_test_200', 'c100_test_200', 'in16_test_200', 'c10_test_12'])
      assert.throws(() => names.column(name), /no column/);
  });

  test('holds what its source says', { skip: SOURCE.skip }, async () => {
    const table = await openNasBench201();
    const test200 = await openNasBench201Test(table.space);
    const [header = '', ...lines] = gunzipSync(readFileSync(SOURCE.url)).toString('utf8').trim().split(/\r?\n/);
    const names = header.split(',');
    for (const line of lines.filter((_, row) => row % 97 === 0)) {
      const cells = line.split(',');
      const cell = (name: string) => Number(cells[names.indexOf(name)]);
      const architecture = parseArchitecture(table.space, cells[0] ?? '');
      const close = (found: number | undefined, expected: number) =>
        assert.ok(
          Math.abs((found ?? Number.NaN) - expected) < 1e-9,
          `${formatArchitecture(table.space, architecture)}`,
        );
      const row = table.lookup(architecture, 'cifar-10');
      close(row?.metrics.accuracy, cell('c10_val_12') / 100);
      close(row?.seconds, cell('c10_train_s_12'));
      close(row?.costs.params, cell('params_c10'));
      close(row?.costs.flops, cell('flops_c10'));
      close(table.lookup(architecture, 'cifar-100')?.metrics.accuracy, cell('c100_val_12') / 100);
      close(table.lookup(architecture, 'imagenet16-120')?.metrics.accuracy, cell('in16_val_12') / 100);
      close(test200(architecture, 'cifar-10'), cell('c10_test_200') / 100);
      close(test200(architecture, 'cifar-100'), cell('c100_test_200') / 100);
      close(test200(architecture, 'imagenet16-120'), cell('in16_test_200') / 100);
    }
  });
});
