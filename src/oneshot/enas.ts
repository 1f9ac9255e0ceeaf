/**
 * ENAS. Pham et al. 2018, arXiv:1802.03268, section 2.2: in each epoch, first the shared weights are trained for one pass over the training samples, each
 * step on a path that the controller draws; then the controller, by REINFORCE (Williams 1992) with a moving average of the rewards as baseline
 * and an entropy bonus, `controllerSteps` updates of `aggregate` architectures each; its reward is the accuracy of the drawn path on a minibatch of
 * validation samples. At the end of the epoch, `candidates` architectures are drawn and measured on 8 minibatches of them; the
 * best is the genotype of the moment (section 2.3), which is then measured on all of them, with recalibrated statistics (path-meter.ts).
 * Differs: candidates are measured on one minibatch in the paper; the entropy bonus is that of the decisions' probabilities, with its exact gradient, where the
 * published code adds the sample's to the reward; logits have no temperature and no tanh; in place of attention over earlier
 * nodes, inputs are an option among their possible sets; validation samples are not augmented. A metric that is better when it is smaller is
 * rewarded by 1 / (1 + value). Costs are rewarded as in MnasNet (Tan et al. 2019, arXiv:1807.11626, equation 2): times
 * (cost / target)^w, w = -0.07 of an objective, and above a limit w = -1. Defaults are those of the published code for cells.
 * Cost: a step of the weights is one of the drawn path; a reward is a forward pass of it; the controller takes
 * O(decisions · hidden²) for each architecture.
 */
import { part } from '../data/samples.ts';
import type { Architecture } from '../space/space.ts';
import { taskOf } from '../task/index.ts';
import { trainBatches } from '../train/batch-steps.ts';
import { trainingBatches } from '../train/batches.ts';
import { TrainingFailure } from '../train/failure.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { costFactor } from './cost/reward.ts';
import {
  CONTROLLER_TENSORS,
  type ControllerSettings,
  controllerProgram,
  openController,
  type Rewarded,
} from './enas-controller.ts';
import { guardsOf } from './guards.ts';
import { openPathMeter, RECALIBRATE } from './path-meter.ts';
import { pathStep } from './single-path.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';
import { watchPaths } from './watch-paths.ts';

export interface EnasSettings extends ControllerSettings {
  /** Updates of the controller in an epoch. */
  readonly controllerSteps: number;
  /** Architectures that are measured at the end of an epoch. */
  readonly candidates: number;
  /** Batches of training samples that batch norm's statistics are computed on before a candidate is measured. */
  readonly recalibrate: number;
  /** A reward is multiplied by (cost / the cost of a random architecture)^-costExponent, for each cost that is an objective. */
  readonly costExponent: number;
  /** And by (cost / limit)^-limitExponent, for each limit that the path does not keep. */
  readonly limitExponent: number;
}

export const ENAS_DEFAULTS: EnasSettings = {
  hidden: 64,
  controllerLearningRate: 0.0035,
  entropy: 1e-4,
  baseline: 0.99,
  controllerSteps: 30,
  aggregate: 10,
  candidates: 10,
  recalibrate: RECALIBRATE,
  costExponent: 0.07,
  limitExponent: 1,
};

/** That candidates are measured on: with all validation samples, and statistics recalibrated for each, that would often take longer than the training. */
const CANDIDATE_MINIBATCHES = 8;

/** More than a reward is. */
const ABOVE_LIMITS = 1e6;

/** Sampled architectures whose probabilities make the mixture weights of a record. */
const DRAWS = 100;

export interface EnasRequest extends SupernetRequest, Partial<EnasSettings> {}

/**
 * Opens the supernet of a space for ENAS, with its controller. The record of each epoch has the controller's probabilities as mixture
 * weights (an option among sets of inputs is one column) and the genotype of that moment; its metrics are the genotype's. Throws as
 * `openTraining` does, UserError for a decision with more than 1,000 options, and TrainingFailure without validation samples.
 */
