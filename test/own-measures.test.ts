import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createStudy, openStudy, type StudySpec } from '../src/node.ts';
import { xorReward, xorSpace } from '../src/study/testing/xor.ts';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

// Measures of one's own in a study of the library, and what commands show of them.

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-measures-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let studies = 0;
const fresh = () => join(folder, `study-${studies++}`);

/** A latency that takes a moment, and the architectures that it was taken of. */
function latencies() {
  const taken: string[] = [];
  const latency = {
    direction: 'minimize',
    unit: 'ms',
    async of({ network, text }: { readonly network: object; readonly text: string }) {
      taken.push(text);
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok('kind' in network);
      return text.length / 10;
    },
  } as const;
  return { measures: { latency }, taken };
}

const SMALL = {
  ...{ space: 'nas-bench-201', spaceOptions: { cells: 1, channels: 4 }, trainSamples: 60, epochs: 1, seed: 3 },
  objective: ['accuracy', 'latency'],
  strategy: 'nsga2',
} as const satisfies StudySpec;

test('a measure of one’s own is an objective and a limit of trainings, taken once for each architecture', async () => {
  const { measures, taken } = latencies();
  const study = await createStudy({ ...SMALL, measures, limits: { latency: 9.1 }, confirm: 1, dir: fresh() });
  await study.optimize({ trials: 4 });
  const trials = await study.trials();
  assert.equal(new Set(taken).size, taken.length);
  for (const { costs, state, reason, text } of trials) {
    assert.ok(taken.includes(text));
    const above = (costs.latency ?? Number.NaN) > 9.1;
    assert.deepEqual(
      [state, reason?.replace(/\d+\.\d+/, 'N')],
      above ? ['failed', 'latency is N, above the limit 9.1'] : ['complete', undefined],
    );
  }
  assert.deepEqual([...new Set(trials.map(({ state }) => state))].toSorted(), ['complete', 'failed']);

  // The study can be read, evaluated and reported without the code; searched only with it.
  const { dir } = study;
  assert.deepEqual((await json('trials', dir))[0].costs, trials[0]?.costs);
  assert.match((await netsmith('best', dir)).out, /^best +accuracy +latency \(ms\) +params +flops/);
  assert.match((await netsmith('trials', dir)).out, /params +flops +latency \(ms\)/);
  assert.match((await netsmith('trials', dir, '--csv')).out, /params,flops,.*cost latency/);
  const program = /its measure latency is code of the program that created it; continue it in that program/;
  await refusedIn(folder, program, 'resume', dir, '--trials', '6');
  const opened = await openStudy(dir);
  await assert.rejects(opened.optimize({ trials: 6 }), program);
  await json('evaluate', dir, '--seeds', '1', '--no-baselines');
  await json('report', dir);
  const report = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.match(report, /<dt[^>]*>Latency \(ms\)/);
  assert.match(report, /Accuracy against latency \(ms\), with the Pareto front/);

  const before = taken.length;
  const again = await openStudy(dir, { measures });
  await again.optimize({ trials: 6 });
  assert.ok(taken.length <= before + 2);
  assert.equal(new Set(taken).size, taken.length, 'the study keeps what was measured');
  const slower = { latency: { ...measures.latency, unit: 's' } };
  await assert.rejects(
    (await openStudy(dir, { measures: slower })).optimize({ trials: 7 }),
    /measure latency was another/,
  );
});

test('measures of the members of any space: objectives beside scores, thresholds, limits in ask and tell', async () => {
  const spec = {
    space: xorSpace,
    measures: {
      size: { direction: 'minimize', unit: 'connections', of: ({ architecture }) => architecture.connections.length },
    },
    objective: { reward: 'maximize', size: 'minimize' },
    strategy: 'nsga2',
    strategyOptions: { population: 8 },
    seed: 1,
  } as const satisfies StudySpec<typeof xorSpace>;
  const study = await createStudy({ ...spec, dir: fresh() });
  const judge = ({ architecture }: { readonly architecture: Parameters<typeof xorReward>[0] }) => ({
    reward: xorReward(architecture),
  });
  const end = await study.optimize(judge, { trials: 400, until: ['reward=0.4', 'size=9'] });
  assert.equal(end.reason, 'target');
  const last = (await study.trials()).at(-1);
  assert.ok((last?.metrics.reward ?? 0) >= 0.4 && (last?.costs.size ?? 99) <= 9);
  assert.equal((await json('best', study.dir)).best[0].costs.size, (await study.front())[0]?.costs.size);

  const { objective: _, ...single } = spec;
  const asked = await createStudy({
    ...single,
    objective: { reward: 'maximize' },
    limits: { size: 9 },
    strategy: 'random',
    strategyOptions: {},
    dir: fresh(),
  });
  for (let i = 0; i < 4; i++) {
    const trial = (await asked.ask()) ?? assert.fail();
    assert.ok((trial.costs.size ?? 99) <= 9);
    await asked.tell(trial, judge(trial));
  }
  await asked.close();
  const failed = (await asked.trials()).filter(({ state }) => state === 'failed');
  assert.ok(failed.length > 0 && failed.every(({ reason }) => /^size is \d+, above the limit 9$/.test(reason ?? '')));
});

test('a measure that fails makes a failed trial, and one that does not fit is refused', async () => {
  const { measures } = latencies();
  const broken = { latency: { ...measures.latency, of: () => Number.NaN } };
  const study = await createStudy({ ...SMALL, measures: broken, dir: fresh() });
  await study.optimize({ trials: 1 });
  assert.match((await study.trials())[0]?.reason ?? '', /measure latency gave NaN, which is not a finite number/);

  const dir = fresh();
  const refused = (changes: StudySpec<string>, expected: RegExp) =>
    assert.rejects(createStudy({ ...SMALL, measures, ...changes, dir }), { name: 'UserError', message: expected });
  await refused(
    { measures: { params: measures.latency } },
    /createStudy: measures: .*must not have the name of a metric of Netsmith/,
  );
  await refused({ objective: ['accuracy', 'heat'] }, /objective.*must be one of .*latency/);
  await refused({ limits: { heat: 3 } }, /limit.*must be MEASURE=NUMBER with a measure of .*latency/);
  await refused({ objective: ['latency'], estimator: 'proxies' }, /must include a metric for --estimator proxies/);
  await refused({ objective: { score: 'maximize', latency: 'maximize' } }, /latency is something to minimi[sz]e/);
  await refused({ until: ['heat=3'] }, /must be METRIC=VALUE/);
  assert.ok(!existsSync(dir));
});
