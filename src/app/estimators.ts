import { bootstrapInterval, kendall } from '../common/correlation.ts';
import { invalid } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { genomeEstimator, policyEstimator } from '../control/estimate.ts';
import type { Engine } from '../engine/engine.ts';
import type { Estimator } from '../estimate/estimator.ts';
import { type Predictor, predictorEstimator, trainPredictor } from '../estimate/predictor/predictor.ts';
import { proxyEstimator } from '../estimate/proxies/estimator.ts';
import { trainEstimator } from '../estimate/train.ts';
import type { OneShotDefinition } from '../oneshot/definition.ts';
import { ONE_SHOT } from '../oneshot/index.ts';
import { isArchitectureMethod, oneShotOf, oneShotOptionsOf } from '../oneshot/names.ts';
import { sharedWeightsEstimator } from '../oneshot/shared-weights.ts';
import { supernetTrial } from '../oneshot/train-shared.ts';
import { isNeatSpace } from '../space/genome/neat.ts';
import type { Space } from '../space/index.ts';
import type { Agreement } from '../study/agreement.ts';
import { functionEstimator } from '../study/own-function.ts';
import { parseDuration } from '../study/quantities.ts';
import type { EarlierTrial } from '../study/store/store.ts';
import { taskOf } from '../task/index.ts';
import { openPrograms, type Programs } from '../train/programs.ts';
import { costGoals } from './device/cost-goals.ts';
import { modelTools, openEngine } from './engine.ts';
import type { EstimatorPlan } from './estimator-plan.ts';
import { memoryOfPrograms } from './memory.node.ts';
import { ownEstimator, ownJudge } from './own-exports.ts';
import { type Setup, treeOf } from './setup.ts';

/** The estimator of a worker of this study. `earlier`: what the study began with; `given`: the engine of this process, if it has one. */
export async function openEstimator(
  setup: Setup,
  memoryBytes: number,
  earlier: readonly EarlierTrial[],
  given?: Engine,
): Promise<Estimator> {
  const {
    settings,
    estimator,
    dataset: { search: data },
  } = setup;
  switch (estimator.kind) {
    case 'train': {
      const engine = given ?? (await openEngine(settings, settings.workers));
      const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
      const shared = supernetOf(setup, engine, programs);
      return { ...trainingOn(setup, engine, programs), ...(shared && { trainShared: shared }) };
    }
    case 'played': {
      const { space, control } = setup;
      if (control === undefined || !isNeatSpace(space)) throw new Error('genomes play in an environment');
      return genomeEstimator(control.environment, space, data.valid);
    }
    case 'shared': {
      const engine = given ?? (await openEngine(settings, settings.workers));
      const programs = openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) });
      const trainShared = supernetOf(setup, engine, programs);
      const { validSamples, estimatorOptions } = settings;
      const method: OneShotDefinition = ONE_SHOT[estimator.method];
      const { recalibrate } = method.check(estimatorOptions);
      const choices = method.candidates?.(estimatorOptions);
      const measured = sharedWeightsEstimator({
        ...{ engine, programs, data, batchSize: setup.training.batchSize },
        ...(typeof recalibrate === 'number' && { recalibrate }),
        ...(choices && { choices }),
        ...(validSamples > 0 && { validSamples }),
      });
      const confirm = trainingOn(setup, engine, programs).estimate;
      return { ...measured, confirm, ...(trainShared && { trainShared }) };
    }
    case 'proxies': {
      const { kind, ...options } = estimator;
      return proxyEstimator({
        engine: await openEngine(settings, settings.workers),
        data,
        ...options,
        seed: settings.seed,
      });
    }
    case 'predictor': {
      const predicted = predictorEstimator(await learn(setup, estimator, earlier), estimator.metric);
      let training: Promise<Estimator> | undefined;
      return {
        ...predicted,
        async confirm(candidate, run) {
          training ??= openEngine(settings, settings.workers).then((engine) =>
            trainingOn(setup, engine, openPrograms(engine, { memory: memoryOfPrograms(memoryBytes) })),
          );
          return (await training).estimate(candidate, run);
        },
      };
    }
    case 'own': {
      if (setup.own.estimator === undefined)
        throw new Error('the study needs its estimator file, and no file was given');
      const definition = await ownEstimator(setup.own.estimator);
      let engine: ReturnType<typeof openEngine> | undefined;
      const context = {
        ...{ space: treeOf(setup), data, training: setup.training, objectives: setup.problem.objectives },
        ...{ seed: settings.seed, memoryBytes },
        engine() {
          engine ??= openEngine(settings, settings.workers);
          return engine;
        },
      };
      return definition.open(context, settings.estimatorOptions);
    }
    case 'function':
      if (setup.own.judge === undefined) throw new Error('a function of the program needs no worker processes');
      return functionEstimator(await ownJudge(setup.own.judge));
    case 'table':
      throw new Error('a table needs no worker processes');
  }
}

