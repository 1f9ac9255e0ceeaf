import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSettings, flagOf } from '../study/spec.ts';
import { checkRunSettings } from './setup.ts';

test('with fewer epochs for one command, the warm-up keeps its share of them', () => {
  const stored = checkSettings({ data: 'digits', epochs: 200, warmupEpochs: 30 }, flagOf);
  assert.equal(checkRunSettings(stored, { epochs: 20 }).warmupEpochs, 3);
  assert.equal(checkRunSettings(stored, { epochs: 400 }).warmupEpochs, 30);
  assert.equal(checkRunSettings(stored, {}).warmupEpochs, 30);
  assert.equal(checkRunSettings(stored, { epochs: 20, warmupEpochs: 10 }).warmupEpochs, 10);
});
