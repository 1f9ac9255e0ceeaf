/** What every member of a space for texts promises: answers from what came before alone, nothing read behind the end of a text. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rng } from '../src/common/random.ts';
import type { DatasetInfo, Samples } from '../src/data/dataset.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { openProxies, PROXIES } from '../src/estimate/proxies/measure.ts';
import { DEAD } from '../src/estimate/proxies/readout.ts';
import { createGraph, finish } from '../src/graph/builder.ts';
import { type FedTensor, interpret } from '../src/graph/interpret.ts';
import { sizeOf } from '../src/graph/ir.ts';
import * as ops from '../src/graph/ops.ts';
import { networkCosts } from '../src/network/costs.ts';
import { initialize } from '../src/network/initialize.ts';
import { lowerNetwork } from '../src/network/lower.ts';
import { supernetCosts } from '../src/network/supernet-costs.ts';
import { ONE_SHOT } from '../src/oneshot/index.ts';
import { exportOnnx, modelMetadata, readModel } from '../src/report/export/onnx.ts';
import { checkParity } from '../src/report/export/parity.ts';
import { openModel } from '../src/report/exported-model.ts';
import type { Space, SpaceDefinition, SpaceOptions, Task } from '../src/space/space.ts';
import { SPACES } from '../src/space/spaces/index.ts';
import { formatArchitecture } from '../src/space/tree/architecture.ts';
import { constrained } from '../src/space/tree/constrain.ts';
import { resolve } from '../src/space/tree/resolve.ts';
import { sample } from '../src/space/tree/vary.ts';
import { spaceTask } from '../src/task/index.ts';
import { openTraining } from '../src/train/loop.ts';
import { DEFAULT_SETTINGS } from '../src/train/settings.ts';
import { trainUntil } from '../src/train/trainable.ts';
import { nextToken, steps } from './support/tasks/next-token.ts';

const TIME = 8;
const VOCABULARY = 5;
const MEMBERS = 6;
const ofSteps = steps(TIME, 48, 16);
const languageModel = spaceTask(ofSteps.info, nextToken);
const text: Task = { kind: 'text', input: [TIME], outputs: 3, vocabulary: VOCABULARY, padded: true };

/** Samples of which no two are the same, as proxies need them. */
const different: Samples = {
  count: 16,
  async read(indices, { tokens, next }) {
    for (const [at, index] of indices.entries()) {
      const random = rng('different', index);
      for (let t = 0; t < TIME; t++) {
        if (tokens) tokens[at * TIME + t] = random.int(VOCABULARY);
        if (next) next[at * TIME + t] = random.int(VOCABULARY);
      }
    }
  },
};

interface Case {
  readonly space: SpaceDefinition;
  /** Of small members. */
  readonly options: SpaceOptions;
  /** Whether it serves language models. */
  readonly decodes: boolean;
  /** Whether an exported model takes texts of any length. */
  readonly opens?: true;
  /** Options with which supernets can search it. */
  readonly search?: SpaceOptions;
  /** Options of choices that a small supernet does without. */
  readonly forbid?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    space: SPACES.transformer,
    options: { width: 16, heads: 2, layers: 2 },
    decodes: true,
    opens: true,
    search: { width: 8, heads: 2, layers: 1, search: true },
  },
  {
    space: SPACES.rnn,
    options: { embedding: 12, width: 16, layers: 2 },
    decodes: true,
    search: { width: 12, layers: 2, search: true },
  },
  {
    space: SPACES['evolved-transformer'],
    options: { width: 16, heads: 2, layers: 1 },
    decodes: true,
    opens: true,
    search: { width: 8, heads: 2, layers: 1 },
    forbid: ['concat', 'conv3', 'sepConv5', 'sepConv11double', 'attentionDouble', 'identity', 'linear', 'sinusoidal'],
  },
  { space: SPACES['text-cnn'], options: { embedding: 8, filters: 6 }, decodes: false },
];

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

/** Hand-designed members, and random ones. */
function membersOf({ space: definition, options }: Case, task: Task, space: Space) {
  const designed = Object.values(definition.handDesigned?.(task, options) ?? {});
  const random = Array.from({ length: MEMBERS }, (_, i) => sample(space, rng('member', i)));
  return [...designed, ...random].map((architecture) => ({
    name: formatArchitecture(space, architecture),
    network: resolve(space, architecture),
  }));
}

/** A function from tokens to outputs, with some weights; `change` may change these first. */
function networkOf(network: ReturnType<typeof resolve>, { vocabulary, outputs, positions, padded }: Task) {
  const g = createGraph();
  const x = ops.input(g, 'x', [2, TIME], 'int32');
  const lowered = lowerNetwork(g, network, x, {
    ...{ outputs, vocabulary: vocabulary ?? 1, mode: 'infer' },
    ...(positions && { shape: [outputs, ...positions] }),
    ...(padded && { padded }),
  });
  const graph = finish(g, { output: lowered.output });
  const random = rng('weights');
  const tensors = [...lowered.parameters, ...lowered.statistics];
  const weights = tensors.map(({ path, shape }): [string, FedTensor & { readonly data: readonly number[] }] => {
    const isVariance = path.endsWith('runningVariance');
    const draw = () => (isVariance ? 0.5 + random.float() : 0.3 * random.normal());
    return [path, { shape, data: Array.from({ length: sizeOf(shape) }, draw) }];
  });
  return (tokens: readonly number[], change: (path: string, shape: readonly number[], i: number) => number = () => 0) =>
    interpret(graph, {
      x: { shape: [2, TIME], data: tokens },
      ...Object.fromEntries(
        weights.map(([path, { shape, data }]) => [
          path,
          { shape, data: data.map((value, i) => value + change(path, shape, i)) },
        ]),
      ),
    }).output?.data ?? new Float64Array();
}

