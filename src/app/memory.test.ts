import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryShortage } from '../train/failure.ts';
import { memoryOfProcess, notEnoughMemory } from './memory.node.ts';

const MIB = 2 ** 20;
const DATA = 'a table of 1,000 rows';

/** As `--memory` gives it: this process's own memory and `extra` bytes more, for each of `processes`. */
const settings = (extra: number, workers: number) => ({
  memory: `${Math.round((process.memoryUsage.rss() + extra) * workers * 1e-6)}MB`,
  workers,
});

test('a shortage names what does not fit: the process with its data, the workers, or the training', () => {
  const training = new MemoryShortage(200 * MIB, 0);
  const messageWith = (extra: number, workers: number) =>
    notEnoughMemory(settings(extra, workers), workers, 'training the network', DATA, training).message;
  assert.match(
    messageWith(-20 * MIB, 2),
    /^not enough memory: a process that holds a table of 1,000 rows uses [\d.]+ MiB before any training; .* for 2 workers, .* each; raise --memory, or lower --workers$/,
  );
  assert.match(messageWith(-20 * MIB, 1), /raise --memory or use less data$/);
  assert.match(
    messageWith(120 * MIB, 2),
    /training the network needs about 200 MiB, but 1\d\d MiB are left per worker after the .* lower --workers or --batch-size, or raise --memory$/,
  );
  assert.match(messageWith(120 * MIB, 1), /1\d\d MiB are left after the .*; lower --batch-size or raise --memory$/);
});

test('a trial that finds no memory left says so, and not "0 MiB"', () => {
  assert.match(new MemoryShortage(20 * MIB, 0).message, /needs about 20 MiB of memory, but nothing is left/);
  assert.match(new MemoryShortage(20 * MIB, 3 * MIB).message, /but 3 MiB are left/);
});

test('without a limit, processes share what the system can give', () => {
  const one = memoryOfProcess({}, 1);
  assert.ok(one > 100 * MIB && one <= process.availableMemory() * 1.5);
  assert.ok(memoryOfProcess({}, 4) < one / 3);
});