/** Estimates a candidate by training it, as the settings say. */
function trainingOn(setup: Setup, engine: Engine, programs: Programs): Estimator {
  const {
    settings,
    control,
    dataset: { search: data },
  } = setup;
  if (control?.training !== undefined)
    return policyEstimator({
      ...{ engine, programs, environment: control.environment, training: control.training, valid: data.valid },
    });
  const { trialTime, validSamples } = settings;
  const seconds = trialTime === undefined ? undefined : parseDuration(trialTime);
  const known = taskOf(data.info, data.task).metrics.map(({ metric }) => metric);
  const objective = setup.problem.objectives.find(({ metric }) => known.includes(metric));
  return trainEstimator({
    ...{ engine, programs, data, settings: setup.training },
    ...(objective && { objective }),
    ...(seconds !== undefined && { seconds }),
    ...(validSamples > 0 && { validSamples }),
    ...(settings.startFrom && { startFrom: settings.startFrom }),
    ...(setup.pretrained && { pretrained: setup.pretrained.weights }),
  });
}

/** How the supernet of a study is trained; undefined: it has none. */
function supernetOf(
  { settings, training, dataset, problem, pretrained }: Setup,
  engine: Engine,
  programs: Programs,
): Estimator['trainShared'] | undefined {
  const method = oneShotOf(settings);
  if (method === undefined) return undefined;
  const { validSamples, supernetSamples } = settings;
  return supernetTrial({
    ...{ engine, programs, data: dataset.search, method },
    settings: { ...training, ...(supernetSamples !== undefined && { epochSamples: supernetSamples }) },
    options: oneShotOptionsOf(settings),
    ...(validSamples > 0 && { validSamples }),
    ...(pretrained && { pretrained: pretrained.weights }),
    ...(isArchitectureMethod(method) && { costs: (tree: Space) => costGoals(settings, problem, tree) }),
  });
}

type PredictorPlan = EstimatorPlan & { readonly kind: 'predictor' };

/** Fewer trials to be ranked say nothing. */
const LEAST_RANKED = 4;

/**
 * How a predictor that learns from every other of the earlier trials ranks the rest; undefined where they are too few to tell. Throws
 * UserError where there is too little to learn from.
 */
export async function tryPredictor(
  setup: Setup,
  plan: PredictorPlan,
  earlier: readonly EarlierTrial[],
): Promise<Agreement | undefined> {
  if (earlier.length === 0)
    throw invalid(
      '--estimator',
      '"predictor"',
      'the predictor learns from earlier studies: name at least one with --prior',
    );
  await learn(setup, plan, earlier);
  const valueIn = ({ metrics }: EarlierTrial) => metrics[plan.metric] ?? Number.NaN;
  const shown = earlier.filter((_, i) => i % 2 === 0);
  const others = earlier.filter((_, i) => i % 2 === 1);
  if (new Set(shown.map(valueIn)).size < 2 || others.length < LEAST_RANKED) return undefined;
  const predict = await learn(setup, plan, shown);
  const predicted = others.map(({ architecture }) => predict(architecture).mean);
  const measured = others.map(valueIn);
  const tau = kendall(predicted, measured);
  if (!Number.isFinite(tau)) return undefined;
  return {
    estimate: 'a predictor of half the earlier trials',
    truth: 'the other half',
    pairs: others.length,
    tau,
    interval: bootstrapInterval(kendall, predicted, measured),
  };
}

function learn(
  setup: Setup,
  { metric, model, features }: PredictorPlan,
  earlier: readonly EarlierTrial[],
): Promise<Predictor> {
  const known = earlier.map(({ architecture, metrics }) => ({ architecture, value: metrics[metric] ?? Number.NaN }));
  const random = rng(setup.settings.seed, 'predictor');
  return trainPredictor(treeOf(setup), known, { model, features }, random, modelTools());
}
