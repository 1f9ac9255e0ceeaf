import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rng } from '../src/common/random.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { ONE_SHOT } from '../src/oneshot/index.ts';
import { rnnCell } from '../src/space/spaces/text/rnn-cell.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from '../src/space/tree/architecture.ts';
import { searchSpaceOf } from '../src/space/tree/tree-search-space.ts';
import { sample } from '../src/space/tree/vary.ts';
import { STRATEGIES } from '../src/strategy/index.ts';
import type { Problem } from '../src/strategy/strategy.ts';
import { pseudoCosts, pseudoOutcome } from '../src/strategy/testing/problems.ts';
import { spaceTask } from '../src/task/index.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { steps } from './support/tasks/next-token.ts';

// The space rnn-cell as all strategies and one-shot methods search it.

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());
const data = steps(4, 32, 8);
const task = spaceTask(data.info, data.task);
const TRIALS = 8;
const SMALL_ENAS = { hidden: 8, controllerSteps: 3, aggregate: 2, candidates: 3 };

suite('strategies propose different cells', () => {
  const space = rnnCell.create(task, { units: 4, nodes: 3 });
  const problem: Problem = {
    space: searchSpaceOf(space),
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    limits: [],
    seed: 1,
    costs: pseudoCosts,
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
  };
  for (const definition of Object.values(STRATEGIES)) {
    if ('needsGenome' in definition) continue;
    test(definition.name, async () => {
      const strategy = definition.create({}, { engine: async () => engine });
      const texts: string[] = [];
      let state = strategy.init(problem);
      while (texts.length < TRIALS) {
        const [asked, [proposal]] = await strategy.ask(problem, state, texts.length, 1);
        assert.ok(proposal);
        state = await strategy.tell(problem, asked, [pseudoOutcome(proposal, texts.length)]);
        texts.push(formatArchitecture(space, proposal.architecture));
      }
      assert.ok(new Set(texts).size > 1);
      for (const text of texts) assert.equal(formatArchitecture(space, parseArchitecture(space, text)), text);
    });
  }
});

suite('one-shot methods train a supernet of cells', () => {
  for (const [name, method] of Object.entries(ONE_SHOT))
    test(name, async () => {
      const space = rnnCell.create(task, { units: 8, nodes: 2, search: true });
      const settings = { ...DEFAULT_SETTINGS, epochs: 3, batchSize: 8, learningRate: 0.01 };
      const stream = (...labels: readonly (string | number)[]) => rng('cells', name, ...labels);
      const request = { engine, ...data, space, settings, rng: stream };
      const supernet = await method.open(request, name === 'enas' ? SMALL_ENAS : {});
      let last = await supernet.epoch();
      while (supernet.history.length < settings.epochs) last = await supernet.epoch();
      assert.ok(Number.isFinite(last.loss));
      if (supernet.measurePath === undefined) {
        const { mixture } = last;
        assert.ok(mixture);
        assert.deepEqual(checkArchitecture(space, mixture.genotype), mixture.genotype);
      } else {
        const { metrics } = await supernet.measurePath(sample(space, stream('path')), data.valid);
        assert.ok(Number.isFinite(metrics.loss));
      }
      await supernet.dispose();
    });
});
