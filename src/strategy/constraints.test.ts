import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { constrained, SPACES } from '../space/index.ts';
import type { Space, Task } from '../space/space.ts';
import { referenceEngine } from '../train/testing/reference-engine.ts';
import { STRATEGIES } from './index.ts';
import type { Proposal, Strategy } from './strategy.ts';
import { nasBench201, problemOf, pseudoOutcome } from './testing/problems.ts';

const engine = referenceEngine();
const tools = { engine: async () => engine };
const images: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };

const narrow = constrained(nasBench201, {
  require: ['skip_connect', '2->3=nor_conv_1x1'],
  forbid: ['avg_pool_3x3', '0->2=none'],
  fix: { '0->1': 'nor_conv_3x3' },
  prefer: ['none:0.2'],
});
const graphs = constrained(SPACES['nas-bench-101'].create(images, { cells: 1, channels: 8 }), {
  forbid: ['conv1x1-bn-relu'],
  require: ['maxpool3x3'],
});
const wired = constrained(SPACES.nasnet.create(images, { cells: 3, channels: 4 }), {
  fix: { 'normal/3a<-': [1], 'normal/output': 'loose' },
  forbid: ['sep_conv_7x7', 'reduce/4b<-=2'],
});

/** Past the random trials that some begin with. */
const TRIALS = 13;

async function play(strategy: Strategy, space: Space): Promise<readonly Proposal[]> {
  const problem = problemOf(space);
  const proposals: Proposal[] = [];
  let state = strategy.init(problem);
  while (proposals.length < TRIALS) {
    const [asked, [proposal]] = await strategy.ask(problem, state, proposals.length, 1);
    if (proposal === undefined) break;
    state = await strategy.tell(problem, asked, [pseudoOutcome(proposal, proposals.length)]);
    proposals.push(proposal);
  }
  return proposals;
}

suite('every strategy keeps constraints, and proposes of isomorphic graphs the one that stands for them', () => {
  for (const definition of Object.values(STRATEGIES)) {
    if ('needsGenome' in definition) continue;
    const { name, create } = definition;
    test(name, async () => {
      for (const space of [narrow, graphs, wired]) {
        const problem = problemOf(space);
        const proposals = await play(create({}, tools), space);
        assert.ok(proposals.length > 5, `${space.name}: ${proposals.length} proposals`);
        for (const { architecture } of proposals) assert.deepEqual(problem.space.check(architecture), architecture);
      }
    });
  }
});
