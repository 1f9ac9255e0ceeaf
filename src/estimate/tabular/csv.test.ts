import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { openCsvTest } from '../../report/tabular/csv-test.node.ts';
import { choice, conv, defineSpace, identity, linear, pick, sequential } from '../../space/index.ts';
import { openCsvTable } from './csv.node.ts';
import type { CsvTableOptions } from './csv.ts';

/** `kernel` is there only where `block` is conv. */
const space = defineSpace('blocks', () =>
  sequential(choice('block', { none: identity(), conv: conv(8, pick('kernel', [3, 5])) }), linear('outputs')),
).create({ kind: 'classification', input: [3, 8, 8], outputs: 10 });

const OPTIONS: CsvTableOptions = {
  name: 'blocks',
  space,
  fidelity: { epochs: 5, data: 1, resolution: 1, width: 1 },
  objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
  datasets: { mine: { metrics: { accuracy: 'valid' }, seconds: 'time' } },
  costs: { params: 'size' },
};

suite('a table of a CSV', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-table-'));
  after(() => rmSync(folder, { recursive: true }));
  const fileOf = (text: string) => {
    const file = join(folder, 'table.csv');
    writeFileSync(file, text);
    return file;
  };
  const GOOD = 'block,kernel,valid,time,size,test\nnone,,0.5,10,100,0.4\nconv,3,0.7,20,200,0.6\n';

  test('is looked up by its decisions, the conditional ones too', async () => {
    const file = fileOf(GOOD);
    const table = await openCsvTable(file, OPTIONS);
    assert.deepEqual([table.size, table.datasets], [2, ['mine']]);
    const expected = { metrics: { accuracy: 0.7 }, seconds: 20, costs: { params: 200 } };
    assert.deepEqual(table.lookup({ block: 'conv', kernel: 3 }, 'mine'), expected);
    assert.deepEqual(table.lookup({ kernel: 3, block: 'conv' }, 'mine'), expected);
    assert.equal(table.lookup({ block: 'none' }, 'mine')?.metrics.accuracy, 0.5);
    assert.equal(table.lookup({ block: 'conv', kernel: 5 }, 'mine'), undefined);
    const test = await openCsvTest(file, { space, columns: { mine: 'test' } });
    assert.equal(test({ block: 'none' }, 'mine'), 0.4);
    assert.equal(test({ block: 'conv', kernel: 5 }, 'mine'), undefined);
  });

  test("takes architectures in the space's notation, too", async () => {
    const file = fileOf('cell;valid;time;size\n"block=conv, kernel=5";0,25;1;2\n');
    const table = await openCsvTable(file, { ...OPTIONS, architecture: 'cell' });
    assert.equal(table.lookup({ block: 'conv', kernel: 5 }, 'mine')?.metrics.accuracy, 0.25);
  });

  test('says where it is wrong, what stands there and what should', async () => {
    const refused = async (text: string, expected: RegExp, options = OPTIONS) =>
      assert.rejects(openCsvTable(fileOf(text), options), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, /table\.csv/);
        assert.match(error.message, expected);
        return true;
      });
    await refused(
      'block,valid,time,size\nnone,1,1,1\n',
      /line 1: there is no column "kernel"; the columns are block, v/,
    );
    await refused(GOOD.replace('valid', 'val'), /line 1: there is no column "valid"/);
    await refused(GOOD.replace('conv,3', 'conv,4'), /line 3, column "kernel": the value is "4"; must be one of 3, 5/);
    await refused(GOOD.replace('none,,', 'none,3,'), /line 2: .*"kernel" is 3 but inactive/);
    await refused(GOOD.replace('conv,3', 'conv,'), /line 3: .*"kernel" is missing; must be one of 3, 5/);
    await refused(`${GOOD}none,,0.5,10,100,0.4\n`, /line 4: the architecture block=none is already in line 2/);
    await refused(GOOD.replace('0.7', 'good'), /line 3, column "valid": the value is "good"; must be a number/);
    await refused(GOOD.replace('20,200', ',200'), /line 3, column "time": the value is ""; must be a number/);
    const notation = { ...OPTIONS, architecture: 'cell' };
    await refused('cell,valid,time,size\nblock=pool,1,1,1\n', /line 2, column "cell": .*"block" is "pool"/, notation);
    await assert.rejects(openCsvTable(join(folder, 'absent.csv'), OPTIONS), /it does not exist/);
    const other = { ...OPTIONS, datasets: { mine: { metrics: { loss: 'valid' } } } };
    await assert.rejects(openCsvTable(fileOf(GOOD), other), /data set "mine": has no column for accuracy/);
  });
});
