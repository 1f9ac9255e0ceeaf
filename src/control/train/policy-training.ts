/** What all methods make of a training step: epochs with validation, the best weights, checkpoints. */
import type { Samples } from '../../data/dataset.ts';
import type { HostTensor } from '../../graph/ir.ts';
import type { PolicyForm } from '../../task/environment.ts';
import type { EpochRecord } from '../../train/checkpoint.ts';
import { type EpochParts, epochs } from '../../train/epochs.ts';
import type { Actor } from './actor.ts';
import { greedyActions } from './evaluate.ts';
import { play } from './play.ts';
import { keepBest, type PolicyRequest, type PolicyTraining } from './request.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

export interface PolicyLoop extends Pick<PolicyTraining, 'plannedEpochs' | 'plannedSteps' | 'dispose'> {
  readonly request: Pick<PolicyRequest, 'environment' | 'valid' | 'signal' | 'checkpoint'>;
  readonly form: PolicyForm;
  /** Plays the validation episodes. */
  readonly validator: Actor;
  /** Grows with each epoch. */
  readonly history: EpochRecord[];
  readonly epochs: Omit<EpochParts, 'history' | 'validate'>;
  /** Updates so far. */
  steps(): number;
  /** The parts of the training program's state, by path. */
  tensors(): Promise<Tensors>;
  /** Paths of those that the policy consists of. */
  readonly own: ReadonlySet<string>;
  /** What observations are scaled by. */
  observations(): Tensors;
  /** What a checkpoint has besides. */
  others(): Tensors | Promise<Tensors>;
}

export function policyTraining(loop: PolicyLoop): PolicyTraining {
  const { request, form, validator, history, plannedEpochs, plannedSteps, dispose, tensors, observations } = loop;
  const { environment, valid, signal, checkpoint } = request;
  const greedy = greedyActions(environment, form);
  const measure = (samples: Samples) => play(environment, samples, validator, greedy, signal);
  const best = keepBest(history, checkpoint?.best, async () => {
    const all = Object.entries(await tensors()).filter(([name]) => loop.own.has(name));
    return { ...Object.fromEntries(all), ...observations() };
  });
  const epoch = epochs({ ...loop.epochs, history, validate: () => measure(valid) });
  return {
    history,
    epoch: () => best.around(epoch),
    keptEpoch: best.keptEpoch,
    plannedEpochs,
    plannedSteps,
    weights: best.weights,
    checkpoint: async () => ({
      history: [...history],
      steps: loop.steps(),
      tensors: { ...(await tensors()), ...(await loop.others()), ...observations() },
      ...best.checkpoint(),
    }),
    measure: async (samples) => ({ metrics: await measure(samples) }),
    dispose,
  };
}
