/** The methods that train policies, by name. */
import { invalid } from '../../common/errors.ts';
import { optionsBy } from '../../common/options.ts';
import type { PolicyForm } from '../../task/environment.ts';
import type { Environment } from '../environment.ts';
import type { TrainerName } from '../presets.ts';
import { DQN_OPTIONS, openDqn } from './dqn.ts';
import { openPpo, PPO_OPTIONS } from './ppo.ts';
import { openReinforce, REINFORCE_OPTIONS } from './reinforce.ts';
import type { PolicyRequest, PolicyTraining } from './request.ts';

type Options = Readonly<Record<string, number | string | boolean>>;

/** How a policy is trained. */
export interface TrainerChoice {
  readonly trainer: TrainerName;
  /** Of the method, `steps` and `epochSteps` aside. */
  readonly options: Options;
  /** Environment steps of the whole training at most. */
  readonly envSteps: number;
  /** Parts of equal length that it has. */
  readonly epochs: number;
}

interface Trainer {
  readonly form: PolicyForm;
  readonly rules: Parameters<typeof optionsBy>[0];
  open(request: PolicyRequest, settings: Options): Promise<PolicyTraining>;
}

const TRAINERS: Readonly<Record<TrainerName, Trainer>> = {
  ppo: { form: 'actor-critic', rules: PPO_OPTIONS, open: (request, settings) => openPpo({ ...request, settings }) },
  reinforce: {
    form: 'actor-critic',
    rules: REINFORCE_OPTIONS,
    open: (request, settings) => openReinforce({ ...request, settings }),
  },
  dqn: { form: 'action-values', rules: DQN_OPTIONS, open: (request, settings) => openDqn({ ...request, settings }) },
};

/** What a network gives that this method trains. */
export const formOf = (trainer: TrainerName): PolicyForm => TRAINERS[trainer].form;

/** Options that follow from the environment steps and the epochs. */
const PLANNED = ['steps', 'epochSteps'];

/**
 * The settings of a method. `epochs` parts of as many whole rollouts as fit into the environment steps. Throws UserError, which names the
 * command line's options, for options that the method does not have, for fewer steps than an epoch takes, and for an environment
 * that it cannot learn in.
 */
export function settingsOf({ trainer, options, envSteps, epochs }: TrainerChoice, environment: Environment): Options {
  const { rules, form } = TRAINERS[trainer];
  const planned = PLANNED.find((name) => options[name] !== undefined);
  if (planned !== undefined)
    throw invalid('--trainer-options', planned, 'follows from --env-steps and --epochs, which say it');
  const checked: Options = optionsBy(rules, options, `--trainer-options of ${trainer}`);
  if (form === 'action-values' && environment.action.kind !== 'discrete')
    throw invalid('--trainer', `"${trainer}"`, `needs discrete actions; those of ${environment.name} are continuous`);
  const least = Number(checked.lanes) * Number(checked.rollout ?? 1);
  const rounds = Math.floor(envSteps / epochs / least);
  if (rounds < 1) {
    const rule = `must be at least ${least * epochs}: ${epochs} epochs of ${least} steps, one rollout of all lanes`;
    throw invalid('--env-steps', String(envSteps), rule);
  }
  return { ...checked, steps: epochs * rounds * least, epochSteps: rounds * least };
}

/** Opens a training by the method. Throws as `settingsOf`, and as the method. */
export function openPolicyTraining(choice: TrainerChoice, request: PolicyRequest): Promise<PolicyTraining> {
  return TRAINERS[choice.trainer].open(request, settingsOf(choice, request.environment));
}
