import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rng } from '../common/random.ts';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { trainMlpEnsemble } from './mlp-ensemble.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

const options = { members: 4, hidden: 16, steps: 200, learningRate: 0.01 };

/** Rows of some of eight features; what counts is whether 3 and 5 come together. */
function sample(label: string, count: number) {
  const stream = rng('mlp', label);
  const rows = Array.from({ length: count }, () => {
    return new Map(Array.from({ length: 8 }, (_, f) => [f * 1000, stream.int(2)] as const).filter(([, v]) => v > 0));
  });
  const targets = rows.map((row) => (row.has(3000) && row.has(5000) ? 1.5 : row.has(1000) ? -0.5 : -0.7));
  return { rows, targets };
}

suite('ensemble of networks', () => {
  const train = sample('train', 100);
  const held = sample('held out', 100);
  const error = async (steps: number) => {
    const ensemble = await trainMlpEnsemble(engine, train.rows, train.targets, rng('start'), { ...options, steps });
    const errors = held.rows.map((row, i) => {
      const predictions = ensemble.predict(row);
      assert.equal(predictions.length, options.members);
      return (predictions.reduce((sum, value) => sum + value, 0) / options.members - (held.targets[i] ?? 0)) ** 2;
    });
    return errors.reduce((sum, value) => sum + value, 0) / errors.length;
  };

  test('learns what features mean together, with more steps better', async () => {
    const [start, some, trained] = [await error(0), await error(20), await error(200)];
    assert.ok(trained < some && some < start, `${start}, ${some}, ${trained}`);
    assert.ok(trained < 0.05, `${trained}`);
  });

  test('the same start gives the same members, and no two members are the same', async () => {
    const one = await trainMlpEnsemble(engine, train.rows, train.targets, rng('a'), options);
    const same = await trainMlpEnsemble(engine, train.rows, train.targets, rng('a'), options);
    const row = held.rows[0] ?? new Map();
    assert.deepEqual(one.predict(row), same.predict(row));
    assert.equal(new Set(one.predict(row)).size, options.members);
  });

  test('features that were never seen change nothing; members differ most far from what was seen', async () => {
    const ensemble = await trainMlpEnsemble(engine, train.rows, train.targets, rng('a'), options);
    const row = held.rows[0] ?? new Map();
    assert.deepEqual(ensemble.predict(new Map([...row, [77, 1]])), ensemble.predict(row));
    const spread = (predictions: Float64Array) => Math.max(...predictions) - Math.min(...predictions);
    const far = new Map([...row].map(([feature, value]) => [feature, 5 * value]));
    assert.ok(spread(ensemble.predict(far)) > spread(ensemble.predict(row)));
  });
});
