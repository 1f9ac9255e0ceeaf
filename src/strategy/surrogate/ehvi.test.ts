import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hypervolume, nondominatedBoxes } from '../../common/hypervolume.ts';
import type { Objective } from '../../common/metrics.ts';
import { rng } from '../../common/random.ts';
import { openNasBench201 } from '../../estimate/tabular/nas-bench-201.node.ts';
import { simulate, tabularProblem } from '../../study/simulate.ts';
import { createStrategy } from '../index.ts';
import { improvement } from './ehvi.ts';

suite('expected hypervolume improvement', () => {
  test('is the mean improvement of draws', () => {
    const stream = rng('ehvi');
    const boxes = nondominatedBoxes(
      [
        [0.2, 0.8],
        [0.5, 0.5],
        [0.9, 0.1],
      ],
      [0, 0],
    );
    const [means, deviations] = [
      [0.6, 0.5],
      [0.2, 0.3],
    ];
    const draws = 20_000;
    let sum = 0;
    for (let i = 0; i < draws; i++) {
      const y = (means ?? []).map((mean, k) => mean + (deviations?.[k] ?? 0) * stream.normal());
      for (const { low, high } of boxes)
        sum += y.reduce((p, v, k) => p * Math.max(0, Math.min(v, high[k] ?? 0) - (low[k] ?? 0)), 1);
    }
    const expected = improvement(boxes, means ?? [], deviations ?? []);
    assert.ok(Math.abs(sum / draws - expected) < 0.03 * expected, `${sum / draws} is not ${expected}`);
  });

  test('is what a point adds where nothing is uncertain', () => {
    const boxes = nondominatedBoxes([[0.5, 0.5]], [0, 0]);
    assert.ok(Math.abs(improvement(boxes, [1, 1], [1e-9, 1e-9]) - 0.75) < 1e-6);
    assert.ok(improvement(boxes, [0.4, 0.4], [1e-9, 1e-9]) < 1e-9);
  });

  test('covers more of NAS-Bench-201 by accuracy and parameters in 80 trials than random search (4 seeds)', async () => {
    const table = await openNasBench201();
    const params: Objective = { metric: 'params', direction: 'minimize', unit: 'parameters' };
    const objectives = [table.objectives[0], params] as const;
    const reference = { accuracy: 0.7, params: 1.6e6 };
    for (let seed = 0; seed < 4; seed++) {
      const covered = async (name: string) => {
        const { trials } = await simulate({
          strategy: createStrategy(name),
          problem: { ...tabularProblem(table, 'cifar-10', seed, { objectives }), reference },
          ...{ table, dataset: 'cifar-10', budget: { evaluations: 80 } },
        });
        return hypervolume(trials, objectives, reference, { accuracy: 0.85, params: 0 });
      };
      const [ours, random] = [await covered('ehvi'), await covered('random')];
      assert.ok(ours > random, `seed ${seed}: ${ours} against ${random}`);
    }
  });
});
