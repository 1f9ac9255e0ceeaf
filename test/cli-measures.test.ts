import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { checkSettings } from '../src/study/spec.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-measures-'));
after(() => rmSync(folder, { recursive: true }));
const table = ['--benchmark', 'nas-bench-201', '--seed', '1'];
const proxies = ['--estimator', 'proxies', '--objective', 'naswot', '--space', 'mlp', '--workers', '1'];
interface Found {
  readonly metrics: Readonly<Record<string, number>>;
  readonly costs: Readonly<Record<string, number>>;
}

suite('measures of a network', () => {
  for (const [measure, sizes] of [
    ['descriptionLength', 2],
    // The best cells of the table are of convolutions and skips alone, which the rest of the network has anyway.
    ['distinctOperations', 1],
  ] as const)
    test(`NSGA-II finds a front of accuracy and ${measure}`, async () => {
      const out = join(folder, measure);
      const objectives = ['--objective', `accuracy,${measure}`, '--strategy', 'nsga2', '--trials', '60'];
      await json('search', ...table, ...objectives, '--out', out);
      const { best: front }: { best: readonly Found[] } = await json('best', out);
      const points = front.map(({ metrics, costs }) => [costs[measure] ?? 0, metrics.accuracy ?? 0] as const);
      const sorted = points.toSorted(([a], [b]) => a - b);
      assert.ok(new Set(points.map(([count]) => count)).size >= sizes, JSON.stringify(points));
      const trials: readonly Found[] = await json('trials', out);
      for (const { metrics, costs } of trials)
        assert.ok(
          points.every(([count, accuracy]) => (costs[measure] ?? 0) >= count || (metrics.accuracy ?? 0) <= accuracy),
        );
      for (const [i, [count, accuracy]] of sorted.entries())
        for (const [more, better] of sorted.slice(i + 1)) assert.ok(more === count || better > accuracy);
    });

  test('any static measure is a limit, several times over, and bytes have units', async () => {
    const out = join(folder, 'limited');
    const limits = ['--limit', 'depth=3', '--limit', 'modelBytes=40KB,descriptionLength=12'];
    await json('search', ...proxies, ...limits, '--trials', '4', '--out', out);
    const trials: readonly Found[] = await json('trials', out);
    assert.equal(trials.length, 4);
    for (const { costs } of trials) {
      const { depth = 9, modelBytes = 1e9, descriptionLength = 99, params } = costs;
      assert.ok(depth <= 3 && modelBytes <= 40_000 && descriptionLength <= 12 && params !== undefined);
    }
    assert.match((await netsmith('trials', out)).out, /params +flops +depth +modelBytes +descriptionLength/);
  });

  test('a limit that cannot be kept, a measure that is none and a measure limited twice are refused', async () => {
    const refused = (expected: RegExp, ...args: string[]) =>
      refusedIn(folder, expected, 'search', ...proxies, ...args, '--out', join(folder, 'never'));
    await refused(/depth <= 0: .* has 2 layers/, '--limit', 'depth=0');
    await refused(/--limit: .*must be MEASURE=NUMBER/, '--limit', 'size=3');
    await refused(/--limit: .*must be MEASURE=NUMBER/, '--limit', 'params=3KB');
    await refused(/--limit: "depth" twice/, '--limit', 'depth=3', '--limit', 'depth=4');
    await refused(/has a limit of 900 already/, '--limit', 'params=3', '--max-params', '900');
    await refused(/a trial of this search measures naswot/, '--until', 'accuracy=0.5');
    await refused(/r2 is a metric for regression only/, '--until', 'r2=0.5');
    await refused(/names a metric twice/, '--until', 'params=5,params=6');
  });

  test('--until: one trial must reach all, and resume continues to other targets', async () => {
    const out = join(folder, 'enough');
    const first = ['--until', 'accuracy=0.6', '--until', 'params=400000', '--trials', '300'];
    await json('search', ...table, ...first, '--out', out);
    const good = ({ metrics, costs }: Found, accuracy: number, params: number) =>
      (metrics.accuracy ?? 0) >= accuracy && (costs.params ?? 1e9) <= params;
    const trials: readonly Found[] = await json('trials', out);
    assert.deepEqual(
      trials.map((trial) => good(trial, 0.6, 400_000)),
      trials.map((_, i) => i === trials.length - 1),
    );
    const { budget } = await json('status', out);
    assert.equal(budget.until, 'accuracy=0.6,params=400000');
    await json('resume', out, '--until', 'accuracy=0.7,params=350000');
    const more: readonly Found[] = await json('trials', out);
    assert.ok(more.slice(0, -1).every((trial) => !good(trial, 0.7, 350_000)));
    assert.ok(more.length === 300 || good(more.at(-1) ?? assert.fail(), 0.7, 350_000));
  });

  test('the single text of a study of before is read as a list', () => {
    assert.deepEqual(checkSettings({ until: 'accuracy=0.9' }, (name) => name).until, ['accuracy=0.9']);
  });
});
