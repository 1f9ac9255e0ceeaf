import colors from 'picocolors';
import { hypervolume } from '../common/hypervolume.ts';
import { compareBy } from '../common/metrics.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { plural, showCount, showMetric, showSeconds } from '../report/numbers.ts';
import type { SearchSpace } from '../space/search-space.ts';
import type { Problem } from '../strategy/strategy.ts';
import type { StudyEvent } from '../study/events.ts';
import { headline, nameOfMetric } from '../study/objectives.ts';
import { parseDuration } from '../study/quantities.ts';
import type { Contender } from '../study/ranking.ts';
import { type StudySettings, supernetEpochsOf } from '../study/spec.ts';
import type { Trial } from '../study/store/store.ts';
import { likelyEpochs } from '../study/time-plan.ts';
import type { Output } from './output.ts';
import { drawRows, type Now, openLive, type Row, secondsLeftOf, timeText } from './screen.ts';
import { collapseText, supernetText } from './supernet.ts';

/** The progress of a search: a line for each trial, and in a terminal a live area below the lines. */
export interface LiveView {
  onEvent(event: StudyEvent): void;
  /** A note that stays, above the live view. */
  say(text: string): void;
  /** Takes the picture away; the lines stay. */
  close(): void;
}

/** What of a study the view shows. */
export interface Shown {
  readonly settings: StudySettings;
  readonly space: SearchSpace;
  readonly problem: Pick<Problem, 'objectives' | 'fidelities' | 'confirmation' | 'reference'>;
  readonly dataset: { readonly search: { readonly info: DatasetInfo } };
  /** Says a collapse of a one-shot search in words, by what its supernet has reported. */
  readonly collapseOf?: (curve: Trial['curve']) => string | undefined;
}

/** Where the search stands. */
interface Progress {
  phase: Trial['purpose'];
  wanted: number | undefined;
  ended: number;
  /** When the phase began, and how many of its trials had ended then. */
  since: { readonly began: number; readonly ended: number };
  /** With several objectives the front, the best by the first at its start. */
  best: readonly Contender[];
  readonly running: Map<string, Trial>;
}

/** `secondsToGo`: what is left of a budget in time; `ended`: search trials of earlier sessions. */
export function createLiveView(
  setup: Shown,
  secondsToGo: number | undefined,
  ended: number,
  { note, quiet, screen, footer }: Pick<Output, 'note' | 'quiet' | 'screen' | 'footer'>,
  now: Now = () => performance.now(),
): LiveView {
  const began = now();
  const since = { began, ended };
  const progress: Progress = { phase: 'search', wanted: undefined, ended, since, best: [], running: new Map() };
  if (quiet || screen === undefined) {
    return {
      onEvent(event) {
        follow(progress, event, now());
        const line = lineOf(progress, event, setup);
        if (line !== undefined) note(line);
      },
      say: note,
      close: () => {},
    };
  }
  const picture = (columns: number) => {
    const at = now();
    const share = shareDone(progress, setup, secondsToGo, (at - progress.since.began) / 1000);
    const left = share === undefined ? undefined : secondsLeft(progress, setup, secondsToGo, at);
    const rows = rowsOf(progress, setup, share, timeText((at - began) / 1000, left));
    const { settings, space } = setup;
    return drawRows(
      `${settings.environment ?? settings.data}, ${space.name}, ${settings.strategy}`,
      [...rows, ...(footer ? [footer()] : [])],
      columns,
    );
  };
  const live = openLive(screen, picture, now);
  return {
    onEvent(event) {
      follow(progress, event, now());
      const line = lineOf(progress, event, setup);
      if (line === undefined) live.changed();
      else live.say(line);
    },
    say: live.say,
    close: live.close,
  };
}

function follow(progress: Progress, event: StudyEvent, at: number): void {
  switch (event.kind) {
    case 'phase':
      progress.phase = event.phase;
      progress.wanted = event.trials;
      if (event.phase === 'confirm') progress.ended = 0;
      progress.since = { began: at, ended: progress.ended };
      break;
    case 'started':
    case 'reported':
      progress.running.set(keyOf(event.trial), event.trial);
      break;
    case 'ended':
      if (event.trial.purpose !== 'supernet') progress.ended++;
      progress.running.delete(keyOf(event.trial));
      break;
    case 'released':
      progress.running.delete(keyOf(event.trial));
      break;
    case 'best':
      progress.best = event.best;
      break;
    case 'stepped':
    case 'note':
    case 'finished':
      break;
    default:
      event satisfies never;
  }
}

const keyOf = ({ purpose, trial }: Trial) => `${purpose} ${trial}`;

function nameOf(trial: Trial): string {
  if (trial.purpose === 'supernet') return 'supernet';
  return trial.purpose === 'search' ? `trial ${trial.trial}` : `confirming trial ${trial.repeats}`;
}

/**
 * Epochs that a trial has done, and those of its own fidelity; 0 where nothing is trained, undefined where time limits them and the first is
 * not done.
 */
