// A task of your own: the next letter of a text, over tokens. It is searched, exported and predicted as Netsmith's own tasks are.
//   node examples/own-task.ts
import {
  CLASS_METRICS,
  checkTask,
  classNumberScorer,
  createEngine,
  createStrategy,
  crossEntropy,
  DEFAULT_SETTINGS,
  defineSpace,
  embedding,
  exportOnnx,
  inProcessPool,
  largestClasses,
  linear,
  memoryStore,
  networkCosts,
  nodeRuntime,
  openModel,
  type Problem,
  pick,
  readModel,
  recurrent,
  resolveArchitecture,
  rng,
  runStudy,
  type Samples,
  type SearchData,
  scorerOf,
  searchSpaceOf,
  sequential,
  spaceTask,
  type TaskDefinition,
  trainEstimator,
  trainNetwork,
} from 'netsmith/node';

/** What goes in and out, the loss, the metrics, and what `predict` prints. */
const nextLetter: TaskDefinition = {
  metrics: CLASS_METRICS, // accuracy and loss
  classes: false,
  standardized: false,
  outputsName: { one: 'letter', many: 'letters' },
  meaning: 'logit of each letter at the next position',
  spec: ({ input, outputs }) => ({
    inputs: { tokens: { shape: input, dtype: 'int32', axes: ['time'], values: outputs } },
    targets: { next: { shape: input, dtype: 'int32', axes: ['time'], values: outputs } },
    outputs: { logits: { shape: [outputs, ...input], dtype: 'float32', axes: ['class', 'time'] } },
    recurrent: true, // an exported model takes the state of its recurrent layers, and gives it back
  }),
  loss: (g, { logits = 0 }, { next = 0 }) => crossEntropy(g, logits, next),
  scorer: ({ input: [time], outputs }) => scorerOf(classNumberScorer(outputs, time)),
  decode: ({ logits = [] }, letters) => ({
    answer: largestClasses(logits, letters.length)
      .map((letter) => letters[letter])
      .join(''),
  }),
};

const TEXT = 'the cat sat on the mat and the rat sat on the hat '.repeat(12);
const LETTERS = [...new Set(TEXT)].sort();
const TIME = 8;

/** Pieces of the text, from `first` on. */
const pieces = (first: number, count: number): Samples => ({
  count,
  async read(indices, { tokens, next }) {
    for (const [at, index] of indices.entries())
      for (let t = 0; t < TIME; t++) {
        const letter = (offset: number) => LETTERS.indexOf(TEXT[(first + index) * 3 + offset] ?? ' ');
        if (tokens) tokens[at * TIME + t] = letter(t);
        if (next) next[at * TIME + t] = letter(t + 1);
      }
  },
});
const data: SearchData = {
  info: {
    ...{ name: 'rhyme', kind: 'next-letter', input: [TIME], outputs: LETTERS.length, labels: LETTERS },
    ...{ mean: [], deviation: [], counts: { train: 96, valid: 48, test: 0 }, notes: [] },
  },
  ...{ train: pieces(0, 96), valid: pieces(96, 48), task: nextLetter },
};
await checkTask(data); // throws where the task breaks a rule

const space = defineSpace('letters', () =>
  sequential(
    embedding('inputs', 12),
    recurrent(pick('cell', ['gru', 'lstm']), pick('units', [16, 32])),
    linear('outputs'),
  ),
).create(spaceTask(data.info, nextLetter));
const settings = { ...DEFAULT_SETTINGS, epochs: 6, batchSize: 16, learningRate: 0.03 };
const problem: Problem = {
  ...{ space: searchSpaceOf(space), objectives: [CLASS_METRICS[0]], limits: [], seed: 1 },
  fidelities: [{ epochs: settings.epochs, data: 1, resolution: 1, width: 1 }],
  costs: (architecture) => {
    const { params, flops } = networkCosts(resolveArchitecture(space, architecture), space.task);
    return { params, flops };
  },
};
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const strategy = createStrategy('random');
const store = memoryStore({ name: 'letters', settings: {}, state: strategy.init(problem) });
const estimator = trainEstimator({ engine, data, settings });
const workers = inProcessPool({ space, estimator }, store.artifacts);
const { best } = await runStudy({ store, strategy, problem, workers, budget: { trials: 3 } });
const [winner] = best;
if (winner === undefined) throw new Error('no trial has succeeded');
console.log(`best: trial ${winner.trial}, accuracy ${winner.metrics.accuracy?.toFixed(2)}`);

const network = resolveArchitecture(space, winner.architecture);
const training = await trainNetwork({
  ...{ engine, network, info: data.info, task: nextLetter, train: data.train, settings },
  rng: (...labels) => rng(1, ...labels),
});
const about = { version: '1', space: space.name, architecture: '', training: null };
// One letter at a time: the same weights at another length, with the state carried along.
const single = { ...data.info, input: [1] };
const model = exportOnnx({ network, info: single, task: nextLetter, weights: await training.weights(), about });
const exported = await openModel(engine, 'letters.onnx', readModel('letters.onnx', model), nextLetter);
let written = 't';
let states = {};
while (written.length < 16) {
  const tokens = Int32Array.of(LETTERS.indexOf(written.at(-1) ?? ''));
  const said = await exported.answer({ tokens }, 1, states);
  const [answer] = said.answers;
  written += answer !== undefined && 'answer' in answer ? answer.answer : '?';
  states = said.states;
}
console.log(`writes: ${written}`);
await exported.dispose();
await training.dispose();
await engine.dispose();
