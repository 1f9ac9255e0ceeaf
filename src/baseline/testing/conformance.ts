import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Dataset } from '../../data/dataset.ts';
import type { Baseline, BaselineData } from '../baseline.ts';
import { measureBaseline } from '../measure.ts';
import { baselineTask, loadRows } from '../rows.ts';
import { imageData, tableData, textData } from './data.ts';

const KINDS: Readonly<Record<string, () => Promise<Dataset>>> = {
  'a table with classes': () => tableData('classification'),
  'a table with numbers': () => tableData('regression'),
  images: () => imageData(),
  texts: () => textData(),
};

async function loaded({ search: { info, train, valid } }: Dataset): Promise<BaselineData> {
  const task = baselineTask(info);
  assert.ok(task);
  return { ...task, train: await loadRows(task, train, 1), valid: await loadRows(task, valid, 1) };
}

/** What every baseline must do, as tests. `better`: what its metric is at least, by the kinds of data that it serves. */
export function baselineConformance(baseline: Baseline, better: Readonly<Record<string, number>>): void {
  suite(`baseline conformance: ${baseline.name}`, () => {
    const kinds = Object.entries(KINDS).filter(([kind]) => better[kind] !== undefined);
    const [[, first] = ['', () => tableData('classification')]] = kinds;
    for (const [kind, open] of kinds) {
      test(`${kind}: it is measured by the task's metrics, and is as good as it should be`, async () => {
        const dataset = await open();
        const data = await loaded(dataset);
        assert.equal(baseline.unfit(data), undefined);
        const fitted = await baseline.fit(data, { seed: 1 });
        const measured = await measureBaseline(data, fitted, await dataset.openTest(), {});
        const { metric } = data.task.metrics[0];
        for (const { metric: name } of data.task.metrics) assert.ok(Number.isFinite(measured?.metrics[name]), name);
        const value = measured?.metrics[metric] ?? Number.NaN;
        assert.ok(value >= (better[kind] ?? Number.NaN), `${metric} ${value}`);
      });

      test(`${kind}: the same seed gives the same answers, one by one and together`, async () => {
        const data = await loaded(await open());
        const [first, again] = [await baseline.fit(data, { seed: 1 }), await baseline.fit(data, { seed: 1 })];
        const { table } = data.valid ?? data.train;
        const [count, size] = [10, table.columns];
        const inputs = table.data.slice(0, count * size);
        const together = first.predict(inputs, count);
        assert.equal(together.length, count * data.info.outputs);
        assert.ok(together.every(Number.isFinite));
        assert.deepEqual(again.predict(inputs, count), together);
        for (let i = 0; i < count; i++)
          assert.deepEqual(
            first.predict(inputs.slice(i * size, (i + 1) * size), 1),
            together.slice(i * data.info.outputs, (i + 1) * data.info.outputs),
          );
      });

      test(`${kind}: it can be fitted without validation samples, and for as long as an earlier fit took`, async () => {
        const { valid: _, ...data } = await loaded(await open());
        const [without, short] = [
          await baseline.fit(data, { seed: 1 }),
          await baseline.fit(data, { seed: 1, effort: 3 }),
        ];
        assert.equal(without.effort === undefined, short.effort === undefined);
        if (short.effort !== undefined) assert.equal(short.effort, 3);
      });
    }

    test('past the deadline it gives the best so far', async () => {
      const data = await loaded(await first());
      let clock = 0;
      const fitted = await baseline.fit(data, { seed: 1, deadline: 3, now: () => clock++ });
      assert.ok(fitted.predict(data.train.table.data, data.train.table.rows).every(Number.isFinite));
      assert.equal(fitted.stopped ?? false, fitted.effort !== undefined, 'it says that it ended early');
    });

    test('it stops when aborted', async () => {
      const data = await loaded(await first());
      const reason = new Error('stopped');
      await assert.rejects(async () => baseline.fit(data, { seed: 1, signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
