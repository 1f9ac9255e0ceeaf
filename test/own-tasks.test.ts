/**
 * Tasks that Netsmith does not know go through the same code as its own: they train, are measured, exported, checked against the
 * training engine, and predicted.
 */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import onnxProto from 'onnx-proto';
import { UserError } from '../src/common/errors.ts';
import { rng } from '../src/common/random.ts';
import type { SearchData } from '../src/data/dataset.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { artifactsInMemory, runOf } from '../src/estimate/testing/conformance.ts';
import { candidateNetwork, trainEstimator } from '../src/estimate/train.ts';
import * as ops from '../src/graph/ops.ts';
import { costsOf, MEASURES } from '../src/measure/index.ts';
import { checkBuildable } from '../src/network/buildable.ts';
import { networkCosts } from '../src/network/costs.ts';
import { modelCard } from '../src/report/export/model-card.ts';
import { modelJson } from '../src/report/export/model-json.ts';
import { exportOnnx, readModel } from '../src/report/export/onnx.ts';
import { checkParity } from '../src/report/export/parity.ts';
import { openModel } from '../src/report/exported-model.ts';
import type { Architecture, Space } from '../src/space/space.ts';
import {
  activation,
  attention,
  choice,
  conv,
  dag,
  embedding,
  highway,
  linear,
  pick,
  positions,
  recurrent,
  recurrentCell,
  relu,
  residual,
  sequential,
  shared,
} from '../src/space/tree/builders.ts';
import { defineSpace } from '../src/space/tree/define.ts';
import type { Module } from '../src/space/tree/module.ts';
import { resolve } from '../src/space/tree/resolve.ts';
import { searchSpaceOf } from '../src/space/tree/tree-search-space.ts';
import { createStrategy } from '../src/strategy/index.ts';
import type { Problem } from '../src/strategy/strategy.ts';
import { runStudy } from '../src/study/run.ts';
import { memoryStore } from '../src/study/store/memory.ts';
import { inProcessPool } from '../src/study/worker/in-process.ts';
import { checkTask } from '../src/task/conformance.node.ts';
import { spaceTask, taskOf } from '../src/task/index.ts';
import { withLoss, withMetric } from '../src/task/own.ts';
import { type Arrays, allocate, onlyOf } from '../src/task/spec.ts';
import { exampleOf, testTask } from '../src/task/testing/conformance.ts';
import { trainingBatches } from '../src/train/batches.ts';
import { decodeCheckpoint } from '../src/train/checkpoint.ts';
import { evaluateNetwork } from '../src/train/inference.ts';
import { openPrograms } from '../src/train/programs.ts';
import { checkSettings, DEFAULT_SETTINGS, type TrainSettings } from '../src/train/settings.ts';
import { blobs, slope } from '../src/train/testing/blobs.ts';
import { classAndNumber, points } from './support/tasks/class-and-number.ts';
import { nextToken, steps } from './support/tasks/next-token.ts';
import { pixelClasses, squares } from './support/tasks/pixel-classes.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());
const about = { version: '0.0.0', space: 'fixture', architecture: 'fixture', training: null };
const settings: TrainSettings = { ...DEFAULT_SETTINGS, epochs: 6, batchSize: 8, learningRate: 0.03, warmupEpochs: 0 };

function spaceOf(data: SearchData, network: Module): Space {
  const space = defineSpace('fixture', () => network).create(spaceTask(data.info, data.task));
  checkBuildable(space, rng('fixture'));
  return space;
}

