import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usefulEpochs } from './useful-epochs.ts';

/** A trial with these validation losses. */
const trial = (...losses: number[]) => ({
  state: 'complete' as const,
  curve: losses.map((loss, i) => ({ step: i + 1, metrics: { loss }, seconds: i })),
});
const turning = (best: number, last: number) =>
  trial(...Array.from({ length: last }, (_, i) => Math.abs(i + 1 - best)));

test('a final training is as long as most trials were before their loss rose', () => {
  assert.equal(usefulEpochs([turning(4, 9), turning(6, 20), turning(9, 20)], 20), 6);
  assert.equal(usefulEpochs([turning(1, 9), turning(1, 9)], 20), 3, 'an eighth at least');
});

test('trials that still improved, were short, failed or measured no loss leave the length as it is', () => {
  const waiting = { ...turning(4, 9), state: 'failed' as const };
  for (const trials of [[], [turning(18, 20)], [turning(3, 7)], [waiting], [trial()]])
    assert.equal(usefulEpochs(trials, 20), 20);
  assert.equal(usefulEpochs([turning(18, 20), turning(19, 20), turning(4, 9)], 20), 20, 'the median');
});
