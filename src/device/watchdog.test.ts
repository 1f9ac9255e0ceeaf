import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { watchdog } from './watchdog.ts';

const never = () => new Promise<never>(() => {});

test('work without a sign of life for its patience is given up, signs of life put that off', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const dog = watchdog(2, () => new Error('silent'));
  let state = 'working';
  const work = dog.during(never).catch(({ message }: Error) => {
    state = message;
  });
  const settled = () => Promise.resolve().then(() => Promise.resolve());
  mock.timers.tick(1900);
  dog.alive();
  mock.timers.tick(1900);
  await settled();
  assert.equal(state, 'working');
  mock.timers.tick(100);
  await work;
  assert.equal(state, 'silent');
  // Idle, it waits for nothing.
  dog.alive();
  dog.fail(new Error('late'));
  mock.timers.tick(10_000);
  assert.equal(await dog.during(async () => 5), 5);
});

test('work is given up by an error from outside, and by a signal with its reason', async () => {
  const dog = watchdog(1000, () => new Error('silent'));
  const first = dog.during(never);
  dog.fail(new Error('crashed'));
  await assert.rejects(first, /crashed/);
  const stop = new AbortController();
  const second = dog.during(never, stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
  await assert.rejects(
    dog.during(async () => 1, AbortSignal.abort(new Error('before'))),
    /before/,
  );
  assert.equal(await dog.during(async () => 2), 2);
});