/** Trains a candidate through the estimator, exports it, and loads the export. */
async function through(
  data: SearchData,
  space: Space,
  architecture: Architecture,
  change: Partial<TrainSettings> = {},
) {
  const { info, task } = data;
  assert.ok(task);
  const artifacts = artifactsInMemory();
  const used = { ...settings, ...change };
  const fidelity = { epochs: used.epochs, data: 1, resolution: 1, width: 1 };
  const candidate = { space, architecture };
  const programs = openPrograms(engine);
  const run = runOf({ artifacts, fidelity, fullFidelity: fidelity });
  const evaluation = await trainEstimator({ engine, programs, data, settings: used }).estimate(candidate, run);
  await programs.dispose();
  const { tensors: weights } = decodeCheckpoint(await artifacts.get(evaluation.checkpoint ?? ''));
  const network = candidateNetwork(candidate, 1);
  const again = await evaluateNetwork({ engine, network, info, task, weights, samples: data.valid });
  for (const { metric } of task.metrics)
    assert.ok(Math.abs((again.metrics[metric] ?? 0) - (evaluation.metrics[metric] ?? 9)) < 1e-5, metric);
  const model = exportOnnx({ network, info, task, weights, about });
  const { parity } = await checkParity({ engine, network, info, task, weights, model, samples: data.valid });
  assert.ok(parity < 1e-5, `parity ${parity}`);
  const read = readModel('the model', model);
  const loaded = await openModel(engine, 'the model', read, task);
  return { evaluation, curve: evaluation.curve, network, weights, model, loaded };
}

/** The first samples, all their tensors. */
async function firstSamples(data: SearchData, count: number): Promise<Arrays> {
  const { inputs, targets } = taskOf(data.info, data.task).spec(data.info);
  const into = allocate({ ...inputs, ...targets }, count);
  await data.valid.read([...Array(count).keys()], into);
  return into;
}

test('every static measure can be taken of the networks of a task of one’s own', () => {
  for (const [data, network] of [
    [steps(), sequential(embedding('inputs', 8), recurrent('gru', 8), linear('outputs'))],
    [squares(), conv(2, 3, { bias: true })],
    [points(), linear('outputs')],
  ] as const) {
    const costs = costsOf(spaceOf(data, network), {}, Object.keys(MEASURES));
    assert.deepEqual(Object.keys(costs).toSorted(), Object.keys(MEASURES).toSorted());
    for (const [name, value] of Object.entries(costs)) assert.ok(value >= 0 && Number.isFinite(value), name);
    assert.ok((costs.depth ?? 0) >= 1 && (costs.modelBytes ?? 0) > 1000);
  }
});

testTask('next token', nextToken, await exampleOf(steps(), 3));
testTask('a class for each pixel', pixelClasses, await exampleOf(squares(), 3));
testTask('a class and a number', classAndNumber, await exampleOf(points()));

