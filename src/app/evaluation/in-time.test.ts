import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvaluateOptions } from './evaluate.ts';
import type { EvaluationRecord } from './evaluation.ts';
import { evaluateInTime, timeOfEach } from './in-time.ts';

/** The final phase of a run of 100 s whose trainings take `each` seconds, or all that they are given. */
async function phase(began: number, each: number, options: Partial<EvaluateOptions> = {}, leastSeconds = 0) {
  let clock = began;
  let done = 0;
  const asked: EvaluateOptions[] = [];
  let exportedAfter = 0;
  await evaluateInTime({
    time: { seconds: 100, searchUntil: 30, baselineSeconds: 5, closingSeconds: 5, mostEpochs: 9 },
    elapsed: () => clock,
    startSeconds: 2,
    leastSeconds,
    options: { seeds: 3, baselines: true, ...options },
    baselines: 2,
    workers: 1,
    async evaluate(wanted) {
      asked.push(wanted);
      const trainings = wanted.seeds * (wanted.baselines ? 3 : 1);
      clock += 2 + Math.min(each, wanted.time?.seconds ?? 0) * (trainings - done);
      done = trainings;
      return { seeds: Array.from({ length: wanted.seeds }, (_, i) => i) } as unknown as EvaluationRecord;
    },
    async export() {
      exportedAfter = asked.length;
    },
  });
  return { asked, clock, exportedAfter };
}

test('a training that can use all of the time gets it, and is exported', async () => {
  const { asked, clock, exportedAfter } = await phase(30, 1000);
  assert.deepEqual([asked.length, exportedAfter, asked[0]?.time?.seconds, clock], [1, 1, 58, 90]);
});

test('time that is left is for more seeds, then for baselines', async () => {
  const short = await phase(30, 3);
  assert.deepEqual(
    short.asked.map(({ seeds, baselines }) => [seeds, baselines]),
    [
      [1, false],
      [3, false],
      [3, true],
    ],
  );
  const middle = await phase(30, 10);
  assert.deepEqual(
    middle.asked.map(({ seeds, baselines }) => [seeds, baselines]),
    [
      [1, false],
      [3, false],
    ],
  );
  for (const { clock, exportedAfter } of [short, middle]) assert.ok(clock <= 90 && exportedAfter === 1);
});

test('a run that is late still trains, and no baselines where none are wanted', async () => {
  const late = await phase(99, 1000);
  assert.deepEqual([late.asked.length, late.asked[0]?.time?.seconds], [1, 1]);
  const without = await phase(30, 1, { baselines: false });
  assert.ok(without.asked.every(({ baselines }) => !baselines));
});

test('a search that ended late leaves the final training half of what its trial had, as far as the run may be late', async () => {
  // 100 - 5 (closing) - 5 (baselines) - 86 - 2 (start) = 2 s are left; baselines give 5, and 4 are for being late.
  const secondsFor = async (least: number) => (await phase(86, 1000, {}, least)).asked[0]?.time?.seconds;
  assert.deepEqual([await secondsFor(0), await secondsFor(6), await secondsFor(60)], [2, 6, 11]);
});

test('the time of an evaluation is divided among its trainings', () => {
  const limit = { seconds: 100, used: 5, startSeconds: 2, baselineSeconds: 10, trainings: 8, workers: 2 };
  assert.equal(timeOfEach(limit), 20);
  assert.throws(() => timeOfEach({ ...limit, seconds: 20 }), /--time: 20s; must be at least 24s for 8 trainings/);
});