export async function openEnasSupernet(request: EnasRequest): Promise<Supernet> {
  const { engine, space, info, task, settings, train, valid, signal, data = 1, checkpoint } = request;
  checkSettings(settings, 'training settings', info, task);
  if (valid === undefined || valid.count === 0)
    throw new TrainingFailure('ENAS needs validation samples: its controller is rewarded by them');
  const enas = { ...ENAS_DEFAULTS, ...request };
  const batches = trainingBatches(train, info, settings, data, task);
  const { batchSize, stepsPerEpoch } = batches;
  const minibatch = Math.min(batchSize, valid.count, train.count);
  const rates = learningRates(settings, stepsPerEpoch);
  const streams: SupernetRequest['rng'] = (...labels) => request.rng(...labels);
  const [objective] = taskOf(info, task).metrics;
  const costs = request.costs && costFactor(space, request.costs, enas, streams('cost reference'));
  const rewardOf = (value: number, architecture: Architecture) =>
    (objective.direction === 'maximize' ? value : 1 / (1 + value)) * (costs?.factorOf(architecture) ?? 1);
  let genotype: Architecture | undefined = checkpoint?.history.at(-1)?.mixture?.genotype;

  const {
    measureWith: _,
    state: _state,
    ...opened
  } = await openSupernet(request, {
    choices: 'switch',
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { built, program } = await borrow(pathStep(programs, on, settings, batchSize));
      const meter = await openPathMeter({
        ...{ programs, borrow, on, validBatch, batchSize: minibatch, train, minibatches: true },
        recalibrate: enas.recalibrate,
        rng: streams,
      });
      const update = await borrow(controllerProgram(programs, on, space, enas));
      const controller = openController(engine, update.program, space, enas, {
        random: streams('controller'),
        tensors: checkpoint?.tensors,
      });
      genotype ??= controller.sample(streams('first genotype'));
      const best = () => genotype ?? {};
      const [signs, guards] = [
        guardsOf(space),
        await watchPaths(request, { program, built, batches, stepsPerEpoch, meter }),
      ];

      return {
        parts: built,
        training: [program],
        inference: meter.inference,
        own: { names: CONTROLLER_TENSORS, read: controller.read },
        measured: (state, samples) => meter.measure(state, best(), samples, signal),
        async more(after) {
          const mixture = { weights: controller.probabilities(DRAWS, streams('probabilities')), genotype: best() };
          return { mixture, guards: { ...signs(mixture), isSampled: true, ...(await guards(after)) } };
        },
        async train(index, state, nextStep) {
          const loss = await trainBatches(request, index, {
            batches,
            randomInputs: () => built.randomInputs,
            progress: index / settings.epochs,
            scalars: (step) => optimizerOf(settings).scalars(rates(index, step), nextStep()),
            feeds: (step) => built.feedsOf(controller.sample(streams('epoch', index, 'path', step))),
            run: (feeds) => program.run(feeds, state),
          });
          const minibatches = minibatchesOf(valid.count, minibatch, (pass) => streams('epoch', index, 'rewards', pass));
          const valueOn = async (architecture: Architecture, at: number) => {
            signal?.throwIfAborted();
            const noise = streams('epoch', index, 'episode noise', at);
            const { metrics } = await meter.measureBatch(state, architecture, part(valid, minibatches(at)), noise);
            return metrics[objective.metric] ?? Number.NaN;
          };
          let at = 0;
          for (let step = 0; step < enas.controllerSteps; step++) {
            const rewarded: Rewarded[] = [];
            for (let i = 0; i < enas.aggregate; i++) {
              const architecture = controller.sample(streams('epoch', index, 'episode', at));
              rewarded.push({ architecture, reward: rewardOf(await valueOn(architecture, at++), architecture) });
            }
            await controller.update(rewarded);
          }
          let highest = Number.NEGATIVE_INFINITY;
          for (let i = 0; i < enas.candidates; i++) {
            const candidate = controller.sample(streams('epoch', index, 'candidate', i));
            let sum = 0;
            for (let k = 0; k < CANDIDATE_MINIBATCHES; k++) sum += await valueOn(candidate, at + k);
            const reward = rewardOf(sum / CANDIDATE_MINIBATCHES, candidate);
            // One within the limits is better than any that is not.
            const rank = reward - (costs?.isWithin(candidate) === false ? ABOVE_LIMITS : 0);
            if (rank > highest) [highest, genotype] = [rank, candidate];
          }
          return loss;
        },
      };
    },
  });
  return opened;
}

/** The samples of minibatch number `at`, of endless passes over the samples, each shuffled by its own stream; the rest of a pass is left out. */
function minibatchesOf(
  count: number,
  size: number,
  streamOf: (pass: number) => ReturnType<SupernetRequest['rng']>,
): (at: number) => Int32Array {
  const perPass = Math.floor(count / size);
  const all = Array.from({ length: count }, (_, i) => i);
  let latest: { readonly pass: number; readonly order: readonly number[] } | undefined;
  return (at) => {
    const [pass, i] = [Math.floor(at / perPass), at % perPass];
    if (latest?.pass !== pass) latest = { pass, order: streamOf(pass).shuffle(all) };
    return Int32Array.from(latest.order.slice(i * size, (i + 1) * size));
  };
}