suite('next token over int32 sequences', () => {
  const data = steps();
  const space = spaceOf(
    data,
    sequential(
      embedding('inputs', 8),
      choice('layer', {
        gru: recurrent('gru', pick('units', [16, 8])),
        lstm: recurrent('lstm', pick('units', [16, 8])),
        cell: recurrentCell(
          16,
          dag(2, (_, to) => shared(`node${to}`, highway('tanh')), { output: 'mean' }),
        ),
        attention: sequential(positions('sinusoidal'), residual(attention(2, { causal: true }))),
      }),
      linear('outputs'),
    ),
  );

  for (const layer of ['gru', 'lstm', 'cell', 'attention'])
    test(`${layer}: trains, is measured, exported and predicted`, async () => {
      const architecture = { layer, ...(['gru', 'lstm'].includes(layer) && { units: 16 }) };
      const { evaluation, curve, loaded } = await through(data, space, architecture);
      assert.deepEqual(Object.keys(evaluation.metrics).sort(), ['accuracy', 'loss', 'trainLoss']);
      assert.ok((curve.at(-1)?.metrics.loss ?? 9) < 0.8 * (curve[0]?.metrics.loss ?? 0), JSON.stringify(curve));
      const { tokens } = await firstSamples(data, 2);
      const { answers } = await loaded.answer({ tokens: tokens ?? new Int32Array() }, 2);
      const [first] = answers;
      assert.ok(first && 'answer' in first && Array.isArray(first.answer) && first.answer.length === 8);
      await loaded.dispose();
    });

  for (const [architecture, states] of [
    [{ layer: 'lstm', units: 16 }, ['1/lstm/state/hidden', '1/lstm/state/cell']],
    [{ layer: 'cell' }, ['1/cell/state/hidden']],
  ] as const)
    test(`${architecture.layer}: the state goes in and comes out of the exported model: several lengths give what the whole sequence gives`, async () => {
      const { network, weights, loaded } = await through(data, space, architecture, { epochs: 1 });
      const { tokens = new Int32Array() } = await firstSamples(data, 2);
      const { outputs } = await loaded.answer({ tokens }, 2);
      const whole = outputs.probabilities ?? new Float32Array(); // [2, 5, 8]
      assert.deepEqual(Object.keys(loaded.metadata.tensors.states), states);
      await loaded.dispose();
      for (const length of [1, 2, 4]) {
        const info = { ...data.info, input: [length] };
        const model = exportOnnx({ network, info, task: nextToken, weights, about });
        const part = await openModel(engine, 'the model', readModel('the model', model), nextToken);
        let carried = {};
        for (let from = 0; from < 8; from += length) {
          const some = Int32Array.from({ length: 2 * length }, (_, i) => {
            const [n, t] = [Math.floor(i / length), i % length];
            return tokens[n * 8 + from + t] ?? 0;
          });
          const answered = await part.answer({ tokens: some }, 2, carried);
          carried = answered.states;
          for (const [i, share] of (answered.outputs.probabilities ?? new Float32Array()).entries()) {
            const [row, t] = [Math.floor(i / length), i % length];
            const expected = whole[row * 8 + from + t] ?? Number.NaN;
            assert.ok(Math.abs(share - expected) < 1e-5, `length ${length}, step ${from + t}: ${share}, ${expected}`);
          }
        }
        await part.dispose();
      }
    });

  test('no position of a causal network sees a later one', async () => {
    const { loaded } = await through(data, space, { layer: 'attention' }, { epochs: 1 });
    const { tokens = new Int32Array() } = await firstSamples(data, 1);
    const changed = Int32Array.from(tokens, (token, t) => (t === 5 ? (token + 1) % 5 : token));
    const [before, after] = [await loaded.answer({ tokens }, 1), await loaded.answer({ tokens: changed }, 1)];
    const differs = Array.from({ length: 8 }, (_, t) =>
      [0, 1, 2, 3, 4].some(
        (k) => before.outputs.probabilities?.[k * 8 + t] !== after.outputs.probabilities?.[k * 8 + t],
      ),
    );
    assert.deepEqual(differs.slice(0, 6), [false, false, false, false, false, true]);
    await loaded.dispose();
  });

  test('mixup, label smoothing and image settings are refused, with the tensor that cannot be mixed', () => {
    const check = (change: Partial<TrainSettings>) => () =>
      checkSettings({ ...settings, ...change }, 'settings', data.info, nextToken);
    assert.throws(check({ mixup: 0.2 }), /mixup is 0.2; it cannot mix "tokens", which is whole numbers/);
    assert.throws(check({ labelSmoothing: 0.1 }), /labelSmoothing is 0.1/);
    assert.throws(check({ flip: true }), /flip is true; it only applies to images/);
  });
});

