import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatArchitecture, parseArchitecture } from '../../space/index.ts';
import type { Architecture } from '../../space/space.ts';
import { createStrategy } from '../index.ts';
import { assertBeatsRandom } from '../testing/against-random.ts';
import { strategyConformance } from '../testing/conformance.ts';
import { continuousSpace, nasBench201, problemOf, pseudoOutcome, tinySpace } from '../testing/problems.ts';
import { featuresOf } from './features.ts';
import { gaussianProcessSearch } from './gaussian-process.ts';

const options = { initial: 5, kernel: 'path', acquisition: 'ei', beta: 2, candidates: 40, parents: 2 } as const;

strategyConformance(() => gaussianProcessSearch({ ...options, kernel: 'hamming' }), problemOf(nasBench201));
strategyConformance(() => gaussianProcessSearch(options), problemOf(continuousSpace));
strategyConformance(() => gaussianProcessSearch({ ...options, initial: 2 }), problemOf(tinySpace));

suite('gaussian process', () => {
  test('cells that compute the same are one point; what differs between dead nodes is no difference', () => {
    const { metric, pointOf } = featuresOf(nasBench201, 'path');
    const distance = (a: string, b: string) => {
      const out = new Float64Array(metric.groups);
      const point = (text: string) => pointOf(parseArchitecture(nasBench201, text));
      metric.distances(point(a), point(b), out, 0);
      return [...out];
    };
    const [conv, skip, none] = ['nor_conv_3x3', 'skip_connect', 'none'];
    const straight = `|${conv}~0|+|${none}~0|${conv}~1|+|${none}~0|${none}~1|${skip}~2|`;
    const other = `|${skip}~0|+|${none}~0|${conv}~1|+|${none}~0|${none}~1|${conv}~2|`;
    assert.deepEqual(distance(straight, other), [0]);
    const dead = `|${conv}~0|+|${none}~0|${none}~1|+|${none}~0|${none}~1|${skip}~2|`;
    const alsoDead = `|${skip}~0|+|${none}~0|${none}~1|+|${none}~0|${none}~1|${conv}~2|`;
    assert.deepEqual(distance(dead, alsoDead), [0]);
    assert.deepEqual(distance(straight, dead), [1]);
  });

  test('nothing is proposed twice, also while trials are running', async () => {
    const problem = problemOf(nasBench201);
    const strategy = gaussianProcessSearch({ ...options, initial: 2 });
    let state = strategy.init(problem);
    const seen = new Set<string>();
    for (let trial = 0; trial < 24; trial += 4) {
      const [asked, proposals] = await strategy.ask(problem, state, trial, 4);
      for (const { architecture } of proposals) seen.add(formatArchitecture(nasBench201, architecture));
      state = await strategy.tell(
        problem,
        asked,
        proposals.map((one, i) => pseudoOutcome(one, trial + i)),
      );
    }
    assert.equal(seen.size, 24);
  });

  test('with several objectives, both ends of the front are looked at', async () => {
    const problem = problemOf(nasBench201, {
      objectives: [
        { metric: 'convs', direction: 'maximize', unit: '' },
        { metric: 'pools', direction: 'maximize', unit: '' },
      ],
    });
    const countOf = (architecture: Architecture, name: RegExp) =>
      Object.values(architecture).filter((operation) => name.test(String(operation))).length;
    const strategy = gaussianProcessSearch({ ...options, kernel: 'hamming' });
    let state = strategy.init(problem);
    const found: [number, number][] = [];
    for (let trial = 0; trial < 50; trial++) {
      const [asked, [proposal]] = await strategy.ask(problem, state, trial, 1);
      assert.ok(proposal);
      const convs = countOf(proposal.architecture, /conv_3x3$/);
      const pools = countOf(proposal.architecture, /pool/);
      found.push([convs, pools]);
      state = await strategy.tell(problem, asked, [{ ...pseudoOutcome(proposal, trial), metrics: { convs, pools } }]);
    }
    // One random cell in 600 has five or six pools, and as many have five or six convolutions of 3x3.
    assert.ok(found.some(([, pools]) => pools >= 5));
    assert.ok(found.some(([convs]) => convs >= 5));
  });

  test('beats random search on NAS-Bench-201', () =>
    assertBeatsRandom(() => createStrategy('gaussian-process'), { evaluations: 60, seeds: 20 }));
});
