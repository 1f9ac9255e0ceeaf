import assert from 'node:assert/strict';
import test from 'node:test';
import type { LatencySettings } from '../../study/latency.ts';
import { deviceLimit } from './limit.ts';

const NODE: LatencySettings = { target: 'node', batch: 1, threads: 2, patience: 1 };

test('the limit on a device is the smaller one of latency and energy', () => {
  assert.equal(deviceLimit(NODE), undefined);
  assert.equal(deviceLimit({ ...NODE, energy: {} }), undefined);
  assert.deepEqual(deviceLimit({ ...NODE, max: 5 }), { ms: 5, words: '5.00 ms (--max-latency)' });
  // Two threads of 4 W take 16 mJ in 2 ms; a batch of four samples may take four times as long.
  const energy = { watts: 4, max: 16 };
  assert.deepEqual(deviceLimit({ ...NODE, max: 5, energy }), { ms: 2, words: '2.00 ms (--max-energy 16)' });
  assert.equal(deviceLimit({ ...NODE, max: 5, batch: 4, energy })?.ms, 5);
  assert.equal(deviceLimit({ ...NODE, batch: 4, energy })?.ms, 8);
  assert.equal(deviceLimit({ ...NODE, target: 'webgpu', energy })?.ms, 4);
});