suite('a class for each pixel', () => {
  const data = squares();
  const space = spaceOf(
    data,
    sequential(conv(pick('width', [4, 8]), 3, { bias: true }), relu(), conv(2, 3, { bias: true })),
  );

  test('trains, is measured, exported and predicted', async () => {
    const { evaluation, loaded } = await through(data, space, { width: 4 });
    assert.ok((evaluation.metrics.accuracy ?? 0) > 0.9, JSON.stringify(evaluation.metrics));
    const { input = new Float32Array(), mask = [] } = await firstSamples(data, 1);
    const [first] = (await loaded.answer({ input }, 1)).answers;
    assert.ok(first && 'answer' in first && Array.isArray(first.answer));
    const right = first.answer.filter((found, i) => found === mask[i]).length;
    assert.ok(right >= 30, `${right} of 36`);
    const { inputs, outputs, task } = modelJson(loaded.metadata, 'model.onnx');
    assert.equal(task, 'pixel-classes');
    assert.deepEqual(inputs, [
      { name: 'input', dtype: 'float32', shape: ['N', 1, 6, 6], axes: ['channel', 'height', 'width'] },
    ]);
    const card = modelCard({
      ...{
        file: 'model.onnx',
        info: data.info,
        space: 'fixture',
        architecture: 'fixture',
        size: 1000,
        version: '0.0.0',
      },
      ...{ own: { task: pixelClasses, tensors: loaded.metadata.tensors }, training: 'Trained.' },
      ...{ costs: networkCosts(candidateNetwork({ space, architecture: { width: 4 } }, 1), space.task) },
      parity: { parity: 1e-7, samples: 16 },
    });
    assert.match(card, /A network for the task pixel-classes, found by/);
    assert.match(
      card,
      /\| Output `classes` \| float32 \[N, 2, 6, 6\], probability of each class at each pixel: class, height, width \|/,
    );
    assert.match(card, /"input": np.zeros\(\(1, 1, 6, 6, \), np.float32\),/);
    assert.doesNotMatch(card, /extrapolations|undefined/);
    assert.deepEqual(outputs, [
      { name: 'classes', dtype: 'float32', shape: ['N', 2, 6, 6], axes: ['class', 'height', 'width'] },
    ]);
    await loaded.dispose();
  });

  test('crops and flips move image and mask together', async () => {
    const change = { ...settings, cropPadding: 2, flip: true, batchSize: 16 };
    const batches = trainingBatches(data.train, data.info, change, 1, pixelClasses);
    const { input, mask } = await batches.epoch(0, rng).prepare();
    assert.ok(input && mask);
    let bright = 0;
    for (const [i, value] of input.data.entries()) {
      assert.equal(mask.data[i], value >= 180 ? 1 : 0, `pixel ${i}`);
      if (value >= 180) bright++;
    }
    assert.ok(bright < 16 * 9, 'some squares were cropped');
  });
});

suite('a class and a number', () => {
  const data = points();
  const space = spaceOf(data, sequential(linear(pick('units', [16, 8])), relu(), linear('outputs')));

  test('two targets train one network with two outputs, which is measured, exported and predicted', async () => {
    const { evaluation, loaded } = await through(data, space, { units: 16 }, { epochs: 12 });
    assert.deepEqual(Object.keys(evaluation.metrics).sort(), ['accuracy', 'loss', 'r2', 'trainLoss']);
    assert.ok(
      (evaluation.metrics.accuracy ?? 0) > 0.8 && (evaluation.metrics.r2 ?? 0) > 0.5,
      JSON.stringify(evaluation),
    );
    const { input = new Float32Array(), class: side = [], height = [] } = await firstSamples(data, 8);
    const { answers, outputs } = await loaded.answer({ input }, 8);
    assert.deepEqual(Object.keys(outputs).sort(), ['number', 'probabilities']);
    const found = answers.map((one) => ('answer' in one ? one.answer : {})) as { class: string; height: number }[];
    assert.ok(
      found.filter((one, i) => one.class === ['left', 'right'][side[i] ?? 9]).length >= 6,
      JSON.stringify(found),
    );
    assert.ok(
      found.every((one, i) => Math.abs(one.height - (height[i] ?? 0)) < 8),
      JSON.stringify(found),
    );
    await loaded.dispose();
  });

  test('mixup is refused: a class number cannot be mixed', () => {
    assert.throws(
      () => checkSettings({ ...settings, mixup: 0.2 }, 'settings', data.info, classAndNumber),
      /it cannot mix "class", which is whole numbers/,
    );
  });
});

