import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportTrial } from '../data.ts';
import { busyTime } from './series.ts';

const trial = (number: number, startedAt: number, endedAt: number, seconds: number): ReportTrial => ({
  trial: number,
  purpose: 'search',
  state: 'complete',
  architecture: '',
  metrics: {},
  costs: {},
  curve: [],
  seconds,
  startedAt,
  endedAt,
});

test('busy time leaves out the pause in the middle of a trial that was interrupted and went on', () => {
  const hour = 3_600_000;
  const busy = busyTime([
    trial(0, 0, 10_000, 10),
    trial(1, 10_000, hour + 6_000, 12), // Stopped at 16 s; 6 s more after an hour.
    trial(2, hour + 6_000, hour + 9_000, 3),
  ]);
  assert.deepEqual([busy(10_000), busy(hour + 6_000), busy(hour + 9_000)], [10, 22, 25]);
});
