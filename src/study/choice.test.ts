import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Objective } from '../common/metrics.ts';
import { chooseOf } from './choice.ts';

const accuracy: Objective = { metric: 'accuracy', direction: 'maximize', unit: 'share' };
const params: Objective = { metric: 'params', direction: 'minimize', unit: 'parameters' };
const flops: Objective = { metric: 'flops', direction: 'minimize', unit: 'multiply-accumulates' };

const point = (accuracy: number, params: number, flops = 0) => ({ metrics: { accuracy, params, flops } });

suite('choosing of a Pareto front', () => {
  // In the order of bestOf: the best by the first objective first.
  const front = [point(1, 1000), point(0.98, 300), point(0.9, 200), point(0.5, 100)];

  test('by an objective: its best', () => {
    assert.equal(chooseOf(front, [accuracy, params], { kind: 'objective', metric: 'accuracy' }), front[0]);
    assert.equal(chooseOf(front, [accuracy, params], { kind: 'objective', metric: 'params' }), front[3]);
    assert.equal(chooseOf([], [accuracy, params], { kind: 'objective', metric: 'params' }), undefined);
  });

  test('the knee is farthest from the line between the ends', () => {
    const distance = ({ metrics }: (typeof front)[number]) =>
      // Of the scaled point to the line from (0, 1) to (1, 0).
      (1 - (1 - metrics.accuracy) / 0.5 - (metrics.params - 100) / 900) / Math.SQRT2;
    const farthest = front.reduce((a, b) => (distance(b) > distance(a) ? b : a));
    assert.equal(farthest, front[1]);
    assert.equal(chooseOf(front, [accuracy, params], { kind: 'knee' }), farthest);
  });

  test('a front without a knee falls to the first objective', () => {
    const rule = { kind: 'knee' } as const;
    const [best, worst] = [point(0.9, 70), point(0.3, 10)];
    assert.equal(chooseOf([best, worst], [accuracy, params], rule), best);
    assert.equal(chooseOf([best, point(0.6, 40), worst], [accuracy, params], rule), best, 'on the line');
    assert.equal(chooseOf([best, point(0.5, 60), worst], [accuracy, params], rule), best, 'behind it');
    assert.equal(chooseOf([best], [accuracy, params], rule), best);
    assert.equal(chooseOf([], [accuracy, params], rule), undefined);
  });

  test('three objectives, and a value that is missing', () => {
    const three = [point(1, 1000, 1000), point(0.95, 200, 200), point(0.5, 100, 900), point(0.6, 900, 100)];
    assert.equal(chooseOf(three, [accuracy, params, flops], { kind: 'knee' }), three[1]);
    const unknown = { metrics: { accuracy: 0.99, params: Number.NaN } };
    assert.equal(chooseOf([...front, unknown], [accuracy, params], { kind: 'knee' }), front[1]);
  });
});