suite('a search of a task of one of its own', () => {
  const dense = sequential(conv(pick('width', [2, 4]), 3), relu(), conv(2, pick('kernel', [1, 3])));
  const tokens = sequential(
    embedding('inputs', pick('size', [4, 6])),
    recurrent('gru', pick('units', [4, 6])),
    linear('outputs'),
  );
  const flat = sequential(linear(pick('units', [4, 8])), activation(pick('fn', ['relu', 'tanh'])), linear('outputs'));
  for (const [name, data, network] of [
    ['next token', steps(4, 16, 8), tokens],
    ['a class for each pixel', squares(16, 8), dense],
    ['a class and a number', points(16, 8), flat],
  ] as const)
    test(`${name}: stopped and resumed after each trial, it gives the same trials as an uninterrupted search`, async () => {
      const space = spaceOf(data, network);
      const { task } = data;
      assert.ok(task);
      const fidelity = { epochs: 1, data: 1, resolution: 1, width: 1 };
      const problem: Problem = {
        ...{ space: searchSpaceOf(space), objectives: [task.metrics[0]], limits: [], seed: 1, fidelities: [fidelity] },
        costs: (architecture) => ({ params: networkCosts(resolve(space, architecture), space.task).params }),
      };
      const search = async (...budgets: readonly number[]) => {
        const first = createStrategy('aging-evolution', { population: 2, sample: 1 });
        const store = memoryStore({ name, settings: {}, state: first.init(problem) });
        const estimator = trainEstimator({ engine, data, settings: { ...settings, epochs: 1 } });
        for (const trials of budgets) {
          const strategy = createStrategy('aging-evolution', { population: 2, sample: 1 });
          strategy.init(problem);
          const workers = inProcessPool({ space, estimator }, store.artifacts);
          await runStudy({ store, strategy, problem, workers, budget: { trials } });
        }
        return (await store.trials()).map(({ architecture, metrics, state }) => ({ architecture, metrics, state }));
      };
      const whole = await search(4);
      assert.deepEqual(
        whole.map(({ state }) => state),
        ['complete', 'complete', 'complete', 'complete'],
      );
      assert.deepEqual(await search(1, 2, 3, 4), whole);
    });
});