function epochsOf(
  { curve, fidelity, purpose }: Trial,
  { problem, settings }: Shown,
): { readonly done: number; readonly of: number | undefined } {
  const { step: done = 0, seconds = 0 } = curve.at(-1) ?? {};
  if (purpose === 'supernet') return { done, of: supernetEpochsOf(settings) };
  const trained = purpose === 'confirm' ? problem.confirmation : undefined;
  const of = (trained ?? problem.fidelities[fidelity])?.epochs ?? settings.epochs;
  const limit = settings.trialTime === undefined ? undefined : parseDuration(settings.trialTime);
  if (limit === undefined) return { done, of };
  return { done, of: done === 0 ? undefined : likelyEpochs(limit, of, done, seconds) };
}

/** The line for what has happened: of each trial that ended or waits, and of each phase except the first. */
function lineOf({ ended, wanted }: Progress, event: StudyEvent, setup: Shown): string | undefined {
  if (event.kind === 'phase' && event.phase === 'confirm')
    return `Confirming: ${event.trials} training runs ${setup.problem.confirmation === undefined ? 'with new seeds' : 'from scratch'}.`;
  if (event.kind === 'phase' && event.phase === 'supernet')
    return `Training the supernet for ${supernetEpochsOf(setup.settings)} epochs.`;
  if (event.kind === 'released' && event.reason !== '') return `${nameOf(event.trial)} paused: ${event.reason}`;
  if (event.kind === 'note') return `${nameOf(event.trial)}: ${event.text}`;
  const { metric } = headline(setup.problem.objectives, setup.dataset.search.info);
  if (event.kind === 'reported') return supernetLine(event.trial, setup, metric);
  if (event.kind !== 'ended') return undefined;
  const { trial } = event;
  if (trial.purpose === 'supernet') return supernetEnd(trial, setup);
  const of = wanted === undefined ? '' : ` of ${wanted}`;
  const name = nameOfMetric(setup.settings, metric, trial.purpose === 'confirm');
  const value = `${name} ${showMetric(metric, trial.metrics[metric])}`;
  const about = [
    trial.state === 'failed' ? `failed: ${trial.reason}` : [...howFar(trial, setup), value].join(', '),
    ...otherObjectives(trial, setup),
    ...sizeOf(trial),
    ...(trial.seconds > 0 ? [showSeconds(trial.seconds)] : []),
  ];
  const text = setup.space.format(trial.architecture);
  return `[${ended}${of}] ${nameOf(trial)}: ${about.join(', ')}; ${text}`;
}

/** A line for each tenth of a supernet's epochs; undefined at the others, and for candidates. */
function supernetLine(trial: Trial, setup: Shown, metric: string): string | undefined {
  if (trial.purpose !== 'supernet') return undefined;
  const { done, of = 1 } = epochsOf(trial, setup);
  const { collapseOf = () => undefined } = setup;
  const collapse = collapseOf(trial.curve);
  // It is said once, when it is seen.
  if (collapse !== undefined && collapseOf(trial.curve.slice(0, -1)) === undefined) return collapseText(collapse);
  if (done < of && done % Math.ceil(of / 10) !== 0) return undefined;
  return `supernet: epoch ${done} of ${of}, ${supernetText(trial, setup.space, metric, nameOfMetric(setup.settings, metric))}`;
}

function supernetEnd(trial: Trial, setup: Shown): string {
  const { state, reason, seconds } = trial;
  if (state === 'failed') return `supernet: failed: ${reason}, ${showSeconds(seconds)}`;
  const { done, of = done } = epochsOf(trial, setup);
  // Nothing else ends a supernet before its last epoch.
  const early =
    done < of
      ? `, stopped after ${done} of ${of} epochs by eigenvalueStop: its loss became sharp in the architecture`
      : '';
  return `supernet: trained, ${showSeconds(seconds)}${early}`;
}

/** What is known of the other objectives, except the size, which has a place of its own. */
function otherObjectives({ metrics, costs, purpose }: Trial, { problem, settings }: Shown): readonly string[] {
  return problem.objectives.slice(1).flatMap(({ metric }) => {
    const value = metrics[metric] ?? costs[metric];
    if (value === undefined || metric === 'params') return [];
    return [`${nameOfMetric(settings, metric, purpose === 'confirm')} ${showMetric(metric, value)}`];
  });
}

/** The size of a network. */
function sizeOf({ costs: { params } }: Pick<Trial, 'costs'>): readonly string[] {
  return params === undefined ? [] : [`${showCount(params)} parameters`];
}

/** How far a trial has come, where that is not the same for all: `9 epochs`, `pruned after 4 of 10 epochs`. */
function howFar(trial: Trial, setup: Shown): readonly string[] {
  const { done, of = 0 } = epochsOf(trial, setup);
  if (trial.state !== 'complete') return [done === 0 ? trial.state : `${trial.state} after ${done} of ${of} epochs`];
  return setup.problem.fidelities.length > 1 && of > 0 ? [of === 1 ? '1 epoch' : `${of} epochs`] : [];
}

