import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type VerdictRequest, verdict } from './verdict.ts';

const accuracy = { metric: 'accuracy', direction: 'maximize', unit: '' } as const;
const request: VerdictRequest = {
  objective: accuracy,
  testSamples: 1000,
  found: { name: 'trial 3', values: [0.9] },
  baselines: [
    { name: 'majority', values: [0.5] },
    { name: 'linear', values: [0.8] },
  ],
  candidates: 10,
};

test('better than all, by more than noise', () => {
  assert.deepEqual(verdict(request), [
    'Better than the best baseline, linear (80.00\u00A0%), by 10.00 points of accuracy (more than noise).',
  ]);
});

test('better within noise says so, and what to do', () => {
  const baselines = [...request.baselines, { name: 'resnet-8', values: [0.895] }];
  assert.deepEqual(verdict({ ...request, baselines }), [
    'Better than the best baseline, resnet-8 (89.50\u00A0%), by 0.50 points of accuracy (within noise).',
    'To do better: more time (--time), or more data.',
  ]);
});

test('worse than trees: it says so, and offers them', () => {
  const trees = { name: 'boosted-trees', values: [0.95], file: 'best/baselines/boosted-trees.onnx' };
  assert.deepEqual(verdict({ ...request, baselines: [trees, { name: 'linear', values: [0.899] }] }), [
    'Worse than boosted-trees (95.00\u00A0%), by 5.00 points of accuracy (more than noise).',
    'Use boosted-trees instead: best/baselines/boosted-trees.onnx.',
    'Not clearly better than linear.',
    'To do better: more time (--time), or more data.',
  ]);
});

test('all that is better is named, and the best that is exported is offered', () => {
  const near = { name: 'nearest-neighbor', values: [0.97] };
  const trees = { name: 'boosted-trees', values: [0.95], file: 'best/baselines/boosted-trees.onnx' };
  const rest = ['linear', 'mlp'].map((name, i) => ({ name, values: [0.94 - 0.04 * i] }));
  assert.deepEqual(verdict({ ...request, baselines: [...rest, trees, near] }).slice(1), [
    'Also worse than boosted-trees (exported: best/baselines/boosted-trees.onnx), linear.',
    'Not clearly better than mlp.',
    'To do better: more time (--time), or more data.',
  ]);
});

test('a metric that falls is better when it is lower; one run each says nothing of chance', () => {
  const objective = { metric: 'mse', direction: 'minimize', unit: '' } as const;
  const of = (found: readonly number[], baseline: readonly number[]) =>
    verdict({
      ...request,
      objective,
      found: { name: 'x', values: found },
      baselines: [{ name: 'linear', values: baseline }],
    });
  assert.match(of([1], [2])[0] ?? '', /^Better .* by 1 of mse \(one run each: nothing is known of chance\)/);
  assert.match(of([1, 1.1, 0.9], [2, 2.1, 1.9])[0] ?? '', /^Better .* \(more than noise\)/);
  assert.match(of([3, 5, 1], [2, 4, 0])[0] ?? '', /^Worse than linear .* \(within noise\)/);
});

test('a search of one network has chosen nothing', () => {
  assert.match(verdict({ ...request, candidates: 1 }).at(-1) ?? '', /tried one network only, so nothing was chosen/);
  const [none, few] = verdict({ ...request, baselines: [], candidates: 2 });
  assert.equal(none, 'No baseline was measured.');
  assert.match(few ?? '', /tried 2 networks only, too few to choose from/);
});
