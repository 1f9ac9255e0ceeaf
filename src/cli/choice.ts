import { type Command, Option } from 'commander';
import type { Objective } from '../common/metrics.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import type { Choice } from '../study/choice.ts';

/** `--choose`, for commands that take one network of a study. */
export const CHOOSE = [
  '--choose <rule>',
  'with several objectives, the network to take from the Pareto front: first (best by the first objective), knee, or the name of an objective (default: first)',
] as const;

/** `--trial` and `--choose`. */
export function addChoice(command: Command): Command {
  const trial = new Option('--trial <n>', 'use this trial instead of the best').argParser(numberIfItIsOne);
  return command.addOption(trial).option(...CHOOSE);
}

/** Which network of a front was taken, and how to take another; undefined if there was no choice. */
export function choiceText({ trial, by, front }: Choice, objectives: readonly Objective[]): string | undefined {
  if (objectives.length === 1 || by === 'trial') return undefined;
  const of =
    front.length === 1 ? 'The Pareto front has one network' : `Of ${front.length} networks on the Pareto front`;
  if (front.length === 1) return `${of}: trial ${trial}.`;
  const another = 'choose another with --trial N or --choose';
  const [first] = objectives;
  if (by === 'knee') return `${of}, trial ${trial} is the knee (${another} ${first?.metric}).`;
  if (by === 'evaluation') return `${of}, trial ${trial} is the one that was evaluated (${another} first).`;
  return `${of}, trial ${trial} is the best by ${by} (${another} knee).`;
}
