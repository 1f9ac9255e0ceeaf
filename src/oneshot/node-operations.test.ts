import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { checkArchitecture } from '../space/tree/architecture.ts';
import {
  batchNorm,
  choice,
  dagOfNodes,
  identity,
  linear,
  pick,
  pickInputs,
  sequential,
  tanh,
} from '../space/tree/builders.ts';
import { defineSpace } from '../space/tree/define.ts';
import { resolve } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import { evaluateNetwork } from '../train/inference.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { blobs } from '../train/testing/blobs.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { trainUntil } from '../train/trainable.ts';
import { openGdasSupernet } from './gdas.ts';
import { openMixtureSupernet } from './mixture.ts';
import { FIRST_ORDER } from './mixture-methods.ts';
import { openSinglePathSupernet } from './single-path.ts';

const OPERATIONS = { skip: identity(), dense: sequential(linear(4), batchNorm()), tanh: tanh() };

/** As `nasnet`: each of 2 nodes adds two operations on earlier nodes, and may read one twice. */
const data = blobs(48, 12);
const space = defineSpace('sides', () => {
  const side = (name: string) => ({ from: pickInputs(`${name}<-`, 1), edge: () => choice(name, OPERATIONS) });
  const cell = dagOfNodes(2, (to) => ({ ...side(`${to}a`), further: [side(`${to}b`)] }), {
    entries: [linear(4), linear(4)],
    output: pick('output', ['concat', 'loose']),
  });
  return sequential(cell, linear('outputs'));
}).create(data.info);
const request = {
  engine: referenceEngine(),
  ...data,
  space,
  settings: { ...DEFAULT_SETTINGS, epochs: 2, batchSize: 8 },
  rng: (...labels: readonly (string | number)[]) => rng('sides', ...labels),
};

const methods = {
  'a mixture': () => openMixtureSupernet({ ...request, architecture: { learningRate: 0.1 } }),
  'a mixture that weighs edges': () => {
    const method = { step: FIRST_ORDER, choices: { kind: 'mixture', edges: true } } as const;
    return openMixtureSupernet({ ...request, method, architecture: { learningRate: 0.1 } });
  },
  GDAS: () => openGdasSupernet({ ...request, archLearningRate: 0.1 }),
};

for (const [name, open] of Object.entries(methods))
  test(`${name} weighs the inputs of nodes that read one, and derives a member from that`, async () => {
    const training = await open();
    await trainUntil(training, 2);
    const [first, second] = training.history.map(({ mixture }) => mixture);
    assert.equal(first?.edges?.['2a<-']?.length, 2);
    assert.equal(first?.edges?.['3b<-']?.length, 3);
    assert.notDeepEqual(first?.edges?.['3b<-'], second?.edges?.['3b<-']);
    const genotype = checkArchitecture(space, second?.genotype);
    assert.equal(genotype.output, 'concat');
    for (const wiring of ['2a<-', '2b<-', '3a<-', '3b<-']) {
      const row = second?.edges?.[wiring] ?? [];
      assert.deepEqual(genotype[wiring], [row.indexOf(Math.max(...row))]);
    }
    await training.dispose();
  });

test('a path that reads a node twice measures as its own network with the weights of the same names', async () => {
  const training = await openSinglePathSupernet(request);
  await trainUntil(training, 2);
  const { tensors: weights } = await training.checkpoint();
  const drawn = [1, 2, 3, 4].map((seed) => ({ ...sample(space, rng(seed)), output: 'concat' }));
  const twice = { ...drawn[0], '3a<-': [1], '3a': 'dense', '3b<-': [1], '3b': 'dense' };
  for (const architecture of [...drawn, twice]) {
    const network = resolve(space, architecture);
    const alone = await evaluateNetwork({
      ...{ engine: referenceEngine(), network, weights },
      ...{ info: data.info, samples: data.valid },
    });
    const { metrics } = await training.measurePath(architecture, data.valid);
    for (const [name, value] of Object.entries(alone.metrics))
      assert.ok(Math.abs((metrics[name] ?? 9) - value) < 1e-5, `${name}: ${metrics[name]}, alone ${value}`);
  }
});
