import { deepFreeze } from '../../common/json.ts';
import type { Metrics } from '../../common/metrics.ts';
import type { CheckpointId, FinalTraining, Report } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import type { Start } from '../../strategy/strategy.ts';
import {
  PURPOSES,
  type Purpose,
  StaleWriter,
  type StrategyState,
  type Trial,
  type TrialEnd,
  type TrialKey,
} from './store.ts';

/**
 * What each write of a store does to a trial: pure functions that every store applies inside its transaction, so that
 * two stores cannot disagree.
 *
 *     waiting ──begin──▶ running ──finish──▶ complete | paused | pruned | failed
 *        ▲                  │
 *        └─────release──────┘             (failed ──retry──▶ waiting)
 */

/** What is known of a trial when it is proposed. */
export interface Proposed extends TrialKey {
  readonly architecture: Architecture;
  readonly fidelity: number;
  readonly start?: Start;
  readonly origin?: Trial['origin'];
  readonly costs?: Trial['costs'];
  readonly repeats?: number;
  readonly repeatIndex?: number;
  readonly final?: FinalTraining;
}

/** A waiting trial that has not begun. */
export function newTrial(proposed: Proposed): Trial {
  return deepFreeze({
    start: { kind: 'fresh' as const },
    origin: 'asked' as const,
    costs: {},
    ...proposed,
    state: 'waiting' as const,
    metrics: {},
    curve: [],
    seconds: 0,
    attempts: 0,
    fence: 0,
  });
}

export function begun(trial: Trial, now: number, costs: Trial['costs'] = {}): Trial {
  if (trial.state !== 'waiting') throw new Error(`${nameOf(trial)} is ${trial.state}; only a waiting trial can begin`);
  return deepFreeze({
    ...trial,
    state: 'running' as const,
    costs: { ...trial.costs, ...finite(costs) },
    startedAt: trial.startedAt ?? now,
    attempts: trial.attempts + 1,
    fence: trial.fence + 1,
  });
}

export function reported(trial: Trial, fence: number, report: Report, checkpoint: CheckpointId | undefined): Trial {
  checkFence(trial, fence);
  const point = { ...report, metrics: finite(report.metrics) };
  return deepFreeze({
    ...trial,
    curve: [...trial.curve.filter((earlier) => earlier.step < report.step), point],
    seconds: report.seconds,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  });
}

export function finished(trial: Trial, fence: number, end: TrialEnd, now: number): Trial {
  checkFence(trial, fence);
  return deepFreeze({
    ...trial,
    state: end.state,
    metrics: finite(end.metrics),
    seconds: end.seconds,
    endedAt: now,
    ...(end.checkpoint === undefined ? {} : { checkpoint: end.checkpoint }),
    ...(end.artifacts === undefined ? {} : { artifacts: end.artifacts }),
    ...(end.reason === undefined ? {} : { reason: end.reason }),
  });
}

export function released(trial: Trial): Trial {
  if (trial.state !== 'running')
    throw new Error(`${nameOf(trial)} is ${trial.state}; only a running trial can be released`);
  // The fence rises already here: the earlier worker of the trial may not write from now on, even before it begins again.
  return deepFreeze({ ...trial, state: 'waiting' as const, fence: trial.fence + 1 });
}

export function forgotten(trial: Trial): Trial {
  if (!hasEnded(trial)) throw new Error(`${nameOf(trial)} is ${trial.state}; its checkpoint is still needed`);
  const { checkpoint: _, ...rest } = trial;
  return deepFreeze(rest);
}

export function retried(trial: Trial): Trial {
  if (trial.state !== 'failed') throw new Error(`${nameOf(trial)} is ${trial.state}; only a failed trial is retried`);
  const { checkpoint, artifacts, reason, startedAt, endedAt, ...rest } = trial;
  return deepFreeze({ ...rest, state: 'waiting' as const, metrics: {}, curve: [], seconds: 0, fence: trial.fence + 1 });
}

export function checkRevision(stored: number, next: StrategyState): void {
  if (next.revision !== stored + 1)
    throw new StaleWriter(`strategy state: revision ${next.revision} cannot follow revision ${stored}`);
}

export function hasEnded(trial: Trial): boolean {
  return trial.state !== 'waiting' && trial.state !== 'running';
}

const NAMES: Readonly<Record<Purpose, string>> = {
  search: 'trial',
  confirm: 'confirmation',
  supernet: 'supernet',
  evaluate: 'final training',
};

/** `trial 12`, `confirmation 0` */
export function nameOf({ purpose, trial }: TrialKey): string {
  return `${NAMES[purpose]} ${trial}`;
}

/** A value for each purpose. */
export function byPurpose<T>(make: () => T): Readonly<Record<Purpose, T>> {
  return { search: make(), confirm: make(), supernet: make(), evaluate: make() };
}

/** By purpose, in the order of PURPOSES, then by number. */
export function compareKeys(a: TrialKey, b: TrialKey): number {
  return PURPOSES.indexOf(a.purpose) - PURPOSES.indexOf(b.purpose) || a.trial - b.trial;
}

/** The artifacts that a trial refers to. */
export function artifactsOf({
  checkpoint,
  artifacts = {},
}: Pick<Trial, 'checkpoint' | 'artifacts'>): readonly string[] {
  return [...(checkpoint === undefined ? [] : [checkpoint]), ...Object.values(artifacts)];
}

function checkFence(trial: Trial, fence: number): void {
  if (trial.state !== 'running') throw new StaleWriter(`${nameOf(trial)} is ${trial.state}, not running`);
  if (trial.fence !== fence)
    throw new StaleWriter(`${nameOf(trial)}: fence ${fence} is not the newest, ${trial.fence}`);
}

/** As JSON has them: a metric that is not finite, which cannot be ranked, counts as missing, and -0 is 0. */
export function finite(metrics: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) => (Number.isFinite(value) ? [[name, value + 0]] : [])),
  );
}