suite('a task that Netsmith does not know', () => {
  test('has exports whose tensors are checked against their graph', async () => {
    const data = steps();
    const space = spaceOf(data, sequential(embedding('inputs', 4), recurrent('gru', 4), linear('outputs')));
    const { model, loaded } = await through(data, space, {}, { epochs: 1 });
    const { inputs, outputs, states } = loaded.metadata.tensors;
    await loaded.dispose();
    const changed = (tensors: unknown) => {
      const decoded = onnxProto.onnx.ModelProto.decode(model);
      const entry = decoded.metadataProps.find(({ key }) => key === 'netsmith.tensors');
      assert.ok(entry);
      entry.value = JSON.stringify(tensors);
      return () => readModel('the model', onnxProto.onnx.ModelProto.encode(decoded).finish());
    };
    const { tokens } = inputs;
    assert.doesNotThrow(changed({ inputs, outputs, states }));
    for (const [tensors, reason] of [
      [{ inputs, outputs }, /metadata "netsmith.tensors"/],
      [{ inputs: {}, outputs, states }, /metadata "netsmith.tensors"/],
      [{ inputs, outputs, states: { ...states, tokens } }, /metadata "netsmith.tensors"/],
      [{ inputs: { tokens: { ...tokens, axes: [] } }, outputs, states }, /metadata "netsmith.tensors"/],
      [{ inputs: { tokens: { ...tokens, shape: [1e9] } }, outputs, states }, /metadata "netsmith.tensors"/],
      [{ inputs: { tokens: { shape: [8], dtype: 'float32', axes: ['time'] } }, outputs, states }, /another input/],
      [{ inputs: { tokens: { ...tokens, shape: [9] } }, outputs, states }, /another input/],
      [{ inputs, outputs: { logits: outputs.probabilities }, states }, /another output/],
      [{ inputs, outputs, states: {} }, /another (in|out)put/],
    ] as const)
      assert.throws(changed(tensors), (error) => error instanceof UserError && reason.test(error.message));
  });

  test('that breaks a rule is refused by checkTask', async () => {
    await checkTask(points());
    const other = { ...classAndNumber, loss: nextToken.loss };
    await assert.rejects(
      checkTask({ ...points(), task: other }),
      /task "class-and-number" breaks the rule "the loss that/,
    );
    const { metrics: _, ...rest } = pixelClasses;
    const short = { ...rest, metrics: [pixelClasses.metrics[0]] } as const;
    await assert.rejects(checkTask({ ...squares(), task: short }), /breaks the rule "batches score as all/);
  });

  test('is refused by name where it is not passed in, in training and in prediction', async () => {
    const { info } = steps();
    assert.throws(() => taskOf(info), /task: unknown kind "next-token"; it must be one of classification, regression/i);
    const data = points();
    const space = spaceOf(data, sequential(linear('outputs')));
    const { model, loaded } = await through(data, space, {}, { epochs: 1 });
    await loaded.dispose();
    await assert.rejects(
      openModel(engine, 'the model', readModel('the model', model)),
      /its task is "class-and-number"; is none of Netsmith/,
    );
  });

  test('of two tasks with one network, each has its own program', async () => {
    const data = points();
    const space = spaceOf(data, sequential(linear('outputs')));
    const programs = openPrograms(engine);
    const on = { network: candidateNetwork({ space, architecture: {} }, 1), info: data.info, resolution: 1 };
    const first = await programs.training({ ...on, task: classAndNumber }, settings, 4);
    await first.release();
    const same = await programs.training({ ...on, task: classAndNumber }, settings, 4);
    const other = await programs.training({ ...on, task: { ...classAndNumber } }, settings, 4);
    assert.equal(same.program, first.program);
    assert.notEqual(other.program, first.program);
    await same.release();
    await other.release();
    await programs.dispose();
  });
});

suite("a loss and a metric of a user's own", () => {
  const data = blobs(48, 24);
  const space = spaceOf(data, sequential(linear(pick('units', [8, 12])), relu(), linear('outputs')));
  /** The mean squared difference between probabilities and the target distribution (Brier 1950). */
  const brier = withLoss(taskOf(data.info), (g, outputs, targets) => {
    const shares = ops.exp(g, ops.logSoftmax(g, onlyOf(outputs)));
    const difference = ops.sub(g, shares, onlyOf(targets));
    return ops.reduceMean(g, ops.reduceSum(g, ops.mul(g, difference, difference), [1]), [0]);
  });

  test('the loss is what training minimizes, and what is measured as loss', async () => {
    const { evaluation, curve, loaded } = await through({ ...data, task: brier }, space, { units: 8 });
    const usual = await through({ ...data, task: taskOf(data.info) }, space, { units: 8 });
    assert.notEqual(curve[0]?.metrics.trainLoss, usual.curve[0]?.metrics.trainLoss);
    assert.ok((curve[0]?.metrics.trainLoss ?? 9) <= 2, 'a Brier score is at most 2');
    assert.ok(
      (evaluation.metrics.loss ?? 9) < (curve[0]?.metrics.loss ?? 0) && (evaluation.metrics.accuracy ?? 0) > 0.9,
    );
    await loaded.dispose();
    await usual.loaded.dispose();
  });

  test('the loss of a regression is measured on standardized targets, as it is trained', async () => {
    const table = slope(32, 16);
    const absolute = withLoss(taskOf(table.info), (g, outputs, targets) =>
      ops.reduceMean(g, ops.abs(g, ops.sub(g, onlyOf(outputs), onlyOf(targets))), [0, 1]),
    );
    await checkTask({ ...table, task: absolute });
  });

  test('the metric is reported beside those of the task, and can be the objective', async () => {
    const sure = withMetric(
      taskOf(data.info),
      { metric: 'margin', direction: 'maximize', unit: 'score' },
      ({ outputs }) => {
        let [total, samples] = [0, 0];
        return {
          add(given, _, count) {
            const logits = onlyOf(given);
            for (let n = 0; n < count; n++) {
              const [first = 0, second = 0] = logits.slice(n * outputs, (n + 1) * outputs).toSorted((a, b) => b - a);
              total += first - second;
            }
            samples += count;
          },
          value: () => total / samples,
        };
      },
    );
    assert.deepEqual(sure.metrics.at(-1), { metric: 'margin', direction: 'maximize', unit: 'score' });
    const { curve, loaded } = await through({ ...data, task: sure }, space, { units: 8 });
    const margins = curve.map(({ metrics }) => metrics.margin ?? Number.NaN);
    assert.ok(margins.every((margin) => margin > 0) && (margins.at(-1) ?? 0) > (margins[0] ?? 0), margins.join());
    await loaded.dispose();
  });
});