const isSame = (a: number | undefined, b: number | undefined) => Math.abs(Number(a) - Number(b)) < 1e-9;

for (const one of CASES) {
  const { space: definition, options, decodes, opens, search, forbid = [] } = one;
  suite(`space ${definition.name}`, () => {
    if (decodes) {
      test('another token changes no answer before it, and its own', () => {
        const space = definition.create(languageModel, options);
        for (const { name, network } of membersOf(one, languageModel, space)) {
          const run = networkOf(network, languageModel);
          const random = rng('tokens');
          const tokens = Array.from({ length: 2 * TIME }, () => random.int(VOCABULARY));
          const before = run(tokens);
          for (const at of [1, 4, TIME - 1]) {
            const changed = run(tokens.with(at, ((tokens[at] ?? 0) + 1) % VOCABULARY));
            const differs = Array.from({ length: TIME }, (_, t) =>
              Array.from({ length: VOCABULARY }, (_, k) => k * TIME + t).some((i) => !isSame(before[i], changed[i])),
            );
            assert.ok(!differs.slice(0, at).includes(true) && differs[at], `${name}: ${differs} after token ${at}`);
          }
        }
      });

      test('its export gives what the engine gives', async () => {
        const space = definition.create(languageModel, options);
        const { info } = ofSteps;
        for (const { name, network } of membersOf(one, languageModel, space).slice(0, 3)) {
          const on = { engine, network, info, task: nextToken };
          const weights = weightsOf(network, languageModel);
          const about = { version: '0', space: definition.name, architecture: name, training: null };
          const model = exportOnnx({ ...on, weights, about });
          const { parity } = await checkParity({ ...on, weights, model, samples: ofSteps.valid });
          assert.ok(parity < 1e-4, `${name}: ${parity}`);
          assert.deepEqual(modelMetadata('model', model).lengths, opens ? [1, TIME] : undefined, name);
        }
      });

      if (opens)
        test('its export answers a shorter text as it does the beginning of a longer one', async () => {
          const space = definition.create(languageModel, options);
          for (const { name, network } of membersOf(one, languageModel, space)) {
            const about = { version: '0', space: definition.name, architecture: name, training: null };
            const weights = weightsOf(network, languageModel);
            const model = exportOnnx({ network, info: ofSteps.info, task: nextToken, weights, about });
            const opened = await openModel(engine, 'model', readModel('model', model), nextToken);
            const random = rng('open');
            const tokens = Int32Array.from({ length: TIME }, () => random.int(VOCABULARY));
            const run = async (length?: number) => {
              const { outputs } = await opened.answer({ tokens: tokens.slice(0, length) }, 1, {}, length);
              return Object.values(outputs)[0] ?? new Float32Array();
            };
            const whole = await run();
            for (const length of [1, TIME - 3]) {
              const short = await run(length);
              assert.equal(short.length, VOCABULARY * length);
              for (const [i, value] of short.entries()) {
                const at = Math.floor(i / length) * TIME + (i % length);
                assert.ok(Math.abs(value - (whole[at] ?? 9)) < 1e-5, `${name}: ${length}`);
              }
            }
            await opened.dispose();
          }
        });

      test('zero-cost proxies tell members from one another', async () => {
        for (const given of [options, ...(search === undefined ? [] : [search])]) {
          const space = constrained(definition.create(languageModel, given), { forbid });
          const proxies = openProxies(space, { engine, data: { ...ofSteps, train: different }, batchSize: 8 });
          // What is left out has nothing to measure.
          const members = Array.from({ length: 12 }, (_, i) => sample(space, rng('proxies', i)))
            .filter((one) => one['block/0/feedForward'] !== 'none')
            .slice(0, 3);
          const scores = [];
          for (const one of members) scores.push(await proxies.measure(one));
          await proxies.dispose();
          for (const name of PROXIES) {
            const values = scores.map((found) => found[name] ?? Number.NaN);
            assert.ok(
              values.every((value) => Number.isFinite(value) && value > DEAD),
              `${name}: ${values}`,
            );
            if (name !== 'skipReach') assert.ok(new Set(values).size > 1, `${name}: ${values}`);
          }
        }
      });

      test('random members train', async () => {
        const space = definition.create(languageModel, options);
        for (const [i, { name, network }] of membersOf(one, languageModel, space).slice(0, 3).entries()) {
          const training = await openTraining({
            ...{ engine, network, ...ofSteps },
            settings: { ...DEFAULT_SETTINGS, epochs: 16, batchSize: 8, learningRate: 0.02 },
            rng: (...labels) => rng('train', i, ...labels),
          });
          await trainUntil(training, 16);
          const losses = training.history.map(({ loss }) => loss);
          await training.dispose();
          assert.ok((losses.at(-1) ?? 9) < 0.9 * (losses[0] ?? 0), `${name}: ${losses}`);
        }
      });
    } else {
      test('a task with an answer at each position is refused', () => {
        assert.throws(() => definition.create(languageModel, options), {
          name: 'UserError',
          message: /the task asks for an answer at each position; this space gives one for each sample/,
        });
      });
    }

    test('nothing behind the end of a text changes its output', () => {
      const space = definition.create(text, options);
      const tokens = [...[1, 2, 3, 4, 2, 0, 0, 0], ...[3, 1, 0, 0, 0, 0, 0, 0]];
      let changed = 0;
      for (const { name, network } of membersOf(one, text, space)) {
        const run = networkOf(network, text);
        const before = run(tokens);
        // The vector of what fills up, and positions that no text reaches.
        const after = run(tokens, (path, [rows = 0, columns = 1], i) => {
          if (!path.endsWith('weight')) return 0;
          const row = Math.floor(i / columns);
          if (rows === VOCABULARY && row === 0) return 1;
          return rows === TIME && row >= 5 && path.endsWith('learned/weight') ? 1 : 0;
        });
        assert.ok(
          before.every((value, i) => isSame(value, after[i])),
          name,
        );
        // The other text of the batch has no effect; its own tokens have, unless all filters are dead.
        const other = run(tokens.with(4, 3).with(1, 4));
        assert.ok(isSame(before[3], other[3]), name);
        if (!isSame(before[0], other[0])) changed++;
      }
      assert.ok(changed >= MEMBERS / 2);
    });

    if (opens)
      test('an exported classifier reads a text without what fills it up', async () => {
        const space = definition.create(text, options);
        const info: DatasetInfo = {
          ...ofSteps.info,
          kind: 'text',
          outputs: 3,
          vocabulary: VOCABULARY,
          labels: ['a', 'b', 'c'],
        };
        for (const { name, network } of membersOf(one, text, space).slice(0, 4)) {
          const about = { version: '0', space: definition.name, architecture: name, training: null };
          const model = exportOnnx({ network, info, weights: weightsOf(network, text), about });
          const opened = await openModel(engine, 'model', readModel('model', model));
          const tokens = [...[1, 2, 3, 4, 2], ...[3, 1, 4, 0, 0]];
          const filled = [0, 5].flatMap((at) => [...tokens.slice(at, at + 5), 0, 0, 0]);
          const whole = await opened.answer({ tokens: Int32Array.from(filled) }, 2);
          const short = await opened.answer({ tokens: Int32Array.from(tokens) }, 2, {}, 5);
          const [a = [], b = []] = [whole, short].map(({ outputs }) => [...(outputs.probabilities ?? [])]);
          assert.ok(
            a.length === 6 && a.every((value, i) => Math.abs(value - (b[i] ?? 9)) < 1e-5),
            `${name}: ${a}, ${b}`,
          );
          await opened.dispose();
        }
      });

    test('images and tables are refused', () => {
      for (const input of [[3, 8, 8], [4]])
        assert.throws(() => definition.create({ kind: 'classification', input, outputs: 3 }, options), {
          name: 'UserError',
          message: /needs tokens, \[time\], or sequences, \[channels, time\]|needs tokens/,
        });
    });

    if (search !== undefined)
      test('a supernet by darts and one by single paths train, and their costs are those of the networks', async () => {
        const space = constrained(definition.create(languageModel, search), { forbid });
        for (const method of ['darts', 'single-path'] as const) {
          const training = await ONE_SHOT[method].open(
            {
              ...{ engine, space, ...ofSteps },
              settings: { ...DEFAULT_SETTINGS, epochs: 1, batchSize: 8, learningRate: 0.01 },
              rng: (...labels) => rng(method, ...labels),
            },
            {},
          );
          await trainUntil(training, 1);
          assert.ok(Number.isFinite(training.history[0]?.loss), method);
          await training.dispose();
        }
        const parts = supernetCosts(space);
        const architecture = sample(space, rng('costs'));
        const params = parts
          .filter(({ when }) => when.every((one) => 'is' in one && architecture[one.decision] === one.is))
          .reduce((sum, part) => sum + part.params, 0);
        assert.equal(params, networkCosts(resolve(space, architecture), languageModel).params);
      });
  });
}

function weightsOf(network: ReturnType<typeof resolve>, { vocabulary = 1, outputs, positions = [], padded }: Task) {
  const g = createGraph();
  const x = ops.input(g, 'x', [1, TIME], 'int32');
  const shape = [outputs, ...positions];
  const { parameters, statistics } = lowerNetwork(g, network, x, {
    ...{ outputs, vocabulary, mode: 'infer', shape },
    ...(padded && { padded }),
  });
  return initialize([...parameters, ...statistics], (...labels) => rng('initial', ...labels));
}
