import { messageOf } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import type { Inheritance } from '../estimate/estimator.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { Session } from './session.ts';
import type { Trial } from './store/store.ts';
import type { Job } from './worker/protocol.ts';

/** A trial that cannot be handed to a worker, and why. */
export interface Unrunnable {
  readonly reason: string;
}

/** What a worker gets of a trial. */
export function jobOf(trial: Trial, problem: Problem, session: Session): Job | Unrunnable {
  const fidelity = fidelityOf(trial, problem, session);
  const isCandidate = trial.purpose === 'search' || trial.purpose === 'confirm';
  const confirmation = trial.purpose === 'confirm' ? problem.confirmation : undefined;
  const fullFidelity = confirmation ?? (isCandidate ? problem.fidelities.at(-1) : fidelity);
  if (!fidelity || !fullFidelity) return { reason: `the study has no fidelity ${trial.fidelity}` };
  if (isCandidate && Object.keys(trial.costs).length === 0) {
    const { reason } = costsOf(problem, trial.architecture);
    if (reason !== undefined) return { reason };
  }
  const source =
    trial.start.kind === 'fresh' ? undefined : session.trial({ purpose: 'search', trial: trial.start.trial });
  if (trial.start.kind === 'inherit' && source?.checkpoint === undefined)
    return { reason: `trial ${trial.start.trial} has no weights to inherit` };
  // Without its source's checkpoint a continued trial starts over, on the same seed: the same, only slower.
  const checkpoint = trial.checkpoint ?? (trial.start.kind === 'continue' ? source?.checkpoint : undefined);
  const inherited = trial.start.kind === 'inherit' && source ? inheritanceFrom(source, problem) : undefined;
  const [supernet] = isCandidate ? session.trials('supernet') : [];
  return {
    purpose: trial.purpose,
    trial: trial.trial,
    architecture: trial.architecture,
    fidelity,
    fullFidelity,
    seed: seedOf(trial, problem.seed, session),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(inherited === undefined ? {} : { inherit: inherited }),
    ...(supernet?.checkpoint === undefined ? {} : { shared: supernet.checkpoint }),
    ...(trial.final && { final: trial.final }),
    ...(session.run.steps && { steps: true }),
  };
}

/** What a trial is trained at. A final training and a supernet are trained at the full fidelity, for epochs of their own. */
export function fidelityOf(trial: Trial, problem: Problem, { run }: Session): Fidelity | undefined {
  if (trial.final) return { epochs: trial.final.epochs, data: 1, resolution: 1, width: 1 };
  if (trial.purpose === 'confirm' && problem.confirmation !== undefined) return problem.confirmation;
  const fidelity = problem.fidelities[trial.fidelity];
  if (trial.purpose !== 'supernet' || fidelity === undefined) return fidelity;
  return { ...fidelity, epochs: run.supernet?.epochs ?? fidelity.epochs };
}

function inheritanceFrom({ architecture, checkpoint, fidelity }: Trial, problem: Problem): Inheritance | undefined {
  const { width } = problem.fidelities[fidelity] ?? {};
  return checkpoint === undefined || width === undefined ? undefined : { checkpoint, architecture, width };
}

/** The costs of an architecture, or why they cannot be computed: then the network cannot be built. */
export function costsOf(
  problem: Problem,
  architecture: Trial['architecture'],
): { costs: Trial['costs']; reason?: string } {
  try {
    return { costs: problem.costs(architecture) };
  } catch (error) {
    return { costs: {}, reason: messageOf(error) };
  }
}

/**
 * The labels of a trial's random streams. A trial that continues another has its seed, so that it equals the training
 * that the other would have become.
 */
function seedOf(trial: Trial, studySeed: number, session: Session): readonly (string | number)[] {
  if (trial.purpose === 'supernet') return [studySeed, 'supernet', trial.trial];
  if (trial.final) return [studySeed, 'evaluate', trial.final.repetition];
  if (trial.purpose === 'confirm') return [studySeed, 'confirm', trial.repeats ?? 0, trial.repeatIndex ?? 0];
  let root = trial;
  while (root.start.kind === 'continue') root = session.trial({ purpose: 'search', trial: root.start.trial });
  return [studySeed, 'trial', root.trial];
}