/** Trials of this phase and session that have ended, running ones by their share. */
function trialsDone({ ended, since, running }: Progress, setup: Shown): number {
  const begun = [...running.values()].map((trial) => {
    const { done, of = 0 } = epochsOf(trial, setup);
    return of > 0 ? Math.min(1, done / of) : 0;
  });
  return begun.reduce((sum, share) => sum + share, ended - since.ended);
}

/** By trials or by time, whichever ends it first; undefined where neither is known. */
function shareDone(
  progress: Progress,
  setup: Shown,
  secondsToGo: number | undefined,
  elapsed: number,
): number | undefined {
  const { wanted, phase, since } = progress;
  const shares = [
    ...(wanted === undefined || wanted === 0 ? [] : [(since.ended + trialsDone(progress, setup)) / wanted]),
    ...(secondsToGo === undefined || phase !== 'search' || secondsToGo <= 0 ? [] : [elapsed / secondsToGo]),
  ];
  return shares.length === 0 ? undefined : Math.min(1, Math.max(...shares));
}

function secondsLeft(
  progress: Progress,
  setup: Shown,
  secondsToGo: number | undefined,
  at: number,
): number | undefined {
  const elapsed = (at - progress.since.began) / 1000;
  const { wanted, since, phase } = progress;
  const remaining = (wanted ?? 0) - since.ended;
  const guesses = [
    remaining > 0 ? secondsLeftOf(trialsDone(progress, setup) / remaining, elapsed) : undefined,
    phase === 'search' && secondsToGo !== undefined ? secondsToGo - elapsed : undefined,
  ].filter((guess) => guess !== undefined);
  return guesses.length === 0 ? undefined : Math.min(...guesses);
}

function rowsOf(
  { phase, wanted, ended, best: front, running }: Progress,
  setup: Shown,
  share: number | undefined,
  time: string,
): readonly Row[] {
  const { settings, space } = setup;
  const { metric } = headline(setup.problem.objectives, setup.dataset.search.info);
  const name = nameOfMetric(settings, metric);
  const of = wanted === undefined ? '' : ` of ${wanted}`;
  const rows: Row[] = [
    {
      name: phase === 'search' ? 'trials' : phase === 'supernet' ? 'supernets' : 'confirming',
      ...(share !== undefined && { share }),
      text: `${ended}${of}, ${time}`,
    },
  ];
  for (const trial of running.values()) {
    const { done, of } = epochsOf(trial, setup);
    const last = trial.curve.at(-1);
    if (trial.purpose === 'supernet') {
      const text = `epoch ${done} of ${of}  ${supernetText(trial, space, metric, name)}`;
      rows.push({ name: nameOf(trial), share: done / (of ?? 1), text });
      continue;
    }
    const own = nameOfMetric(settings, metric, trial.purpose === 'confirm');
    const value = last === undefined ? '' : `  ${own} ${showMetric(metric, last.metrics[metric])}`;
    const text = space.format(trial.architecture);
    rows.push({
      name: nameOf(trial),
      ...(of !== 0 && { share: of === undefined ? 0 : done / of }),
      text: of === 0 ? text : `epoch ${done}${of === undefined ? '' : ` of ${of}`}${value}  ${text}`,
    });
  }
  const [best] = front;
  if (best !== undefined) {
    const own = nameOfMetric(settings, metric, best.confirmations > 0);
    const value = `${own} ${showMetric(metric, best.metrics[metric])}`;
    rows.push({
      name: 'best',
      text: `trial ${best.trial}: ${[value, ...sizeOf(best)].join(', ')}; ${space.format(best.architecture)}`,
      paint: colors.green,
    });
    if (setup.problem.objectives.length > 1) rows.push({ name: 'front', text: frontText(front, setup) });
  }
  return rows;
}

/** `12 networks, accuracy 71.20 to 93.10 %, params 1,204 to 30,112`; with a stated reference point its hypervolume, too. */
function frontText(front: readonly Contender[], { problem, settings }: Shown): string {
  const { objectives, reference } = problem;
  const isConfirmed = front.some(({ confirmations }) => confirmations > 0);
  const ends = objectives.map((objective) => {
    const sorted = front.map(({ metrics }) => metrics).sort((a, b) => compareBy(objective, a, b));
    return { objective, best: sorted[0]?.[objective.metric], worst: sorted.at(-1)?.[objective.metric] };
  });
  const ranges = ends.map(({ objective: { metric }, best, worst }) => {
    const both = [...new Set([showMetric(metric, worst), showMetric(metric, best)])];
    return `${nameOfMetric(settings, metric, isConfirmed)} ${both.join(' to ')}`;
  });
  const best = Object.fromEntries(ends.map(({ objective, best = Number.NaN }) => [objective.metric, best]));
  const covered = reference && hypervolume(front, objectives, reference, best);
  return [
    plural(front.length, 'network'),
    ...ranges,
    ...(covered === undefined ? [] : [`hypervolume ${covered.toFixed(3)}`]),
  ].join(', ');
}
