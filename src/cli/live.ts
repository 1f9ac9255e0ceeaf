import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import { printable } from '../common/text.ts';
import { showCount, showMetric, showSeconds } from '../report/numbers.ts';
import { formatArchitecture } from '../space/index.ts';
import type { StudyEvent } from '../study/events.ts';
import type { Contender } from '../study/ranking.ts';
import type { Trial } from '../study/store/store.ts';
import { headline, nameOfMetric } from './objectives.ts';
import type { Output } from './output.ts';
import type { Setup } from './setup.ts';

/** What is told of a search while it runs: a picture that changes in a terminal, else a line for each trial. */
export interface LiveView {
  onEvent(event: StudyEvent): void;
  /** A line for people that stays, above the picture. */
  say(text: string): void;
  /** Leaves the last picture standing, or nothing. */
  close(): void;
}

/** Everything that the picture shows. */
interface Picture {
  phase: Trial['purpose'];
  wanted: number | undefined;
  ended: number;
  best: Contender | undefined;
  readonly running: Map<string, Trial>;
}

/** `secondsToGo`: what is left of a budget in time; `ended`: search trials of earlier sessions. */
export function createLiveView(setup: Setup, secondsToGo: number | undefined, ended: number, output: Output): LiveView {
  const picture: Picture = { phase: 'search', wanted: undefined, ended, best: undefined, running: new Map() };
  const began = performance.now();
  /** When the phase began, and how many of its trials had ended then. */
  let since = { began, ended };
  const secondsFrom = (moment: number) => (performance.now() - moment) / 1000;
  if (output.quiet || !output.terminal) {
    return {
      onEvent: (event) => tellLine(follow(picture, event), event, setup, output),
      say: output.note,
      close: () => {},
    };
  }
  const log = createLogUpdate(process.stderr);
  const draw = () => {
    const left = secondsLeft(picture, since.ended, secondsToGo, secondsFrom(since.began));
    log(render(picture, setup, left, secondsFrom(began)));
  };
  const timer = setInterval(draw, 1000);
  return {
    onEvent(event) {
      follow(picture, event);
      if (event.kind === 'phase') since = { began: performance.now(), ended: picture.ended };
      if (event.kind === 'note') {
        log.clear();
        output.note(noteOf(event));
      }
      draw();
    },
    say(text) {
      log.clear();
      output.note(text);
      draw();
    },
    close() {
      clearInterval(timer);
      log.clear();
      log.done();
    },
  };
}

function follow(picture: Picture, event: StudyEvent): Picture {
  switch (event.kind) {
    case 'phase':
      Object.assign(picture, {
        phase: event.phase,
        wanted: event.trials,
        ...(event.phase === 'confirm' && { ended: 0 }),
      });
      break;
    case 'started':
    case 'reported':
      picture.running.set(keyOf(event.trial), event.trial);
      break;
    case 'ended':
      picture.ended++;
      picture.running.delete(keyOf(event.trial));
      break;
    case 'released':
      picture.running.delete(keyOf(event.trial));
      break;
    case 'best':
      picture.best = event.best[0];
      break;
    case 'note':
    case 'finished':
      break;
    default:
      event satisfies never;
  }
  return picture;
}

const keyOf = ({ purpose, trial }: Trial) => `${purpose} ${trial}`;

function nameOf(trial: Trial): string {
  return trial.purpose === 'search' ? `trial ${trial.trial}` : `trial ${trial.repeats} again`;
}

const noteOf = ({ trial, text }: StudyEvent & { kind: 'note' }) => `${nameOf(trial)}: ${printable(text)}`;

/** Plain lines: one for each trial that ended, and one for each phase but the first. */
function tellLine(picture: Picture, event: StudyEvent, setup: Setup, output: Output): void {
  if (event.kind === 'phase' && event.phase === 'confirm')
    output.note(`Confirming: ${event.trials} trainings with other seeds.`);
  if (event.kind === 'released' && event.reason !== '') output.note(`${nameOf(event.trial)} waits: ${event.reason}`);
  if (event.kind === 'note') output.note(noteOf(event));
  if (event.kind !== 'ended') return;
  const { trial } = event;
  const of = picture.wanted === undefined ? '' : ` of ${picture.wanted}`;
  const { metric } = headline(setup.problem.objectives, setup.dataset.search.info);
  const result =
    trial.state === 'failed'
      ? `failed: ${trial.reason}`
      : `${trial.state === 'complete' ? '' : `${trial.state}, `}${nameOfMetric(setup.settings, metric)} ${showMetric(metric, trial.metrics[metric])}`;
  const text = formatArchitecture(setup.space, trial.architecture);
  const costs = [
    `${showCount(trial.costs.params ?? 0)} parameters`,
    ...(trial.seconds > 0 ? [showSeconds(trial.seconds)] : []),
  ];
  output.note(`[${picture.ended}${of}] ${nameOf(trial)}: ${[result, ...costs].join(', ')}; ${text}`);
}

/** By the time that the trials of this phase have taken on average, and by the budget. */
function secondsLeft(
  picture: Picture,
  endedBefore: number,
  secondsToGo: number | undefined,
  elapsed: number,
): number | undefined {
  const done = picture.ended - endedBefore;
  const guesses = [
    ...(secondsToGo === undefined || picture.phase !== 'search' ? [] : [secondsToGo - elapsed]),
    ...(picture.wanted === undefined || done < 1 ? [] : [(elapsed / done) * (picture.wanted - picture.ended)]),
  ];
  return guesses.length === 0 ? undefined : Math.max(0, Math.min(...guesses));
}

function render(picture: Picture, setup: Setup, left: number | undefined, elapsed: number): string {
  const { settings, space } = setup;
  const { metric } = headline(setup.problem.objectives, setup.dataset.search.info);
  const width = (process.stderr.columns ?? 100) - 1;
  const clip = (unsafe: string) => {
    const text = printable(unsafe);
    return text.length > width ? `${text.slice(0, width - 1)}…` : text;
  };
  const of = picture.wanted === undefined ? '' : ` of ${picture.wanted}`;
  const head = [
    `${settings.data}, ${space.name}, ${settings.strategy}`,
    `${picture.phase === 'search' ? 'trials' : 'confirming'} ${picture.ended}${of}`,
    showSeconds(elapsed),
    ...(left === undefined || left === 0 ? [] : [`about ${showSeconds(left)} left`]),
  ];
  const lines = [colors.bold(clip(head.join('   ')))];
  const { best } = picture;
  if (best !== undefined) {
    const text = `best     trial ${best.trial}: ${nameOfMetric(settings, metric)} ${showMetric(metric, best.metrics[metric])}, ${showCount(best.costs.params ?? 0)} parameters; ${formatArchitecture(space, best.architecture)}`;
    lines.push(colors.green(clip(text)));
  }
  for (const trial of picture.running.values()) {
    const last = trial.curve.at(-1);
    const progress =
      last === undefined
        ? 'begins'
        : `epoch ${last.step} of ${settings.epochs}, ${metric} ${showMetric(metric, last.metrics[metric])}`;
    lines.push(clip(`running  ${nameOf(trial)}: ${progress}; ${formatArchitecture(space, trial.architecture)}`));
  }
  return lines.join('\n');
}
